"""The payment step: what was confirmed is kept, its pieces are set aside for a while, the provider is told."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from erp.actor import Actor
from erp.db import retrying
from erp.errors import Refused
from erp.fields import dump_json, load_json
from logistics import api as logistics
from storefront.models import Cart, CartLine, PaymentAttempt, ShippingMethod
from storefront.services import carts_after
from storefront.services.cards.basket import as_data
from storefront.services.cards.ending import LIVE, Reason, State, fail, supersede
from storefront.services.cards.provider import Payment, card_provider
from storefront.services.cart import CartChanged, cart_terms, hold_key, refresh_cart
from storefront.services.cart_reading import lines_of, lock_cart
from storefront.services.checkout import Confirmation, Ready, confirmed_order, make_ready, price_cart
from storefront.services.handover import OutOfStock
from storefront.services.pricing import Terms
from storefront.services.visitors import Visitor

FIRST_LOOK_S = 15  # after the shopper went to the provider


class PaymentOver(Refused):
    """This payment is over; please see where your order stands."""

    code = "payment-over"


def begin_payment(visitor: Visitor, cart_id: int, said: Confirmation, *, actor: Actor) -> PaymentAttempt:
    """Keep what the shopper confirmed and set its pieces aside; a repeat of the button gives the same attempt.

    Two transactions: the attempt in Storefront, then the hold in Logistics. The hold belongs to the cart, so it
    never blocks its own shopper: another tab or a later attempt takes it over.

    Raises:
        CartChanged, TotalChanged, CheckoutRefused, CustomerRefused: as when an order is placed.
        OutOfStock: not everything can be had; what is left is noted on the cart's lines.
        PaymentUnderWay: this cart is paid already.
    """
    ready = make_ready(visitor, cart_id, said, actor=actor)
    attempt = retrying("storefront", lambda: _keep(cart_id, said, ready))
    if attempt.state == State.OPEN:
        hold(attempt)
        attempt.refresh_from_db()
    return attempt


def _keep(cart_id: int, said: Confirmation, ready: Ready) -> PaymentAttempt:
    cart = lock_cart(cart_id)
    known = PaymentAttempt.objects.filter(cart=cart, key=said.key).exclude(state=State.FAILED).first()
    if known is not None and known.state != State.OPEN:
        return known
    if cart.state != Cart.State.OPEN or cart.version != said.cart_version:
        raise CartChanged
    order = confirmed_order(cart, lines_of(cart)[0], said, ready)
    if known is not None and _without_time(known.basket) == _without_time(load_json(dump_json(as_data(order)))):
        return known
    supersede(cart)  # another tab may have confirmed another address
    return PaymentAttempt.objects.create(
        cart=cart, cart_version=cart.version, key=said.key, amount=order.gross_total, currency=order.currency,
        basket=as_data(order), look_at=timezone.now() + timedelta(seconds=settings.HOLD_S),
    )  # fmt: skip


def _without_time(basket: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in basket.items() if name not in {"placed_at", "ordered_on"}}


def hold(attempt: PaymentAttempt) -> None:
    """Set the attempt's pieces aside from now on; raises OutOfStock and ends the attempt when they are gone.

    When the attempt ended meanwhile, what was set aside for it is given back, or to the attempt that replaced it.
    """
    lines = [line for line in attempt.basket["lines"] if line["is_stocked"]]
    answer = logistics.hold_stock(hold_key(attempt.cart_id), lines, settings.HOLD_S)
    if answer["outcome"] == "held":
        until = answer["expires_at"].replace(microsecond=0)
        if not PaymentAttempt.objects.filter(pk=attempt.pk, state__in=LIVE).update(hold_until=until):
            _hand_on(attempt)
        return
    retrying("storefront", lambda: _sold_out(attempt, answer["short"]))
    raise OutOfStock("Some of it has run out meanwhile. Nothing was ordered; please see what is left.")


def _hand_on(ended: PaymentAttempt) -> None:
    successor = PaymentAttempt.objects.filter(cart_id=ended.cart_id, state=State.OPEN).first()
    if successor is None:
        logistics.release_hold(hold_key(ended.cart_id))
    else:
        hold(successor)


def _sold_out(attempt: PaymentAttempt, short: list[dict[str, Any]]) -> None:
    cart = lock_cart(attempt.cart_id)
    mine = PaymentAttempt.objects.select_for_update().get(pk=attempt.pk)
    if mine.state != State.OPEN:
        return
    fail(mine, Reason.NO_STOCK)
    if cart.state == Cart.State.OPEN:
        for row in short:
            CartLine.objects.filter(cart=cart, product_id=row["product_id"]).update(
                note=CartLine.Note.SHORT, left=max(0, row["available"])
            )
        carts_after.reopen(cart)


def live_payment(cart_id: int) -> PaymentAttempt | None:
    """The payment of a cart that is not decided yet."""
    return PaymentAttempt.objects.filter(cart_id=cart_id, state__in=LIVE).first()


def go_to_provider(attempt: PaymentAttempt) -> str:
    """URL at the provider where the shopper pays; sets the pieces aside again when their time is over.

    Raises OutOfStock, PaymentOver, ProviderUnavailable (nothing has changed, try again), ProviderRefused.
    """
    attempt.refresh_from_db()
    if attempt.state == State.OPEN and (attempt.hold_until is None or attempt.hold_until <= timezone.now()):
        hold(attempt)
        attempt.refresh_from_db()
    if attempt.state != State.OPEN or attempt.hold_until is None:  # another tab went on in another way
        raise PaymentOver
    # Before the provider is told: whatever comes of the call, it is looked after.
    look_at = timezone.now() + timedelta(seconds=FIRST_LOOK_S)
    PaymentAttempt.objects.filter(pk=attempt.pk, state__in=LIVE).update(look_at=look_at)
    url = card_provider().start(
        Payment(
            ref=str(attempt.ref), amount=attempt.amount, currency=attempt.currency,
            description=settings.COMPANY["name"],
            return_url=settings.SHOP_URL + reverse("storefront:payment_return", args=[attempt.ref]),
            callback_url=settings.SHOP_URL + reverse("storefront:payment_callback"), expires_at=attempt.hold_until,
        )
    )  # fmt: skip
    PaymentAttempt.objects.filter(pk=attempt.pk).update(pay_url=url[:500])
    return url


def try_again(visitor: Visitor, attempt: PaymentAttempt) -> PaymentAttempt:
    """A new attempt to pay for what a failed one confirmed, while the cart and its prices are still that.

    Raises CartChanged, OutOfStock, PaymentUnderWay.
    """
    terms = cart_terms(visitor, attempt.basket["country"])
    refresh_cart(attempt.cart, terms)

    def renew() -> PaymentAttempt:
        cart = lock_cart(attempt.cart_id)
        known = PaymentAttempt.objects.filter(cart=cart, key=attempt.key).exclude(state=State.FAILED).first()
        if known is not None:
            return known
        if cart.state != Cart.State.OPEN or cart.version != attempt.cart_version or not _is_current(attempt, terms):
            raise CartChanged
        supersede(cart)
        return PaymentAttempt.objects.create(
            cart=cart, cart_version=cart.version, key=attempt.key, amount=attempt.amount, currency=attempt.currency,
            basket=attempt.basket, look_at=timezone.now() + timedelta(seconds=settings.HOLD_S),
        )  # fmt: skip

    renewed = retrying("storefront", renew)
    if renewed.state == State.OPEN:
        hold(renewed)
        renewed.refresh_from_db()
    return renewed


def _is_current(attempt: PaymentAttempt, terms: Terms) -> bool:
    """Whether the cart, priced today, makes exactly the lines that were confirmed: prices, VAT, delivery, names."""
    method = ShippingMethod.objects.filter(code=attempt.basket["shipping_method"], is_active=True).first()
    if method is None or attempt.basket["ordered_on"] != terms.on_date.isoformat():
        return False
    today = price_cart(list(attempt.cart.lines.all()), terms, method)
    lines: list[dict[str, Any]] = load_json(dump_json([asdict(line) for line in today.lines]))
    return bool(lines == attempt.basket["lines"])
