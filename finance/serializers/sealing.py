"""Set-based writer of the chain of entries: one statement seals a batch of what is committed and not sealed yet.

The same statement adds the batch to the ledger's totals: what is sealed is in them, what is not is read line by line.
"""

from __future__ import annotations

from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.replication.pull import system_identifier
from finance.errors import ChainBroken

ENTRY_DIGEST = """sha256(convert_to(row(j.id, j.journal, j.kind, j.entry_on - date '2000-01-01', j.period, j.text,
    j.document_kind, j.document_number, j.document_id, j.posting_key, j.reverses_id, j.actor_id, j.actor_name,
    extract(epoch from j.created_at), j.exchange_rate, j.rate_on - date '2000-01-01', j.rate_source)::text, 'UTF8'))"""
"""SQL of the digest of an entry ``j`` without its lines: its canonical text does not depend on the session."""

_LINE = """l.id, l.entry_no, l.line_no, l.journal, l.entry_on - date '2000-01-01', l.period, l.account, l.account_name,
    l.amount, l.document_amount, l.currency, l.text, l.customer_id, l.product_id, l.quantity, l.document_kind,
    l.document_number, l.document_id, l.vat_code, l.due_on - date '2000-01-01'"""

LINE_DIGEST = f"sha256(convert_to(row({_LINE}, l.tax_on - date '2000-01-01')::text, 'UTF8'))"
"""SQL of the digest of a ledger line ``l``."""

SEALED_LINE_DIGEST = f"""case when s.no > (select h.dated_from from seal_head h where h.id = 1) then {LINE_DIGEST}
    else sha256(convert_to(row({_LINE})::text, 'UTF8')) end"""
"""The same of a line ``l`` under the seal ``s``: the first seals were made before lines had a tax date."""

# Every committed entry that is not sealed yet is sealed, so a run seals strictly later commits than the run before
# it, and a long transaction elsewhere holds nobody up. ``lo`` only bounds the search.
_SEAL = f"""
with due as materialized (
  select l.entry_id, l.xid from journal_line l
  where l.xid >= %(lo)s::xid8 and not exists (select 1 from entry_seal s where s.entry_id = l.entry_id)
  order by l.xid, l.id limit %(limit)s
), e as (
  select row_number() over (order by d.xid, j.id) + %(last_no)s as no, j.id as entry_id, {ENTRY_DIGEST} as header
  from (select distinct entry_id, xid from due) d join journal_entry j on j.id = d.entry_id
), content as materialized (
  select e.no, e.entry_id, e.header,
    (select string_agg({LINE_DIGEST}, ''::bytea order by l.line_no, l.id)
     from journal_line l where l.entry_id = e.entry_id) as lines
  from e
), sealed as (
  insert into entry_seal (no, entry_id, header, lines, hash)
  select c.no, c.entry_id, c.header, c.lines, chain_sha256(c.header || c.lines, %(last_hash)s) over (order by c.no)
  from content c returning no, hash, entry_id
), folded as (
  insert into ledger_balance as b (entry_on, account, vat_code, tax_on, debit, credit)
  select l.entry_on, l.account, l.vat_code, l.tax_on, sum(greatest(l.amount, 0)), sum(greatest(-l.amount, 0))
  from sealed s join journal_line l on l.entry_id = s.entry_id group by 1, 2, 3, 4 order by 1, 2, 3, 4
  on conflict (entry_on, account, vat_code, tax_on) do update set debit = b.debit + excluded.debit,
    credit = b.credit + excluded.credit
), state as (
  select (select count(*) from due) < %(limit)s as is_whole, pg_snapshot_xmin(pg_current_snapshot()) as xmin,
    (select d.xid from due d order by d.xid desc limit 1) as reached
)
update seal_head h set
  last_no = coalesce((select max(s.no) from sealed s), h.last_no),
  last_hash = coalesce((select s.hash from sealed s order by s.no desc limit 1), h.last_hash),
  lo = case when state.is_whole then state.xmin else least(state.reached, state.xmin) end,
  system_identifier = %(system)s,
  ran_at = case when state.is_whole then statement_timestamp() else h.ran_at end
from state where h.id = 1
returning (select count(*) from sealed) as sealed, state.is_whole"""


def lock_head() -> dict[str, Any]:
    """Lock the chain's end; one sealer at a time. Raises ChainBroken when it is gone."""
    with cursor("finance") as cur:
        cur.execute("select last_no, last_hash, lo::text, system_identifier from seal_head where id = 1 for update")
        rows = rows_as_dicts(cur)
    if not rows:
        raise ChainBroken("The head of the chain of entries is gone: run manage.py verify_books --full")
    return rows[0]


def seal_batch(limit: int) -> tuple[int, bool]:
    """Seal what is committed, at most ``limit`` lines; returns (entries sealed, whether that was all)."""
    head = lock_head()
    with cursor("finance") as cur:
        # Transaction ids of another cluster (restored, moved) say nothing here: look at everything once.
        system = system_identifier(cur)
        lo = head["lo"] if head["system_identifier"] == system else "0"
        cur.execute("set local statement_timeout = 0")
        cur.execute(_SEAL, {**head, "lo": lo, "system": system, "limit": limit})
        sealed, is_whole = cur.fetchone()
    return int(sealed), bool(is_whole)
