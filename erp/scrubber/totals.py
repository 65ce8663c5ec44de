"""Totals of a windowed copy against its owner's, per group, at the copy's own position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp import ownership
from erp.db import cursor, module_transaction
from erp.ownership import Entity
from erp.replication import positions
from erp.replication.pull import run_copy
from erp.scrubber.copies import LOOKS
from erp.scrubber.result import Findings

Totals = dict[str, tuple[int, Decimal]]
"""Group → (rows, sum)."""


@dataclass(frozen=True)
class _Question:
    entity: Entity
    source: str
    reader: str
    group: str  # column by which both sides are summed
    amount: str  # column that is summed


def check_totals(entity_name: str, findings: Findings, *, group: str, amount: str) -> None:
    """Compare count and sum per ``group`` of every attached reader's copy with the owner's rows at its position."""
    entity = ownership.entity(entity_name)
    (source,) = entity.writers
    for reader in entity.readers:
        if positions.attachment(entity, source, reader)[0]:
            _check(_Question(entity, source, reader, group, amount), findings)
        else:
            findings.skip(reader, entity_name)


def _check(question: _Question, findings: Findings) -> None:
    owned: Totals = {}
    copied: Totals = {}
    for look in range(LOOKS):
        if look:  # a repair meanwhile brings rows under the next position: let the copy reach it
            run_copy(question.entity.name, question.source, question.reader)
        at = positions.position(question.entity, question.source, question.reader)
        if at is None:
            return  # never filled: every row that the comparison of rows finds is in flight
        owned, later = _owned(question, at["lo"])
        findings.pause()
        copied = _copied(question, at["tick"], later)
        if owned == copied:
            break
    findings.compared += len(owned)
    is_explained = findings.mismatched > 0  # rows tell the cause; totals alone tell how much
    nothing = (0, Decimal(0))
    for name in sorted(owned.keys() | copied.keys()):
        mine, theirs = owned.get(name, nothing), copied.get(name, nothing)
        if mine != theirs:
            findings.add(
                f"{question.reader}/{question.entity.name} {question.group} {name}",
                {"rows": mine[0], "sum": mine[1]}, {"rows": theirs[0], "sum": theirs[1]},
                "" if is_explained else _cause(mine[0], theirs[0]), amount=theirs[1] - mine[1],
            )  # fmt: skip


def _cause(owned: int, copied: int) -> str:
    if copied < owned:
        return "lost"
    return "duplicated" if copied > owned else "rogue write"


def _owned(question: _Question, lo: str) -> tuple[Totals, list[int]]:
    """Totals of what the position confirms, and the keys of rows written since, from one snapshot."""
    rows = _fetch(
        question.source,
        f"select {question.group}, count(*) filter (where xid < %(lo)s::xid8), "
        f"coalesce(sum({question.amount}) filter (where xid < %(lo)s::xid8), 0), "
        f"array_agg(id) filter (where xid >= %(lo)s::xid8) from {question.entity.table} group by 1",
        {"lo": lo},
    )
    totals = {name: (count, total) for name, count, total, _ in rows if count}
    return totals, [key for *_, keys in rows for key in keys or ()]


def _copied(question: _Question, tick: int, later: list[int]) -> Totals:
    """Totals of what the copy had at its position, without the rows that the owner wrote since."""
    rows = _fetch(
        question.reader,
        f"select {question.group}, count(*), coalesce(sum({question.amount}), 0) from {question.entity.copy_table} "
        "where tick <= %(tick)s and id <> all(%(later)s::bigint[]) group by 1",
        {"tick": tick, "later": later},
    )
    return {name: (count, total) for name, count, total in rows}


def _fetch(module: str, statement: str, arguments: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with module_transaction(module), cursor(module) as cur:
        cur.execute("set local statement_timeout = 0")
        cur.execute(statement, arguments)
        found: Sequence[tuple[Any, ...]] = cur.fetchall()
        return found
