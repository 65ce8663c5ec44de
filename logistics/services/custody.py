"""Which orders are in Logistics' custody, for those who cross-check it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp.db import cursor, rows_as_dicts

_CUSTODY = """
select o.id, o.epoch, o.lifecycle, o.gross_total,
  (select sum(l.quantity) from sales_order_line l where l.order_id = o.id)::bigint as pieces
from sales_order o"""


def list_custody(after: int, limit: int) -> list[dict[str, Any]]:
    """Orders in custody after an id: ``[{"id", "epoch", "lifecycle", "gross_total", "pieces"}]``, by id."""
    with cursor("logistics") as cur:
        cur.execute(f"{_CUSTODY} where o.id > %s order by o.id limit %s", [after, limit])
        return rows_as_dicts(cur)


def find_custody(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Like :func:`list_custody`, of some orders, by id."""
    with cursor("logistics") as cur:
        cur.execute(f"{_CUSTODY} where o.id = any (%s)", [list(ids)])
        return {row["id"]: row for row in rows_as_dicts(cur)}
