"""After the order: capture for each invoice, refund for each credit note, release of what is left.

Facts come as copies: a goods issue makes an invoice, its copy is here in the same moment, and the relay does the
rest. Finance is told of every movement of money under the document's own key. A capture that turns out to be more than
is owed, because goods came back while it was under way, is refunded by what is too much.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from erp.actor import SYSTEM
from erp.db import cursor, module_transaction, retrying
from erp.errors import ErpError, Refused
from erp.faultpoints import fault_point
from erp.relay import enqueue, relay_handler
from finance import api as finance
from logistics import api as logistics
from storefront.models import InvoiceCopy, PaymentAttempt, PaymentBooking
from storefront.services.cards.completing import record_news
from storefront.services.cards.ending import ask_for_release
from storefront.services.cards.provider import ProviderState, card_provider

logger = logging.getLogger(__name__)

Kind = PaymentBooking.Kind


class CaptureUnderWay(Refused):
    """The money that is to be given back is still being captured; it is tried again in a moment."""

    code = "capture-under-way"


# Documents of paid orders about which the provider has not been asked yet; the index is partial.
_NEWS = """
select i.id, a.id as attempt_id, i.gross_total < 0 as is_credit
from invoice_copy i join payment_attempt a on a.order_id = i.order_id and a.state = 'placed'
where i.payment_method = 'card' and i.payment_state in ('open', 'partly_paid')
  and not exists (select 1 from payment_booking b where b.invoice_id = i.id)
order by i.id limit %s"""

# Ended orders of which something is authorised and will never be invoiced. What has left the warehouse is owed: until
# its invoice has been captured nothing is released.
_ENDED = """
select a.id from payment_attempt a join sales_order_copy o on o.id = a.order_id
where a.state = 'placed' and not a.is_settled and o.lifecycle in ('closed', 'cancelled')
  and not exists (select 1 from payment_booking b where b.attempt_id = a.id and b.done_at is null)
  and not exists (select 1 from invoice_copy i where i.order_id = a.order_id and i.gross_total > 0
                  and not exists (select 1 from payment_booking b where b.invoice_id = i.id))
  and (a.captured_total > 0 or exists (select 1 from payment_booking b where b.attempt_id = a.id)
       or not exists (select 1 from jsonb_array_elements(o.lines) l where (l ->> 'issued')::int > 0))
order by a.id limit %s"""


def settle_payments(limit: int = 200) -> dict[str, int]:
    """Ask for the capture or refund of every new document and for the release of what is left over; idempotent."""
    with cursor("storefront") as cur:
        cur.execute(_NEWS, [limit])
        documents = cur.fetchall()
        cur.execute(_ENDED, [limit])
        ended = [attempt_id for (attempt_id,) in cur.fetchall()]
    for invoice_id, attempt_id, is_credit in documents:
        with module_transaction("storefront"):
            kind = Kind.REFUND if is_credit else Kind.CAPTURE
            PaymentBooking.objects.bulk_create(
                [PaymentBooking(attempt_id=attempt_id, invoice_id=invoice_id, kind=kind)], ignore_conflicts=True
            )
            enqueue("storefront", "payment_booking", str(invoice_id), {"invoice_id": invoice_id, "kind": kind})
    for attempt in PaymentAttempt.objects.filter(pk__in=ended):
        with module_transaction("storefront"):
            if attempt.captured_total >= attempt.amount:
                PaymentAttempt.objects.filter(pk=attempt.pk).update(is_settled=True)
            else:
                ask_for_release(attempt)
    return {"documents": len(documents), "ended": len(ended)}


@relay_handler("storefront", "payment_booking")
def book(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Capture for an invoice or refund a credit note, then tell Finance; every step may be repeated.

    The amount is fixed first: a repeat asks the provider the same under the same key.
    """
    booking = PaymentBooking.objects.select_related("attempt").get(
        invoice_id=payload["invoice_id"], **({"kind": payload["kind"]} if "kind" in payload else {})
    )
    if booking.done_at is not None:
        return {"amount": booking.amount}
    amount = retrying("storefront", lambda: _fix_amount(booking.pk))
    payment: dict[str, Any] | None = None
    if amount:
        news = _ask(booking, amount, payload)
        retrying("storefront", lambda: record_news(news))
        fault_point("payment:before_finance")
        payment = _tell_finance(booking, amount, payload)
    with module_transaction("storefront"):
        if payment and booking.kind == Kind.CAPTURE:
            _give_back_rest(booking, payment)
        PaymentBooking.objects.filter(pk=booking.pk).update(done_at=timezone.now())
    if booking.kind == Kind.REFUND:
        _tell_logistics(booking.attempt_id)
    return {"amount": amount}


