"""VAT that was posted by hand: entries on the VAT accounts that no document of ours stands behind.

With a VAT code they stand in the return, and no document, no report to the NAV says the same; without one no return
holds them. The return, closing, reconciliation and check 9 all take them from here.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import DOCUMENT_KINDS
from finance.services import accounts
from finance.services.vat_return import APART, VatReturn

TRANSFERS = (*APART, "margin_vat")
"""Document kinds of what is owed already, or owed on a margin."""

# By tax date, which a reversal keeps: an entry and its reversal are one, and nothing is left of them. What a buyer owes
# and deducts in one entry is no VAT by hand, nor is what is deducted by a supplier's invoice.
BY_HAND = """
select x.* from (
  select coalesce(e.reverses_id, e.id) as entry_id, l.vat_code as code, l.account, sum(l.amount) as amount,
    min(l.entry_on) as entry_on, coalesce(min(nullif(e.text, '')), '') as text, max(l.document_kind) as document_kind,
    max(l.document_number) as document_number, max(l.document_id) as document_id,
    sum(sum(l.amount)) over w as owed, bool_or(l.account = %(output)s) over w as is_output
  from journal_line l join journal_entry e on e.id = l.entry_id
  where l.account = any(%(vat_accounts)s) and l.tax_on between %(first)s and %(last)s
    and l.document_kind <> all(%(apart)s) and (l.vat_code = '' or l.document_kind <> all(%(kinds)s))
  group by 1, 2, 3 window w as (partition by coalesce(e.reverses_id, e.id), l.vat_code)
) x where x.amount <> 0 and (x.code = '' or x.owed <> 0 and x.is_output) order by x.entry_id, x.code, x.account"""


def arguments(first: date = date.min, last: date = date.max) -> dict[str, Any]:
    """Arguments of :data:`BY_HAND`: by tax date."""
    return {
        "first": first, "last": last, "output": accounts.OUTPUT_VAT, "vat_accounts": list(accounts.VAT_ACCOUNTS),
        "apart": list(TRANSFERS), "kinds": list(DOCUMENT_KINDS),
    }  # fmt: skip


def vat_by_hand(first: date, last: date) -> list[dict[str, Any]]:
    """Per entry, VAT code (empty: none) and account what is left of it; ``amount`` is debit positive."""
    with cursor("finance") as cur:
        cur.execute(BY_HAND, arguments(first, last))
        return rows_as_dicts(cur)


def entries_without_code(first: date, last: date) -> list[dict[str, Any]]:
    """Of these the entries that stand in no return, because they carry no VAT code."""
    return [row for row in vat_by_hand(first, last) if not row["code"]]


def disagreement(found: VatReturn, period_code: str) -> str:
    """Why a period's VAT accounts do not agree with its return, in words; empty when they do."""
    if found.agrees:
        return ""
    named = [
        f"{row['entry_id']} ({row['account']}, {row['amount'].normalize():,f})"
        for row in entries_without_code(found.first, found.last)
    ]
    differing = [f"account {a.account} by {a.difference.normalize():,f}" for a in found.accounts if a.difference]
    return (
        f"The VAT accounts hold what the return of {period_code} does not ({', '.join(differing)}): reverse these "
        f"entries and post them with a VAT code, or to another account: {', '.join(named) or 'none is without a code'}"
    )
