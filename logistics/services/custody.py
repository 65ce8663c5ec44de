"""Which orders are in Logistics' custody, for those who cross-check it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp.db import cursor, rows_as_dicts

_CUSTODY = """
select o.id, o.epoch, o.lifecycle, o.customer_id, o.currency, o.gross_total, x.pieces, x.lines
from sales_order o left join lateral (
  select sum(l.quantity)::bigint as pieces, bit_xor(hash_record_extended(row(l.line_no, l.product_id, l.quantity,
    l.unit_price, l.discount, l.vat_code, l.gross), 0)) as lines
  from sales_order_line l where l.order_id = o.id) x on true
where o.id = any (%s)"""


def list_custody(after: int, limit: int) -> list[int]:
    """Ids of orders in custody after an id, in their order."""
    with cursor("logistics") as cur:
        cur.execute("select id from sales_order where id > %s order by id limit %s", [after, limit])
        return [key for (key,) in cur.fetchall()]


def find_custody(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Of some orders in custody, by id: ``epoch``, ``lifecycle``, ``customer_id``, ``currency``, ``gross_total``.

    Also ``pieces``, and ``lines``: a checksum of number, product, quantity and amounts of each line.
    """
    with cursor("logistics") as cur:
        cur.execute(_CUSTODY, [list(ids)])
        return {row["id"]: row for row in rows_as_dicts(cur)}
