"""From the provider's word to the order: what is authorised is ordered, or released; nothing in between lasts."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from erp.actor import SYSTEM
from erp.db import retrying
from erp.errors import ErpError, Refused
from erp.faultpoints import fault_point
from erp.relay import enqueue, relay_handler
from storefront.models import Cart, PaymentAttempt
from storefront.serializers import NewOrder
from storefront.services.cards import provider as words
from storefront.services.cards.basket import order_from
from storefront.services.cards.ending import Reason, State, ask_for_release, fail, write_that_it_failed
from storefront.services.cards.provider import ProviderState, card_provider
from storefront.services.cart_reading import lock_cart
from storefront.services.placing import get_customer, place

logger = logging.getLogger(__name__)


class CannotBePlaced(Refused):
    """The cart was ordered in another way meanwhile; this payment is released."""

    code = "cannot-be-placed"


def take_news(news: ProviderState) -> PaymentAttempt | None:
    """Record what the provider says, if it is newer than what is known, and complete what is authorised.

    Callback, return page and periodic look all come here; in any order, any number of times.
    Returns the attempt; None when the reference is not ours.
    """
    state = retrying("storefront", lambda: record_news(news))
    found = PaymentAttempt.objects.filter(ref__in=_refs(news.ref)).first()
    if found is not None and state == State.AUTHORISED:
        _complete_now(found)
    return found


def _complete_now(attempt: PaymentAttempt) -> None:
    """Place the order now; when a callback is just doing that, wait for it. Trouble is left to the relay."""
    try:
        complete({"attempt_id": attempt.pk}, str(attempt.ref))
    except (ErpError, DatabaseError) as error:
        logger.warning("payment %s is completed by the relay: %s", attempt.ref, error)
    attempt.refresh_from_db()


def record_news(news: ProviderState) -> str:
    """The part of :func:`take_news` inside the caller's transaction; returns the attempt's state, empty: not ours."""
    attempt = PaymentAttempt.objects.select_for_update().filter(ref__in=_refs(news.ref)).first()
    if attempt is None:
        return ""
    if news.sequence <= attempt.sequence:
        return attempt.state
    PaymentAttempt.objects.filter(pk=attempt.pk).update(
        sequence=news.sequence, provider_state=news.state, captured_total=news.captured, refunded_total=news.refunded
    )
    if news.state == words.AUTHORISED and attempt.state == State.OPEN:
        PaymentAttempt.objects.filter(pk=attempt.pk).update(state=State.AUTHORISED, authorised_at=timezone.now())
        enqueue("storefront", "payment_complete", str(attempt.ref), {"attempt_id": attempt.pk})
        return State.AUTHORISED
    if news.state == words.AUTHORISED and attempt.state == State.FAILED:  # paid after all, too late
        ask_for_release(attempt)
        write_that_it_failed(attempt, attempt.reason)
    if news.state in {words.DECLINED, words.VOIDED} and attempt.state == State.OPEN:
        reason = Reason.DECLINED if news.state == words.DECLINED else Reason.EXPIRED
        PaymentAttempt.objects.filter(pk=attempt.pk).update(state=State.FAILED, reason=reason)
        return State.FAILED
    return attempt.state


def _refs(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []


@relay_handler("storefront", "payment_complete")
def complete(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Place the order of an authorised attempt, exactly as it was confirmed; what cannot be placed is released.

    Repeats find the one order. A trouble that passes (masters detached, a busy row) is raised: the relay repeats.
    """
    attempt = PaymentAttempt.objects.get(pk=payload["attempt_id"])
    if attempt.state != State.AUTHORISED:
        return {"state": attempt.state}
    fault_point("payment:before_place")
    try:
        outcome = place(
            lambda: _prepare(attempt.pk), key=key, scope="card payment", request_hash=str(attempt.ref), actor=SYSTEM
        )
    except Refused as refused:
        logger.warning("paid attempt %s cannot be placed: %s", attempt.ref, refused)
        retrying("storefront", lambda: give_up(attempt.pk, Reason.REFUSED))
        return {"refused": refused.message}
    fault_point("payment:after_place")
    return {"order": outcome.number, "result": outcome.result}


