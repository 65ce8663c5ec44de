"""Subledgers against the ledger on any day: what documents say must be what their accounts hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, module_transaction, rows_as_dicts
from finance.models import DOCUMENT_KINDS
from finance.services import accounts

YEAR_ENTRIES = ("year_close", "year_open")
"""Document kinds of closing and opening entries: they carry balances over and are no documents' business."""

SAMPLES = 5


@dataclass(frozen=True)
class Difference:
    """One subledger that does not tie out; ``samples`` names where, largest first."""

    subledger: str
    accounts: Sequence[str]
    ledger: Decimal
    documents: Decimal
    samples: Sequence[str]

    @property
    def amount(self) -> Decimal:
        """Ledger less documents."""
        return self.ledger - self.documents

    def __str__(self) -> str:
        return (
            f"{self.subledger} (account {', '.join(self.accounts)}) differ by {self.amount.normalize():,f} from their "
            f"documents: {'; '.join(self.samples)}"
        )


@dataclass(frozen=True)
class Subledger:
    """A comparison: SQL that gives (key, ledger, documents) per customer, product, code or document."""

    name: str
    accounts: Sequence[str]
    documents_sql: str  # (key, amount) with the ledger's sign
    ledger_key: str  # over the ledger line l
    key_title: str
    only_documents: str = ""  # condition over l: lines that documents have posted


# Of each allocation the part in base currency, as it was posted: the parts of a document add up to its base gross.
_SETTLED = """
select u.customer_id, u.day, round(u.base * u.upto / u.gross, %(decimals)s)
  - round(u.base * (u.upto - u.amount) / u.gross, %(decimals)s) as amount
from (
  select i.customer_id, x.allocated_on as day, i.base_gross_total as base, i.gross_total as gross, x.amount,
    sum(x.amount) over (partition by i.id order by x.id) as upto
  from (
    select id, invoice_id as document_id, allocated_on, amount from payment_allocation
    union all
    select id, credit_note_id, allocated_on, -amount from payment_allocation where credit_note_id is not null
  ) x join invoice i on i.id = x.document_id where i.gross_total <> 0
) u"""

RECEIVABLES = Subledger(
    "Receivables", accounts.RECEIVABLES, f"""
    select i.customer_id::text as key, case when i.gross_total = 0 then 0 else i.base_gross_total end as amount
    from invoice i where i.state = 'issued' and i.issued_on <= %(on)s
    union all
    select s.customer_id::text, -s.amount from ({_SETTLED}) s where s.day <= %(on)s""",
    "l.customer_id::text", "customer",
)  # fmt: skip

VAT = Subledger(
    "Output VAT", (accounts.OUTPUT_VAT,), """
    select v.vat_code as key, -v.base_vat as amount from invoice i
    cross join lateral jsonb_to_recordset(i.vat_summary) v(vat_code text, base_vat numeric)
    where i.state = 'issued' and i.issued_on <= %(on)s""",
    "l.vat_code", "VAT code", "l.document_kind = any(%(kinds)s)",
)  # fmt: skip

INVENTORY = Subledger(
    "Inventory", (accounts.INVENTORY,),
    "select m.product_id::text as key, m.value as amount from valued_move m where m.moved_on <= %(on)s",
    "l.product_id::text", "product",
)  # fmt: skip

NOT_INVOICED = Subledger(
    "Goods received, not invoiced", (accounts.GOODS_RECEIVED_NOT_INVOICED,), """
    select m.product_id::text as key, -m.value as amount from valued_move m
    where m.kind = 'receipt' and m.document_kind not like 'opening%%' and m.moved_on <= %(on)s""",
    "l.product_id::text", "product", "l.journal = 'STK' and l.document_kind not in ('manual', 'recurring')",
)  # fmt: skip

