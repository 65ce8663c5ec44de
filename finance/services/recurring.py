"""Posts recurring entries when they are due: each once per month, quarter or year, however often this runs."""

from __future__ import annotations

import calendar
import logging
from collections.abc import Iterator
from datetime import date

from django.db import DataError, IntegrityError
from django.utils import timezone

from erp.actor import Actor
from erp.errors import ErpError
from finance.models import JournalEntry, RecurringEntry
from finance.services import posting

logger = logging.getLogger(__name__)


def due_days(plan: RecurringEntry, today: date) -> Iterator[date]:
    """Days on which the plan has fallen due so far, oldest first."""
    year, month = plan.starts_on.year, plan.starts_on.month
    last = min(today, plan.ends_on or today)
    while date(year, month, 1) <= last:
        day = date(year, month, min(plan.day, calendar.monthrange(year, month)[1]))
        if plan.starts_on <= day <= last:
            yield day
        year, month = year + (month - 1 + plan.every) // 12, (month - 1 + plan.every) % 12 + 1


MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, DataError, IntegrityError)
"""What posting raises over lines that make no entry; one such plan holds up no other."""


def posting_key(plan: RecurringEntry, day: date) -> str:
    """Key under which a plan's entry of a month is posted once."""
    return f"recurring:{plan.pk}:{day:%Y-%m}"


def post_due(today: date | None = None) -> int:
    """Post what is due of every active plan; returns how many entries are new.

    What cannot be posted (a closed month, an account out of use) is kept with the plan and tried again next time.
    """
    today = today or timezone.now().date()
    return sum(_post_plan(plan, today) for plan in RecurringEntry.objects.filter(is_active=True))


def _post_plan(plan: RecurringEntry, today: date) -> int:
    days = {posting_key(plan, day): day for day in due_days(plan, today)}
    there = set(JournalEntry.objects.filter(posting_key__in=days).values_list("posting_key", flat=True))
    made, error = 0, ""
    for key, day in days.items():
        if key in there:
            continue
        try:
            _post_one(plan, key, day)
            made += 1
        except (ErpError, *MALFORMED) as refusal:
            reason = refusal.message if isinstance(refusal, ErpError) else f"its lines make no entry ({refusal!r})"
            error = f"{day}: {reason}"
            logger.warning("recurring entry %s not posted: %s", plan.name, error)
            break
    if error != plan.last_error:
        RecurringEntry.objects.filter(pk=plan.pk).update(last_error=error)
    return made


def _post_one(plan: RecurringEntry, key: str, day: date) -> None:
    data = {
        "entry_on": day, "journal": plan.journal_id, "text": plan.text, "currency": plan.currency, "lines": plan.lines,
        "document_kind": "recurring", "document_number": plan.name[:40], "document_id": plan.pk,
    }  # fmt: skip
    posting.post_journal_entry(data, actor=Actor(plan.actor_id, plan.actor_name), posting_key=key)

