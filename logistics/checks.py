"""Logistics' scrubber checks: stock against its moves and reservations, orders in custody against their parts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from erp.scrubber.reading import count, read
from erp.scrubber.result import SAMPLES, CheckSpec, Findings
from logistics.invoicing_check import check_invoicing

# One statement, so one snapshot: what the services change together is seen together and nothing is in flight.
_BALANCE = """
with moved as (
  select warehouse_id, product_id, sum(quantity) as quantity from stock_move group by 1, 2
), live as (
  select stock_id, sum(quantity) as quantity from reservation where state in ('held', 'allocated') group by 1
)
select coalesce(s.warehouse_id, m.warehouse_id) as warehouse_id, coalesce(s.product_id, m.product_id) as product_id,
  s.id as stock_id, s.on_hand, s.reserved, coalesce(m.quantity, 0) as moved, coalesce(l.quantity, 0) as live
from stock s
full join moved m on m.warehouse_id = s.warehouse_id and m.product_id = s.product_id
left join live l on l.stock_id = s.id
where s.id is null or s.on_hand <> coalesce(m.quantity, 0) or s.reserved <> coalesce(l.quantity, 0)
   or s.reserved < 0 or s.reserved > s.on_hand
order by 2, 1"""

_NUMBERS = """
select q.product_id, q.last_seq, count(m.id) as moves, coalesce(max(m.seq), 0) as highest
from product_sequence q left join stock_move m on m.product_id = q.product_id
group by 1, 2 having count(m.id) <> q.last_seq or coalesce(max(m.seq), 0) <> q.last_seq
union all
select m.product_id, 0, count(*), max(m.seq) from stock_move m
where not exists (select 1 from product_sequence q where q.product_id = m.product_id) group by 1"""

_ORPHANS = """
select r.id, r.product_id, s.product_id as found from reservation r left join stock s on s.id = r.stock_id
where r.state in ('held', 'allocated') and s.product_id is distinct from r.product_id"""


def _read(findings: Findings, statement: str, arguments: Any = None) -> Iterator[dict[str, Any]]:
    return read(findings, "logistics", statement, arguments)


_RECOUNT = 'manage.py recount_stock{} --reason "…"'


def _repair(findings: Findings, products: set[int]) -> None:
    """Name the recount of some products, or of all that differ where they are many."""
    if products:
        only = f" --product {','.join(map(str, sorted(products)))}" if len(products) < SAMPLES else ""
        findings.repair_with(_RECOUNT.format(only))


def _note(products: set[int], product_id: int) -> None:
    if len(products) < SAMPLES:
        products.add(product_id)


def check_stock_balance(findings: Findings) -> None:
    """On hand = sum of the stock ledger, reserved = live reservations, 0 <= reserved <= on hand, moves without gap."""
    findings.compared = count(findings, "logistics", "stock")
    products: set[int] = set()
    for row in _read(findings, _BALANCE):
        key = f"logistics/stock product {row['product_id']} in warehouse {row['warehouse_id']}"
        expected = {"on_hand": row["moved"], "reserved": row["live"]}
        found = {"on_hand": row["on_hand"], "reserved": row["reserved"]}
        findings.add(key, expected, found, "lost" if row["stock_id"] is None else "owner corrupt")
        _note(products, row["product_id"])
    for row in _read(findings, _NUMBERS):
        _note(products, row["product_id"])
        is_short = row["moves"] <= row["last_seq"] or not row["last_seq"]
        findings.add(
            f"logistics/stock_move numbers of product {row['product_id']}",
            {"moves": row["highest"], "last_seq": row["last_seq"]},
            {"moves": row["moves"]},
            "lost" if is_short else "duplicated",
        )
    for row in _read(findings, _ORPHANS):
        findings.add(
            f"logistics/reservation {row['id']}", f"stock of product {row['product_id']}", row["found"], "owner corrupt"
        )
        _note(products, row["product_id"])
    _repair(findings, products)


_LINES = """
select l.order_id, l.line_no, l.product_id, l.is_stocked, l.quantity, l.reserved, l.issued, l.returned, l.cancelled,
  coalesce(d.issued, 0) as shipped, coalesce(r.reserved, 0) as live, coalesce(r.ended, 0) as allocated
from sales_order_line l
left join (select d.order_line_id, sum(d.quantity) as issued from shipment_line d
           join shipment s on s.id = d.shipment_id where s.state in ('issued', 'delivered') group by 1) d
  on d.order_line_id = l.id
left join (select order_id, line_no, sum(quantity) filter (where state = 'allocated') as reserved,
             sum(quantity) filter (where state = 'issued') as ended
           from reservation where state in ('allocated', 'issued') group by 1, 2) r
  on r.order_id = l.order_id and r.line_no = l.line_no
where l.issued <> coalesce(d.issued, 0) or (l.is_stocked and l.reserved <> coalesce(r.reserved, 0))
   or (l.is_stocked and l.issued > coalesce(r.ended, 0))
   or l.issued + l.reserved + l.cancelled > l.quantity or l.returned > l.issued
order by 1, 2"""


def check_fulfilment(findings: Findings) -> None:
    """Issued <= allocated <= ordered per line, from shipments and reservations; every goods issue invoiced in time."""
    findings.compared += count(findings, "logistics", "sales_order_line")
    products: set[int] = set()
    for row in _read(findings, _LINES):
        findings.add(
            f"logistics/sales_order_line {row['order_id']}/{row['line_no']}",
            {
                "issued": row["shipped"],
                "reserved": row["live"],
                "allocated": row["allocated"] + row["live"],
                "ordered": row["quantity"],
            },
            {"issued": row["issued"], "reserved": row["reserved"], "cancelled": row["cancelled"]},
            "owner corrupt",
        )
        if row["is_stocked"] and row["reserved"] != row["live"]:
            _note(products, row["product_id"])
    _repair(findings, products)
    check_invoicing(findings, partial(_read, findings))


CHECKS = (
    CheckSpec(
        "stock_balance",
        "Stock: on hand against moves, reserved against reservations",
        5,
        check_stock_balance,
        True,
        repair=_RECOUNT.format(""),
    ),
)
