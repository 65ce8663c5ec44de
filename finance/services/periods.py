"""Opening and closing months. A soft lock can be taken back, with a reason; a hard lock stays for good."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from django.utils import timezone

from erp.actor import Actor
from erp.db import retried
from erp.errors import NotFound
from finance.errors import PeriodClosed, PeriodNotClosable, ReasonMissing, SubledgersDiffer
from finance.models import FiscalPeriod, PeriodChange, PeriodCheck
from finance.serializers.ledger import posting_errors
from finance.services import tie_out
from finance.services.sealing import seal_pending
from finance.services.unfinished import unfinished
from finance.services.vat_by_hand import disagreement
from finance.services.vat_return import vat_return

State = FiscalPeriod.State


@retried("finance")
def set_state(period_id: int, state: str, *, actor: Actor, reason: str = "") -> str:
    """Set a month's state; returns its code. Waits for postings under way; closing seals what is not sealed yet.

    Args:
        reason: kept with the change; needed to open a month that was locked.

    Raises:
        PeriodClosed: the month is locked for good, or an earlier month is still open to postings.
        PeriodNotClosable: the month is not over, or work still has to enter it; VAT stands in no return.
        SubledgersDiffer: the month cannot be closed, because accounts are not what their documents say.
        ReasonMissing.
    """
    period = FiscalPeriod.objects.filter(pk=period_id).first()
    if period is None:
        raise NotFound(f"period {period_id} does not exist")
    if period.state == State.LOCKED:
        raise PeriodClosed(f"Period {period.code} is closed for good")
    if state == State.OPEN and not reason.strip():
        raise ReasonMissing(f"Say why {period.code} is opened again")
    if state == State.LOCKED:
        _require_over(period)
        _require_earlier_closed(period)
    with posting_errors():
        FiscalPeriod.objects.filter(pk=period_id).update(state=state)
    PeriodChange.objects.create(period=period, state=state, reason=reason.strip()[:300], actor_name=actor.name)
    if state == State.LOCKED:  # the lock stands, so nothing can come after what is compared and sealed here
        require_tied_out(period)
        seal_pending()
    return period.code


def _require_over(period: FiscalPeriod) -> None:
    if period.ends_on >= timezone.now().date():
        raise PeriodNotClosable(
            f"{period.code} is not over yet; it can be closed for good after {period.ends_on}, and locked softly now"
        )


def _require_earlier_closed(period: FiscalPeriod) -> None:
    earlier = FiscalPeriod.objects.filter(starts_on__lt=period.starts_on).exclude(state=State.LOCKED).first()
    if earlier:
        raise PeriodClosed(f"Close the months in their order: {earlier.code} is not closed yet")


def require_tied_out(period: FiscalPeriod) -> None:
    """Refuse while a subledger differs from its accounts at the period's end, or work still has to enter it.

    VAT accounts that hold what the month's return does not are such work.

    Raises SubledgersDiffer, PeriodNotClosable.
    """
    found = tie_out.differences(period.ends_on)
    waiting = _other_obstacles(period)
    if found:
        raise SubledgersDiffer(
            f"{period.code} cannot be closed: " + ". ".join([*(str(difference) for difference in found), *waiting]),
            differences=[
                {"subledger": d.subledger, "ledger": str(d.ledger), "documents": str(d.documents)} for d in found
            ],
        )
    if waiting:
        raise PeriodNotClosable(f"{period.code} cannot be closed: " + ". ".join(waiting))


def standing_against(period: FiscalPeriod) -> list[str]:
    """What stands against closing a month, in words; compares every subledger, which takes its time."""
    found = [str(difference) for difference in tie_out.differences(period.ends_on)]
    return [*found, *_other_obstacles(period)]


def _other_obstacles(period: FiscalPeriod) -> list[str]:
    against = disagreement(vat_return(period.starts_on, period.ends_on), period.code)
    return [*filter(None, [against]), *unfinished(period.ends_on)]


def check_period(period_id: int, *, actor: Actor) -> PeriodCheck:
    """Find out what stands against closing a month, and keep the result for the page."""
    period = FiscalPeriod.objects.filter(pk=period_id).first()
    if period is None:
        raise NotFound(f"period {period_id} does not exist")
    begun = time.monotonic()
    found = standing_against(period)
    took_s = Decimal(f"{time.monotonic() - begun:.3f}")
    return PeriodCheck.objects.create(period=period, found=found, took_s=took_s, actor_name=actor.name)


def last_check(period: FiscalPeriod) -> PeriodCheck | None:
    """The month's latest check."""
    return PeriodCheck.objects.filter(period=period).order_by("-id").first()


def calendar() -> list[dict[str, Any]]:
    """The months by year, latest year first, each with its last change: for the page."""
    changes: dict[int, PeriodChange] = {}
    for change in PeriodChange.objects.order_by("id"):
        changes[change.period_id] = change
    years: dict[int, list[dict[str, Any]]] = {}
    today = timezone.now().date()
    for period in FiscalPeriod.objects.order_by("starts_on"):
        row = {"period": period, "change": changes.get(period.pk), "is_over": period.ends_on < today}
        years.setdefault(period.fiscal_year, []).append(row)
    return [{"year": year, "months": months} for year, months in sorted(years.items(), reverse=True)]
