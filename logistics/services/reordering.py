"""What runs low: reorder levels per product and warehouse, and the list of what is to be bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from erp.errors import Refused
from logistics.services.documents import get_warehouse, whole_number, with_key
from logistics.services.receiving import require_stocked

_SET = """
insert into reorder_level (warehouse_id, product_id, level, target)
select %s, x.product_id, x.level, x.target
from unnest(%s::bigint[], %s::int[], %s::int[]) x(product_id, level, target) where x.level > 0
on conflict (product_id, warehouse_id) do update set level = excluded.level, target = excluded.target"""


def set_reorder_levels(
    rows: Sequence[Mapping[str, Any]], *, actor: Actor, key: str | None, warehouse: str | None = None
) -> dict[str, Any]:
    """Set from which level on products are to be bought again for a warehouse.

    Args:
        rows: ``[{"product_id", "level", "target" (optional: the level)}]``; level 0 removes it.

    Returns:
        ``{"warehouse", "set", "removed"}``.
    """
    wanted = {row["product_id"]: _level(row) for row in rows}
    if len(wanted) != len(rows):
        raise Refused("Name each product once")

    def run() -> dict[str, Any]:
        place = get_warehouse(warehouse)
        require_stocked(set(wanted))
        gone = [product_id for product_id, (level, _) in wanted.items() if not level]
        levels = list(wanted.values())
        with cursor("logistics") as cur:
            cur.execute("delete from reorder_level where warehouse_id = %s and product_id = any (%s)", [place.pk, gone])
            removed = cur.rowcount
            cur.execute(_SET, [place.pk, list(wanted), [n for n, _ in levels], [n for _, n in levels]])
            return {"warehouse": place.code, "set": cur.rowcount, "removed": removed}

    request = {"rows": list(rows), "warehouse": warehouse}
    return with_key(key, "set_reorder_levels", request, actor, run)  # type: ignore[no-any-return]


def _level(row: Mapping[str, Any]) -> tuple[int, int]:
    level = whole_number(row["level"], "Reorder level", minimum=0)
    given = row.get("target")
    target = level if given is None else whole_number(given, "Target", minimum=0)
    if level and target < level:
        raise Refused(f"The target ({target}) must be at least the reorder level ({level})")
    return level, target


_LOW = """
select w.code as warehouse, p.id as product_id, p.sku, p.name, coalesce(s.on_hand, 0) as on_hand,
  coalesce(s.reserved, 0) as reserved, coalesce(s.on_hand - s.reserved, 0) as free, r.level, r.target,
  coalesce((select sum(l.quantity - l.reserved - l.issued - l.cancelled) from sales_order_line l
            join sales_order o on o.id = l.order_id and o.lifecycle = 'open'
            where l.product_id = p.id and l.is_stocked
              and l.quantity > l.reserved + l.issued + l.cancelled), 0)::int as waiting
from stock s full join reorder_level r on r.warehouse_id = s.warehouse_id and r.product_id = s.product_id
join warehouse w on w.id = coalesce(s.warehouse_id, r.warehouse_id)
join product_copy p on p.id = coalesce(s.product_id, r.product_id)
where p.retired_at is null and (%(warehouse)s = '' or w.code = %(warehouse)s)
  and coalesce(s.on_hand - s.reserved, 0) < coalesce(r.level, 1)
order by waiting desc, w.priority, coalesce(r.level, 0) - coalesce(s.on_hand - s.reserved, 0) desc, p.sku
limit %(limit)s"""


def list_low_stock(warehouse: str = "", limit: int = 500) -> list[dict[str, Any]]:
    """Products of which less is free in a warehouse than their reorder level, or nothing; most wanted first.

    Each ``{"warehouse", "product_id", "sku", "name", "on_hand", "reserved", "free", "level", "target", "waiting",
    "to_order"}``. ``waiting``: pieces ordered, in all warehouses, for which nothing is reserved; ``level`` and
    ``target`` are None where none is set.
    """
    with cursor("logistics") as cur:
        cur.execute(_LOW, {"warehouse": warehouse, "limit": limit})
        found = rows_as_dicts(cur)
    return [{**row, "to_order": max(0, (row["target"] or 0) - row["free"])} for row in found]
