"""The piece of SQL that every set-based writer of stock ends with: new figures, version + 1, journal rows."""

from __future__ import annotations

from typing import Any

from erp.actor import Actor, current_actor, request_id
from logistics.models import Stock

STOCK_WRITE = f"""
changed as (
  update stock t set on_hand = t.on_hand + d.on_hand, reserved = t.reserved + d.reserved,
    version = t.version + 1, updated_at = clock_timestamp()
  from delta d where t.id = d.stock_id
  returning t.id, t.version, {Stock.payload_sql} as payload
), journalled as (
  insert into change_journal (entity, key, version, actor_id, actor_name, request_id, payload)
  select 'stock', c.id, c.version, %(actor_id)s::bigint, %(actor_name)s::text, %(request_id)s::text, c.payload
  from changed c order by c.id
)"""
"""CTEs that apply ``delta (stock_id, on_hand, reserved)``, at most one row per stock row, all of them locked."""


def who(actor: Actor | None = None) -> dict[str, Any]:
    """Parameters that :data:`STOCK_WRITE` needs: who did it, in which request."""
    acting = actor or current_actor()
    return {"actor_id": acting.id, "actor_name": acting.name, "request_id": request_id()}
