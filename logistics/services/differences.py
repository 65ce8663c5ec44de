"""Differences between the shelf and the books: posted as moves, reservations of goods that are not there given up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from erp.relay import enqueue
from logistics.models import Warehouse
from logistics.serializers import Move, lock_orders, lock_stock, post_moves, refresh_orders, release_pieces, run_sql
from logistics.services.receiving import ask_for_backorders
from logistics.services.relays import settle

# Who gives way when goods are missing: holds past their time, then orders that came last, then shoppers at the till.
# What is on a shipment does not: the shipment is taken back first.
_GIVING_WAY = """
with short as (
  select s.id, s.product_id, s.reserved - x.counted as missing
  from unnest(%(products)s::bigint[], %(counted)s::int[]) x(product_id, counted)
  join stock s on s.product_id = x.product_id and s.warehouse_id = %(place)s::bigint
  where s.reserved > x.counted
), ranked as (
  select r.id, r.order_id, r.line_no, r.product_id, r.quantity, k.missing,
    coalesce(sum(r.quantity) over (partition by k.id order by r.rank, r.created_at desc, r.id desc
      rows between unbounded preceding and 1 preceding), 0) as before
  from short k join lateral (
    select r.*, case when r.state = 'allocated' then 1
                     when r.expires_at <= statement_timestamp() then 0 else 2 end as rank
    from reservation r
    where r.stock_id = k.id and (r.state = 'held' or (r.state = 'allocated' and r.shipment_line_id is null
      and (%(orders)s::bigint[] is null or r.order_id = any (%(orders)s::bigint[]))))) r on true
)
select id, order_id, line_no, product_id, least(quantity, missing - before)::int as pieces
from ranked where before < missing order by id"""


def lock_counted(warehouse_id: int, counted: Mapping[int, int]) -> list[int]:
    """Lock what posting these counts may change, in lock order: orders that may lose reservations, then stock.

    Returns the orders locked, for :func:`post_differences`.
    """
    orders = sorted({row["order_id"] for row in _giving_way(warehouse_id, counted, None) if row["order_id"]})
    lock_orders(orders)
    lock_stock([(warehouse_id, product_id) for product_id in counted])
    return orders


def _giving_way(warehouse_id: int, counted: Mapping[int, int], orders: list[int] | None) -> list[dict[str, Any]]:
    return run_sql(
        _GIVING_WAY,
        {
            "products": list(counted), "counted": list(counted.values()), "place": warehouse_id, "orders": orders,
        },
    )  # fmt: skip


def post_differences(
    counted: Mapping[int, int],
    place: Warehouse,
    actor: Actor,
    on: date,
    *,
    orders: list[int],
    number: str,
    document_id: int | None = None,
) -> dict[str, Any]:
    """Post counted less on hand as moves of one document; ``orders`` as :func:`lock_counted` locked them.

    Returns:
        ``{"differences": [{"product_id", "expected", "counted"}], "pieces", "waiting": [order numbers]}``.

    Raises:
        InsufficientStock: goods on shipments that are being picked or packed are missing.
    """
    with cursor("logistics") as cur:
        cur.execute(
            "select product_id, on_hand from stock where warehouse_id = %s and product_id = any (%s)",
            [place.pk, list(counted)],
        )
        on_hand = dict(cur.fetchall())
    differences = [
        {"product_id": p, "expected": on_hand.get(p, 0), "counted": n}
        for p, n in counted.items()
        if n != on_hand.get(p, 0)
    ]
    waiting = give_way(place.pk, counted, orders, actor)
    moves = [
        Move(
            place.pk, d["product_id"], "adjustment", d["counted"] - d["expected"], on, "stock_count", number,
            document_id, reason="Stock count",
        )
        for d in differences
    ]  # fmt: skip
    posted = post_moves(moves, actor=actor)
    if posted:
        enqueue("logistics", "value_moves", number, {"moves": posted})
        ask_for_backorders(number, {d["product_id"] for d in differences})
    return {"differences": differences, "pieces": sum(m["quantity"] for m in posted), "waiting": waiting}


def give_way(warehouse_id: int, counted: Mapping[int, int], orders: list[int], actor: Actor) -> list[str]:
    """End reservations beyond the pieces that are there; the caller holds the locks of ``orders`` and of the stock.

    Returns the numbers of the orders that wait now.
    """
    return _give_way(_giving_way(warehouse_id, counted, orders), actor)


def _give_way(rows: list[dict[str, Any]], actor: Actor) -> list[str]:
    if not rows:
        return []
    release_pieces({row["id"]: row["pieces"] for row in rows}, actor=actor)
    orders = sorted({row["order_id"] for row in rows if row["order_id"]})
    with cursor("logistics") as cur:
        cur.execute(
            "update sales_order_line l set reserved = l.reserved - x.pieces from (select order_id, line_no, "
            "sum(pieces)::int as pieces from unnest(%s::bigint[], %s::int[], %s::int[]) y(order_id, line_no, pieces) "
            "group by 1, 2) x where l.order_id = x.order_id and l.line_no = x.line_no",
            [[r["order_id"] for r in rows], [r["line_no"] for r in rows], [r["pieces"] for r in rows]],
        )
    refresh_orders(orders, actor=actor)
    with cursor("logistics") as cur:
        cur.execute("select number from sales_order where id = any (%s) order by id", [orders])
        return [row["number"] for row in rows_as_dicts(cur)]


def settle_differences(number: str) -> None:
    """Have Finance value a count's moves now and serve who waits; what fails is repeated by the relay."""
    settle("value_moves", [number])
    settle("allocate_backorders", [number])
