"""The lock order of Logistics, in one place.

Every service takes: entity locks (map order, shared) → one advisory lock per order or shopper → the order's row →
stock rows by primary key → product sequences by product. Nothing slow and no network call happens under them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from erp.errors import NotFound
from erp.publishing import ADVISORY_CLASS, entity_lock
from logistics.serializers.running import run_sql

_TAKE = """
select pg_advisory_xact_lock_shared(%s::int, k)::text from unnest(%s::int[]) k
union all
select pg_advisory_xact_lock(hashtextextended('logistics ' || n, 0))::text from unnest(%s::text[]) n"""


def take_locks(entities: Iterable[str], names: Iterable[str] = ()) -> None:
    """Take the write locks of ``entities`` and the advisory locks called ``names``; first statement of a write.

    A statement of its own: the next one then sees everything that earlier holders of the names committed.
    """
    keys = sorted(entity_lock(e) for e in entities)
    run_sql(_TAKE, [ADVISORY_CLASS, keys, sorted(set(names))], entity="sales_order")


_LOCK_ORDER = "select id, number, lifecycle from sales_order where id = %s::bigint for update"


def lock_order(order_id: int) -> dict[str, Any]:
    """Lock an order's row until commit; returns its ``number`` and ``lifecycle``. Raises NotFound."""
    found = run_sql(_LOCK_ORDER, [order_id], entity="sales_order")
    if not found:
        raise NotFound(f"Logistics has no sales order {order_id}")
    return found[0]


_LOCK_ORDERS = "select id from sales_order where id = any (%s::bigint[]) order by id for update"


def lock_orders(order_ids: Iterable[int]) -> None:
    """Lock the rows of several orders until commit, in the order in which everybody locks them."""
    run_sql(_LOCK_ORDERS, [sorted(set(order_ids))], entity="sales_order")
