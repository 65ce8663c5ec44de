"""Subledgers behind clearing accounts: deposits, advances and vouchers against documents, money against payments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from erp.scrubber.result import Findings
from finance.models import DOCUMENT_KINDS
from finance.services import accounts

Read = Callable[..., Iterator[dict[str, Any]]]

# What services post carries its document's kind; a manual entry on these accounts is the accountant's own business.
_DEPOSITS = """
select customer_id, sum(ledger) as ledger, sum(open) as open from (
  select customer_id, -amount as ledger, 0 as open from journal_line
  where account = %(account)s and document_kind = 'payment'
  union all
  select customer_id, 0, round((amount - allocated) * exchange_rate, %(decimals)s) from payment
) x group by customer_id having sum(ledger) <> sum(open) order by 1"""

_OWED = """
select account, customer_id, sum(ledger) as ledger, sum(documents) as documents from (
  select account, customer_id, -amount as ledger, 0 as documents from journal_line
  where account = any(%(accounts)s) and document_kind = any(%(kinds)s)
  union all
  select case l.product_class when 'advance' then %(advances)s else %(vouchers)s end, i.customer_id, 0,
    case when i.currency = i.base_currency then l.net else l.base_net end
  from invoice_line l join invoice i on i.id = l.invoice_id
  where i.state = 'issued' and l.product_class in ('advance', 'voucher')
) x group by account, customer_id having sum(ledger) <> sum(documents) order by 1, 2"""

_MONEY = """
select account, sum(ledger) as ledger, sum(payments) as payments from (
  select account, amount as ledger, 0 as payments from journal_line
  where account = any(%(accounts)s) and document_kind = 'payment'
  union all
  select case when method = 'cash' then %(cash)s when method in ('card', 'cod') then %(providers)s
    when currency = %(base)s then %(bank)s else %(foreign_bank)s end, 0,
    round(amount * exchange_rate, %(decimals)s)
  from payment
) x group by account having sum(ledger) <> sum(payments) order by 1"""

# Per advance invoice with its corrections and credit notes; what a cancelled final invoice gives back counts again.
_ADVANCES = """
select i.number, l.net, -u.net as used
from (select advance_invoice_id as id, sum(l.net) as net from invoice_line l join invoice i on i.id = l.invoice_id
      where l.advance_invoice_id is not null and i.state = 'issued' group by 1) u
join (select coalesce(i.original_id, i.id) as id, sum(l.net) as net
      from invoice_line l join invoice i on i.id = l.invoice_id
      where l.product_class = 'advance' and l.advance_invoice_id is null and i.state = 'issued' group by 1) l using (id)
join invoice i using (id) where -u.net > l.net or u.net > 0"""


def check_clearing(findings: Findings, read: Read) -> None:
    """Deposits and clearing accounts equal the payments and documents behind them; no advance is used beyond itself."""
    decimals = accounts.base_decimals()
    for row in read(_DEPOSITS, {"account": accounts.UNALLOCATED_PAYMENTS, "decimals": decimals}):
        key, difference = f"deposit of customer {row['customer_id']}", row["ledger"] - row["open"]
        findings.add(key, row["open"], row["ledger"], "owner corrupt", amount=difference)
    owed = {
        "accounts": [accounts.ADVANCES_RECEIVED, accounts.VOUCHERS_SOLD], "kinds": list(DOCUMENT_KINDS),
        "advances": accounts.ADVANCES_RECEIVED, "vouchers": accounts.VOUCHERS_SOLD,
    }  # fmt: skip
    for row in read(_OWED, owed):
        what = "advances" if row["account"] == accounts.ADVANCES_RECEIVED else "vouchers"
        key, difference = f"{what} of customer {row['customer_id']}", row["ledger"] - row["documents"]
        findings.add(key, row["documents"], row["ledger"], "owner corrupt", amount=difference)
    money = {
        "cash": accounts.CASH, "providers": accounts.PAYMENT_PROVIDERS, "bank": accounts.BANK,
        "foreign_bank": accounts.FOREIGN_BANK,
    }  # fmt: skip
    arguments = {**money, "accounts": list(money.values()), "base": accounts.base_currency(), "decimals": decimals}
    for row in read(_MONEY, arguments):
        key, difference = f"payments on account {row['account']}", row["ledger"] - row["payments"]
        findings.add(key, row["payments"], row["ledger"], "owner corrupt", amount=difference)
    for row in read(_ADVANCES):
        findings.add(f"advance {row['number']}", f"at most {row['net']}", row["used"], "owner corrupt")
