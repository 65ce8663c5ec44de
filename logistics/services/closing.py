"""Goods work that still has to enter Finance's books, which stands against closing its month."""

from __future__ import annotations

from datetime import date

from erp.db import cursor
from erp.registry import registry

_WAITING = """
select r.kind, count(*), min(r.key) from relay_item r
where r.state <> 'done' and r.kind = any(%s) and coalesce(r.payload->>'issued_on', r.payload->>'returned_on',
  r.payload->'moves'->0->>'moved_on', r.created_at::date::text)::date <= %s
group by 1 order by 1"""

KINDS = ("invoice_issue", "credit_return", "value_moves")


def unfinished_goods_work(last: date) -> list[str]:
    """Goods issues, returns and stock moves until a day that Finance has not booked yet, in words."""
    with cursor("logistics") as cur:
        cur.execute(_WAITING, [list(KINDS), last])
        return [
            f"{registry.relay_kinds['logistics', kind].title}, until {last} not done yet: {count} (e.g. {key}); "
            f"see the page of stuck documents"
            for kind, count, key in cur.fetchall()
        ]
