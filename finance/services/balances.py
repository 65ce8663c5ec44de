"""Balances of the ledger at this moment: totals of sealed lines, and the lines that wait for their seal."""

from __future__ import annotations

from datetime import date
from typing import Any

from erp.db import cursor, rows_as_dicts

MOVED = """
select b.entry_on, b.account, b.vat_code, b.debit, b.credit from ledger_balance b where {of_balance}
union all
select l.entry_on, l.account, l.vat_code, greatest(l.amount, 0), greatest(-l.amount, 0) from journal_line l
where l.xid >= (select h.lo from seal_head h where h.id = 1)
  and not exists (select 1 from entry_seal s where s.entry_id = l.entry_id) and {of_line}"""
"""What was moved, by conditions over the balance row ``b`` and the ledger line ``l``; exact in one snapshot."""


def moved_sql(condition: str) -> str:
    """SQL of what was moved under a condition over the alias ``t``, which has entry_on, account and vat_code."""
    return MOVED.format(of_balance=condition.replace("t.", "b."), of_line=condition.replace("t.", "l."))


_TRIAL_BALANCE = f"""
select m.account, a.name as account_name,
  coalesce(sum(m.debit - m.credit) filter (where m.entry_on < %(first)s), 0) as opening,
  coalesce(sum(m.debit) filter (where m.entry_on >= %(first)s), 0) as debit,
  coalesce(sum(m.credit) filter (where m.entry_on >= %(first)s), 0) as credit,
  sum(m.debit - m.credit) as balance
from ({moved_sql("t.entry_on <= %(last)s")}) m left join account a on a.number = m.account
group by m.account, a.name order by m.account"""


def trial_balance(first: date, last: date) -> list[dict[str, Any]]:
    """Per account: opening balance, debits and credits of the days from first to last, closing balance."""
    with cursor("finance") as cur:
        cur.execute(_TRIAL_BALANCE, {"first": first, "last": last})
        return rows_as_dicts(cur)