def _give_back_rest(booking: PaymentBooking, payment: dict[str, Any]) -> None:
    """Have the relay refund what a capture has left on the customer's account: it was not owed any more."""
    rest = Decimal(payment["unallocated"])
    if rest <= 0:
        return
    PaymentBooking.objects.bulk_create(
        [PaymentBooking(attempt_id=booking.attempt_id, invoice_id=booking.invoice_id, kind=Kind.REFUND, amount=rest)],
        ignore_conflicts=True,
    )
    payload = {"invoice_id": booking.invoice_id, "kind": Kind.REFUND, "rest_of": payment["id"]}
    enqueue("storefront", "payment_booking", f"refund-rest:{booking.invoice_id}", payload)


def _fix_amount(booking_id: int) -> Decimal:
    booking = PaymentBooking.objects.select_for_update().get(pk=booking_id)
    if booking.amount is not None:
        return Decimal(booking.amount)
    attempt = PaymentAttempt.objects.select_for_update().get(pk=booking.attempt_id)
    wanted = abs(finance.open_total(booking.invoice_id))
    others = PaymentBooking.objects.filter(attempt=attempt, kind=booking.kind).exclude(amount=None)
    asked = sum((Decimal(o.amount or 0) for o in others), Decimal(0))
    whole: Decimal = attempt.amount if booking.kind == Kind.CAPTURE else attempt.captured_total
    amount: Decimal = max(Decimal(0), min(wanted, whole - asked))
    captures = PaymentBooking.objects.filter(attempt=attempt, kind=Kind.CAPTURE, done_at=None)
    if booking.kind == Kind.REFUND and amount < wanted and captures.exists():
        raise CaptureUnderWay
    PaymentBooking.objects.filter(pk=booking_id).update(amount=amount)
    return amount


def _ask(booking: PaymentBooking, amount: Decimal, payload: dict[str, Any]) -> ProviderState:
    ask = card_provider().capture if booking.kind == Kind.CAPTURE else card_provider().refund
    what = "refund-rest" if "rest_of" in payload else booking.kind
    return ask(str(booking.attempt.ref), amount, f"{what}:{booking.invoice_id}")


def _tell_finance(booking: PaymentBooking, amount: Decimal, payload: dict[str, Any]) -> dict[str, Any]:
    """Record the money with its document; when the document was settled meanwhile, on the customer's account."""
    invoice = InvoiceCopy.objects.get(pk=booking.invoice_id)
    signed = amount if booking.kind == Kind.CAPTURE else -amount
    data = {"amount": signed, "currency": invoice.currency, "method": "card", "reference": str(booking.attempt.ref)}
    key = f"card:{booking.kind}:{booking.invoice_id}"
    try:
        if "rest_of" in payload:
            return finance.refund_payment(payload["rest_of"], amount=amount, method="card", actor=SYSTEM, key=key)
        return finance.record_payment({**data, "invoice_id": invoice.pk}, actor=SYSTEM, idempotency_key=key)
    except Refused as refused:
        logger.warning("card payment of %s goes to the customer's account: %s", invoice.number, refused)
        return finance.record_payment(
            {**data, "customer_id": invoice.customer_id}, actor=SYSTEM, idempotency_key=f"{key}:account"
        )


def _tell_logistics(attempt_id: int) -> None:
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    if attempt.order_id is None or not 0 < attempt.captured_total <= attempt.refunded_total:
        return
    try:
        logistics.set_payment(attempt.order_id, "refunded", actor=SYSTEM)
    except (ErpError, DatabaseError) as error:  # the money is what counts; the state is told by the documents too
        logger.warning("refund of order %s not told: %s", attempt.order_id, error)