UNALLOCATED = Subledger(
    "Payments not allocated (clearing)", (accounts.UNALLOCATED_PAYMENTS,), """
    select p.customer_id::text as key, -round(p.amount * p.exchange_rate, %(decimals)s) as amount
    from payment p where p.received_on <= %(on)s
    union all
    select u.customer_id::text, round((u.amount - u.upto + u.part) * u.rate, %(decimals)s)
      - round((u.amount - u.upto) * u.rate, %(decimals)s)
    from (
      select p.customer_id, p.amount, p.exchange_rate as rate, x.amount as part, x.allocated_on,
        sum(x.amount) over (partition by p.id order by x.id) as upto
      from payment_allocation x join payment p on p.id = x.payment_id
    ) u where u.allocated_on <= %(on)s""",
    "l.customer_id::text", "customer",
)  # fmt: skip

MONEY = Subledger(
    "Payments on cash, bank and provider accounts",
    (accounts.CASH, accounts.BANK, accounts.FOREIGN_BANK, accounts.PAYMENT_PROVIDERS), """
    select p.number as key, round(p.amount * p.exchange_rate, %(decimals)s) as amount
    from payment p where p.received_on <= %(on)s""",
    "l.document_number", "payment", "l.document_kind = 'payment'",
)  # fmt: skip


def _deposit(name: str, account: str, product_class: str) -> Subledger:
    return Subledger(
        name, (account,), f"""
        select i.customer_id::text as key, -x.base_net as amount
        from invoice_line x join invoice i on i.id = x.invoice_id
        where i.state = 'issued' and i.issued_on <= %(on)s and x.product_class = '{product_class}'""",
        "l.customer_id::text", "customer",
    )  # fmt: skip


ADVANCES = _deposit("Advances received (deposits)", accounts.ADVANCES_RECEIVED, "advance")
VOUCHERS = _deposit("Vouchers sold (deposits)", accounts.VOUCHERS_SOLD, "voucher")

SUBLEDGERS = (RECEIVABLES, VAT, INVENTORY, NOT_INVOICED, UNALLOCATED, MONEY, ADVANCES, VOUCHERS)

_COMPARE = """
select x.key, sum(x.ledger) as ledger, sum(x.documents) as documents from (
  select {key} as key, l.amount as ledger, 0 as documents from journal_line l
  where l.account = any(%(accounts)s) and l.entry_on <= %(on)s and l.document_kind <> all(%(year_entries)s) {only}
  union all
  select d.key, 0, d.amount from ({documents}) d
) x group by x.key having sum(x.ledger) <> sum(x.documents) order by abs(sum(x.ledger) - sum(x.documents)) desc"""


def compare(subledger: Subledger, on: date) -> list[dict[str, Any]]:
    """Keys whose documents are not what the ledger holds at the end of a day: (key, ledger, documents)."""
    statement = _COMPARE.format(
        key=subledger.ledger_key, documents=subledger.documents_sql,
        only=f"and {subledger.only_documents}" if subledger.only_documents else "",
    )  # fmt: skip
    arguments: dict[str, Any] = {
        "accounts": list(subledger.accounts), "on": on, "decimals": accounts.base_decimals(),
        "year_entries": list(YEAR_ENTRIES), "kinds": list(DOCUMENT_KINDS),
    }  # fmt: skip
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute("set local statement_timeout = 0")  # years of documents take their time
        cur.execute(statement, arguments)
        return rows_as_dicts(cur)


def differences(on: date) -> list[Difference]:
    """Subledgers that do not tie out at the end of a day; empty when all do."""
    found = []
    for subledger in SUBLEDGERS:
        rows = compare(subledger, on)
        if rows:
            found.append(_difference(subledger, rows))
    return found


def _difference(subledger: Subledger, rows: list[dict[str, Any]]) -> Difference:
    samples = [
        f"{subledger.key_title} {row['key'] or 'none'} by {(row['ledger'] - row['documents']).normalize():,f}"
        for row in rows[:SAMPLES]
    ]
    if len(rows) > SAMPLES:
        samples.append(f"and {len(rows) - SAMPLES} more")
    return Difference(
        subledger.name, subledger.accounts, sum((r["ledger"] for r in rows), Decimal(0)),
        sum((r["documents"] for r in rows), Decimal(0)), samples,
    )  # fmt: skip
