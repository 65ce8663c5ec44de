"""Stock figures beside what they are made of: moves, reservations, numbers, order lines."""

from __future__ import annotations

from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.errors import Refused

_FIGURES = """
select s.id as stock_id, s.warehouse_id, coalesce(w.code, s.warehouse_id::text) as code, s.on_hand, s.reserved,
  coalesce((select sum(m.quantity) from stock_move m
            where m.product_id = s.product_id and m.warehouse_id = s.warehouse_id), 0)::bigint as moved,
  coalesce((select sum(r.quantity) from reservation r
            where r.stock_id = s.id and r.state in ('held', 'allocated')), 0)::bigint as live
from stock s left join warehouse w on w.id = s.warehouse_id
where s.product_id = %s and (%s::bigint is null or s.warehouse_id = %s::bigint) order by s.id"""


def list_figures(product_id: int, place: int | None) -> list[dict[str, Any]]:
    """A product's stock rows, all or of one warehouse, with the sums of their moves and of their reservations."""
    with cursor("logistics") as cur:
        cur.execute(_FIGURES, [product_id, place, place])
        return rows_as_dicts(cur)


_ORDERS = """
select distinct order_id from (
  select order_id from reservation where product_id = %(product)s and state = 'allocated'
  union all
  select order_id from sales_order_line where product_id = %(product)s and reserved <> 0
) x where exists (select 1 from sales_order o where o.id = x.order_id) order by 1"""


def list_orders(product_id: int) -> list[int]:
    """Orders that have, or think they have, something of a product reserved."""
    with cursor("logistics") as cur:
        cur.execute(_ORDERS, {"product": product_id})
        return [order_id for (order_id,) in cur.fetchall()]


_PLACES = """
select warehouse_id from stock where product_id = %(product)s
union select warehouse_id from stock_move where product_id = %(product)s"""


def list_places(product_id: int) -> list[tuple[int, int]]:
    """(warehouse, product) of every stock row of a product, also of those that only its moves know."""
    with cursor("logistics") as cur:
        cur.execute(_PLACES, {"product": product_id})
        return [(warehouse_id, product_id) for (warehouse_id,) in cur.fetchall()]


_ORPHANS = """
select r.id from reservation r left join stock s on s.id = r.stock_id
where %(product)s in (r.product_id, s.product_id) and r.state in ('held', 'allocated')
  and s.product_id is distinct from r.product_id order by r.id limit 10"""


def require_stock_rows(product_id: int) -> None:
    """Refuse reservations without a stock row, or with another product's."""
    with cursor("logistics") as cur:
        cur.execute(_ORPHANS, {"product": product_id})
        orphans = [str(key) for (key,) in cur.fetchall()]
    if orphans:
        raise Refused(
            f"Reservations {', '.join(orphans)} belong to a stock row that the change journal does not know, or that "
            "is another product's: an administrator of the database sets them right, then this command sets the rest"
        )


# What is on a shipment stays, then what came first.
_SURPLUS = """
select id, least(quantity, upto - open)::int as pieces from (
  select r.id, r.quantity, greatest(l.quantity - l.issued - l.cancelled, 0) as open,
    sum(r.quantity) over (partition by r.order_id, r.line_no
      order by r.shipment_line_id is null, r.created_at, r.id) as upto
  from reservation r join sales_order_line l on l.order_id = r.order_id and l.line_no = r.line_no
  where r.product_id = %s and r.state = 'allocated' and r.order_id = any (%s)
) x where upto > open"""


def find_surplus(product_id: int, orders: list[int]) -> dict[int, int]:
    """Pieces per reservation beyond what its order line still needs."""
    with cursor("logistics") as cur:
        cur.execute(_SURPLUS, [product_id, orders])
        return dict(cur.fetchall())


_DIFFERING = """
with moved as (
  select warehouse_id, product_id, sum(quantity) as quantity from stock_move group by 1, 2
), live as (
  select stock_id, sum(quantity) as quantity from reservation where state in ('held', 'allocated') group by 1
)
select coalesce(s.product_id, m.product_id) as product_id
from stock s full join moved m on m.warehouse_id = s.warehouse_id and m.product_id = s.product_id
left join live l on l.stock_id = s.id
where (%(place)s::bigint is null or coalesce(s.warehouse_id, m.warehouse_id) = %(place)s::bigint)
  and (s.id is null or s.on_hand <> coalesce(m.quantity, 0) or s.reserved <> coalesce(l.quantity, 0))
union
select r.product_id from reservation r
where r.state in ('held', 'allocated')
  and not exists (select 1 from stock s where s.id = r.stock_id and s.product_id = r.product_id)
union
select coalesce(q.product_id, m.product_id) from product_sequence q
full join (select product_id, count(*) as moves, max(seq) as highest from stock_move group by 1) m
  on m.product_id = q.product_id
where coalesce(q.last_seq, 0) <> coalesce(m.moves, 0) or coalesce(m.highest, 0) <> coalesce(m.moves, 0)
union
select l.product_id from sales_order_line l left join (
  select order_id, line_no, sum(quantity) as quantity from reservation where state = 'allocated' group by 1, 2
) r on r.order_id = l.order_id and r.line_no = l.line_no
where l.is_stocked and l.reserved <> coalesce(r.quantity, 0)
order by 1"""


def list_differing(place: int | None = None) -> list[int]:
    """Products whose stock, numbers or order lines are not what moves and reservations say."""
    with cursor("logistics") as cur:
        cur.execute("set statement_timeout = 0")
        try:
            cur.execute(_DIFFERING, {"place": place})
            return [product_id for (product_id,) in cur.fetchall()]
        finally:
            cur.execute("reset statement_timeout")
