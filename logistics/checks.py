"""Logistics' scrubber checks: stock against its moves and reservations, orders in custody against their parts."""

from __future__ import annotations

from typing import Any

from erp.db import cursor, module_transaction, rows_as_dicts
from erp.scrubber.result import CheckSpec, Findings

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
select r.id, r.quantity from reservation r left join stock s on s.id = r.stock_id
where r.state in ('held', 'allocated') and s.id is null"""


def _fetch(statement: str) -> list[dict[str, Any]]:
    with module_transaction("logistics"), cursor("logistics") as cur:
        cur.execute("set local statement_timeout = 0")
        cur.execute(statement)
        return rows_as_dicts(cur)


def check_stock_balance(findings: Findings) -> None:
    """On hand = sum of the stock ledger, reserved = live reservations, 0 <= reserved <= on hand, moves without gap."""
    findings.compared = _fetch("select count(*) as n from stock")[0]["n"]
    for row in _fetch(_BALANCE):
        key = f"logistics/stock product {row['product_id']} in warehouse {row['warehouse_id']}"
        expected = {"on_hand": row["moved"], "reserved": row["live"]}
        found = {"on_hand": row["on_hand"], "reserved": row["reserved"]}
        findings.add(key, expected, found, "lost" if row["stock_id"] is None else "owner corrupt")
    for row in _fetch(_NUMBERS):
        is_short = row["moves"] < row["highest"] or row["moves"] < row["last_seq"]
        findings.add(
            f"logistics/stock_move numbers of product {row['product_id']}",
            {"moves": row["highest"], "last_seq": row["last_seq"]},
            {"moves": row["moves"]},
            "lost" if is_short else "duplicated",
        )
    for row in _fetch(_ORPHANS):
        findings.add(f"logistics/reservation {row['id']}", "a stock row", None, "owner corrupt")
    if findings.mismatched:
        findings.repair_with("count the product (Stock > Count stock in the admin): the difference is posted as a move")


CHECKS = (
    CheckSpec(
        "stock_balance", "Stock: on hand against moves, reserved against reservations", 5, check_stock_balance, True
    ),
)
