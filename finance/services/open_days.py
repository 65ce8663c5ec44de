"""On which day something is posted whose own day may be in a month that takes no more postings."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from finance.models import FiscalPeriod

State = FiscalPeriod.State


def open_day(day: date) -> date:
    """The day itself, or today when its month takes no more postings."""
    shut = FiscalPeriod.objects.filter(starts_on__lte=day, ends_on__gte=day).exclude(state=State.OPEN)
    return timezone.now().date() if shut.exists() else day


def first_open_day(day: date) -> date:
    """The day itself, or the first day of the next open month when its own is closed for good.

    A soft lock is no reason to post elsewhere: it can be taken back.
    """
    later = list(FiscalPeriod.objects.filter(ends_on__gte=day).order_by("starts_on"))
    if all(month.state != State.LOCKED for month in later):  # months are closed in their order
        return day
    following = [month.starts_on for month in later if month.state == State.OPEN]
    return following[0] if following else later[-1].ends_on + timedelta(days=1)
