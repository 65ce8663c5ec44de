"""Work that still has to enter a month: once the month is closed for good, it could not any more."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, Sum

from erp.registry import registry
from finance.models import BankEntry
from finance.services.accruals import not_accrued


def unfinished(last: date) -> list[str]:
    """What waits to be booked until a day, in words: bank entries, revenue, work of other modules."""
    own = [*_bank_entries(last), *not_accrued(last)]
    return [*own, *(text for check in registry.closing_checks for text in check(last))]


def _bank_entries(last: date) -> list[str]:
    rows = (
        BankEntry.objects.filter(state=BankEntry.State.OPEN, booked_on__lte=last)
        .values("currency")
        .annotate(count=Count("id"), total=Sum("amount"))
        .order_by("currency")
    )
    if not rows:
        return []
    count = sum(row["count"] for row in rows)
    sums = ", ".join(f"{row['total'].normalize():,f} {row['currency']}" for row in rows)
    return [f"Bank entries until {last} that are not booked: {count}, over {sums}; book them or set them aside first"]
