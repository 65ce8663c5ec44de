"""Goods issues as Finance has them, for those who cross-check them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp.db import cursor, rows_as_dicts

_FOUND = """
select i.shipment_id, i.number, i.order_id, false as is_waiting, false as is_collective,
  coalesce((select sum(l.quantity) from invoice_line l where l.invoice_id = i.id and l.advance_invoice_id is null), 0)
    ::bigint as pieces
from invoice i where i.shipment_id = any(%(ids)s) and i.state = 'issued'
union all
select w.shipment_id, coalesce(i.number, ''), w.order_id, w.invoice_id is null, true,
  (select sum((e->>'quantity')::int) from jsonb_array_elements(w.payload->'lines') e)::bigint
from waiting_issue w left join invoice i on i.id = w.invoice_id where w.shipment_id = any(%(ids)s)"""

_LISTED = """
select shipment_id from (
  select shipment_id from invoice where shipment_id > %(after)s and state = 'issued'
  union select shipment_id from waiting_issue where shipment_id > %(after)s
) x order by 1 limit %(limit)s"""


def find_goods_issues(shipment_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What Finance made of shipments, by shipment.

    Returns:
        ``number`` of the invoice (empty: it waits for the customer's collective invoice, ``is_waiting``),
        ``is_collective``, ``order_id``, ``pieces``.
    """
    with cursor("finance") as cur:
        cur.execute(_FOUND, {"ids": list(shipment_ids)})
        return {row.pop("shipment_id"): row for row in rows_as_dicts(cur)}


def list_goods_issues(after: int, limit: int) -> list[int]:
    """Shipments that Finance knows after an id, in order."""
    with cursor("finance") as cur:
        cur.execute(_LISTED, {"after": after, "limit": limit})
        return [key for (key,) in cur.fetchall()]
