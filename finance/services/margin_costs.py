"""Costs of what is sold under the margin scheme without a goods move: travel bought in, pieces never in stock.

The bookkeeper enters them; the latest counts, earlier ones are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor, retried, rows_as_dicts
from erp.errors import NotFound, Refused
from erp.money import round_money
from finance.models import MarginCost
from finance.services.accounts import base_currency

# What no goods move has a cost of and is not credited in full: without a cost on any day, or with one in these days.
_LINES = """
select l.id, l.invoice_id, i.number, l.line_no, l.name, l.vat_code, x.tax_on, l.base_net as net, k.cost, k.note
from invoice_line l join invoice i on i.id = l.invoice_id join vat_code v on v.code = l.vat_code
cross join lateral (select tax_day(i.kind, i.vat_total, i.gross_total, i.fulfilled_on, i.issued_on) as tax_on) x
left join lateral (
  select c.cost, c.note from margin_cost c where c.line_id = l.id order by c.id desc limit 1) k on true
where v.category = 'margin' and i.state = 'issued' and l.original_line_id is null and x.tax_on <= %(last)s
  and (k.cost is null or x.tax_on >= %(first)s) and l.base_net > 0
  and not exists (select 1 from valued_move m where m.move_id = l.move_id)
  and l.base_net + coalesce((
    select sum(c.base_net) from invoice_line c join invoice ci on ci.id = c.invoice_id
    where c.original_line_id = l.id and ci.state = 'issued'), 0) > 0
order by k.cost is not null, i.number, l.line_no"""


def margin_lines(first: date, last: date) -> list[dict[str, Any]]:
    """Lines of the margin scheme without a goods move: those without a cost up to a day, and the days' with one."""
    with cursor("finance") as cur:
        cur.execute(_LINES, {"first": first, "last": last})
        return rows_as_dicts(cur)


def lines_without_cost(last: date) -> list[dict[str, Any]]:
    """Lines of the margin scheme up to a day whose cost is not known, so that their margin is not."""
    return [row for row in margin_lines(date.max, last) if row["cost"] is None]


@retried("finance")
def enter_costs(rows: Sequence[Mapping[str, Any]], *, actor: Actor) -> int:
    """Enter costs ``{line_id, cost, note}`` in base currency; returns how many were new or other than before.

    Raises:
        NotFound: a line is not one whose cost is entered; Refused: a cost is negative.
    """
    known = {row["id"]: row for row in margin_lines(date.min, date.max)}
    changed = []
    for row in rows:
        line = known.get(row["line_id"])
        if line is None:
            raise NotFound("A line is not of the margin scheme, has its cost from a goods move, or is credited")
        cost, note = round_money(Decimal(row["cost"]), base_currency()), str(row.get("note") or "")[:200]
        if cost < 0:
            raise Refused(f"{line['number']} line {line['line_no']}: a cost is not negative")
        if (cost, note) != (line["cost"], line["note"]):
            changed.append(MarginCost(line_id=line["id"], cost=cost, note=note, actor_name=actor.name))
    MarginCost.objects.bulk_create(changed)
    return len(changed)
