"""Paying by card, over HTTP with the stand-in: whatever the provider does, one order or nothing charged."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from erp.relay import drain, run_relay
from finance import api as finance
from finance.models import Payment
from logistics import api as logistics
from logistics.models import Reservation
from storefront.cardstandin.server import CardStandIn
from storefront.models import Cart, InvoiceCopy, PaymentAttempt, PaymentBooking, PaymentCallback, SalesOrder
from storefront.services.cards import http_provider, paying
from storefront.services.cards.completing import look_after_payments
from storefront.services.cards.paying import PaymentOver, go_to_provider
from storefront.services.cards.settling import CaptureUnderWay, book, settle_payments
from storefront.services.cards.signing import HEADER, sign
from tests.databases import ErpDatabase
from tests.storefront import web, world
from tests.storefront.test_cart import change, reprice
from tests.storefront.test_checkout_page import orders_of, with_cart


@pytest.fixture(autouse=True)
def bank(module_erp: ErpDatabase, settings: Settings) -> Iterator[CardStandIn]:
    world.set_up_books()
    world.delivery()
    with web.card_shop(settings) as stand_in:
        yield stand_in


def attempt_of(product: int) -> PaymentAttempt:
    found = [a for a in PaymentAttempt.objects.order_by("-id") if a.basket["lines"][0]["product_id"] == product]
    return found[0]


def begin(product: int, quantity: int = 1, **changes: str) -> tuple[Client, str]:
    client = with_cart((product, quantity))
    return client, web.to_provider(client, world.order_form(client, **changes))


def at_bank(bank: CardStandIn, product: int) -> tuple[str, Decimal, Decimal]:
    found = bank.service.payment(str(attempt_of(product).ref))
    assert found is not None
    return found["state"], Decimal(found["captured"]), Decimal(found["refunded"])


def do_relay() -> None:
    """Everything the periodic tasks do, now; past failures included."""
    world.copy_orders()
    settle_payments()
    PaymentAttempt.objects.update(look_at=timezone.now())
    look_after_payments()
    run_relay("storefront")


def eventually(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_paid_order_is_placed_and_its_hold_becomes_the_allocation(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    client, page = begin(mug, 2)
    assert logistics.available([mug]) == {mug: 3}
    assert orders_of(mug) == 0
    back = web.pay(page, web.GOOD)
    assert back is not None
    shown = client.get(back, follow=True)
    assert "Thank you for your order" in shown.content.decode()
    assert "Card authorised" in shown.content.decode()
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert (order.payment, order.gross_total, attempt_of(mug).state) == ("authorised", 2540, "placed")
    assert logistics.available([mug]) == {mug: 3}
    assert not Reservation.objects.filter(product_id=mug, state="held").exists()
    assert client.get("/cart/").context["lines"] == []
    assert at_bank(bank, mug) == ("authorised", 0, 0)


def test_payment_step_shows_until_when_pieces_are_set_aside() -> None:
    mug = world.product(stock=5)
    client = with_cart((mug, 1))
    pressed = client.post("/checkout/", world.order_form(client, payment_method="card"))
    text = client.get(pressed["Location"]).content.decode()
    until = attempt_of(mug).hold_until
    assert until is not None
    assert f'datetime="{until.isoformat(timespec="seconds")}"' in text
    assert "set aside for you until" in text
    assert Client().get(pressed["Location"]).status_code == 404  # somebody else's


@pytest.mark.parametrize("card", [web.TWICE, web.FIRST, web.NEVER, web.LATE])
def test_one_order_whenever_and_how_often_the_callback_comes(bank: CardStandIn, card: str) -> None:
    mug = world.product(stock=5)
    client, page = begin(mug, 2)
    back = web.pay(page, card)
    assert back is not None
    assert client.get(back)["Location"] == f"/orders/{SalesOrder.objects.get(lines__product_id=mug).number}/"
    bank.caller.send_of(str(attempt_of(mug).ref))  # what is late comes after all
    expected = 0 if card == web.NEVER else 1
    eventually(lambda: PaymentCallback.objects.filter(ref=attempt_of(mug).ref).count() == expected)
    assert orders_of(mug) == 1
    assert logistics.available([mug]) == {mug: 3}


def test_callback_alone_completes_the_order_when_the_browser_never_returns() -> None:
    mug = world.product(stock=5)
    _, page = begin(mug)
    web.pay(page, web.GOOD)
    eventually(lambda: attempt_of(mug).state == "placed")
    assert orders_of(mug) == 1


def test_lost_answer_and_lost_callback_are_found_by_asking() -> None:
    mug = world.product(stock=5)
    _, page = begin(mug)
    assert web.pay(page, web.HANGS_UP) is None
    assert orders_of(mug) == 0
    do_relay()
    assert (orders_of(mug), attempt_of(mug).state) == (1, "placed")
    do_relay()
    assert orders_of(mug) == 1


def test_declined_card_charges_nothing_and_another_one_pays() -> None:
    mug = world.product(stock=5)
    client, page = begin(mug)
    back = web.pay(page, web.DECLINED)
    assert back is not None
    shown = client.get(back).content.decode()
    assert "declined" in shown
    assert orders_of(mug) == 0
    again = client.post(back.replace("return", "again"))
    sent = client.post(again["Location"])
    back = web.pay(sent["Location"], web.GOOD)
    assert back is not None
    assert "Thank you" in client.get(back, follow=True).content.decode()
    assert orders_of(mug) == 1


def test_order_button_pressed_twice_is_one_payment() -> None:
    mug = world.product(stock=5)
    client = with_cart((mug, 1))
    form = world.order_form(client, payment_method="card")
    first, second = client.post("/checkout/", form), client.post("/checkout/", form)
    assert first["Location"] == second["Location"]
    assert logistics.available([mug]) == {mug: 4}


def test_own_hold_never_blocks_its_shopper() -> None:
    mug = world.product(stock=2)
    client, _ = begin(mug, 2)  # tab one holds the last two
    second = web.to_provider(client, world.order_form(client, email="tab.two@example.com"))
    assert logistics.available([mug]) == {mug: 0}
    assert "in stock at the moment" not in client.get("/cart/").content.decode()
    other = with_cart((mug, 1))
    assert other.post("/checkout/", world.order_form(other)).status_code == 409
    back = web.pay(second, web.GOOD)
    assert back is not None
    assert client.get(back).status_code == 302
    accepted = SalesOrder.objects.filter(lines__product_id=mug, custody="handed_over")
    assert [order.email for order in accepted] == ["tab.two@example.com"]


def declined(product: int) -> tuple[Client, str]:
    """A shopper whose card was declined, and where the button "try again" leads."""
    client, page = begin(product)
    back = web.pay(page, web.DECLINED)
    assert back is not None
    client.get(back)
    return client, back.replace("return", "again")


def says_changed(client: Client, again: str) -> str:
    answer = client.post(again)
    assert answer["Location"] == "/cart/"
    return client.get("/cart/").content.decode()


def test_trying_again_does_not_order_at_the_old_price() -> None:
    mug = world.product("1000", stock=5)
    client, again = declined(mug)
    reprice(mug, "1100")
    assert "by a new price" in says_changed(client, again)
    assert (PaymentAttempt.objects.filter(cart=attempt_of(mug).cart_id).count(), orders_of(mug)) == (1, 0)


def test_trying_again_does_not_order_what_is_no_longer_sold() -> None:
    mug = world.product(stock=5)
    client, again = declined(mug)
    change(mug, is_sellable=False)
    says_changed(client, again)
    assert attempt_of(mug).state == "failed"


def test_trying_again_is_for_the_same_day_and_delivery() -> None:
    mug = world.product(stock=5)
    client, again = declined(mug)
    world.delivery(product_id=world.product("990"))
    says_changed(client, again)
    world.delivery(product_id=None)
    yesterday = attempt_of(mug)
    yesterday.basket["ordered_on"] = "2020-01-01"
    PaymentAttempt.objects.filter(pk=yesterday.pk).update(basket=yesterday.basket)
    says_changed(client, again)
    assert attempt_of(mug).pk == yesterday.pk


def test_payment_that_another_tab_replaced_leads_to_where_it_stands() -> None:
    mug = world.product(stock=3)
    client = with_cart((mug, 1))
    pressed = client.post("/checkout/", world.order_form(client, payment_method="card"))
    stale = attempt_of(mug)
    PaymentAttempt.objects.filter(pk=stale.pk).update(hold_until="2020-01-01T00:00:00Z")
    assert client.post("/checkout/", world.order_form(client)).status_code == 302
    with pytest.raises(PaymentOver):
        go_to_provider(stale)  # it was read before the other tab ordered
    paying.hold(stale)
    assert logistics.available([mug]) == {mug: 2}  # the order's piece alone
    shown = client.post(pressed["Location"])
    assert (shown.status_code, "called off" in shown.content.decode()) == (200, True)


def test_guest_who_logs_in_while_paying_gets_the_order(bank: CardStandIn) -> None:
    mug, jug = world.product(stock=5), world.product(stock=5)
    world.account("pays@example.com")
    with_cart((jug, 1), client=world.logged_in("pays@example.com"))
    client, page = begin(mug)
    client.post("/account/login/", {"email": "pays@example.com", "password": "anna-secret-1"})
    back = web.pay(page, web.GOOD)
    assert back is not None
    assert "Thank you" in client.get(back, follow=True).content.decode()
    assert (orders_of(mug), at_bank(bank, mug)[0]) == (1, "authorised")
    assert [line["product_id"] for line in client.get("/cart/").context["lines"]] == [jug]


def test_shopper_who_goes_on_with_a_transfer_is_not_charged(bank: CardStandIn) -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2)
    assert client.post("/checkout/", world.order_form(client)).status_code == 302
    web.pay(page, web.GOOD)  # the other tab pays after all
    eventually(lambda: attempt_of(mug).provider_state != "")
    do_relay()
    assert (attempt_of(mug).state, attempt_of(mug).reason) == ("failed", "superseded")
    assert at_bank(bank, mug)[0] == "voided"
    assert orders_of(mug) == 1


def test_quantity_raised_while_paying_is_not_ordered_and_stays_in_the_cart() -> None:
    mug, jug = world.product("1000", stock=9), world.product(stock=9)
    client, page = begin(mug, 1)
    with_cart((mug, 4), (jug, 1), client=client)  # another tab
    back = web.pay(page, web.GOOD)
    assert back is not None
    client.get(back)
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert (order.lines.get().quantity, order.gross_total, attempt_of(mug).amount) == (1, 1270, 1270)
    left = {line["product_id"]: line["quantity"] for line in client.get("/cart/").context["lines"]}
    assert left == {mug: 4, jug: 1}


def expire_holds_of(product: int) -> None:
    Reservation.objects.filter(product_id=product, state="held").update(expires_at="2020-01-01T00:00:00Z")


def test_hold_that_expired_while_paying_is_made_again() -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2)
    expire_holds_of(mug)
    logistics.expire_holds()
    back = web.pay(page, web.GOOD)
    assert back is not None
    assert "Thank you" in client.get(back, follow=True).content.decode()
    assert logistics.available([mug]) == {mug: 0}


def test_paid_order_that_cannot_be_fulfilled_is_refused_and_released(bank: CardStandIn) -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2, email="paid.late@example.com")
    expire_holds_of(mug)
    other = with_cart((mug, 1))
    assert other.post("/checkout/", world.order_form(other)).status_code == 302
    back = web.pay(page, web.GOOD)
    assert back is not None
    shown = client.get(back).content.decode()
    assert "ran out before the payment was confirmed" in shown
    do_relay()
    assert (at_bank(bank, mug)[0], attempt_of(mug).state) == ("voided", "failed")
    assert "Only 1 left" in client.get("/cart/").content.decode()
    (letter,) = [m for m in mail.outbox if m.to == ["paid.late@example.com"]]  # the shopper may have closed the page
    assert "nothing is charged" in letter.subject
    assert "ran out before your payment was confirmed" in str(letter.body)
    assert logistics.available([mug]) == {mug: 1}


def test_payment_nobody_made_is_called_off(bank: CardStandIn) -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2)
    PaymentAttempt.objects.filter(pk=attempt_of(mug).pk).update(hold_until="2020-01-01T00:00:00Z")
    do_relay()
    assert (at_bank(bank, mug)[0], attempt_of(mug).reason) == ("voided", "expired")
    with pytest.raises(AssertionError, match="no longer be paid"):
        web.pay(page, web.GOOD)
    assert client.get("/cart/").context["lines"] != []


def shipped(product: int, lines: list[dict[str, int]] | None = None, key: str = "ship") -> SalesOrder:
    order = SalesOrder.objects.get(lines__product_id=product)
    logistics.ship(order.pk, lines, actor=world.SHOPPER, key=f"{key} {order.pk}", on_date=timezone.localdate())
    return order


def test_capture_follows_the_goods_issue_and_finance_knows_it(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    client, page = begin(mug, 2)
    back = web.pay(page, web.LOSES_CAPTURE)
    assert back is not None
    client.get(back)
    order = shipped(mug)
    do_relay()  # the provider captures, its answer is lost
    assert at_bank(bank, mug) == ("authorised", 2540, 0)
    assert not Payment.objects.filter(customer_id=order.customer_id, method="card").exists()
    assert drain("storefront") == 0  # asked again under the same key: nothing is charged twice
    assert at_bank(bank, mug) == ("authorised", 2540, 0)
    payment = Payment.objects.get(customer_id=order.customer_id, method="card")
    assert (payment.amount, payment.reference) == (2540, str(attempt_of(mug).ref))
    assert InvoiceCopy.objects.get(order_id=order.pk).payment_state == "paid"
    do_relay()
    assert Payment.objects.filter(method="card", reference=payment.reference).count() == 1
    assert finance.books_difference() == 0


def test_each_shipment_captures_its_invoice_and_the_rest_is_released(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    client, page = begin(mug, 3)
    back = web.pay(page, web.GOOD)
    assert back is not None
    client.get(back)
    order = shipped(mug, [{"line_no": 1, "quantity": 1}])
    do_relay()
    assert at_bank(bank, mug) == ("authorised", 1270, 0)
    logistics.cancel_rest(order.pk, actor=world.SHOPPER)
    do_relay()
    do_relay()
    assert at_bank(bank, mug) == ("voided", 1270, 0)
    assert attempt_of(mug).is_settled


def test_cancelled_order_releases_the_money(bank: CardStandIn) -> None:
    mug = world.product(stock=5)
    client, page = begin(mug)
    back = web.pay(page, web.GOOD)
    assert back is not None
    number = SalesOrder.objects.get(number=client.get(back)["Location"].split("/")[2]).number
    assert client.post(f"/orders/{number}/cancel/").status_code == 302
    do_relay()
    do_relay()
    shown = client.get(f"/orders/{number}/").content.decode()
    assert "Released, nothing charged" in shown
    assert "Card authorised" not in shown
    assert at_bank(bank, mug) == ("voided", 0, 0)


def test_returned_goods_are_refunded_once(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    client, page = begin(mug, 2)
    back = web.pay(page, web.GOOD)
    assert back is not None
    client.get(back)
    order = shipped(mug)
    do_relay()
    take_back(order, mug, 1)
    do_relay()
    do_relay()
    assert at_bank(bank, mug) == ("authorised", 2540, 1270)
    paid = [p.amount for p in Payment.objects.filter(reference=str(attempt_of(mug).ref)).order_by("id")]
    assert paid == [2540, -1270]
    assert finance.books_difference() == 0


def take_back(order: SalesOrder, product: int, quantity: int) -> None:
    lines = [{"line_no": 1, "quantity": quantity, "disposition": "restock"}]
    logistics.receive_return(order.pk, lines, actor=world.SHOPPER, key=f"r{product}", on_date=timezone.localdate())
    run_relay("logistics")


@pytest.mark.parametrize("returned", [1, 2])
def test_goods_returned_while_their_capture_is_under_way_are_paid_back(bank: CardStandIn, returned: int) -> None:
    mug = world.product("1000", stock=5)
    client, page = begin(mug, 2)
    back = web.pay(page, web.LOSES_CAPTURE)
    assert back is not None
    client.get(back)
    order = shipped(mug)
    before = Payment.objects.count()
    do_relay()  # captured, but the answer is lost
    take_back(order, mug, returned)
    settle_payments()
    assert drain("storefront") == 0
    do_relay()
    assert drain("storefront") == 0
    assert at_bank(bank, mug) == ("authorised", 2540, 1270 * returned)
    payments = Payment.objects.order_by("id")[before:]
    assert sorted(p.amount for p in payments) == [-1270 * returned, 2540]
    assert sum(p.amount - p.allocated for p in payments) == 0
    assert finance.books_difference() == 0


def test_refund_waits_for_the_capture_of_its_money(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    client, page = begin(mug, 2)
    back = web.pay(page, web.GOOD)
    assert back is not None
    client.get(back)
    order = shipped(mug)
    settle_payments()
    invoice = InvoiceCopy.objects.get(order_id=order.pk)
    finance.record_payment(  # paid by transfer as well: the credit note will not be netted
        {"amount": Decimal(2540), "invoice_id": invoice.pk}, actor=world.SHOPPER, idempotency_key=f"t{mug}"
    )
    take_back(order, mug, 1)
    credit = InvoiceCopy.objects.get(order_id=order.pk, gross_total__lt=0)
    booking = PaymentBooking.objects.create(
        attempt=attempt_of(mug), invoice_id=credit.pk, kind=PaymentBooking.Kind.REFUND
    )
    with pytest.raises(CaptureUnderWay):
        book({"invoice_id": credit.pk, "kind": "refund"}, str(credit.pk))
    booking.refresh_from_db()
    assert booking.amount is None


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
    client, page = begin(mug)
    back = web.pay(page, web.NEVER)
    assert back is not None
    client.get(back)
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
