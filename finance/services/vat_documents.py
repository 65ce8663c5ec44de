"""The documents behind the VAT return: of one code, those that disagree with it, those that came too late for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import DOCUMENT_KINDS, FiscalPeriod
from finance.services import accounts
from finance.services.accounts import VAT_ACCOUNTS
from finance.services.balances import moved_sql

_IS_PURCHASE = "(l.account = %(input)s or (l.account <> %(output)s and a.type in ('asset', 'expense')))"
_SIDES = {
    "purchase": _IS_PURCHASE,
    "reverse": "(l.account = %(output)s or (l.account <> %(input)s and a.type in ('asset', 'expense')))",
    "sale": f"(not {_IS_PURCHASE} and not (l.account = %(output)s and v.category = 'reverse_charge'))",
}

_DOCUMENTS = """
select l.document_kind, l.document_number, l.document_id, min(l.entry_on) as entry_on, min(l.tax_on) as tax_on,
  min(l.entry_id) as entry_id, max(l.customer_id) as customer_id,
  coalesce(sum(l.amount) filter (where l.account <> all(%(vat_accounts)s)), 0) * %(base_sign)s as base,
  coalesce(sum(l.amount) filter (where l.account = any(%(vat_accounts)s)), 0) * %(tax_sign)s as tax
from journal_line l join account a on a.number = l.account left join vat_code v on v.code = l.vat_code
where l.tax_on between %(first)s and %(last)s and l.vat_code = %(code)s and l.vat_code <> '' and {of_side}
group by l.document_kind, l.document_number, l.document_id,
  case when l.document_id is null then l.entry_id end
order by 5, 6 limit %(limit)s"""


def documents_of_code(first: date, last: date, side: str, code: str, limit: int = 5_000) -> list[dict[str, Any]]:
    """The documents and entries behind one line of the return, by their tax dates."""
    arguments: dict[str, Any] = {
        "first": first, "last": last, "code": code, "vat_accounts": list(VAT_ACCOUNTS), "limit": limit,
        "base_sign": -1 if side == "sale" else 1, "tax_sign": 1 if side == "purchase" else -1,
        "input": accounts.INPUT_VAT, "output": accounts.OUTPUT_VAT,
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_DOCUMENTS.format(of_side=_SIDES[side]), arguments)
        return rows_as_dicts(cur)


_DIFFERENCES = """
with documents as (
  select i.id, i.number, v.vat_code, v.base_net as base, v.base_vat as tax from invoice i
  cross join lateral jsonb_to_recordset(i.vat_summary) v(vat_code text, base_net numeric, base_vat numeric)
  where i.state = 'issued'
    and tax_day(i.kind, i.vat_total, i.gross_total, i.fulfilled_on, i.issued_on) between %(first)s and %(last)s
), booked as (
  select l.document_id as id, l.vat_code, -sum(l.amount) filter (where l.account <> all(%(vat_accounts)s)) as base,
    -coalesce(sum(l.amount) filter (where l.account = any(%(vat_accounts)s)), 0) as tax
  from journal_line l where l.tax_on between %(first)s and %(last)s and l.vat_code <> ''
    and l.document_kind = any(%(kinds)s) group by 1, 2
)
select coalesce(d.number, 'document ' || b.id) as number, coalesce(d.vat_code, b.vat_code) as code,
  coalesce(d.base, 0) as base, coalesce(d.tax, 0) as tax, coalesce(b.base, 0) as booked_base,
  coalesce(b.tax, 0) as booked_tax
