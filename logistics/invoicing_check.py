"""Every goods issue has its invoice in time, of the same order and pieces; every invoiced issue has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from erp.links import stuck_page
from erp.scrubber.reading import parts_of
from erp.scrubber.result import Findings
from finance import api as finance_api

Read = Callable[..., Iterator[dict[str, Any]]]

BATCH = 5_000  # goods issues held in memory at a time
LOOKS = 3  # Finance and Logistics are read one after the other: look again before a difference counts
INVOICE_WITHIN_S = 600  # a younger goods issue without invoice is in flight: it awaits its relay

_ISSUED = """
select s.id, s.number, s.order_id, s.invoice_number, s.issued_at,
  s.issued_at < clock_timestamp() - make_interval(secs => %(within)s) as is_due,
  (select sum(d.quantity) from shipment_line d where d.shipment_id = s.id)::bigint as pieces
from shipment s where s.state in ('issued', 'delivered') and """


def check_invoicing(findings: Findings, read: Read) -> None:
    """Compare goods issues with what Finance has of them."""
    for suspects in parts_of(chain(_differing(findings, read), _strangers(read)), BATCH):
        for key, (mine, other, (words, cause)) in sorted(_look_again(suspects, read).items()):
            if not cause:
                findings.in_flight += 1
                continue
            name = mine["number"] if mine else key
            findings.add(f"logistics/shipment {name}: {words}", _shown(mine), other, cause)
            findings.repair_with(f"try it again at {stuck_page()}")


def _differing(findings: Findings, read: Read) -> Iterator[int]:
    after = 0
    arguments = {"within": INVOICE_WITHIN_S, "limit": BATCH}
    while rows := list(read(_ISSUED + "s.id > %(after)s order by s.id limit %(limit)s", {**arguments, "after": after})):
        theirs = finance_api.find_goods_issues([row["id"] for row in rows])
        findings.compared += len(rows)
        yield from (row["id"] for row in rows if _problem(row, theirs.get(row["id"])))
        after = rows[-1]["id"]


def _strangers(read: Read) -> Iterator[int]:
    """Shipments that Finance invoiced and Logistics has not issued."""
    after = 0
    statement = "select id from shipment where id = any(%(ids)s) and state in ('issued', 'delivered')"
    while keys := finance_api.list_goods_issues(after, BATCH):
        known = {row["id"] for row in read(statement, {"ids": keys})}
        yield from (key for key in keys if key not in known)
        after = keys[-1]


def _problem(mine: dict[str, Any] | None, theirs: dict[str, Any] | None) -> tuple[str, str] | None:
    """(what is wrong, class of cause) of one goods issue; without a cause it is in flight."""
    if mine is None:
        return ("invoiced, but never issued here", "rogue write") if theirs else None
    if theirs is None:
        return "no invoice", "lost" if mine["is_due"] else ""
    if (mine["order_id"], mine["pieces"]) != (theirs["order_id"], theirs["pieces"]):
        return "another order or other pieces on its invoice", "rogue write"
    if mine["invoice_number"] == theirs["number"] or (theirs["is_collective"] and not mine["invoice_number"]):
        return None
    if mine["invoice_number"]:
        return "another invoice number than Finance gave", "rogue write"
    return "invoiced, but the number is not written back", "lost" if mine["is_due"] else ""


def _look_again(suspects: Sequence[int], read: Read) -> dict[int, tuple[Any, Any, tuple[str, str]]]:
    found: dict[int, tuple[Any, Any, tuple[str, str]]] = {}
    for _ in range(LOOKS):
        keys = sorted(suspects)
        rows = read(_ISSUED + "s.id = any(%(ids)s)", {"within": INVOICE_WITHIN_S, "ids": keys})
        mine = {row["id"]: row for row in rows}
        theirs = finance_api.find_goods_issues(keys)
        problems = {key: _problem(mine.get(key), theirs.get(key)) for key in keys}
        found = {key: (mine.get(key), theirs.get(key), problem) for key, problem in problems.items() if problem}
        suspects = list(found)
    return found


def _shown(mine: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("order_id", "pieces", "invoice_number", "issued_at")
    return {name: mine[name] for name in names} if mine else None
