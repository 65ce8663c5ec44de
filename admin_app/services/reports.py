"""Reports from Admin's own copy of the ledger, never from Finance's tables.

A report stands at a *position* (the copy's tick): the same dates at the same position give the same figures.
Amounts are in base currency; debit is positive, credit negative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from erp import freshness
from erp.db import cursor, rows_as_dicts

READER = "admin_app"
RECEIVABLES = "^31[1267]"  # trade receivables, at home and abroad; their impairment (315, 319) is not one
# Closing and opening entries of a year carry balances over: no sale and no due item is among them.
REVENUE = "^9[1-5]"  # sales revenue, at home and abroad; other and financial income is not sales
COST = "^81[45]"  # cost of goods and of mediated services sold
LATEST = 2**62


@dataclass(frozen=True)
class Column:
    """A column of a report; ``kind``: text | money | number."""

    name: str
    title: str
    kind: str = "text"


@dataclass(frozen=True)
class Report:
    """Rows with their totals, as of a position of the ledger copy; ``rows`` None: not known (copy too old)."""

    title: str
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]] | None
    age: freshness.Age
    position: int | None
    totals: dict[str, Decimal] = field(default_factory=dict)
    note: str = ""


def trial_balance(
    first_on: date, last_on: date, position: int | None = None, *, allow_stale: bool = False,
    with_closing: bool = False,
) -> Report:  # fmt: skip
    """Per account: opening balance, debit and credit of the dates (both included), closing balance.

    The closing balances of all accounts sum to zero. A year's opening entries are the opening balances of a period
    that begins with them; closing entries of the last day close every account and are left out unless asked for.
    """
    statement = """
        select account, max(account_name) as account_name,
               coalesce(sum(amount) filter (where is_before), 0) as opening,
               coalesce(sum(amount) filter (where not is_before and amount > 0), 0) as debit,
               coalesce(-sum(amount) filter (where not is_before and amount < 0), 0) as credit,
               sum(amount) as closing
        from (
          select account, account_name, amount,
                 entry_on < %(first)s or (entry_on = %(first)s and document_kind = 'year_open') as is_before
          from ledger_copy where entry_on <= %(last)s and tick <= %(position)s
            and (%(with_closing)s or entry_on < %(last)s or document_kind <> 'year_close')
        ) l
        group by account having bool_or(not is_before) or sum(amount) <> 0 order by account"""
    columns = (
        Column("account", "Account"), Column("account_name", "Name"), Column("opening", "Opening", "money"),
        Column("debit", "Debit", "money"), Column("credit", "Credit", "money"), Column("closing", "Closing", "money"),
    )  # fmt: skip
    arguments = {"first": first_on, "last": last_on, "with_closing": with_closing}
    return _report("Trial balance", columns, statement, arguments, position, allow_stale)


def sales_by_product(
    first_on: date, last_on: date, position: int | None = None, *, allow_stale: bool = False
) -> Report:
    """Net sales per product: revenue postings that name a product, less credit notes."""
    statement = """
        select coalesce(p.sku, '') as sku, coalesce(p.name, 'without product') as name, s.quantity, s.net
        from (select product_id, -sum(amount) as net,
                     sum(-sign(amount) * abs(coalesce(quantity, 0)))::bigint as quantity
              from ledger_copy
              where account ~ %(revenue)s and document_kind <> 'year_close'
                and entry_on between %(first)s and %(last)s and tick <= %(position)s
              group by product_id) s
        left join product p on p.id = s.product_id order by s.net desc, sku"""
    columns = (
        Column("sku", "Product"), Column("name", "Name"), Column("quantity", "Quantity", "number"),
        Column("net", "Net sales", "money"),
    )  # fmt: skip
    arguments = {"first": first_on, "last": last_on, "revenue": REVENUE}
    return _report("Sales by product", columns, statement, arguments, position, allow_stale)


def sales_by_customer(
    first_on: date, last_on: date, position: int | None = None, *, allow_stale: bool = False
) -> Report:
    """Net sales per customer: revenue postings, less credit notes, and how many documents they came from."""
    statement = """
        select coalesce(c.number, '') as number, coalesce(c.name, 'without customer') as name,
               coalesce(c.country, '') as country, s.documents, s.net
        from (select customer_id, -sum(amount) as net, count(distinct document_number) as documents
              from ledger_copy
              where account ~ %(revenue)s and document_kind <> 'year_close'
                and entry_on between %(first)s and %(last)s and tick <= %(position)s
              group by customer_id) s
        left join customer c on c.id = s.customer_id order by s.net desc, number"""
    columns = (
        Column("number", "Customer"), Column("name", "Name"), Column("country", "Country"),
        Column("documents", "Documents", "number"), Column("net", "Net sales", "money"),
    )  # fmt: skip
    arguments = {"first": first_on, "last": last_on, "revenue": REVENUE}
    return _report("Sales by customer", columns, statement, arguments, position, allow_stale)


def margin_by_product(
    first_on: date, last_on: date, position: int | None = None, *, allow_stale: bool = False
) -> Report:
    """Net sales less cost of goods sold per product, and the margin in percent of sales."""
    statement = """
        select coalesce(p.sku, '') as sku, coalesce(p.name, 'without product') as name, s.net, s.cost,
               s.net - s.cost as margin,
               case when s.net <> 0 then round(100 * (s.net - s.cost) / s.net, 1) end as percent
        from (select product_id, -coalesce(sum(amount) filter (where account ~ %(revenue)s), 0) as net,
                     coalesce(sum(amount) filter (where account ~ %(cost)s), 0) as cost
              from ledger_copy
              where (account ~ %(revenue)s or account ~ %(cost)s) and document_kind <> 'year_close'
                and entry_on between %(first)s and %(last)s and tick <= %(position)s
              group by product_id) s
        left join product p on p.id = s.product_id order by margin desc, sku"""
    columns = (
        Column("sku", "Product"), Column("name", "Name"), Column("net", "Net sales", "money"),
        Column("cost", "Cost of goods sold", "money"), Column("margin", "Margin", "money"),
        Column("percent", "Margin %", "text"),
    )  # fmt: skip
    arguments = {"first": first_on, "last": last_on, "revenue": REVENUE, "cost": COST}
    return _report("Margin by product", columns, statement, arguments, position, allow_stale)


def receivables_by_age(on: date, position: int | None = None, *, allow_stale: bool = False) -> Report:
    """What each customer owes, by days past due on a date.

    Payments and credit notes settle a customer's oldest dues first; what they exceed the dues by is shown as
    unallocated (negative). A row's total is the customer's receivable balance in the ledger.
    """
    columns = (
        Column("number", "Customer"), Column("name", "Name"), Column("not_due", "Not due", "money"),
        Column("days_30", "1–30 days", "money"), Column("days_60", "31–60", "money"),
        Column("days_90", "61–90", "money"), Column("older", "Over 90", "money"),
        Column("unallocated", "Unallocated", "money"), Column("total", "Total", "money"),
    )  # fmt: skip
    arguments = {"on": on, "receivables": RECEIVABLES}
    return _report("Receivables by age", columns, _AGEING, arguments, position, allow_stale)


_AGEING = """
with l as (
  select id, coalesce(customer_id, 0) as customer_id, amount, coalesce(due_on, entry_on) as due_on
  from ledger_copy where account ~ %(receivables)s and document_kind not in ('year_close', 'year_open')
    and entry_on <= %(on)s and tick <= %(position)s
), paid as (
  select customer_id, coalesce(-sum(amount) filter (where amount < 0), 0) as credits,
         coalesce(sum(amount) filter (where amount > 0), 0) as debits, sum(amount) as total
  from l group by customer_id
), due as (
  select customer_id, due_on, amount, sum(amount) over (partition by customer_id order by due_on, id) as up_to
  from l where amount > 0
), open as (
  select d.customer_id, %(on)s - d.due_on as days, greatest(0, least(d.amount, d.up_to - p.credits)) as amount
  from due d join paid p using (customer_id)
)
select coalesce(c.number, '') as number, coalesce(c.name, 'without customer') as name,
       coalesce(sum(o.amount) filter (where o.days <= 0), 0) as not_due,
       coalesce(sum(o.amount) filter (where o.days between 1 and 30), 0) as days_30,
       coalesce(sum(o.amount) filter (where o.days between 31 and 60), 0) as days_60,
       coalesce(sum(o.amount) filter (where o.days between 61 and 90), 0) as days_90,
       coalesce(sum(o.amount) filter (where o.days > 90), 0) as older,
       -greatest(0, p.credits - p.debits) as unallocated, p.total
from paid p left join open o using (customer_id) left join customer c on c.id = p.customer_id
where p.total <> 0
group by c.number, c.name, p.customer_id, p.credits, p.debits, p.total order by p.total desc, number"""


def _report(
    title: str, columns: tuple[Column, ...], statement: str, arguments: dict[str, Any], position: int | None,
    allow_stale: bool,
) -> Report:  # fmt: skip
    found = freshness.read("ledger", READER, _fetch(statement, {**arguments, "position": position or LATEST}))
    # A past position is what it was, however old the copy is now.
    known = not found.too_old or allow_stale or position is not None
    rows = found.data if known else None
    totals = {c.name: sum((row[c.name] for row in rows or ()), Decimal(0)) for c in columns if c.kind != "text"}
    return Report(title, columns, rows, found.age, position or found.age.tick, totals)


def _fetch(statement: str, arguments: dict[str, Any]) -> Callable[[], list[dict[str, Any]]]:
    def fetch() -> list[dict[str, Any]]:
        with cursor(READER) as cur:
            cur.execute(statement, arguments)
            return rows_as_dicts(cur)

    return fetch