from documents d full join booked b on b.id = d.id and b.vat_code = d.vat_code
where (coalesce(d.base, 0), coalesce(d.tax, 0)) is distinct from (coalesce(b.base, 0), coalesce(b.tax, 0))
order by 1, 2 limit 100"""


def document_differences(first: date, last: date) -> list[dict[str, Any]]:
    """Documents of the period whose VAT summary is not what the ledger holds of them; empty when all agree."""
    arguments: dict[str, Any] = {
        "first": first, "last": last, "vat_accounts": list(VAT_ACCOUNTS), "kinds": list(DOCUMENT_KINDS),
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_DIFFERENCES, arguments)
        return rows_as_dicts(cur)


# A return is closed when its VAT is transferred for the first time, or its month is closed for good.
_LATE = """
select l.document_kind, l.document_number, l.document_id, l.entry_id, l.vat_code as code, min(l.entry_on) as entry_on,
  min(l.tax_on) as tax_on, coalesce(sum(l.amount) filter (where l.account <> all(%(vat_accounts)s)), 0) as base,
  coalesce(sum(l.amount) filter (where l.account = any(%(vat_accounts)s)), 0) as tax
from journal_line l join journal_entry e on e.id = l.entry_id
where l.tax_on between %(first)s and %(last)s and l.vat_code <> '' and e.created_at > least(
  (select min(s.created_at) from journal_entry s
   where s.document_kind = 'vat_settlement' and s.document_number = %(period)s),
  (select min(c.at) from period_change c where c.period_id = %(period_id)s and c.state = 'locked'))
group by l.entry_id, l.document_kind, l.document_number, l.document_id, l.vat_code order by l.entry_id, l.vat_code"""


def late_documents(period: FiscalPeriod) -> list[dict[str, Any]]:
    """What was posted with a tax date of the period after its return was closed: to be revised (self-revision).

    ``base`` and ``tax`` are debit positive.
    """
    arguments: dict[str, Any] = {
        "first": period.starts_on, "last": period.ends_on, "period": period.code, "period_id": period.pk,
        "vat_accounts": list(VAT_ACCOUNTS),
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_LATE, arguments)
        return rows_as_dicts(cur)


_HOLDING = f"""
select x.month::date as first, (x.month + interval '1 month' - interval '1 day')::date as last,
  to_char(x.month, 'YYYY-MM') as code, x.output, x.input, exists (
    select 1 from journal_entry s where s.document_kind = 'vat_settlement'
      and s.document_number = to_char(x.month, 'YYYY-MM')
    union all
    select 1 from fiscal_period p where p.starts_on = x.month and p.state = 'locked') as is_closed
from (
  select date_trunc('month', m.tax_on::timestamp) as month,
    coalesce(sum(m.credit - m.debit) filter (where m.account = %(output)s), 0) as output,
    coalesce(sum(m.debit - m.credit) filter (where m.account = %(input)s), 0) as input
  from (
    {moved_sql("t.account = any(%(vat_accounts)s) and t.tax_on < %(before)s")}
    union all
    select l.entry_on, l.tax_on, l.account, l.vat_code, -greatest(l.amount, 0), -greatest(-l.amount, 0)
    from journal_entry e join journal_line l on l.entry_id = e.id
    where e.document_kind = any(%(year_entries)s) and l.account = any(%(vat_accounts)s) and l.tax_on < %(before)s
  ) m group by 1
) x where x.output <> 0 or x.input <> 0 order by 1 desc"""


def months_holding(before: date) -> list[dict[str, Any]]:
    """Months before a day whose VAT accounts still hold something, by tax dates, latest first.

    Each with ``first``, ``last``, ``code``, ``output``, ``input``, whether its return ``is_closed``, and ``late``, what
    came after it was (as of :func:`late_documents`).
    """
    arguments: dict[str, Any] = {
        "before": before, "vat_accounts": list(VAT_ACCOUNTS), "output": accounts.OUTPUT_VAT,
        "input": accounts.INPUT_VAT, "year_entries": ["year_close", "year_open"],
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_HOLDING, arguments)
        found = rows_as_dicts(cur)
    closed = {p.code: p for p in FiscalPeriod.objects.filter(code__in=[r["code"] for r in found if r["is_closed"]])}
    return [{**row, "late": late_documents(closed[row["code"]]) if row["code"] in closed else []} for row in found]
