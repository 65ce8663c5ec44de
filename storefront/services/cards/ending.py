"""How an attempt ends: ordered, or failed and the money released. Each runs in the caller's transaction."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from erp.errors import Refused
from erp.relay import enqueue
from storefront.models import Cart, CartLine, PaymentAttempt
from storefront.services.cart import touch
from storefront.services.cart_reading import lock_cart

State = PaymentAttempt.State
Reason = PaymentAttempt.Reason
LIVE = (State.OPEN, State.AUTHORISED)


class PaymentUnderWay(Refused):
    """Your card payment for this cart is being confirmed; the order appears in a moment."""

    code = "payment-under-way"


def fail(attempt: PaymentAttempt, reason: str) -> None:
    """End a locked attempt without an order; whatever was or will be authorised is released."""
    PaymentAttempt.objects.filter(pk=attempt.pk).update(state=State.FAILED, reason=reason)
    ask_for_release(attempt)
    if attempt.state == State.AUTHORISED:
        write_that_it_failed(attempt, reason)


def write_that_it_failed(attempt: PaymentAttempt, reason: str) -> None:
    """Write to a shopper who has paid and gets no order; a repeat writes once. Who went on himself needs no letter."""
    if reason in {Reason.NO_STOCK, Reason.REFUSED, Reason.EXPIRED} and attempt.basket["email"]:
        enqueue("storefront", "mail_payment_failed", str(attempt.ref), {"attempt_id": attempt.pk})


def ask_for_release(attempt: PaymentAttempt) -> None:
    """Have the relay release what is authorised and not captured; a repeat asks once."""
    enqueue("storefront", "payment_void", str(attempt.ref), {"attempt_id": attempt.pk})


def supersede(cart: Cart) -> None:
    """Another order or attempt takes the place of the cart's live one; the caller holds the cart's lock.

    Raises PaymentUnderWay when the live one is authorised already: one cart makes one order.
    """
    for attempt in PaymentAttempt.objects.select_for_update().filter(cart=cart, state__in=LIVE):
        if attempt.state == State.AUTHORISED:
            raise PaymentUnderWay
        fail(attempt, Reason.SUPERSEDED)


def order_accepted(order_id: int) -> None:
    """The paid order is Logistics' now: what was ordered leaves a cart that was changed meanwhile."""
    attempt = PaymentAttempt.objects.filter(order_id=order_id).first()
    if attempt is None:
        return
    cart = lock_cart(attempt.cart_id)
    if cart.state == Cart.State.OPEN:
        _take_out(cart, attempt.basket)
    PaymentAttempt.objects.filter(pk=attempt.pk, state=State.AUTHORISED).update(state=State.PLACED, look_at=Now())


def order_ended(order_id: int, reason: str) -> None:
    """The paid order was refused or withdrawn: nothing is charged."""
    for attempt in PaymentAttempt.objects.select_for_update().filter(order_id=order_id, state=State.AUTHORISED):
        fail(attempt, reason)


def _take_out(cart: Cart, basket: dict[str, Any]) -> None:
    for line in basket["lines"]:
        mine = CartLine.objects.filter(cart=cart, product_id=line["product_id"])
        if not mine.filter(quantity__gt=line["quantity"]).update(quantity=F("quantity") - line["quantity"]):
            mine.delete()
    touch(cart)
