"""Finance's scrubber checks: entries balance, VAT in the ledger is VAT on documents, subledgers tie out."""

from __future__ import annotations

from functools import partial
from typing import Any

from erp.db import cursor, module_transaction, rows_as_dicts
from erp.scrubber.copies import check_copies
from erp.scrubber.result import CheckSpec, Findings
from erp.scrubber.totals import check_totals
from finance.clearing_checks import check_clearing
from finance.services import accounts, sealing, verifying
from finance.services.reporting import comparing

# Each check is one statement per question, so one snapshot: what a service changes together is seen together.
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

# Entries on the VAT account that no document stands behind: transfers, closings, and the accountant's own.
VAT_WITHOUT_DOCUMENT = ["vat_settlement", "margin_vat", "manual", "recurring", "year_close", "year_open"]

_VAT = """
with ledger as (
  select l.vat_code, -sum(l.amount) as vat from journal_line l
  where l.account = %(account)s and l.document_kind <> all(%(others)s) group by l.vat_code
), documents as (
  select v.vat_code, sum(v.base_vat) as vat from invoice i
  cross join lateral jsonb_to_recordset(i.vat_summary) v(vat_code text, base_vat numeric)
  where i.state = 'issued' group by v.vat_code
)
select coalesce(l.vat_code, d.vat_code) as vat_code, coalesce(l.vat, 0) as ledger, coalesce(d.vat, 0) as documents
from ledger l full join documents d on d.vat_code = l.vat_code where coalesce(l.vat, 0) <> coalesce(d.vat, 0)"""

_TOTALS = """
select i.id, i.number, i.gross_total as header, coalesce(sum(l.gross), 0) as lines from invoice i
left join invoice_line l on l.invoice_id = i.id where i.state = 'issued'
group by i.id having coalesce(sum(l.gross), 0) <> i.gross_total or coalesce(sum(l.net), 0) <> i.net_total
  or coalesce(sum(l.vat), 0) <> i.vat_total"""

_RECEIVABLES = """
select customer_id, sum(ledger) as ledger, sum(open) as open from (
  select customer_id, amount as ledger, 0 as open from journal_line where account = any(%(accounts)s)
  union all
  select i.customer_id, 0, i.base_gross_total - case when s.gross_total = 0 then i.base_gross_total else round(
    i.base_gross_total * (s.paid_total + s.offset_total + s.written_off_total) / s.gross_total, %(decimals)s) end
  from invoice_settlement s join invoice i on i.id = s.invoice_id
) x group by customer_id having sum(ledger) <> sum(open)"""

_SETTLEMENTS = """
select i.number, s.paid_total, s.offset_total, s.written_off_total, coalesce(a.paid, 0) as paid,
  coalesce(a.netted, 0) as netted, coalesce(a.written_off, 0) as written_off
from invoice_settlement s join invoice i on i.id = s.invoice_id
left join lateral (
  select coalesce(sum(x.amount) filter (where x.invoice_id = i.id and x.payment_id is not null), 0) as paid,
    coalesce(sum(case when x.credit_note_id = i.id then -x.amount else x.amount end)
      filter (where x.credit_note_id is not null), 0) as netted,
    coalesce(sum(x.amount) filter (where x.write_off_id is not null), 0) as written_off
  from payment_allocation x where x.invoice_id = i.id or x.credit_note_id = i.id) a on true
where s.paid_total <> coalesce(a.paid, 0) or s.offset_total <> coalesce(a.netted, 0)
  or s.written_off_total <> coalesce(a.written_off, 0)
  or abs(s.paid_total + s.offset_total + s.written_off_total) > abs(s.gross_total)
  or s.credited_total > greatest(s.gross_total, 0)"""

_PAYMENTS = """
select p.number, p.allocated, coalesce(sum(a.amount), 0) as found from payment p
left join payment_allocation a on a.payment_id = p.id group by p.id having coalesce(sum(a.amount), 0) <> p.allocated"""

_INVENTORY = """
select coalesce(c.product_id, l.product_id) as product_id, coalesce(c.value, 0) as cost, coalesce(l.ledger, 0) as ledger
from product_cost c full join (
  select product_id, sum(amount) as ledger from journal_line where account = %s group by product_id
) l on l.product_id = c.product_id where coalesce(c.value, 0) <> coalesce(l.ledger, 0)"""

_COSTS = """
select c.product_id, c.quantity, c.value, c.last_seq, coalesce(m.quantity, 0) as moved,
  coalesce(m.value, 0) as moved_value, coalesce(m.moves, 0) as moves
from product_cost c left join (
  select product_id, sum(quantity) filter (where kind <> 'transfer') as quantity, sum(value) as value, count(*) as moves
  from valued_move group by product_id
) m on m.product_id = c.product_id
where c.quantity <> coalesce(m.quantity, 0) or c.value <> coalesce(m.value, 0) or c.last_seq <> coalesce(m.moves, 0)"""

