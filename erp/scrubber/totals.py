"""Totals of a windowed copy against its owner's, per group, at the copy's own position."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp import ownership
from erp.ownership import Entity
from erp.replication import positions
from erp.scrubber.copies import LOOKS, REST_S
from erp.scrubber.reading import read
from erp.scrubber.result import Findings

GROUPS = 5_000  # a column with more values than this is none to sum by
KEYS = 5_000  # rows held in memory at a time
NOTHING = (0, Decimal(0))

Totals = dict[str, tuple[int, Decimal]]
"""Group → (rows, sum)."""


@dataclass(frozen=True)
class _Question:
    entity: Entity
    source: str
    reader: str
    group: str  # column by which both sides are summed
    amount: str  # column that is summed
    findings: Findings

    @property
    def sums(self) -> str:
        """Selected columns of both sides."""
        return f"{self.group} as name, count(*) as rows, coalesce(sum({self.amount}), 0) as total"


def check_totals(entity_name: str, findings: Findings, *, group: str, amount: str) -> None:
    """Compare count and sum per ``group`` of every attached reader's copy with the owner's rows at its position.

    A copy without a position has no totals to compare; the comparison of its rows says what that means.
    """
    entity = ownership.entity(entity_name)
    (source,) = entity.writers
    for reader in entity.readers:
        if positions.attachment(entity, source, reader)[0]:
            _check(_Question(entity, source, reader, group, amount, findings))
        else:
            findings.skip(reader, entity_name)


def _check(ask: _Question) -> None:
    owned: Totals = {}
    copied: Totals = {}
    for look in range(LOOKS):
        if look:
            time.sleep(REST_S)
        at = positions.position(ask.entity, ask.source, ask.reader)
        if at is None:
            return
        owned = _owned(ask, at["lo"])
        copied = _copied(ask, at["lo"], at["tick"])
        if owned == copied:
            break
    ask.findings.compared += len(owned)
    if GROUPS in (len(owned), len(copied)):
        problem = f"{ask.reader}/{ask.entity.name} has {GROUPS} or more values of {ask.group}: totals are not compared"
        ask.findings.fail(problem, f"manage.py resync {ask.entity.name} {ask.reader}")
        return
    is_explained = ask.findings.mismatched > 0  # rows tell the cause; totals alone tell how much
    for name in sorted(owned.keys() | copied.keys()):
        mine, theirs = owned.get(name, NOTHING), copied.get(name, NOTHING)
        if mine != theirs:
            ask.findings.add(
                f"{ask.reader}/{ask.entity.name} {ask.group} {name}",
                {"rows": mine[0], "sum": mine[1]}, {"rows": theirs[0], "sum": theirs[1]},
                "" if is_explained else _cause(mine[0], theirs[0]), amount=theirs[1] - mine[1],
            )  # fmt: skip


def _cause(owned: int, copied: int) -> str:
    if copied < owned:
        return "lost"
    return "duplicated" if copied > owned else "rogue write"


def _owned(ask: _Question, lo: str) -> Totals:
    """Totals of what the position confirms."""
    statement = f"select {ask.sums} from {ask.entity.table} where xid < %(lo)s::xid8 group by 1 limit {GROUPS}"
    return _totals(ask, ask.source, statement, {"lo": lo})


def _copied(ask: _Question, lo: str, tick: int) -> Totals:
    """Totals of what the copy had at its position, of the rows that the position confirms.

    A run also brings rows from above its low mark, and a repair brings confirmed rows under the next tick.
    """
    table, at = ask.entity.copy_table, {"tick": tick}
    statement = f"select {ask.sums} from {table} where tick <= %(tick)s group by 1 limit {GROUPS}"
    found = _totals(ask, ask.reader, statement, at)
    for keys in _pages(ask, ask.source, f"{ask.entity.table} where xid >= %(lo)s::xid8", {"lo": lo}):
        _add(found, _of_keys(ask, "tick <= %(tick)s", keys, tick), -1)
    for keys in _pages(ask, ask.reader, f"{table} where tick > %(tick)s", at):
        statement = f"select id from {ask.entity.table} where id = any(%(keys)s) and xid < %(lo)s::xid8"
        confirmed = [row["id"] for row in read(ask.findings, ask.source, statement, {"keys": keys, "lo": lo})]
        _add(found, _of_keys(ask, "tick > %(tick)s", confirmed, tick), 1)
    return {name: total for name, total in found.items() if total != NOTHING}


def _pages(ask: _Question, module: str, rows: str, arguments: dict[str, Any]) -> Iterator[list[int]]:
    """Keys of some rows, a page at a time."""
    after = -(2**63)
    while True:
        statement = f"select id from {rows} and id > %(after)s order by id limit {KEYS}"
        keys = [row["id"] for row in read(ask.findings, module, statement, {**arguments, "after": after})]
        if keys:
            yield keys
        if len(keys) < KEYS:
            return
        after = keys[-1]


def _of_keys(ask: _Question, condition: str, keys: list[int], tick: int) -> Totals:
    statement = f"select {ask.sums} from {ask.entity.copy_table} where {condition} and id = any(%(keys)s) group by 1"
    return _totals(ask, ask.reader, statement, {"tick": tick, "keys": keys})


def _totals(ask: _Question, module: str, statement: str, arguments: dict[str, Any]) -> Totals:
    return {row["name"]: (row["rows"], row["total"]) for row in read(ask.findings, module, statement, arguments)}


def _add(totals: Totals, more: Totals, sign: int) -> None:
    for name, (rows, total) in more.items():
        mine = totals.get(name, NOTHING)
        totals[name] = (mine[0] + sign * rows, mine[1] + sign * total)
