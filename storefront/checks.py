"""Storefront's scrubber check: every sales order has exactly one owner, and all who know it agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from erp.links import page_url
from erp.scrubber.copy_check import check_copies
from erp.scrubber.reading import parts_of, read
from erp.scrubber.result import SAMPLES, CheckSpec, Findings
from logistics import api as logistics_api

FROZEN = ("customer_id", "currency", "gross_total", "pieces", "lines")  # what an offer hands over as it is
BATCH = 5_000  # orders held in memory at a time
RESTORE = (  # a hand-over that is under way is no finding, and no retry brings back a row that was altered
    "the change journals of Storefront and Logistics have the order as each wrote it last: an administrator of the "
    "database restores the rows that are not so"
)
LOOKS = 3  # a hand-over may be decided between our two looks: look again before it counts

_ORDERS = """
select o.id, o.custody, o.epoch, o.lifecycle, o.customer_id, o.currency, o.gross_total, x.pieces, x.lines
from sales_order o left join lateral (
  select sum(l.quantity)::bigint as pieces, bit_xor(hash_record_extended(row(l.line_no, l.product_id, l.quantity,
    l.unit_price, l.discount, l.vat_code, l.gross), 0)) as lines
  from sales_order_line l where l.order_id = o.id) x on true
where {condition} order by o.id limit %s"""

_KNOWN = "select id from sales_order where id = any (%s)"


def check_sales_orders(findings: Findings) -> None:
    """Copies agree with their custodians; custody of both sides fits; every order Logistics has came from here."""
    check_copies("sales_order", findings)
    logistics_api.check_fulfilment(findings)
    for suspects in parts_of(chain(_differing(findings), _strangers(findings)), BATCH):
        for key, problem in sorted(_look_again(findings, suspects).items()):
            row, other, (words, cause) = problem
            findings.add(f"storefront/sales_order {key}: {words}", row, other, cause)
            if len(findings.samples) < SAMPLES:
                page = page_url("admin:storefront_salesorder_change", key)
                findings.repair_with(f"look at the order at {page}; {RESTORE}")


def _orders(findings: Findings, condition: str, argument: Any, limit: int) -> list[dict[str, Any]]:
    return list(read(findings, "storefront", _ORDERS.format(condition=condition), [argument, limit]))


def _differing(findings: Findings) -> Iterator[int]:
    """Orders of which Storefront and Logistics tell different things."""
    after = 0
    while rows := _orders(findings, "o.id > %s", after, BATCH):
        theirs = logistics_api.find_custody([row["id"] for row in rows])
        findings.compared += len(rows)
        yield from (row["id"] for row in rows if _problem(row, theirs.get(row["id"])))
        after = rows[-1]["id"]


def _strangers(findings: Findings) -> Iterator[int]:
    """Orders in Logistics' custody that Storefront does not know."""
    after = 0
    while keys := logistics_api.list_custody(after, BATCH):
        known = {row["id"] for row in read(findings, "storefront", _KNOWN, [keys])}
        yield from (key for key in keys if key not in known)
        after = keys[-1]


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
    if any(theirs[name] != mine[name] for name in FROZEN):
        return "Logistics has another customer, lines or amounts", "owner corrupt"
    return None


def _look_again(findings: Findings, suspects: Sequence[int]) -> dict[int, tuple[Any, Any, tuple[str, str]]]:
    found: dict[int, tuple[Any, Any, tuple[str, str]]] = {}
    for _ in range(LOOKS):
        found = {}
        mine = {row["id"]: row for row in _orders(findings, "o.id = any (%s)", sorted(suspects), BATCH)}
        theirs = logistics_api.find_custody(sorted(suspects))
        for key in sorted(suspects):
            row, other = mine.get(key), theirs.get(key)
            if problem := _problem(row, other):
                found[key] = (row, other, problem)
        suspects = list(found)
    return found


CHECKS = (
    CheckSpec(
        "sales_orders", "Sales orders: one owner each, all readers agree", 10, check_sales_orders, True,
        entity="sales_order", repair=RESTORE,
    ),
)  # fmt: skip