_SERIES = """
select coalesce(s.code, i.series) as series, coalesce(s.fiscal_year, i.fiscal_year) as year,
  coalesce(s.last_no, 0) as last_no, coalesce(i.documents, 0) as documents, coalesce(i.highest, 0) as highest
from (select * from number_series where code <> 'PAY') s full join (
  select series, fiscal_year, count(*) as documents, max(sequence_no) as highest
  from invoice where state = 'issued' group by series, fiscal_year
) i on i.series = s.code and i.fiscal_year = s.fiscal_year
where coalesce(s.last_no, 0) <> coalesce(i.documents, 0) or coalesce(i.highest, 0) <> coalesce(i.documents, 0)"""

_CREDITED = """
select o.id, i.number, o.line_no, o.quantity, o.gross, sum(c.quantity) as credited, sum(c.gross) as credited_gross
from invoice_line o join invoice_line c on c.original_line_id = o.id and sign(c.quantity) <> sign(o.quantity)
join invoice i on i.id = o.invoice_id
group by o.id, i.number having abs(sum(c.quantity)) > abs(o.quantity) or abs(sum(c.gross)) > abs(o.gross)"""


def _fetch(findings: Findings, statement: str, arguments: Any = None) -> list[dict[str, Any]]:
    findings.pause()
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute("set local statement_timeout = 0")
        cur.execute(statement, arguments)
        return rows_as_dicts(cur)


def _count(findings: Findings, table: str) -> int:
    return int(_fetch(findings, f"select count(*) as n from {table}")[0]["n"])


def check_double_entry(findings: Findings) -> None:
    """Every entry has lines that sum to zero; every line has its entry and account; every document is posted.

    Nothing that was sealed has changed: since the last verified seal, and once a week from the beginning.
    """
    findings.compared = _count(findings, "journal_line")
    for row in _fetch(findings, _ENTRIES):
        cause = "lost" if row["lines"] < 2 else "owner corrupt"
        findings.add(f"finance/journal_entry {row['id']}", 0, row["difference"], cause, amount=row["difference"])
    for row in _fetch(findings, _STRAY_LINES):
        findings.add(f"finance/journal_line {row['id']}", "an entry and an account", None, "rogue write")
    for row in _fetch(findings, _UNPOSTED):
        findings.add(f"finance/invoice {row['number']}", "an entry", None, "lost")
    _check_balances(findings)
    _check_chains(findings)


_BALANCES = """
select coalesce(b.entry_on, l.entry_on) as day, coalesce(b.account, l.account) as account,
  coalesce(b.vat_code, l.vat_code) as vat_code, coalesce(b.debit - b.credit, 0) as kept, coalesce(l.amount, 0) as found
from ledger_balance b full join (
  select l.entry_on, l.account, l.vat_code, sum(l.amount) as amount from journal_line l
  join entry_seal s on s.entry_id = l.entry_id group by 1, 2, 3
) l on (l.entry_on, l.account, l.vat_code) = (b.entry_on, b.account, b.vat_code)
where coalesce(b.debit - b.credit, 0) <> coalesce(l.amount, 0)"""


def _check_balances(findings: Findings) -> None:
    for row in _fetch(findings, _BALANCES):
        key, difference = f"total of {row['account']} {row['vat_code']} on {row['day']}", row["kept"] - row["found"]
        findings.add(key, row["found"], row["kept"], "owner corrupt", amount=difference)


def _check_chains(findings: Findings) -> None:
    found = sealing.verify(full=True if verifying.is_full_due() else None, pause=findings.pause)
    findings.compared += found.entries + found.documents
    findings.position = f"sealed up to {found.last_no}, {found.last_hash[:16]}"
    for damage in found.damages:
        findings.add(f"finance/{damage.kind} {damage.key}", "as sealed", damage.message, "rogue write")
        findings.repair_with("manage.py verify_books --full, then restore what was altered from a backup")


def check_ledger_copy(findings: Findings) -> None:
    """Admin's copy has the ledger's lines, and per account their sums at the copy's position."""
    check_copies("ledger", findings)
    check_totals("ledger", findings, group="account", amount="amount")


