"""What orders wait for: the list by product, and the day on which more is expected."""

from __future__ import annotations

from datetime import date
from typing import Any

from erp.actor import Actor
from erp.db import cursor, retrying, rows_as_dicts
from erp.errors import Refused
from erp.fields import load_json
from logistics.models import ExpectedGoods
from logistics.services.documents import today
from logistics.services.receiving import require_stocked

_WAITING = """
with line as (
  select l.product_id, l.order_id, o.number, o.customer_name, o.ordered_on, l.quantity,
    l.quantity - l.reserved - l.issued - l.cancelled as waiting
  from sales_order_line l join sales_order o on o.id = l.order_id and o.lifecycle = 'open'
  where l.is_stocked and l.quantity > l.reserved + l.issued + l.cancelled
)
select p.id as product_id, p.sku, p.name, sum(line.quantity)::int as ordered, sum(line.waiting)::int as waiting,
  min(line.ordered_on) as since, e.expected_on,
  coalesce((select sum(s.on_hand - s.reserved) from stock s join warehouse w on w.id = s.warehouse_id and w.is_active
            where s.product_id = p.id), 0)::int as free,
  jsonb_agg(jsonb_build_object('id', line.order_id, 'number', line.number, 'customer_name', line.customer_name,
    'ordered_on', line.ordered_on, 'waiting', line.waiting) order by line.ordered_on, line.order_id)::text as orders
from line join product_copy p on p.id = line.product_id left join expected_goods e on e.product_id = p.id
group by p.id, p.sku, p.name, e.expected_on order by since, waiting desc, p.sku limit %s"""


def list_waiting(limit: int = 500) -> list[dict[str, Any]]:
    """Products for which open orders wait, the longest waiting first.

    Each ``{"product_id", "sku", "name", "ordered", "waiting", "since", "expected_on" (or None), "free", "orders":
    [{"id", "number", "customer_name", "ordered_on", "waiting"}]}``; ``waiting``: pieces for which nothing is
    reserved, ``ordered``: all pieces of those order lines, ``since``: day of the oldest such order.
    """
    with cursor("logistics") as cur:
        cur.execute(_WAITING, [limit])
        return [{**row, "orders": load_json(row["orders"])} for row in rows_as_dicts(cur)]


def expect_goods(product_id: int, expected_on: date | None, *, actor: Actor) -> None:
    """Note on which day more of a product is expected; None: nobody knows. A receipt from that day on clears it.

    Raises Refused: the day is over, or the product is not kept in stock.
    """
    if expected_on is not None and expected_on < today():
        raise Refused("Give a day from today on: what was expected earlier is either here or late")
    require_stocked({product_id})

    def write() -> None:
        if expected_on is None:
            ExpectedGoods.objects.filter(product_id=product_id).delete()
        else:
            values = {"expected_on": expected_on, "actor_name": actor.name}
            ExpectedGoods.objects.update_or_create(product_id=product_id, defaults=values)

    retrying("logistics", write)
