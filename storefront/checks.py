"""Storefront's scrubber check: every sales order has exactly one owner, and all who know it agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from erp.db import cursor, module_transaction, rows_as_dicts
from erp.scrubber.copies import check_copies
from erp.scrubber.result import CheckSpec, Findings
from logistics import api as logistics_api

BATCH = 5_000
LOOKS = 3  # a hand-over may be decided between our two looks: look again before it counts

_ORDERS = """
select o.id, o.custody, o.epoch, o.lifecycle, o.gross_total,
  (select sum(l.quantity) from sales_order_line l where l.order_id = o.id)::bigint as pieces
from sales_order o where {condition} order by o.id limit %s"""


def check_sales_orders(findings: Findings) -> None:
    """Copies agree with their custodians; custody of both sides fits; every order Logistics has came from here."""
    check_copies("sales_order", findings)
    logistics_api.check_fulfilment(findings)
    suspects: set[int] = set()
    for mine in _batches(findings):
        theirs = logistics_api.find_custody([row["id"] for row in mine])
        suspects |= {row["id"] for row in mine if _problem(row, theirs.get(row["id"]))}
        findings.compared += len(mine)
    suspects |= set(_strangers(findings))
    for key, problem in sorted(_look_again(findings, suspects).items()):
        row, other, (words, cause) = problem
        findings.add(f"storefront/sales_order {key}: {words}", row, other, cause)
    if suspects and findings.mismatched:
        findings.repair_with("the page of stuck hand-overs in the admin; manage.py resync sales_order finance")


def _fetch(findings: Findings, condition: str, argument: Any, limit: int) -> list[dict[str, Any]]:
    findings.pause()
    with module_transaction("storefront"), cursor("storefront") as cur:
        cur.execute("set local statement_timeout = 0")
        cur.execute(_ORDERS.format(condition=condition), [argument, limit])
        return rows_as_dicts(cur)


def _batches(findings: Findings) -> Iterator[list[dict[str, Any]]]:
    after = 0
    while rows := _fetch(findings, "o.id > %s", after, BATCH):
        yield rows
        after = rows[-1]["id"]


def _strangers(findings: Findings) -> Iterator[int]:
    """Orders in Logistics' custody that Storefront does not know."""
    after = 0
    while rows := logistics_api.list_custody(after, BATCH):
        ids = [row["id"] for row in rows]
        known = {row["id"] for row in _fetch(findings, "o.id = any (%s)", ids, BATCH)}
        yield from (key for key in ids if key not in known)
        after = ids[-1]


def _problem(mine: dict[str, Any] | None, theirs: dict[str, Any] | None) -> tuple[str, str] | None:
    """(what is wrong with one order, class of cause); None when nothing is."""
    if mine is None:
        return ("in Logistics only: never ordered here", "rogue write") if theirs else None
    if mine["custody"] == "handed_over":
        return _handed_over_problem(mine, theirs)
    if theirs is not None and mine["custody"] != "offered":
        return "Storefront's own, but Logistics has it too: two owners", "duplicated"
    return None


def _handed_over_problem(mine: dict[str, Any], theirs: dict[str, Any] | None) -> tuple[str, str] | None:
    if theirs is None:
        return "handed over, but Logistics does not have it: no owner", "lost"
    if theirs["epoch"] != mine["epoch"] + 1:
        return "handed over under another epoch than Logistics accepted", "reordered"
    if (theirs["gross_total"], theirs["pieces"]) != (mine["gross_total"], mine["pieces"]):
        return "Logistics has other amounts or pieces", "owner corrupt"
    return None


def _look_again(findings: Findings, suspects: set[int]) -> dict[int, tuple[Any, Any, tuple[str, str]]]:
    found: dict[int, tuple[Any, Any, tuple[str, str]]] = {}
    for _ in range(LOOKS):
        found = {}
        mine = {row["id"]: row for row in _fetch(findings, "o.id = any (%s)", sorted(suspects), len(suspects) or 1)}
        theirs = logistics_api.find_custody(sorted(suspects))
        for key in sorted(suspects):
            row, other = mine.get(key), theirs.get(key)
            if problem := _problem(row, other):
                found[key] = (row, other, problem)
        suspects = set(found)
    return found


CHECKS = (
    CheckSpec(
        "sales_orders", "Sales orders: one owner each, all readers agree", 10, check_sales_orders, True,
        entity="sales_order", repair="the page of stuck documents in the admin",
    ),
)  # fmt: skip
