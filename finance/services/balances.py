"""Balances of the ledger at this moment: totals of sealed lines, and the lines that wait for their seal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import Account

MOVED = """
select b.entry_on, b.tax_on, b.account, b.vat_code, b.debit, b.credit from ledger_balance b where {of_balance}
union all
select l.entry_on, l.tax_on, l.account, l.vat_code, greatest(l.amount, 0), greatest(-l.amount, 0) from journal_line l
where l.xid >= (select h.lo from seal_head h where h.id = 1)
  and not exists (select 1 from entry_seal s where s.entry_id = l.entry_id) and {of_line}"""
"""What was moved, by conditions over the balance row ``b`` and the ledger line ``l``; exact in one snapshot."""


def moved_sql(condition: str) -> str:
    """SQL of what was moved under a condition over the alias ``t``, with entry_on, tax_on, account and vat_code."""
    return MOVED.format(of_balance=condition.replace("t.", "b."), of_line=condition.replace("t.", "l."))


# A year's opening entries are the opening balances of a period that begins with them, no movement of it. Closing
# entries of the period's last day can be left out; earlier ones are followed by opening entries and cancel out.
_TRIAL_BALANCE = f"""
select m.account, a.name as account_name,
  coalesce(sum(m.debit - m.credit) filter (where m.entry_on < %(first)s), 0) as opening,
  coalesce(sum(m.debit) filter (where m.entry_on >= %(first)s), 0) as debit,
  coalesce(sum(m.credit) filter (where m.entry_on >= %(first)s), 0) as credit,
  sum(m.debit - m.credit) as balance
from (
  {moved_sql("t.entry_on <= %(last)s")}
  union all
  select x.day, l.tax_on, l.account, l.vat_code, x.sign * greatest(l.amount, 0), x.sign * greatest(-l.amount, 0)
  from journal_entry e join journal_line l on l.entry_id = e.id
  cross join lateral (
    select e.entry_on, -1 where e.document_kind = 'year_close' and e.entry_on = %(last)s and not %(with_closing)s
    union all select e.entry_on, -1 where e.document_kind = 'year_open' and e.entry_on = %(first)s
    union all select e.entry_on - 1, 1 where e.document_kind = 'year_open' and e.entry_on = %(first)s
  ) x(day, sign)
  where e.document_kind in ('year_close', 'year_open')
) m left join account a on a.number = m.account
group by m.account, a.name order by m.account"""


def trial_balance(first: date, last: date, *, with_closing: bool = True) -> list[dict[str, Any]]:
    """Per account: opening balance, debits and credits of the days from first to last, closing balance.

    Args:
        with_closing: whether the closing entries of a year that ends with the last day count; they close every
            account, so that a closed year is seen without them.
    """
    with cursor("finance") as cur:
        cur.execute(_TRIAL_BALANCE, {"first": first, "last": last, "with_closing": with_closing})
        return [row for row in rows_as_dicts(cur) if any(row[name] for name in AMOUNTS)]


AMOUNTS = ("opening", "debit", "credit", "balance")


@dataclass(frozen=True)
class AccountClass:
    """The accounts of one class of the chart, with their sums."""

    number: str
    name: str
    rows: list[dict[str, Any]]
    totals: dict[str, Decimal]


def by_class(rows: Sequence[Mapping[str, Any]]) -> list[AccountClass]:
    """Rows of a trial balance by account class (the first digit), each with its subtotals."""
    names = dict(Account.objects.filter(parent=None).values_list("number", "name"))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["account"][:1], []).append(dict(row))
    return [AccountClass(n, names.get(n, ""), members, totals_of(members)) for n, members in sorted(found.items())]


def totals_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Sums of a trial balance's columns."""
    return {name: sum((row[name] for row in rows), Decimal(0)) for name in AMOUNTS}
