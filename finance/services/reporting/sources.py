"""Issued documents as Finance holds them, with their place in their chain; read set by set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.fields import load_json

_HEADERS = """
select i.*, s.operation, s.base_id, s.modification_index, s.buyer, b.number as base_number,
  coalesce(o.transport, '{}') || coalesce(s.transport, '{}') as transport,
  coalesce(b.kind, i.kind) as first_kind, coalesce(b.is_collective, i.is_collective) as is_aggregate,
  coalesce(b.is_simplified, i.is_simplified) as is_simplified_chain,
  coalesce((
    select count(*) from nav_submission c join invoice_line l on l.invoice_id = c.invoice_id
    where s.base_id is not null
      and (c.invoice_id = s.base_id or (c.base_id = s.base_id and c.modification_index < s.modification_index))
  ), 0) as chain_lines
from nav_submission s join invoice i on i.id = s.invoice_id left join invoice b on b.id = s.base_id
left join nav_submission o on o.invoice_id = s.base_id
where s.invoice_id = any(%s::bigint[]) order by s.invoice_id"""

# An advance that is taken off carries its number, the day it was paid (else issued) and the rate it was booked at.
_LINES = """
select l.*, coalesce(l.delivered_on, o.delivered_on) as supplied_on,
  a.number as advance_number, a.exchange_rate as advance_rate,
  coalesce((select min(p.received_on) from payment_allocation x join payment p on p.id = x.payment_id
            where x.invoice_id = a.id), a.issued_on) as advance_paid_on
from invoice_line l left join invoice_line o on o.id = l.original_line_id
left join invoice a on a.id = l.advance_invoice_id
where l.invoice_id = any(%s::bigint[]) order by l.invoice_id, l.line_no"""

_JSON = ("customer", "supplier", "vat_summary", "buyer", "transport")


def load_documents(invoice_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Issued documents in order of their ids: the invoice's columns, ``lines``, and the place in the chain."""
    with cursor("finance") as cur:
        cur.execute(_HEADERS, [list(invoice_ids)])
        documents = rows_as_dicts(cur)
        cur.execute(_LINES, [list(invoice_ids)])
        lines = rows_as_dicts(cur)
    by_invoice: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in documents}
    for line in lines:
        by_invoice[line["invoice_id"]].append(line)
    for row in documents:
        row.update({name: load_json(row[name]) for name in _JSON})
        row["lines"] = by_invoice[row["id"]]
    return documents
