"""Closing a fiscal year: the result is taken over, balances are closed and opened again in the next year.

Income and expenses go to 493 and from there to 419; assets, liabilities and equity go to 492 on the last day and come
back from 491 on the first day of the next year, where the result moves from 419 to retained earnings (413).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from erp.actor import Actor
from erp.db import cursor, module_transaction, retried, rows_as_dicts
from finance.errors import YearNotClosable
from finance.models import ClosedYear, FiscalPeriod, JournalEntry
from finance.serializers.ledger import EntryDraft, LineDraft, posting_errors
from finance.services import accounts, posting
from finance.services.periods import last_check, set_state, standing_against

ZERO = Decimal(0)
RESULT_TYPES = ("income", "expense")
BALANCE_TYPES = ("asset", "liability", "equity")

_BALANCES = """
select l.account, a.type, l.currency, sum(l.amount) as amount, sum(l.document_amount) as document_amount,
  case when l.account = any(%(receivables)s) then l.customer_id end as customer_id,
  case when l.account = %(inventory)s then l.product_id end as product_id
from journal_line l join account a on a.number = l.account where l.entry_on <= %(last)s
group by 1, 2, 3, 6, 7 having sum(l.amount) <> 0 or sum(l.document_amount) <> 0 order by 1, 3, 6, 7"""


@dataclass(frozen=True)
class Preview:
    """What closing a year would do, and what stands against it."""

    year: int
    income: Decimal
    expense: Decimal
    obstacles: Sequence[str]
    closed: ClosedYear | None

    @property
    def result(self) -> Decimal:
        """Profit positive, loss negative."""
        return self.income - self.expense


def preview(year: int, *, is_checked: bool = True) -> Preview:
    """The year's result as it stands, and every obstacle in words.

    Args:
        is_checked: whether December's subledgers are compared now; else what its last check found stands.
    """
    rows = [row for row in _balances(date(year, 12, 31)) if row["type"] in RESULT_TYPES]
    income = -sum((r["amount"] for r in rows if r["type"] == "income"), ZERO)
    expense = sum((r["amount"] for r in rows if r["type"] == "expense"), ZERO)
    closed = ClosedYear.objects.filter(year=year).first()
    return Preview(year, income, expense, [] if closed else _obstacles(year, is_checked), closed)


def _obstacles(year: int, is_checked: bool) -> list[str]:
    found = []
    months = list(FiscalPeriod.objects.filter(fiscal_year=year).order_by("starts_on"))
    if not months:
        return [f"Nothing is posted in {year}"]
    if months[-1].ends_on >= timezone.now().date():
        found.append(f"{year} is not over yet")
    open_before = [p.code for p in FiscalPeriod.objects.filter(ends_on__lt=months[-1].starts_on, state__in=_NOT_CLOSED)]
    if open_before:
        found.append(f"Close these months first: {', '.join(open_before)}")
    if months[-1].state == FiscalPeriod.State.LOCKED:
        found.append(f"{months[-1].code} is closed for good, so closing entries cannot enter it")
    earlier = _year_not_closed_before(year)
    if earlier:
        found.append(f"Close {earlier} first")
    for row in _balances(date(year, 12, 31)):
        if row["type"] == "technical" and row["amount"]:
            found.append(
                f"Account {row['account']} holds {row['amount'].normalize():,f}: opening balances are not complete; "
                f"book it to where it belongs (e.g. equity, 413)"
            )
    if is_checked:
        return [*found, *standing_against(months[-1])]
    check = last_check(months[-1])
    return [*found, *(check.found if check else [f"{months[-1].code} is not checked yet: check it now"])]


_NOT_CLOSED = (FiscalPeriod.State.OPEN, FiscalPeriod.State.SOFT_LOCKED)


def _year_not_closed_before(year: int) -> int | None:
    closed = set(ClosedYear.objects.values_list("year", flat=True))
    with cursor("finance") as cur:
        cur.execute(
            """select distinct p.fiscal_year from fiscal_period p where p.fiscal_year < %s and exists (
                 select 1 from journal_line l where l.entry_on between p.starts_on and p.ends_on) order by 1""",
            [year],
        )
        return next((y for (y,) in cur.fetchall() if y not in closed), None)


def _balances(last: date) -> list[dict[str, Any]]:
    receivables: Any = list(accounts.RECEIVABLES)
    arguments = {"last": last, "receivables": receivables, "inventory": accounts.INVENTORY}
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute("set local statement_timeout = 0")
        cur.execute(_BALANCES, arguments)
        return rows_as_dicts(cur)


@retried("finance")
def close_year(year: int, *, actor: Actor) -> ClosedYear:
    """Post result, closing and opening entries and close the last month for good, in one transaction.

    A repeat returns the year as it was closed. Raises YearNotClosable: nothing has changed.
    """
    with cursor("finance") as cur:
        cur.execute("select pg_advisory_xact_lock(%s, %s)", [_YEAR_LOCK, year])
    last, first = date(year, 12, 31), date(year + 1, 1, 1)
    with posting_errors():  # waits for postings under way, and others wait for this close: what is read stays so
        december = FiscalPeriod.objects.filter(starts_on__lte=last, ends_on__gte=last)
        december.exclude(state=FiscalPeriod.State.LOCKED).update(state=FiscalPeriod.State.SOFT_LOCKED)
    before = preview(year)
    if before.closed:
        return before.closed
    if before.obstacles:
        raise YearNotClosable(f"{year} cannot be closed. " + ". ".join(before.obstacles))
    result_id = _post(_result_lines(_balances(last), before.result), year, "result", last, actor)
    carried = [row for row in _balances(last) if row["type"] in BALANCE_TYPES]
    closing_id = _post(_carry(carried, -1, "492"), year, "close", last, actor)
    opening = [*_carry(carried, 1, "491"), *_to_retained_earnings(carried)]
    opening_id = _post(opening, year + 1, "open", first, actor)
    closed = ClosedYear.objects.create(
        year=year, result=before.result, result_entry_id=result_id, closing_entry_id=closing_id,
        opening_entry_id=opening_id, actor_name=actor.name,
    )  # fmt: skip
    set_state(december.get().pk, FiscalPeriod.State.LOCKED, actor=actor, reason=f"Close of {year}")
    return closed


_YEAR_LOCK = 1179209218


def _post(lines: Sequence[LineDraft], year: int, what: str, on: date, actor: Actor) -> int | None:
    if not lines:
        return None
    titles = {"result": "Result of", "close": "Closing balances of", "open": "Opening balances of"}
    entry = EntryDraft(
        journal="OPN", kind=JournalEntry.Kind.CLOSING, entry_on=on, posting_key=f"year-{what}:{year}", lines=lines,
        text=f"{titles[what]} {year}", document_kind="year_open" if what == "open" else "year_close",
        document_number=str(year),
    )  # fmt: skip
    return posting.post([entry], actor)[0]


def _line(row: Mapping[str, Any], sign: int) -> LineDraft:
    return LineDraft(
        account=row["account"], amount=sign * row["amount"], document_amount=sign * row["document_amount"],
        currency=row["currency"], customer_id=row["customer_id"], product_id=row["product_id"],
    )  # fmt: skip


def _result_lines(rows: Sequence[Mapping[str, Any]], result: Decimal) -> list[LineDraft]:
    """Every income and expense account to 493, and 493 to 419."""
    lines = [_line(row, -1) for row in rows if row["type"] in RESULT_TYPES]
    if lines:
        lines += [LineDraft("493", -result), LineDraft("493", result), LineDraft("419", -result)]
    return [line for line in lines if line.amount or line.document_amount]


def _carry(rows: Sequence[Mapping[str, Any]], sign: int, contra: str) -> list[LineDraft]:
    lines = [_line(row, sign) for row in rows]
    total = sum((line.amount for line in lines), ZERO)
    return [*lines, LineDraft(contra, -total)] if lines else []


def _to_retained_earnings(rows: Sequence[Mapping[str, Any]]) -> list[LineDraft]:
    result = sum((row["amount"] for row in rows if row["account"] == "419"), ZERO)
    return [LineDraft("419", -result), LineDraft("413", result)] if result else []
