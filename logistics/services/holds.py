"""Holds: stock promised to a shopper for a few minutes while the order is being paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from erp.db import cursor, retrying
from logistics.models import Reservation
from logistics.serializers import release_reservations, reserve_stock, run_sql, take_locks

MAX_TTL_S = 3600
EXPIRE_BATCH = 500


_STOCKED = """
select id from product_copy where id = any (%s::bigint[]) and is_stocked and product_class = 'goods'"""


def hold_stock(owner_key: str, lines: Sequence[Mapping[str, Any]], ttl_s: int) -> dict[str, Any]:
    """Hold stock for a shopper; replaces what the same shopper held before, so it never blocks itself.

    Args:
        owner_key: whose cart it is; the offer of the order must carry the same key.
        lines: ``[{"line_no", "product_id", "quantity"}]``; products that are not stocked are passed over.
        ttl_s: seconds until the hold no longer counts (at most an hour).

    Returns:
        ``{"outcome": "held" | "refused", "expires_at", "short": [{"line_no", "product_id", "requested",
        "available"}]}``. When refused, what the shopper held before stays held.
    """
    ttl = timedelta(seconds=max(1, min(ttl_s, MAX_TTL_S)))
    stocked = {row["id"] for row in run_sql(_STOCKED, [[line["product_id"] for line in lines]])}
    wanted = [dict(line) for line in lines if line["product_id"] in stocked]

    def run() -> dict[str, Any]:
        take_locks(("stock",), [f"holds {owner_key}"])
        expires_at = datetime.now(UTC) + ttl
        result = reserve_stock(wanted, state=Reservation.State.HELD, owner_key=owner_key, expires_at=expires_at)
        short = [
            {
                "line_no": s.line_no, "product_id": s.product_id, "requested": s.quantity, "available": s.available,
            }
            for s in result.short
        ]  # fmt: skip
        return {
            "outcome": "held" if result.ok else "refused",
            "expires_at": expires_at if result.ok else None,
            "short": short,
        }

    return retrying("logistics", run)


def release_hold(owner_key: str) -> int:
    """Give back what a shopper holds; returns how many pieces. A repeat releases nothing."""

    def run() -> int:
        take_locks(("stock",), [f"holds {owner_key}"])
        return release_reservations("r.state = 'held' and r.owner_key = %(owner_key)s", owner_key=owner_key)

    return retrying("logistics", run)


def expire_holds() -> int:
    """Release holds past their time, in batches of one transaction each; returns how many pieces.

    Only tidies up: a hold past its time counts for nobody, whether this has run or not.
    """
    total = 0
    while pieces := retrying("logistics", _expire_batch):
        total += pieces
    return total


def _expire_batch() -> int:
    take_locks(("stock",))
    return release_reservations(
        "r.state = 'held' and r.expires_at <= statement_timestamp() and r.id in (select e.id from reservation e "
        "where e.state = 'held' and e.expires_at <= statement_timestamp() order by e.expires_at limit %(batch)s)",
        state="expired",
        batch=EXPIRE_BATCH,
    )


_AVAILABLE = """
select p.id, coalesce((
  select sum(greatest(0, s.on_hand - s.reserved + coalesce((
    select sum(r.quantity) from reservation r where r.stock_id = s.id and r.state = 'held'
      and (r.expires_at <= statement_timestamp() or (r.owner_key = %s and %s <> ''))), 0)))
  from stock s join warehouse w on w.id = s.warehouse_id and w.is_active where s.product_id = p.id), 0)::int
from unnest(%s::bigint[]) p(id)"""


def available(product_ids: Iterable[int], owner_key: str = "") -> dict[int, int]:
    """Pieces that can be had now, over all active warehouses; what ``owner_key`` holds itself counts as free."""
    with cursor("logistics") as cur:
        cur.execute(_AVAILABLE, [owner_key, owner_key, list(product_ids)])
        return dict(cur.fetchall())
