"""Check 7: every entry sums to zero, day totals are those of their lines, and nothing sealed was changed."""

from __future__ import annotations

from typing import Any

from erp.scrubber.reading import count, read
from erp.scrubber.result import Findings
from finance.services import verifying

LISTED = 5_000  # entries that are held in memory; of more, all lines are read once more

# One pass over the lines, in the order of their entries.
_ENTRIES = """
select coalesce(e.id, l.entry_id) as id, e.id is not null as is_there, coalesce(l.difference, 0) as difference,
  coalesce(l.lines, 0) as lines, coalesce(l.has_stray or l.first_on <> e.entry_on or l.last_on <> e.entry_on
    or l.first_journal <> e.journal or l.last_journal <> e.journal, e.id is null) as has_stray
from journal_entry e full join (
  select entry_id, sum(amount) as difference, count(*) as lines, bool_or(entry_no <> entry_id) as has_stray,
    min(entry_on) as first_on, max(entry_on) as last_on, min(journal) as first_journal, max(journal) as last_journal
  from journal_line group by entry_id
) l on l.entry_id = e.id
where e.id is null or l.entry_id is null or l.difference <> 0 or l.lines < 2 or l.has_stray
  or l.first_on <> e.entry_on or l.last_on <> e.entry_on or l.first_journal <> e.journal
  or l.last_journal <> e.journal"""

_STRAY_LINES = """
select l.id from journal_line l
left join journal_entry e on e.id = l.entry_id and e.entry_on = l.entry_on and e.journal = l.journal
where (%(all)s or l.entry_id = any(%(entries)s)) and (e.id is null or l.entry_no <> l.entry_id) order by l.id"""

# From one account of the index to the next.
_WITHOUT_ACCOUNT = """
with recursive used as (
  (select account from journal_line order by account limit 1)
  union all
  select (select l.account from journal_line l where l.account > u.account order by l.account limit 1)
  from used u where u.account is not null
)
select l.id from used u
cross join lateral (select l.id from journal_line l where l.account = u.account offset 0) l
where not exists (select from account a where a.number = u.account)"""

_UNPOSTED = """
select i.id, i.number from invoice i
left join (select id, posting_key from journal_entry where posting_key like 'invoice:%') e
  on e.posting_key = 'invoice:' || i.id
where i.state = 'issued' and e.id is null"""


def check_double_entry(findings: Findings) -> None:
    """Every entry has lines that sum to zero; every line has its entry and account; every document is posted.

    Nothing that was sealed has changed: since the last verified seal, and once a week from the beginning.
    """
    findings.compared = count(findings, "finance", "journal_line")
    entries = _check_entries(findings)
    if entries:
        _add_lines(findings, _STRAY_LINES, {"entries": entries, "all": len(entries) > LISTED})
    _add_lines(findings, _WITHOUT_ACCOUNT, None)
    for row in read(findings, "finance", _UNPOSTED):
        findings.add(f"finance/invoice {row['number']}", "an entry", None, "lost")
    _check_balances(findings)
    _check_chains(findings)


def _check_entries(findings: Findings) -> list[int]:
    """Add the entries that do not balance; returns the first of those that have lines which are not theirs."""
    found: list[int] = []
    for row in read(findings, "finance", _ENTRIES):
        if row["is_there"] and (row["difference"] or row["lines"] < 2):
            key, cause = f"finance/journal_entry {row['id']}", "lost" if row["lines"] < 2 else "owner corrupt"
            findings.add(key, 0, row["difference"], cause, amount=row["difference"])
        if row["has_stray"] and len(found) <= LISTED:
            found.append(row["id"])
    return found


def _add_lines(findings: Findings, statement: str, arguments: dict[str, Any] | None) -> None:
    for row in read(findings, "finance", statement, arguments):
        findings.add(f"finance/journal_line {row['id']}", "an entry and an account", None, "rogue write")


# Below the sealer's low mark every line is in the totals; above it, those of sealed entries.
_BALANCES = """
select coalesce(b.entry_on, l.entry_on) as day, coalesce(b.account, l.account) as account,
  coalesce(b.vat_code, l.vat_code) as vat_code, coalesce(b.debit - b.credit, 0) as kept, coalesce(l.amount, 0) as found
from ledger_balance b full join (
  select l.entry_on, l.account, l.vat_code, l.tax_on, sum(l.amount) as amount from journal_line l
  where l.xid < (select lo from seal_head where id = 1)
    or coalesce((select true from entry_seal s where s.entry_id = l.entry_id limit 1), false) group by 1, 2, 3, 4
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
