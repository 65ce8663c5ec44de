"""Imports a chart of accounts: new accounts are added, those that are there learn new names, types and groups."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from erp.db import module_transaction
from finance.errors import ChartRefused
from finance.models import Account, JournalLine

COLUMNS = ("number", "name", "name_hu", "type", "normal_balance", "parent", "is_group")
ERRORS_NAMED = 20


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    added: int
    changed: int
    same: int


def import_chart(text: str) -> Imported:
    """Import a CSV with the columns number, name, name_hu, type, normal_balance, parent, is_group; all or nothing.

    Accounts that the file does not name stay as they are. Raises ChartRefused, which names every wrong row.
    """
    rows = _rows(text)
    with module_transaction("finance"):
        there = {a.number: a for a in Account.objects.select_for_update()}
        problems = list(_problems(rows, there))
        if problems:
            more = f" and {len(problems) - ERRORS_NAMED} more" if len(problems) > ERRORS_NAMED else ""
            raise ChartRefused("; ".join(problems[:ERRORS_NAMED]) + more)
        return _write(rows, there)


def _rows(text: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in ("number", "name", "type") if name not in (reader.fieldnames or ())]
    if missing:
        raise ChartRefused(f"The file needs the columns {', '.join(COLUMNS)}; {', '.join(missing)} are missing")
    return [{name: (row.get(name) or "").strip() for name in COLUMNS} for row in reader]


def _problems(rows: list[dict[str, str]], there: Mapping[str, Account]) -> Iterable[str]:
    groups = {n for n, a in there.items() if a.is_group} | {r["number"] for r in rows if _is_group(r)}
    groups -= {r["number"] for r in rows if not _is_group(r)}
    used = {str(number) for number in JournalLine.objects.order_by().values_list("account_id", flat=True).distinct()}
    seen: set[str] = set()
    for n, row in enumerate(rows, start=2):
        where = f"row {n} ({row['number']})"
        if not row["number"] or not row["number"].isalnum() or row["number"] in seen:
            yield f"{where}: the number is missing, is there twice, or is not of letters and digits"
        seen.add(row["number"])
        if not row["name"]:
            yield f"{where}: the name is missing"
        if row["type"] not in Account.Type.values:
            yield f"{where}: the type is one of {', '.join(Account.Type.values)}, not {row['type'] or 'empty'}"
        if row["normal_balance"] not in {"", "D", "C"}:
            yield f"{where}: the normal balance is D or C"
        if row["parent"] and (row["parent"] not in groups or row["parent"] == row["number"]):
            yield f"{where}: {row['parent']} is no group, so it cannot be the parent"
        if _is_group(row) and row["number"] in used:
            yield f"{where}: the account has postings, so it cannot become a group"


def _is_group(row: Mapping[str, str]) -> bool:
    return row["is_group"].lower() in {"1", "true", "yes"}


def _write(rows: list[dict[str, str]], there: dict[str, Account]) -> Imported:
    added = changed = 0
    # A group comes before its members: parents are shorter, or the file says so by its order.
    for row in sorted(rows, key=lambda r: (not _is_group(r), len(r["number"]))):
        parent = there.get(row["parent"])
        values = {
            "name": row["name"], "name_hu": row["name_hu"], "type": row["type"],
            "normal_balance": row["normal_balance"] or "D", "is_group": _is_group(row),
            "parent_id": parent.pk if parent else None,
        }  # fmt: skip
        account = there.get(row["number"])
        if account is None:
            there[row["number"]] = Account.objects.create(number=row["number"], **values)
            added += 1
        elif any(getattr(account, name) != value for name, value in values.items()):
            Account.objects.filter(pk=account.pk).update(**values)
            changed += 1
    return Imported(added, changed, len(rows) - added - changed)
