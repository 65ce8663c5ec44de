"""Card payments that are not decided, for the page of stuck documents: callbacks that never came, orders not made."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from erp.actor import Actor
from erp.errors import NotFound
from erp.registry import StuckDocument, StuckSource
from erp.stuck import LATE_S, StillStuck, document_page
from storefront.models import PaymentAttempt
from storefront.services.cards.completing import OVERDUE_S, look_after
from storefront.services.cards.ending import LIVE, State


def find_undecided(limit: int) -> list[StuckDocument]:
    """Payments past their time of which the provider has not said what became, and authorised ones without order."""
    now = timezone.now()
    overdue = Q(state=State.OPEN, hold_until__lt=now - timedelta(seconds=OVERDUE_S + LATE_S))
    unordered = Q(state=State.AUTHORISED, authorised_at__lt=now - timedelta(seconds=LATE_S))
    return [
        StuckDocument(
            key=str(attempt.ref), what=f"Card payment {attempt.ref} of {attempt.amount:,.2f} {attempt.currency}",
            since=attempt.authorised_at or attempt.created_at, reason=_reason(attempt), next_at=attempt.look_at,
            url=document_page("storefront_paymentattempt", attempt.pk),
        )
        for attempt in PaymentAttempt.objects.filter(overdue | unordered).order_by("created_at")[:limit]
    ]  # fmt: skip


def _reason(attempt: PaymentAttempt) -> str:
    if attempt.state == State.AUTHORISED:
        return "The money is authorised and the order is not made yet; it is made, or the money released"
    return "No callback has come and the card service does not say what became of it"


def retry_undecided(key: str, actor: Actor) -> str:
    """Ask the provider now, and make or call off the order."""
    attempt = PaymentAttempt.objects.filter(ref=key).first()
    if attempt is None:
        raise NotFound(f"There is no card payment {key}")
    found = look_after(attempt)
    if found.state in LIVE:
        raise StillStuck(f"Card payment {key} is still {found.get_state_display().lower()}")
    return f"Card payment {key}: {found.get_state_display().lower()}."


SOURCE = StuckSource("storefront.payments", "storefront", "Card payments", find_undecided, retry_undecided)
