"""The lock order of Logistics, in one place.

Every service takes: entity locks (map order, shared) → one advisory lock per order or shopper → the order's row →
stock rows by primary key → product sequences by product. Nothing slow and no network call happens under them.
"""

from __future__ import annotations

from collections.abc import Iterable

from erp.db import cursor
from erp.errors import NotFound
from erp.publishing import ADVISORY_CLASS, entity_lock, reader_errors

_TAKE = """
select pg_advisory_xact_lock_shared(%s, k) from unnest(%s::int[]) k
union all
select pg_advisory_xact_lock(hashtextextended('logistics ' || n, 0)) from unnest(%s::text[]) n"""


def take_locks(entities: Iterable[str], names: Iterable[str] = ()) -> None:
    """Take the write locks of ``entities`` and the advisory locks called ``names``; first statement of a write.

    A statement of its own: the next one then sees everything that earlier holders of the names committed.
    """
    keys = sorted(entity_lock(e) for e in entities)
    with reader_errors("sales_order"), cursor("logistics") as cur:
        cur.execute(_TAKE, [ADVISORY_CLASS, keys, sorted(set(names))])


def lock_order(order_id: int) -> None:
    """Lock an order's row until commit. Raises NotFound."""
    with reader_errors("sales_order"), cursor("logistics") as cur:
        cur.execute("select 1 from sales_order where id = %s for update", [order_id])
        if cur.fetchone() is None:
            raise NotFound(f"Logistics has no sales order {order_id}")
