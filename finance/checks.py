"""Finance's scrubber checks: entries balance, VAT in the ledger is VAT on documents, subledgers tie out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from erp.scrubber.copy_check import check_copies
from erp.scrubber.reading import count, read
from erp.scrubber.result import CheckSpec, Findings
from erp.scrubber.totals import check_totals
from finance.clearing_checks import check_clearing
from finance.double_entry_check import check_double_entry
from finance.receivables_check import check_receivables
from finance.services import accounts
from finance.vat_check import check_vat

# Each check is one statement per question, so one snapshot: what a service changes together is seen together.
_INVENTORY = """
select coalesce(c.product_id, l.product_id) as product_id, coalesce(c.value, 0) as cost, coalesce(l.ledger, 0) as ledger
from product_cost c full join (
  select product_id, sum(amount) as ledger from journal_line where account = %s group by product_id
) l on l.product_id = c.product_id where coalesce(c.value, 0) <> coalesce(l.ledger, 0)"""

# Both halves of a receipt's posting: with the inventory alone a receipt on a wrong account would go unseen. Supplier
# invoices and the accountant's own entries clear the account through other journals.
_NOT_INVOICED = """
select coalesce(m.product_id, l.product_id) as product_id, coalesce(m.value, 0) as receipts,
  coalesce(l.ledger, 0) as ledger
from (
  select product_id, sum(value) as value from valued_move
  where kind = 'receipt' and document_kind not like 'opening%%' group by product_id
) m full join (
  select product_id, -sum(amount) as ledger from journal_line
  where account = %s and journal = 'STK' and document_kind not in ('manual', 'recurring') group by product_id
) l on l.product_id = m.product_id where coalesce(m.value, 0) <> coalesce(l.ledger, 0)"""

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


def _read(findings: Findings, statement: str, arguments: Any = None) -> Iterator[dict[str, Any]]:
    return read(findings, "finance", statement, arguments)


def _count(findings: Findings, table: str) -> int:
    return count(findings, "finance", table)


def check_ledger_copy(findings: Findings) -> None:
    """Admin's copy has the ledger's lines, and per account their sums at the copy's position."""
    check_copies("ledger", findings)
    check_totals("ledger", findings, group="account", amount="amount")


def check_subledgers(findings: Findings) -> None:
    """Receivables, inventory and payments equal their documents; numbers without gap; nothing beyond its document."""
    findings.compared = sum(_count(findings, table) for table in ("invoice_settlement", "product_cost", "payment"))
    check_receivables(findings, partial(_read, findings))
    _check_inventory(findings)
    check_clearing(findings, partial(_read, findings))
    for row in _read(findings, _SERIES):
        key = f"series {row['series']} {row['year']}"
        cause = "lost" if row["documents"] < max(row["last_no"], row["highest"]) else "rogue write"
        findings.add(key, row["last_no"], {"documents": row["documents"], "highest": row["highest"]}, cause)
    for row in _read(findings, _CREDITED):
        key = f"finance/invoice {row['number']} line {row['line_no']}"
        findings.add(key, f"at most {row['quantity']}", -row["credited"], "owner corrupt")


def _check_inventory(findings: Findings) -> None:
    for row in _read(findings, _INVENTORY, [accounts.INVENTORY]):
        difference = row["ledger"] - row["cost"]
        key = f"inventory of product {row['product_id']}"
        findings.add(key, row["cost"], row["ledger"], "owner corrupt", amount=difference)
    for row in _read(findings, _NOT_INVOICED, [accounts.GOODS_RECEIVED_NOT_INVOICED]):
        key, difference = f"goods received of product {row['product_id']}", row["ledger"] - row["receipts"]
        findings.add(key, row["receipts"], row["ledger"], "owner corrupt", amount=difference)
    for row in _read(findings, _COSTS):
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
        repair="manage.py nav_reconcile of the month lists the documents to credit or reverse",
    ),
    CheckSpec(
        "subledgers", "Subledgers: open items, stock value, payments, numbers", 11, check_subledgers, True,
        repair="manage.py verify_books --full tells whether ledger or documents were altered: an administrator of the "
        "database restores those rows from a backup; if they are sound, the settlement, payment, cost or series named "
        "is set to what the check expects; no entry is posted for it",
    ),
)  # fmt: skip
