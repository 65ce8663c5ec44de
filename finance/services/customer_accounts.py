"""A customer's account: statement with running balance from the ledger, and what was open at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from erp.db import cursor, rows_as_dicts
from finance.models import CustomerCopy
from finance.services import accounts
from finance.services.customers import get_customer
from finance.services.open_items import open_items
from finance.services.tie_out import YEAR_ENTRIES

ZERO = Decimal(0)

# Documents, payments and write-offs as they moved the customer's account; moves inside it (an allocation) are none,
# nor are the entries that carry its balance from a closed year to the next.
_MOVES = """
select l.currency, l.entry_on, l.document_kind, l.document_number, l.document_id, max(l.due_on) as due_on,
  coalesce(max(nullif(e.text, '')), '') as text, sum(l.document_amount) as amount, min(l.entry_id) as entry_id
from journal_line l join journal_entry e on e.id = l.entry_id
where l.customer_id = %(customer)s and l.account = any(%(accounts)s) and l.entry_on <= %(last)s
  and l.document_kind <> all(%(year_entries)s)
group by l.currency, l.entry_on, l.document_kind, l.document_number, l.document_id
having sum(l.document_amount) <> 0
order by l.currency, l.entry_on, min(l.entry_id)"""


@dataclass
class CurrencyAccount:
    """A customer's account in one currency over a period."""

    currency: str
    opening: Decimal
    moves: list[dict[str, Any]]  # entry_on, document_kind, document_number, document_id, due_on, text, amount, balance

    @property
    def closing(self) -> Decimal:
        """Balance on the last day: what the customer owes (negative: has in hand)."""
        return self.moves[-1]["balance"] if self.moves else self.opening


@dataclass
class CustomerStatement:
    """What a customer owed, what happened, and what was open at the end of the last day."""

    customer: CustomerCopy
    first: date
    last: date
    accounts: list[CurrencyAccount]
    open_items: list[dict[str, Any]]


def customer_statement(customer_id: int, first: date, last: date) -> CustomerStatement:
    """The customer's account from first to last day, per currency, from the ledger. Raises UnknownCustomer."""
    customer = get_customer(customer_id)
    own = [*accounts.RECEIVABLES, accounts.UNALLOCATED_PAYMENTS]
    with cursor("finance") as cur:
        arguments: dict[str, Any] = {"customer": customer_id, "accounts": own, "last": last}
        arguments["year_entries"] = list(YEAR_ENTRIES)
        cur.execute(_MOVES, arguments)
        rows = rows_as_dicts(cur)
    found = [
        _account(currency, [r for r in rows if r["currency"] == currency], first)
        for currency in sorted({r["currency"] for r in rows})
    ]
    is_past = last < timezone.now().date()
    items = open_items(customer_id, last if is_past else None)
    return CustomerStatement(customer, first, last, found, items)


def _account(currency: str, rows: list[dict[str, Any]], first: date) -> CurrencyAccount:
    opening = balance = sum((r["amount"] for r in rows if r["entry_on"] < first), ZERO)
    moves = []
    for row in rows:
        if row["entry_on"] >= first:
            balance += row["amount"]
            moves.append({**row, "balance": balance})
    return CurrencyAccount(currency, opening, moves)
