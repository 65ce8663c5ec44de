"""The period calendar and the close of a fiscal year."""

from __future__ import annotations

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from erp.actor import actor_of
from erp.staff.desk import duty_page, page, perform
from finance.models import FiscalPeriod
from finance.services import accounts, periods, year_close

State = FiscalPeriod.State


@duty_page("finance")
def period_calendar(request: HttpRequest) -> HttpResponse:
    """Months by year with their state, the buttons that change it, and what stands against closing the next one."""
    years = periods.calendar()
    following = FiscalPeriod.objects.exclude(state=State.LOCKED).order_by("starts_on").first()
    is_over = following is not None and following.ends_on < timezone.now().date()
    return page(
        request, "finance/periods.html", "Periods", years=years, next=following,
        differences=periods.standing_against(following) if following and is_over else [], is_over=is_over,
    )  # fmt: skip


@require_POST
@duty_page("finance")
def change_period(request: HttpRequest, pk: int, state: str) -> HttpResponse:
    """Lock, open or close a month; the reason is kept."""
    if state not in State.values:
        raise Http404

    def run() -> str:
        code = periods.set_state(pk, state, actor=actor_of(request.user), reason=request.POST.get("reason", ""))
        return f"Period {code} now is: {State(state).label}."

    return perform(request, run, reverse("finance-periods"))


@duty_page("finance")
def year_page(request: HttpRequest, year: int) -> HttpResponse:
    """What closing the year does and what stands against it; POST closes it for good."""
    if request.method == "POST":

        def run() -> str:
            closed = year_close.close_year(year, actor=actor_of(request.user))
            return f"{year} is closed for good; its result of {closed.result.normalize():,f} is carried forward."

        return perform(request, run, reverse("finance-year", args=[year]))
    found = year_close.preview(year)
    return page(
        request, "finance/year_close.html", f"Close of {year}", found=found, year=year,
        currency=accounts.base_currency(), last=date(year, 12, 31),
    )  # fmt: skip
