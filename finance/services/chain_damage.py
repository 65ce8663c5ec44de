"""Turns a seal that does not hold into the rows that were altered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from erp.db import cursor
from finance.serializers.sealing import SEALED_LINE_DIGEST
from finance.services import chain_sql as sql

SIZE = 32  # bytes of a digest


@dataclass(frozen=True)
class Damage:
    """One altered row."""

    kind: str  # entry | line | invoice | invoice line | seal
    key: str  # its id, or number
    message: str


def differences(chain: str, row: Mapping[str, Any], *, is_entry: bool) -> list[Damage]:
    """What is wrong with a row of a verified batch, the most telling first."""
    found = []
    if not row["follows"]:
        gone = f"{row['no_before'] + 1} to {row['no'] - 1}" if row["no"] - row["no_before"] > 2 else f"{row['no'] - 1}"
        found.append(Damage("seal", f"{chain} {row['no_before'] + 1}", f"{chain}: seals {gone} are gone"))
    kind, key, name = _names(row, is_entry=is_entry)
    if not row["is_there"]:
        found.append(Damage(kind, key, f"{name} is gone"))
    elif not row["header_holds"]:
        found.append(Damage(kind, key, f"{name} was changed after it was sealed"))
    if row["is_there"] and not row["lines_hold"]:
        found += _lines(row, name, is_entry=is_entry)
    if row["follows"] and not row["chain_holds"]:
        message = f"{chain}: seal {row['no']} of {name} does not follow from the one before: a seal was rewritten"
        found.append(Damage("seal", f"{chain} {row['no']}", message))
    return found


def _names(row: Mapping[str, Any], *, is_entry: bool) -> tuple[str, str, str]:
    if is_entry:
        return "entry", str(row["key"]), f"journal entry {row['key']}"
    return "invoice", row["name"], f"document {row['name']}"


def _lines(row: Mapping[str, Any], name: str, *, is_entry: bool) -> list[Damage]:
    """Compare line by line: what was sealed, in its order, with what is there."""
    kind, (_, key, _) = "line" if is_entry else "invoice line", _names(row, is_entry=is_entry)
    sealed, there = _digests(row["key"], is_entry=is_entry)
    known = set(sealed)
    found = [
        Damage(kind, f"{key}/{n}", f"line {n} of {name} was changed or added after it was sealed")
        for n, digest in there
        if digest not in known
    ]
    if len(sealed) > len(there):
        present, line_nos = {digest for _, digest in there}, {n for n, _ in there}
        gone = [n for n, digest in enumerate(sealed, start=1) if digest not in present and n not in line_nos]
        found += [Damage(kind, f"{key}/{n}", f"line {n} of {name} is gone") for n in gone]
    return found or [Damage(kind, key, f"the lines of {name} are not those sealed")]


def _digests(key: int, *, is_entry: bool) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    seal, column = ("entry_seal", "entry_id") if is_entry else ("invoice_seal", "invoice_id")
    table, digest = ("journal_line", SEALED_LINE_DIGEST) if is_entry else ("invoice_line", sql.DOCUMENT_LINE_DIGEST)
    with cursor("finance") as cur:
        cur.execute(f"select lines from {seal} where {column} = %s", [key])
        (blob,) = cur.fetchone()
        cur.execute(
            f"select l.line_no, {digest} from {table} l join {seal} s on s.{column} = l.{column} where l.{column} = %s "
            "order by l.line_no, l.id", [key],
        )  # fmt: skip
        there = [(line_no, bytes(value)) for line_no, value in cur.fetchall()]
    sealed = bytes(blob)
    return [sealed[i : i + SIZE] for i in range(0, len(sealed), SIZE)], there
