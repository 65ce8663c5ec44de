"""Goods of card orders that have left while nothing was captured: the money is kept, and somebody has to look."""

from __future__ import annotations

from django.db.models import F, OuterRef, Subquery

from erp.actor import Actor
from erp.db import cursor
from erp.errors import NotFound
from erp.registry import StuckDocument, StuckSource
from erp.stuck import StillStuck, document_page
from storefront.models import PaymentAttempt, SalesOrder
from storefront.services.cards.completing import take_news
from storefront.services.cards.provider import card_provider

# Nothing will capture it by itself: the order has ended and no document of its own is there.
_UNCAPTURED = """
select a.id from payment_attempt a join sales_order_copy o on o.id = a.order_id
where a.state = 'placed' and not a.is_settled and a.captured_total = 0 and o.lifecycle in ('closed', 'cancelled')
  and not exists (select 1 from payment_booking b where b.attempt_id = a.id)
  and not exists (select 1 from invoice_copy i where i.order_id = a.order_id and i.gross_total > 0)
  and exists (select 1 from jsonb_array_elements(o.lines) l where (l ->> 'issued')::int > 0)
order by a.id limit %s"""


def find_uncaptured(limit: int) -> list[StuckDocument]:
    """Authorised payments of ended orders whose goods have left and of which nothing is captured."""
    with cursor("storefront") as cur:
        cur.execute(_UNCAPTURED, [limit])
        ids = [attempt_id for (attempt_id,) in cur.fetchall()]
    number = Subquery(SalesOrder.objects.filter(pk=OuterRef("order_id")).values("number"))
    found = PaymentAttempt.objects.filter(pk__in=ids).annotate(order_number=number, since=F("authorised_at"))
    return [
        StuckDocument(
            key=str(attempt.ref), what=f"Card payment of order {attempt.order_number}",
            since=attempt.since or attempt.created_at, state="stuck",
            reason=f"Its goods have left and nothing of {attempt.amount:,.2f} {attempt.currency} is captured, for they "
            "stand on a collective invoice: capture it at the card service under its reference and record the "
            "payment of that invoice",
            url=document_page("storefront_paymentattempt", attempt.pk),
        )
        for attempt in found.order_by("pk")
    ]  # fmt: skip


def look_again(key: str, actor: Actor) -> str:
    """Ask the provider whether the money has been captured meanwhile."""
    attempt = PaymentAttempt.objects.filter(ref=key).first()
    if attempt is None:
        raise NotFound(f"There is no card payment {key}")
    news = card_provider().find(key)
    if news:
        take_news(news)
        attempt.refresh_from_db()
    if not attempt.captured_total:
        raise StillStuck(f"Nothing of card payment {key} is captured")
    return f"Card payment {key}: {attempt.captured_total:,.2f} {attempt.currency} captured."


SOURCE = StuckSource(
    "storefront.uncaptured", "storefront", "Goods delivered, card not charged", find_uncaptured, look_again
)
