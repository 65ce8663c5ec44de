"""A customer's account: statement with running balance from the ledger, open items, and the ageing of all customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import CustomerCopy
from finance.services import accounts
from finance.services.customers import get_customer
from finance.services.reading import open_items

ZERO = Decimal(0)

# Documents, payments and write-offs as they moved the customer's account; moves inside it (an allocation) are none.
_MOVES = """
select l.currency, l.entry_on, l.document_kind, l.document_number, l.document_id, max(l.due_on) as due_on,
  coalesce(max(nullif(e.text, '')), '') as text, sum(l.document_amount) as amount, min(l.entry_id) as entry_id
from journal_line l join journal_entry e on e.id = l.entry_id
where l.customer_id = %(customer)s and l.account = any(%(accounts)s) and l.entry_on <= %(last)s
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
    """What a customer owed, what happened, and what is open now."""

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
        cur.execute(_MOVES, {"customer": customer_id, "accounts": own, "last": last})
        rows = rows_as_dicts(cur)
    found = [
        _account(currency, [r for r in rows if r["currency"] == currency], first)
        for currency in sorted({r["currency"] for r in rows})
    ]
    return CustomerStatement(customer, first, last, found, open_items(customer_id))


def _account(currency: str, rows: list[dict[str, Any]], first: date) -> CurrencyAccount:
    opening = balance = sum((r["amount"] for r in rows if r["entry_on"] < first), ZERO)
    moves = []
    for row in rows:
        if row["entry_on"] >= first:
            balance += row["amount"]
            moves.append({**row, "balance": balance})
    return CurrencyAccount(currency, opening, moves)


_BUCKETS = ("not_due", "days_30", "days_60", "days_90", "older")

_AGEING = """
select x.customer_id, max(x.name) as name, x.currency,
  coalesce(sum(x.open) filter (where x.late <= 0), 0) as not_due,
  coalesce(sum(x.open) filter (where x.late between 1 and 30), 0) as days_30,
  coalesce(sum(x.open) filter (where x.late between 31 and 60), 0) as days_60,
  coalesce(sum(x.open) filter (where x.late between 61 and 90), 0) as days_90,
  coalesce(sum(x.open) filter (where x.late > 90), 0) as older,
  coalesce(sum(x.unallocated), 0) as unallocated, sum(x.open) - coalesce(sum(x.unallocated), 0) as total
from (
  select i.customer_id, i.customer->>'name' as name, i.currency, %(day)s - coalesce(i.due_on, i.issued_on) as late,
    s.gross_total - s.paid_total - s.offset_total - s.written_off_total as open, 0 as unallocated
  from invoice_settlement s join invoice i on i.id = s.invoice_id
  where s.gross_total <> s.paid_total + s.offset_total + s.written_off_total
  union all
  select p.customer_id, null, p.currency, 0, 0, p.amount - p.allocated from payment p where p.amount <> p.allocated
) x group by x.customer_id, x.currency order by total desc, x.customer_id"""


def ageing(day: date) -> list[dict[str, Any]]:
    """What each customer owes by how late it is on a day, per currency; ``unallocated`` payments stand against it."""
    with cursor("finance") as cur:
        cur.execute(_AGEING, {"day": day})
        rows = rows_as_dicts(cur)
    names = dict(CustomerCopy.objects.filter(pk__in=[r["customer_id"] for r in rows]).values_list("id", "name"))
    numbers = dict(CustomerCopy.objects.filter(pk__in=[r["customer_id"] for r in rows]).values_list("id", "number"))
    return [
        {**r, "name": r["name"] or names.get(r["customer_id"], ""), "number": numbers.get(r["customer_id"], "")}
        for r in rows
    ]


def totals_by_currency(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sums of :func:`ageing` per currency."""
    columns = (*_BUCKETS, "unallocated", "total")
    return [
        {"currency": c, **{name: sum((r[name] for r in rows if r["currency"] == c), ZERO) for name in columns}}
        for c in sorted({r["currency"] for r in rows})
    ]
