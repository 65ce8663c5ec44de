"""Opening and closing months. A soft lock can be taken back; a hard lock stays for good."""

from __future__ import annotations

from erp.db import retried
from erp.errors import NotFound
from finance.errors import PeriodClosed
from finance.models import FiscalPeriod
from finance.serializers.ledger import posting_errors
from finance.services.sealing import seal_pending

State = FiscalPeriod.State


@retried("finance")
def set_state(period_id: int, state: str) -> str:
    """Set a month's state; returns its code. Waits for postings under way; closing seals what is not sealed yet.

    Raises:
        PeriodClosed: the month is locked for good, or an earlier month is still open to postings.
    """
    period = FiscalPeriod.objects.filter(pk=period_id).first()
    if period is None:
        raise NotFound(f"period {period_id} does not exist")
    if period.state == State.LOCKED:
        raise PeriodClosed(f"Period {period.code} is closed for good")
    if state == State.LOCKED:
        earlier = FiscalPeriod.objects.filter(starts_on__lt=period.starts_on).exclude(state=State.LOCKED).first()
        if earlier:
            raise PeriodClosed(f"Close the months in their order: {earlier.code} is not closed yet")
    with posting_errors():
        FiscalPeriod.objects.filter(pk=period_id).update(state=state)
    if state == State.LOCKED:  # the lock stands, so nothing can come after what is sealed here
        seal_pending()
    return period.code