def _prepare(attempt_id: int) -> tuple[NewOrder, Any] | int:
    """The order and what is written with it, inside the transaction that freezes it."""
    cart_id = PaymentAttempt.objects.values_list("cart_id", flat=True).get(pk=attempt_id)
    cart = lock_cart(cart_id)
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    if attempt.order_id is not None:
        return attempt.order_id
    if attempt.state != State.AUTHORISED or cart.state != Cart.State.OPEN:
        raise CannotBePlaced
    order = order_from(attempt.basket)
    get_customer(order.customer_id)  # who was blocked or left since gets the money back

    def also(order_id: int) -> None:
        PaymentAttempt.objects.filter(pk=attempt_id).update(order_id=order_id)
        # A cart that was changed in another tab meanwhile stays open; the order is what was confirmed.
        same = Cart.objects.filter(pk=cart.pk, version=attempt.cart_version)
        same.update(state=Cart.State.PLACING, order_id=order_id)

    return order, also


def give_up(attempt_id: int, reason: str) -> None:
    """End an authorised attempt that has no order and release its money."""
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    if attempt.state == State.AUTHORISED and attempt.order_id is None:
        fail(attempt, reason)


@relay_handler("storefront", "payment_void")
def release(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Release what is authorised and not captured; of an attempt without an order nothing can be authorised after."""
    news = card_provider().void(key)
    retrying("storefront", lambda: record_news(news))
    PaymentAttempt.objects.filter(pk=payload["attempt_id"]).update(is_settled=True)
    return {"state": news.state, "captured": news.captured}


OVERDUE_S = 60  # after the hold's end a payment that is not authorised is called off
PLACING_S = 1800  # an authorised payment that cannot be ordered for so long is released
LOOK_EVERY_S = (5, 60)


def look_after(attempt: PaymentAttempt) -> PaymentAttempt:
    """Ask the provider about an attempt that is not decided; call it off when its time is over.

    The browser may never come back and a callback may be lost: this alone completes the order.
    """
    now = timezone.now()
    waited_s = (now - attempt.created_at).total_seconds()
    wait_s = min(LOOK_EVERY_S[1], max(LOOK_EVERY_S[0], waited_s / 4))
    PaymentAttempt.objects.filter(pk=attempt.pk).update(look_at=now + timedelta(seconds=wait_s))
    if attempt.state == State.AUTHORISED:
        authorised_at = attempt.authorised_at or attempt.created_at
        if attempt.order_id is None and (now - authorised_at).total_seconds() > PLACING_S:
            retrying("storefront", lambda: give_up(attempt.pk, Reason.REFUSED))
        else:
            _complete_now(attempt)
        attempt.refresh_from_db()
        return attempt
    news = card_provider().find(str(attempt.ref))
    found = take_news(news) if news else attempt
    if found is not None and found.state == State.OPEN:
        hold_until = found.hold_until or found.created_at
        if (now - hold_until).total_seconds() > OVERDUE_S:
            retrying("storefront", lambda: _call_off(found.pk))
    attempt.refresh_from_db()
    return attempt


def _call_off(attempt_id: int) -> None:
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    if attempt.state == State.OPEN:
        fail(attempt, Reason.EXPIRED)


def look_after_payments(limit: int = 200) -> dict[str, int]:
    """The periodic look at undecided attempts; several may run at once. Returns ``{"looked", "failed"}``."""
    counts = {"looked": 0, "failed": 0}
    due = PaymentAttempt.objects.filter(state__in=[State.OPEN, State.AUTHORISED], look_at__lte=timezone.now())
    for attempt in due.order_by("look_at")[:limit]:
        try:
            look_after(attempt)
            counts["looked"] += 1
        except Exception as error:  # noqa: BLE001  one payment's trouble must not stop the others
            logger.warning("payment %s not looked after: %s", attempt.ref, error)
            counts["failed"] += 1
    return counts
