"""Backorders: goods that arrive are reserved for the orders that have waited longest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from erp.db import cursor, retrying, rows_as_dicts
from logistics.models import Reservation
from logistics.serializers import change_reserved, lock_order, refresh_orders, reserve_stock, take_locks

_WAITING = """
select o.id from sales_order o
where o.lifecycle = 'open' and exists (
  select 1 from sales_order_line l where l.order_id = o.id and l.product_id = any (%s) and l.is_stocked
    and l.quantity > l.reserved + l.issued + l.cancelled)
order by o.ordered_on, o.id"""

_LINES = """
select line_no, product_id, quantity - reserved - issued - cancelled as quantity from sales_order_line
where order_id = %s and product_id = any (%s) and is_stocked and quantity > reserved + issued + cancelled
  and exists (select 1 from sales_order o where o.id = order_id and o.lifecycle = 'open') order by line_no"""


def allocate_backorders(product_ids: Iterable[int]) -> int:
    """Reserve what is free of these products for waiting orders, oldest first, one transaction per order.

    Returns the number of orders that got something. A repeat finds nothing left to do.
    """
    products = sorted(set(product_ids))
    with cursor("logistics") as cur:
        cur.execute(_WAITING, [products])
        orders = [order_id for (order_id,) in cur.fetchall()]
    served = 0
    for order_id in orders:
        served += retrying("logistics", lambda order_id=order_id: _serve(order_id, products))  # type: ignore[misc]
    return served


_SERVABLE = """
select distinct l.product_id from sales_order_line l join sales_order o on o.id = l.order_id and o.lifecycle = 'open'
where l.is_stocked and l.quantity > l.reserved + l.issued + l.cancelled
  and exists (select 1 from stock s join warehouse w on w.id = s.warehouse_id and w.is_active
              where s.product_id = l.product_id and s.on_hand > s.reserved)"""


def serve_waiting_orders() -> int:
    """Reserve whatever is free for orders that wait for it, however it became free (e.g. a hold that ran out).

    Returns the number of orders that got something; periodic, a repeat finds nothing left to do.
    """
    with cursor("logistics") as cur:
        cur.execute(_SERVABLE)
        products = [product_id for (product_id,) in cur.fetchall()]
    return allocate_backorders(products) if products else 0


def _serve(order_id: int, products: list[int]) -> int:
    take_locks(("stock", "sales_order"))
    lock_order(order_id)
    with cursor("logistics") as cur:
        cur.execute(_LINES, [order_id, products])
        lines: list[dict[str, Any]] = rows_as_dicts(cur)
    if not lines:
        return 0
    result = reserve_stock(lines, state=Reservation.State.ALLOCATED, order_id=order_id, partial=True)
    gained = {line.line_no: line.reserved for line in result.lines if line.reserved}
    if not gained:
        return 0
    change_reserved(order_id, gained)
    refresh_orders([order_id])
    return 1