def check_vat(findings: Findings) -> None:
    """Output VAT per code: ledger, documents and what the NAV has are equal; documents equal their lines."""
    findings.compared = _count(findings, "invoice")
    arguments = {"account": accounts.OUTPUT_VAT, "others": VAT_WITHOUT_DOCUMENT}
    for row in _fetch(findings, _VAT, arguments):
        key, difference = f"VAT code {row['vat_code'] or 'none'}", row["ledger"] - row["documents"]
        findings.add(key, row["documents"], row["ledger"], "owner corrupt", amount=difference)
    for row in _fetch(findings, _TOTALS):
        key, difference = f"finance/invoice {row['number']}", row["header"] - row["lines"]
        findings.add(key, row["header"], row["lines"], "owner corrupt", amount=difference)
    _check_reports(findings)


def _check_reports(findings: Findings) -> None:
    """Reports that are DONE say what the documents say; the others may be under way for 24 hours after the issue."""
    for row in _fetch(findings, comparing.REPORTED_DIFFERS):
        key, difference = f"NAV report of {row['number']}, {row['key']}", row["nav"] - row["document"]
        cause = "rogue write" if row["is_extra"] else "owner corrupt"
        findings.add(key, row["document"], row["nav"], cause, amount=difference)
    for row in _fetch(findings, comparing.NOT_REPORTED):
        if row["is_late"]:
            findings.add(f"NAV report of {row['number']}", "done", row["state"], "lost", amount=row["vat"])
        else:
            findings.in_flight += 1


def check_subledgers(findings: Findings) -> None:
    """Receivables, inventory and payments equal their documents; numbers without gap; nothing beyond its document."""
    findings.compared = sum(_count(findings, table) for table in ("invoice_settlement", "product_cost", "payment"))
    _check_receivables(findings)
    _check_inventory(findings)
    check_clearing(findings, partial(_fetch, findings))
    for row in _fetch(findings, _SERIES):
        key = f"series {row['series']} {row['year']}"
        cause = "lost" if row["documents"] < max(row["last_no"], row["highest"]) else "rogue write"
        findings.add(key, row["last_no"], {"documents": row["documents"], "highest": row["highest"]}, cause)
    for row in _fetch(findings, _CREDITED):
        key = f"finance/invoice {row['number']} line {row['line_no']}"
        findings.add(key, f"at most {row['quantity']}", -row["credited"], "owner corrupt")


def _check_receivables(findings: Findings) -> None:
    arguments = {"accounts": list(accounts.RECEIVABLES), "decimals": accounts.base_decimals()}
    for row in _fetch(findings, _RECEIVABLES, arguments):
        key, difference = f"receivables of customer {row['customer_id']}", row["ledger"] - row["open"]
        findings.add(key, row["open"], row["ledger"], "owner corrupt", amount=difference)
    for row in _fetch(findings, _SETTLEMENTS):
        expected = {name: row[name] for name in ("paid", "netted", "written_off")}
        found = {
            "paid": row["paid_total"], "netted": row["offset_total"], "written_off": row["written_off_total"],
        }  # fmt: skip
        findings.add(f"settlement of {row['number']}", expected, found, "owner corrupt")
    for row in _fetch(findings, _PAYMENTS):
        difference = row["allocated"] - row["found"]
        findings.add(f"payment {row['number']}", row["found"], row["allocated"], "owner corrupt", amount=difference)


def _check_inventory(findings: Findings) -> None:
    for row in _fetch(findings, _INVENTORY, [accounts.INVENTORY]):
        difference = row["ledger"] - row["cost"]
        key = f"inventory of product {row['product_id']}"
        findings.add(key, row["cost"], row["ledger"], "owner corrupt", amount=difference)
    for row in _fetch(findings, _COSTS):
        expected = {"quantity": row["moved"], "value": row["moved_value"], "moves": row["moves"]}
        found = {"quantity": row["quantity"], "value": row["value"], "moves": row["last_seq"]}
        findings.add(f"cost of product {row['product_id']}", expected, found, "owner corrupt")


CHECKS = (
    CheckSpec(
        "double_entry", "Ledger: entries sum to zero, nothing sealed was changed", 7, check_double_entry, True,
        repair="manage.py verify_books --full names what was altered: restore it from a backup, or reverse the entry",
    ),
    CheckSpec(
        "ledger_copy", "Ledger: Finance against Admin's copy, lines and accounts", 8, check_ledger_copy, True,
        entity="ledger",
    ),
    CheckSpec(
        "vat", "VAT: ledger, documents, and what the NAV has", 9, check_vat, True,
        repair="manage.py nav_reconcile PERIOD lists the documents; correct them by credit note or reversal",
    ),
    CheckSpec(
        "subledgers", "Subledgers: open items, stock value, payments, numbers", 11, check_subledgers, True,
        repair="manage.py verify_books --full tells whether the ledger was altered; if not, the difference is posted "
        "by Finance > Manual entry",
    ),
)  # fmt: skip
