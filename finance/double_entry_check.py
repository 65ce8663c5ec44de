"""Check 7: every entry sums to zero, day totals are those of their lines, and nothing sealed was changed."""

from __future__ import annotations

from erp.scrubber.reading import count, read
from erp.scrubber.result import Findings
from finance.services import verifying

_ENTRIES = """
select e.id, coalesce(sum(l.amount), 0) as difference, count(l.id) as lines
from journal_entry e left join journal_line l on l.entry_id = e.id
group by e.id having coalesce(sum(l.amount), 0) <> 0 or count(l.id) < 2"""

_STRAY_LINES = """
select l.id, l.amount from journal_line l
left join journal_entry e on e.id = l.entry_id and e.entry_on = l.entry_on and e.journal = l.journal
left join account a on a.number = l.account
where e.id is null or a.id is null or l.entry_no <> l.entry_id"""

_UNPOSTED = """
select i.id, i.number from invoice i
left join journal_entry e on e.posting_key = 'invoice:' || i.id
where i.state = 'issued' and e.id is null"""


def check_double_entry(findings: Findings) -> None:
    """Every entry has lines that sum to zero; every line has its entry and account; every document is posted.

    Nothing that was sealed has changed: since the last verified seal, and once a week from the beginning.
    """
    findings.compared = count(findings, "finance", "journal_line")
    for row in read(findings, "finance", _ENTRIES):
        cause = "lost" if row["lines"] < 2 else "owner corrupt"
        findings.add(f"finance/journal_entry {row['id']}", 0, row["difference"], cause, amount=row["difference"])
    for row in read(findings, "finance", _STRAY_LINES):
        findings.add(f"finance/journal_line {row['id']}", "an entry and an account", None, "rogue write")
    for row in read(findings, "finance", _UNPOSTED):
        findings.add(f"finance/invoice {row['number']}", "an entry", None, "lost")
    _check_balances(findings)
    _check_chains(findings)


_BALANCES = """
select coalesce(b.entry_on, l.entry_on) as day, coalesce(b.account, l.account) as account,
  coalesce(b.vat_code, l.vat_code) as vat_code, coalesce(b.debit - b.credit, 0) as kept, coalesce(l.amount, 0) as found
from ledger_balance b full join (
  select l.entry_on, l.account, l.vat_code, l.tax_on, sum(l.amount) as amount from journal_line l
  join entry_seal s on s.entry_id = l.entry_id group by 1, 2, 3, 4
) l on (l.entry_on, l.account, l.vat_code, l.tax_on) = (b.entry_on, b.account, b.vat_code, b.tax_on)
where coalesce(b.debit - b.credit, 0) <> coalesce(l.amount, 0)"""


def _check_balances(findings: Findings) -> None:
    for row in read(findings, "finance", _BALANCES):
        key, difference = f"total of {row['account']} {row['vat_code']} on {row['day']}", row["kept"] - row["found"]
        findings.add(key, row["found"], row["kept"], "owner corrupt", amount=difference)


def _check_chains(findings: Findings) -> None:
    is_full = True if verifying.is_full_due() else None
    found = verifying.verify_chains(full=is_full, progress=None, pause=findings.pause)
    findings.compared += found.entries + found.documents
    findings.position = f"sealed up to {found.last_no}, {found.last_hash[:16]}"
    for damage in found.damages:
        findings.add(f"finance/{damage.kind} {damage.key}", "as sealed", damage.message, "rogue write")
        findings.repair_with("manage.py verify_books --full, then restore what was altered from a backup")
