"""Taking a provider's callback: signed, of these minutes, once by its event id, in any order."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings

from erp.db import retrying
from erp.errors import ErpError
from erp.fields import load_json
from erp.relay import run_now
from storefront.models import PaymentAttempt, PaymentCallback
from storefront.services.cards.completing import record_news
from storefront.services.cards.provider import ProviderState
from storefront.services.cards.signing import BadSignature, verify


class CallbackRefused(ErpError):
    """The callback is not taken."""

    code = "callback-refused"
    status = 400


def take_callback(body: bytes, signature: str) -> bool:
    """Take a signed callback; returns whether it was news. Whatever follows from it survives a crash after this.

    One transaction keeps the event and the attempt's new state with the work that follows; the order is then
    placed at once, or by the relay.

    Raises:
        CallbackRefused: 401 without a valid signature, 400 when it cannot be read, 404 when the payment is not ours.
    """
    try:
        verify(settings.CARD_SECRET, body, signature)
    except BadSignature as error:
        raise _refusal(401, str(error)) from error
    try:
        data = load_json(body)
        event_id, news = str(data["event_id"])[:80], ProviderState.of(data)
    except (ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise _refusal(400, f"the callback cannot be read: {error}") from error
    is_new, state = retrying("storefront", lambda: _record(event_id, news, data))
    if state == PaymentAttempt.State.AUTHORISED:
        run_now("storefront", "payment_complete", news.ref)
    return is_new


def _record(event_id: str, news: ProviderState, data: dict[str, Any]) -> tuple[bool, str]:
    state = record_news(news)
    if not state:
        raise _refusal(404, "there is no such payment")
    kept = PaymentCallback(event_id=event_id, ref=news.ref, body=data)
    is_new = not PaymentCallback.objects.filter(event_id=event_id).exists()
    if is_new:
        PaymentCallback.objects.bulk_create([kept], ignore_conflicts=True)
    return is_new, state


def _refusal(status: int, message: str) -> CallbackRefused:
    refusal = CallbackRefused(message)
    refusal.status = status
    return refusal
