"""Stock on hand against the stock ledger."""

from __future__ import annotations

from erp.db import cursor

_DIFFERENCE = """
select coalesce(sum(abs(coalesce(s.on_hand, 0) - coalesce(m.quantity, 0))), 0)::int
from stock s full join (select warehouse_id, product_id, sum(quantity) as quantity from stock_move group by 1, 2) m
  on m.warehouse_id = s.warehouse_id and m.product_id = s.product_id"""


_OVERSOLD = """
select coalesce(sum(greatest(0, -s.on_hand) + greatest(0, coalesce(r.quantity, 0) - greatest(0, s.on_hand))), 0)::int
from stock s left join (
  select stock_id, sum(quantity) as quantity from reservation where state in ('held', 'allocated') group by 1
) r on r.stock_id = s.id"""


def oversold_pieces() -> int:
    """Pieces that are promised to somebody, by the reservations themselves, and not there: 0 by construction."""
    with cursor("logistics") as cur:
        cur.execute(_OVERSOLD)
        return int(cur.fetchone()[0])


def stock_difference() -> int:
    """Pieces by which on hand differs from receipts - issues + returns + adjustments, over all stock rows: 0."""
    with cursor("logistics") as cur:
        cur.execute(_DIFFERENCE)
        return int(cur.fetchone()[0])
