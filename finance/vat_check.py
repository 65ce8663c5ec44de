"""Check 9: output VAT per code and tax date is the same in the ledger and on documents, and what the NAV has."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from erp.links import stuck_page
from erp.scrubber.reading import count, read
from erp.scrubber.result import Findings
from finance.models import DOCUMENT_KINDS
from finance.nav_check import check_archive, check_nav
from finance.services import accounts, vat_by_hand
from finance.services.reporting import comparing

MONTHS_NAMED = 12

# Entries on the VAT account that no document stands behind: transfers and closings. What is posted by hand is
# named by its entries.
VAT_WITHOUT_DOCUMENT = [*vat_by_hand.TRANSFERS, "manual", "recurring"]

_VAT = """
with ledger as (
  select l.vat_code, l.tax_on, -sum(l.amount) as vat from journal_line l
  where l.account = %(account)s and l.document_kind <> all(%(others)s) group by 1, 2
), documents as (
  select v.vat_code, tax_day(i.kind, i.vat_total, i.gross_total, i.fulfilled_on, i.issued_on) as tax_on,
    sum(v.base_vat) as vat
  from invoice i cross join lateral jsonb_to_recordset(i.vat_summary) v(vat_code text, base_vat numeric)
  where i.state = 'issued' group by 1, 2
)
select vat_code, tax_on, coalesce(l.vat, 0) as ledger, coalesce(d.vat, 0) as documents
from ledger l full join documents d using (vat_code, tax_on)
where coalesce(l.vat, 0) <> coalesce(d.vat, 0) order by 1, 2"""

# In which months, by the day of issue as a reconciliation takes them: read only once a code differs.
_VAT_MONTHS = """
with ledger as (
  select to_char(coalesce(i.issued_on, l.entry_on), 'YYYY-MM') as month, l.vat_code, -sum(l.amount) as vat
  from journal_line l
  left join invoice i on i.id = l.document_id and l.document_kind = any(%(kinds)s) and i.state = 'issued'
  where l.account = %(account)s and l.document_kind <> all(%(others)s) group by 1, 2
), documents as (
  select to_char(i.issued_on, 'YYYY-MM') as month, v.vat_code, sum(v.base_vat) as vat from invoice i
  cross join lateral jsonb_to_recordset(i.vat_summary) v(vat_code text, base_vat numeric)
  where i.state = 'issued' group by 1, 2
)
select distinct coalesce(l.month, d.month) as month from ledger l
full join documents d on d.month = l.month and d.vat_code = l.vat_code
where coalesce(l.vat, 0) <> coalesce(d.vat, 0) order by 1 limit 12"""

_TOTALS = """
select i.id, i.number, i.gross_total as header, coalesce(sum(l.gross), 0) as lines from invoice i
left join invoice_line l on l.invoice_id = i.id where i.state = 'issued'
group by i.id having coalesce(sum(l.gross), 0) <> i.gross_total or coalesce(sum(l.net), 0) <> i.net_total
  or coalesce(sum(l.vat), 0) <> i.vat_total"""


def _read(findings: Findings, statement: str, arguments: Any = None) -> Iterator[dict[str, Any]]:
    return read(findings, "finance", statement, arguments)


def check_vat(findings: Findings) -> None:
    """Output VAT per code: ledger, documents and what the NAV has are equal; documents equal their lines.

    VAT that was posted by hand is in the ledger and on no document.
    """
    findings.compared = count(findings, "finance", "invoice")
    arguments = {"account": accounts.OUTPUT_VAT, "others": VAT_WITHOUT_DOCUMENT}
    _check_codes(findings, list(_read(findings, _VAT, arguments)))
    if findings.mismatched:
        months = _read(findings, _VAT_MONTHS, {**arguments, "kinds": list(DOCUMENT_KINDS)})
        _reconcile(findings, [row["month"] for row in months])
    _check_by_hand(findings)
    for row in _read(findings, _TOTALS):
        key, difference = f"finance/invoice {row['number']}", row["header"] - row["lines"]
        findings.add(key, row["header"], row["lines"], "owner corrupt", amount=difference)
        findings.repair_with("manage.py verify_books --full, then restore what was altered from a backup")
    _check_reports(findings)
    check_archive(findings)
    check_nav(findings)


def _check_codes(findings: Findings, days: list[dict[str, Any]]) -> None:
    """A code whose sums differ is one finding; else each day between which VAT of it has moved."""
    for code, found in groupby(days, key=lambda day: day["vat_code"]):
        rows = list(found)
        documents, ledger = (sum((row[side] for row in rows), Decimal(0)) for side in ("documents", "ledger"))
        key = f"VAT code {code or 'none'}"
        if documents != ledger:
            findings.add(key, documents, ledger, "owner corrupt", amount=ledger - documents)
            continue
        for row in rows:
            day, difference = f"{key} of {row['tax_on']}", row["ledger"] - row["documents"]
            findings.add(day, row["documents"], row["ledger"], "owner corrupt", amount=difference)
        findings.repair_with(
            "manage.py verify_books --full names lines whose tax date was altered; restore them from a backup"
        )


def _check_by_hand(findings: Findings) -> None:
    """Entries of VAT that no document, and without a VAT code no return either, stands behind."""
    for row in _read(findings, vat_by_hand.BY_HAND, vat_by_hand.arguments()):
        key = f"finance/journal_entry {row['entry_id']}, account {row['account']}, VAT code {row['code'] or 'none'}"
        findings.add(key, 0, row["amount"], "owner corrupt", amount=row["amount"])
        findings.repair_with(
            "reverse the entry; issue a document for VAT that is owed, post it with a VAT code or to another account"
        )


def _check_reports(findings: Findings) -> None:
    """Reports that are DONE say what the documents say; the others may be under way for 24 hours after the issue."""
    for row in _read(findings, comparing.REPORTED_DIFFERS):
        key, difference = f"NAV report of {row['number']}, {row['key']}", row["nav"] - row["document"]
        cause = "rogue write" if row["is_extra"] else "owner corrupt"
        findings.add(key, row["document"], row["nav"], cause, amount=difference)
        _reconcile(findings, [row["month"]])
    for row in _read(findings, comparing.NOT_REPORTED):
        if row["is_late"]:
            findings.add(f"NAV report of {row['number']}", "done", row["state"], "lost", amount=row["vat"])
            findings.repair_with(f"manage.py nav_send; what it cannot send is shown at {stuck_page()}")
        else:
            findings.in_flight += 1


def _reconcile(findings: Findings, months: list[str]) -> None:
    """Name the command that lists the documents of these months."""
    for month in months:
        if len(findings.repairs) < MONTHS_NAMED:
            findings.repair_with(f"manage.py nav_reconcile {month} lists the documents to credit or reverse")
