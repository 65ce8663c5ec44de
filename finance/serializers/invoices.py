"""Set-based writer of issued documents: number, header, lines, settlement and postings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from erp.actor import Actor
from erp.db import cursor, fetch_prepared, rows_as_dicts
from erp.fields import dump_json
from erp.permit import write_permit
from erp.publishing import Confirmations, publish
from finance.models import Invoice
from finance.serializers.ledger import ENTRIES_SQL, EntryDraft, entry_arguments, posting_errors

_SET_BY_THE_STATEMENT = frozenset({"number", "sequence_no", "version", "created_at", "updated_at", "retired_at"})

_LINES = """
with i as materialized (select coalesce(%s::bigint, nextval('invoice_id_seq')) as id),
s as (
  insert into invoice_settlement (invoice_id, state, gross_total, paid_total, offset_total, credited_total)
  select i.id, %s::text, %s::numeric, 0, 0, 0 from i
)
insert into invoice_line (invoice_id, line_no, product_id, sku, name, quantity, unit, unit_price, discount,
  discount_percent, vat_code, vat_override_reason, vat_rate, net, vat, gross, base_net, base_vat, order_line_no,
  original_line_id, move_id, product_class, delivered_on, order_id, order_number, shipment_id, shipment_number,
  advance_invoice_id, law_ref)
select i.id, r.line_no, r.product_id, r.sku, r.name, r.quantity, r.unit, r.unit_price, r.discount,
  r.discount_percent, r.vat_code, r.vat_override_reason, r.vat_rate, r.net, r.vat, r.gross, r.base_net, r.base_vat,
  r.order_line_no, r.original_line_id, r.move_id, r.product_class, r.delivered_on, r.order_id, r.order_number,
  r.shipment_id, r.shipment_number, r.advance_invoice_id, coalesce(
    (select o.law_ref from invoice_line o where o.id = r.original_line_id),
    (select v.law_ref from vat_code v where v.code = r.vat_code), '')
from i, jsonb_to_recordset(%s::jsonb) r(line_no int, product_id bigint, sku text, name text, quantity int, unit text,
  unit_price numeric, discount numeric, discount_percent numeric, vat_code text, vat_override_reason text,
  vat_rate numeric, net numeric, vat numeric, gross numeric, base_net numeric, base_vat numeric, order_line_no int,
  original_line_id bigint, move_id bigint, product_class text, delivered_on date, order_id bigint, order_number text,
  shipment_id bigint, shipment_number text, advance_invoice_id bigint)
order by coalesce(r.original_line_id, 0), r.line_no
returning invoice_id"""


def drop_draft_lines(draft_id: int) -> None:
    """Remove a draft's lines, which are written anew with their amounts when it is issued."""
    with cursor("finance") as cur:
        cur.execute("delete from invoice_line where invoice_id = %s", [draft_id])


def write_lines(invoice_id: int | None, lines: Sequence[Mapping[str, Any]], gross_total: Any, state: str) -> int:
    """Write the lines and the settlement of a document that is being issued; returns its key.

    Args:
        invoice_id: of a draft; None: a new key is taken.

    Raises:
        CreditExceedsInvoice: a credit line takes more than its original still has.
    """
    arguments = [invoice_id, state, gross_total, dump_json(list(lines))]
    with posting_errors():
        return int(fetch_prepared("finance", _LINES, arguments)[0][0])


@lru_cache(maxsize=1)
def _issue_sql() -> str:
    columns = [f.column for f in Invoice._meta.concrete_fields if f.column not in _SET_BY_THE_STATEMENT]
    names = ", ".join(f'"{c}"' for c in columns)
    values = ", ".join(f'(h.r)."{c}"' for c in columns)
    updates = ", ".join(f'"{c}" = excluded."{c}"' for c in columns if c not in {"id", "channel"})
    entries = ENTRIES_SQL.format(number="coalesce(d.document_number, k.number)").replace(
        "from d order by d.n\n", "from d, k order by d.n\n"
    )
    return f"""
with h as materialized (
  select jsonb_populate_record(null::invoice, x || jsonb_build_object('vat_summary', (
    select jsonb_agg(to_jsonb(v)) from jsonb_to_recordset(x->'vat_summary') v(vat_code text, vat_rate numeric(7, 4),
      net numeric(19, 4), vat numeric(19, 4), gross numeric(19, 4), base_net numeric(19, 4), base_vat numeric(19, 4))
  ))) as r from (select %s::jsonb as x)
),
c as (
  insert into number_series (code, fiscal_year, last_no) select (h.r).series, (h.r).fiscal_year, 1 from h
  on conflict (code, fiscal_year) do update set last_no = number_series.last_no + 1 returning last_no
), k as materialized (
  select c.last_no, (h.r).series || '-' || (h.r).fiscal_year || '-'
    || lpad(c.last_no::text, greatest(6, length(c.last_no::text)), '0') as number from c, h
), {entries}, i as (
  insert into invoice ({names}, number, sequence_no) select {values}, k.number, k.last_no from h, k
  on conflict (id) do update set {updates}, number = excluded.number, sequence_no = excluded.sequence_no,
    version = invoice.version + 1, updated_at = clock_timestamp() where invoice.state = 'draft'
  returning id, number
)
select i.number from i"""


def write_numbered(header: Mapping[str, Any], entries: Sequence[EntryDraft], base_currency: str, actor: Actor) -> str:
    """Take the series' next number and write header and postings with it, in one statement.

    ``header`` gives every column of the invoice but those that the statement sets. Returns the number.
    """
    arguments = [dump_json(header), *entry_arguments(entries, base_currency, actor)]
    with write_permit("invoice", "ledger"), posting_errors(entries):
        rows = fetch_prepared("finance", _issue_sql(), arguments)
    return str(rows[0][0])


_LOCK_SETTLEMENTS = """
select s.*, i.number, i.kind, i.customer_id, i.currency, i.exchange_rate, i.base_gross_total,
  i.issued_on, i.customer->>'country' as country
from invoice_settlement s join invoice i on i.id = s.invoice_id
where s.invoice_id = any(%s::bigint[]) order by s.invoice_id for update of s"""

_SETTLE = """
with r as (
  select * from jsonb_to_recordset(%s::jsonb)
    r(invoice_id bigint, state text, paid_total numeric, offset_total numeric,
      written_off_total numeric, credited_total numeric)
), s as (
  update invoice_settlement s set state = r.state, paid_total = r.paid_total, offset_total = r.offset_total,
    written_off_total = r.written_off_total, credited_total = r.credited_total
  from r where s.invoice_id = r.invoice_id returning s.invoice_id
)
update invoice t set version = t.version + 1, updated_at = clock_timestamp()
where t.id = any(select s.invoice_id from s where s.invoice_id <> all(%s::bigint[]))"""


def lock_settlements(invoice_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Lock what is open of documents, in key order; the first lock of whoever settles or credits."""
    with cursor("finance") as cur:
        cur.execute(_LOCK_SETTLEMENTS, [sorted(set(invoice_ids))])
        return rows_as_dicts(cur)


def write_settlements(rows: Sequence[Mapping[str, Any]], new_ids: Sequence[int] = ()) -> None:
    """Write what is open of documents and raise their versions, but for documents new in this transaction."""
    with write_permit("invoice"):
        fetch_prepared("finance", _SETTLE, [dump_json(list(rows)), list(new_ids)])


def publish_invoices(invoice_ids: Sequence[int], actor: Actor) -> Confirmations:
    """Journal documents written in this transaction and bring them to every attached reader."""
    with write_permit("invoice"):
        return publish("invoice", invoice_ids, actor=actor)
