"""The card provider's word and silence: forged, old, late or none at all."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request

import pytest
from pytest_django import Settings

from storefront.models import Cart, PaymentAttempt
from storefront.services.cards import http_provider
from storefront.services.cards.signing import HEADER, sign
from tests.storefront import web, world
from tests.storefront.cards import attempt_of, begin, paid
from tests.storefront.world import orders_of, with_cart

pytestmark = pytest.mark.usefixtures("bank")


def call(settings: Settings, body: bytes, signature: str) -> int:
    request = urllib.request.Request(f"{settings.SHOP_URL}/payments/callback/", body, {HEADER: signature})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)


def test_forged_old_and_unreadable_callbacks_change_nothing(settings: Settings) -> None:
    mug = world.product(stock=5)
    begin(mug)
    ref = str(attempt_of(mug).ref)
    body = json.dumps({"event_id": "e1", "ref": ref, "sequence": 9, "state": "authorised"}).encode()
    assert call(settings, body, sign("another secret", body)) == 401
    assert call(settings, body, "") == 401
    assert call(settings, body.replace(b"9", b"8"), sign(web.SECRET, body)) == 401
    assert call(settings, body, sign(web.SECRET, body, int(time.time()) - 400)) == 401
    for wrong in (b"{}", b"nonsense", body.replace(b"authorised", b"rich"), body.replace(b"9", b'"x"')):
        assert call(settings, wrong, sign(web.SECRET, wrong)) == 400
    unknown = body.replace(ref.encode(), b"00000000-0000-0000-0000-000000000000")
    assert call(settings, unknown, sign(web.SECRET, unknown)) == 404
    assert (attempt_of(mug).state, orders_of(mug)) == ("open", 0)


def test_older_news_never_replaces_newer(settings: Settings) -> None:
    mug = world.product(stock=5)
    paid(mug, card=web.NEVER)
    body = json.dumps(
        {"event_id": "late", "ref": str(attempt_of(mug).ref), "sequence": 1, "state": "declined"}
    ).encode()
    assert call(settings, body, sign(web.SECRET, body)) == 200
    assert call(settings, body, sign(web.SECRET, body)) == 200
    assert (attempt_of(mug).state, Cart.objects.get(pk=attempt_of(mug).cart_id).state) == ("placed", "ordered")


def test_provider_that_does_not_answer_is_said_and_tried_again(settings: Settings) -> None:
    mug = world.product(stock=5)
    client = with_cart((mug, 1))
    pressed = client.post("/checkout/", world.order_form(client, payment_method="card"))
    there, settings.CARD_URL = settings.CARD_URL, "http://127.0.0.1:9"
    answer = client.post(pressed["Location"])
    assert answer.status_code == 503
    assert "does not answer" in answer.content.decode()
    settings.CARD_URL = there
    assert client.post(pressed["Location"]).status_code == 302


def test_cards_are_offered_only_with_a_provider(settings: Settings) -> None:
    mug = world.product(stock=5)
    client = with_cart((mug, 1))
    assert 'value="card"' in client.get("/checkout/").content.decode()
    settings.CARD_URL = ""
    assert 'value="card"' not in client.get("/checkout/").content.decode()
    assert client.post("/checkout/", world.order_form(client, payment_method="card")).status_code == 422


def test_provider_that_hangs_holds_up_one_call_only(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_provider, "TIMEOUT_S", 0.2)
    mug = world.product(stock=5)
    client = with_cart((mug, 1))
    pressed = client.post("/checkout/", world.order_form(client, payment_method="card"))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        settings.CARD_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert client.post(pressed["Location"]).status_code == 503
        monkeypatch.setattr(http_provider, "TIMEOUT_S", 600)
        assert client.post(pressed["Location"]).status_code == 503  # at once, without asking


def test_payment_without_a_callback_is_shown_as_stuck_and_tried_again(settings: Settings) -> None:
    from erp.actor import SYSTEM
    from erp.stuck import get_source, try_again

    mug = world.product(stock=5)
    _, page = begin(mug)
    web.pay(page, web.NEVER)
    ref = str(attempt_of(mug).ref)
    assert ref not in {d.key for d in get_source("storefront.payments").find(100)}
    PaymentAttempt.objects.filter(ref=ref).update(hold_until="2020-01-01T00:00:00Z")
    assert ref in {d.key for d in get_source("storefront.payments").find(100)}
    assert "ordered" in try_again("storefront.payments", ref, SYSTEM)
    assert (orders_of(mug), ref in {d.key for d in get_source("storefront.payments").find(100)}) == (1, False)
