"""What customers owe, document by document: as it stands now, or as it stood at the end of a past day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from finance.models import CustomerCopy
from finance.services import accounts
from finance.services.tie_out import YEAR_ENTRIES

ZERO = Decimal(0)

# (document, what is open of it, what of that is in receivables): from the documents' settlements.
_NOW = """
select s.invoice_id, s.gross_total - s.paid_total - s.offset_total - s.written_off_total as open,
  i.base_gross_total - case when s.gross_total = 0 then i.base_gross_total else round(
    i.base_gross_total * (s.paid_total + s.offset_total + s.written_off_total) / s.gross_total, %(decimals)s) end
    as base_open
from invoice_settlement s join invoice i on i.id = s.invoice_id
where s.gross_total <> s.paid_total + s.offset_total + s.written_off_total"""

# The same at the end of a day, from what was allocated until then; each part in base currency as it was posted.
_ON = """
select i.id as invoice_id, i.gross_total - coalesce(sum(p.amount), 0) as open,
  case when i.gross_total = 0 then 0 else i.base_gross_total - coalesce(sum(p.base), 0) end as base_open
from invoice i left join (
  select u.id, u.amount, u.day, round(u.base * u.upto / u.gross, %(decimals)s)
    - round(u.base * (u.upto - u.amount) / u.gross, %(decimals)s) as base
  from (
    select i.id, x.allocated_on as day, i.base_gross_total as base, i.gross_total as gross, x.amount,
      sum(x.amount) over (partition by i.id order by x.id) as upto
    from (
      select id, invoice_id as document_id, allocated_on, amount from payment_allocation
      union all
      select id, credit_note_id, allocated_on, -amount from payment_allocation where credit_note_id is not null
    ) x join invoice i on i.id = x.document_id where i.gross_total <> 0
  ) u
) p on p.id = i.id and p.day <= %(on)s
where i.state = 'issued' and i.issued_on <= %(on)s
group by i.id having i.gross_total <> coalesce(sum(p.amount), 0)"""

_PAYMENTS_NOW = "select p.id, p.amount - p.allocated as left from payment p where p.amount <> p.allocated"

_PAYMENTS_ON = """
select p.id, p.amount - coalesce(sum(x.amount), 0) as left
from payment p left join payment_allocation x on x.payment_id = p.id and x.allocated_on <= %(on)s
where p.received_on <= %(on)s group by p.id having p.amount <> coalesce(sum(x.amount), 0)"""

_ITEMS = """
select i.id, i.number, i.kind, i.customer_id, i.customer->>'name' as customer_name, i.currency, i.issued_on, i.due_on,
  i.gross_total, o.open, coalesce(%(on)s::date, current_date) - i.due_on as days_late, o.base_open
from ({documents}) o join invoice i on i.id = o.invoice_id
where %(customer)s::bigint is null or i.customer_id = %(customer)s
order by i.due_on, i.id"""


def open_items(customer_id: int | None = None, on: date | None = None) -> list[dict[str, Any]]:
    """Documents that are not settled, oldest due first; ``base_open`` is what receivables hold of each.

    Args:
        on: as of the end of this day; None: as it stands now.
    """
    return _rows(_ITEMS.format(documents=_NOW if on is None else _ON), on, customer=customer_id)


def open_payments(customer_id: int | None = None, on: date | None = None) -> list[dict[str, Any]]:
    """Payments of which something is on the customer's account: id, number, customer, day, amount and ``left``."""
    statement = f"""
        select p.id, p.number, p.customer_id, c.name as customer_name, p.received_on, p.reference, p.currency,
          p.amount, o.left
        from ({_PAYMENTS_NOW if on is None else _PAYMENTS_ON}) o join payment p on p.id = o.id
        left join customer_copy c on c.id = p.customer_id
        where %(customer)s::bigint is null or p.customer_id = %(customer)s order by p.received_on, p.id"""
    return _rows(statement, on, customer=customer_id)


def receivables_balance(on: date | None = None) -> Decimal:
    """Balance of the receivables accounts: equal to the open items' ``base_open``."""
    statement = """
        select coalesce(sum(amount), 0) as balance from journal_line
        where account = any(%(accounts)s) and document_kind <> all(%(year_entries)s)
          and (%(on)s::date is null or entry_on <= %(on)s)"""
    rows = _rows(statement, on, accounts=list(accounts.RECEIVABLES), year_entries=list(YEAR_ENTRIES))
    return Decimal(rows[0]["balance"])


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
  select i.customer_id, i.customer->>'name' as name, i.currency,
    coalesce(%(on)s::date, current_date) - coalesce(i.due_on, i.issued_on) as late, o.open, 0 as unallocated
  from ({documents}) o join invoice i on i.id = o.invoice_id
  union all
  select p.customer_id, null, p.currency, 0, 0, o.left from ({payments}) o join payment p on p.id = o.id
) x group by x.customer_id, x.currency order by total desc, x.customer_id"""


def ageing(on: date | None = None) -> list[dict[str, Any]]:
    """What each customer owes by how late it is, per currency; ``unallocated`` payments stand against it.

    Args:
        on: as of the end of this day, with what was settled until then; None: as it stands now.
    """
    documents, payments = (_NOW, _PAYMENTS_NOW) if on is None else (_ON, _PAYMENTS_ON)
    rows = _rows(_AGEING.format(documents=documents, payments=payments), on)
    found = CustomerCopy.objects.in_bulk([row["customer_id"] for row in rows])
    return [
        {
            **row, "name": row["name"] or getattr(found.get(row["customer_id"]), "name", ""),
            "number": getattr(found.get(row["customer_id"]), "number", ""),
        }
        for row in rows
    ]  # fmt: skip


def totals_by_currency(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sums of :func:`ageing` per currency."""
    columns = (*_BUCKETS, "unallocated", "total")
    return [
        {"currency": c, **{name: sum((r[name] for r in rows if r["currency"] == c), ZERO) for name in columns}}
        for c in sorted({r["currency"] for r in rows})
    ]


def _rows(statement: str, on: date | None, **arguments: Any) -> list[dict[str, Any]]:
    with cursor("finance") as cur:
        cur.execute(statement, {"on": on, "decimals": accounts.base_decimals(), **arguments})
        return rows_as_dicts(cur)
