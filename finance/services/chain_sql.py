"""The statements with which chains are verified; each recomputes digests and hashes inside PostgreSQL."""

from __future__ import annotations

from finance.serializers.sealing import ENTRY_DIGEST, SEALED_LINE_DIGEST

DOCUMENT_DIGEST = "content_digest(to_jsonb(j) - '{version,created_at,updated_at,retired_at}'::text[])"
DOCUMENT_LINE_DIGEST = "content_digest(to_jsonb(l))"

_BATCH = """
with s as materialized (
  select {no} as no, {key} as key, {name} as name, header, lines, hash,
    lag({no}, 1, %(after)s::bigint) over w as no_before, lag(hash, 1, %(before)s::bytea) over w as hash_before
  from {seal} where {of} {no} > %(after)s and {no} <= %(head)s window w as (order by {no}) order by {no} limit %(limit)s
), v as materialized (
  select s.no, s.key, s.name, s.no_before, s.hash,
    j.id is not null as is_there, coalesce({digest}, '') = s.header as header_holds,
    coalesce(d.lines, '') = s.lines as lines_hold, s.no = s.no_before + 1 as follows,
    s.hash = sha256(s.hash_before || s.header || s.lines) as chain_holds
  from s left join {table} j on j.id = s.key
  left join lateral (
    select string_agg({line_digest}, ''::bytea order by l.line_no, l.id) as lines from {line} l where l.{parent} = s.key
  ) d on true
)
select (select count(*) from v) as seen, (select max(no) from v) as last_no,
  (select hash from v order by no desc limit 1) as last_hash,
  (select jsonb_agg(to_jsonb(w) - 'hash' order by w.no) from (
    select * from v where not (is_there and header_holds and lines_hold and follows and chain_holds)
    order by no limit 20) w) as wrong"""

ENTRIES = _BATCH.format(
    no="no", key="entry_id", name="''", seal="entry_seal", of="", digest=ENTRY_DIGEST, table="journal_entry",
    line_digest=SEALED_LINE_DIGEST, line="journal_line", parent="entry_id",
)  # fmt: skip

DOCUMENTS = _BATCH.format(
    no="sequence_no", key="invoice_id", name="number", seal="invoice_seal",
    of="series = %(series)s and fiscal_year = %(year)s and", digest=DOCUMENT_DIGEST, table="invoice",
    line_digest=DOCUMENT_LINE_DIGEST, line="invoice_line", parent="invoice_id",
)  # fmt: skip

HASH_OF_ENTRY = "select hash from entry_seal where no = %(no)s"
HASH_OF_DOCUMENT = """
select hash from invoice_seal where series = %(series)s and fiscal_year = %(year)s and sequence_no = %(no)s"""

SERIES = """
select coalesce(s.code, i.series) as series, coalesce(s.fiscal_year, i.fiscal_year) as fiscal_year,
  coalesce(s.last_no, 0) as last_no, s.last_hash
from (select * from number_series where last_hash is not null
      or exists (select 1 from invoice v where v.series = code and v.fiscal_year = number_series.fiscal_year)) s
full join (select distinct series, fiscal_year from invoice_seal) i
  on i.series = s.code and i.fiscal_year = s.fiscal_year
order by 2, 1"""

_UNSEALED_ENTRIES = """
select 'entry', j.id, 'journal entry ' || j.id || ' (' || j.posting_key || ') was never sealed: it was written past '
  || 'the rules, or its seal is gone'
from {source} where {condition}
  and not exists (select 1 from entry_seal s where s.entry_id = j.id)
union all
select 'seal', s.no, 'ledger: seal ' || s.no || ' lies beyond the end of the chain' from entry_seal s
where s.no > %(head)s and s.no > (select last_no from seal_head where id = 1)
order by 2 limit 20"""

UNSEALED_ENTRIES = _UNSEALED_ENTRIES.format(
    source="journal_entry j", condition="(j.xid < %(lo)s::xid8 or j.xid is null)"
)
UNSEALED_ENTRIES_SINCE = _UNSEALED_ENTRIES.format(
    source="(select distinct l.entry_id from journal_line l where l.xid >= %(mark_lo)s::xid8 "
    "and l.xid < %(lo)s::xid8) x join journal_entry j on j.id = x.entry_id",
    condition="true",
)

UNSEALED_DOCUMENTS = """
select 'invoice', j.number, 'document ' || j.number || ' was never sealed: it was written past the rules, or its seal '
  || 'is gone'
from invoice j where j.series = %(series)s and j.fiscal_year = %(year)s and j.state = 'issued'
  and j.sequence_no > %(after)s and not exists (select 1 from invoice_seal s where s.invoice_id = j.id)
order by j.sequence_no limit 20"""
