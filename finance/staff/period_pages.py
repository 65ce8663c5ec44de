"""The period calendar and the close of a fiscal year."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from erp.actor import actor_of
from erp.staff.desk import duty_button, duty_page, page, perform
from finance.errors import NoExchangeRate
from finance.models import FiscalPeriod
from finance.services import accounts, accruals, goods_issues, periods, year_close
from finance.staff.vat_pages import holding_months

State = FiscalPeriod.State


@duty_page("finance")
def period_calendar(request: HttpRequest) -> HttpResponse:
    """Months by year with their state, the buttons that change it, and what stood against closing the next one.

    Subledgers are compared on demand: the page shows the last result with its time.
    """
    following = FiscalPeriod.objects.exclude(state=State.LOCKED).order_by("starts_on").first()
    is_over = following is not None and following.ends_on < timezone.now().date()
    unbilled = _unbilled(request, following) if following else []
    return page(
        request, "finance/periods.html", "Periods", years=periods.calendar(), next=following, is_over=is_over,
        check=periods.last_check(following) if following else None, currency=accounts.base_currency(),
        unbilled=unbilled, is_accruable=any(row.missing for row in unbilled),
        holding=holding_months(following.starts_on) if following else [],
    )  # fmt: skip


def _unbilled(request: HttpRequest, period: FiscalPeriod) -> list[accruals.Unbilled]:
    try:
        return accruals.unbilled(period.ends_on)
    except NoExchangeRate as error:
        messages.error(request, error.message)
        return []


def _back(request: HttpRequest, pk: int) -> str:
    year = request.POST.get("year", "")
    return reverse("finance-year", args=[int(year)]) if year.isdecimal() else reverse("finance-periods")


@duty_button("finance", _back)
def check_period(request: HttpRequest, pk: int) -> str:
    """Compare every subledger at a month's end and look for what still has to enter it."""
    check = periods.check_period(pk, actor=actor_of(request.user))
    return f"{check.period.code} is checked: {len(check.found) or 'nothing'} against closing it."


@duty_button("finance", _back)
def accrue(request: HttpRequest, pk: int) -> str:
    """Accrue the revenue of goods that were not invoiced by a month's end."""
    done = accruals.accrue(pk, actor=actor_of(request.user))
    return f"Accrued: {done['amount']}, by entry {done['entry']}; entry {done['reversal']} reverses it next month."


@duty_button("finance", _back)
def issue_collective(request: HttpRequest, pk: int) -> str:
    """Issue the collective invoices of all goods that wait for one at a month's end, today."""
    last = get_object_or_404(FiscalPeriod, pk=pk).ends_on
    done = goods_issues.issue_all_collective(last, actor=actor_of(request.user))
    return f"Issued: {', '.join(row['number'] for row in done)}."


@duty_button("finance", "finance-periods")
def change_period(request: HttpRequest, pk: int, state: str) -> str:
    """Lock, open or close a month; the reason is kept."""
    if state not in State.values:
        raise Http404
    code = periods.set_state(pk, state, actor=actor_of(request.user), reason=request.POST.get("reason", ""))
    return f"Period {code} now is: {State(state).label}."


@duty_page("finance")
def year_page(request: HttpRequest, year: int) -> HttpResponse:
    """What closing the year does and what stands against it; POST closes it for good."""
    if request.method == "POST":

        def run() -> str:
            closed = year_close.close_year(year, actor=actor_of(request.user))
            return f"{year} is closed for good; its result of {closed.result.normalize():,f} is carried forward."

        return perform(request, run, reverse("finance-year", args=[year]))
    found = year_close.preview(year, is_checked=False)
    december = FiscalPeriod.objects.filter(starts_on=date(year, 12, 1)).first()
    return page(
        request, "finance/year_close.html", f"Close of {year}", found=found, year=year,
        currency=accounts.base_currency(), last=date(year, 12, 31),
        december=december, check=periods.last_check(december) if december else None,
    )  # fmt: skip
