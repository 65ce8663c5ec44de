"""Which orders are in Logistics' custody, for those who cross-check it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp.db import cursor, rows_as_dicts

_CUSTODY = """
select o.id, o.epoch, o.lifecycle, o.customer_id, o.currency, o.gross_total, x.pieces, x.lines
from sales_order o left join lateral (
  select sum(l.quantity)::bigint as pieces, md5(string_agg(concat_ws(' ', l.line_no, l.product_id, l.quantity,
    l.unit_price, l.discount, l.vat_code, l.gross), ',' order by l.line_no)) as lines
  from sales_order_line l where l.order_id = o.id) x on true"""


def list_custody(after: int, limit: int) -> list[dict[str, Any]]:
    """Orders in custody after an id, by id: ``epoch``, ``lifecycle``, ``customer_id``, ``currency``, ``gross_total``.

    Also ``pieces``, and ``lines``: a digest of number, product, quantity and amounts of each line.
    """
    with cursor("logistics") as cur:
        cur.execute(f"{_CUSTODY} where o.id > %s order by o.id limit %s", [after, limit])
        return rows_as_dicts(cur)


def find_custody(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Like :func:`list_custody`, of some orders, by id."""
    with cursor("logistics") as cur:
        cur.execute(f"{_CUSTODY} where o.id = any (%s)", [list(ids)])
        return {row["id"]: row for row in rows_as_dicts(cur)}
