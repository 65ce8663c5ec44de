"""A card payment that leads to no order: nothing is charged, the shopper is told, and can go on."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from admin_app.services.erasure import erase_customer
from erp.relay import run_relay
from logistics import api as logistics
from storefront.cardstandin.server import CardStandIn
from storefront.models import CustomerCopy, PaymentAttempt
from storefront.services.cards.completing import look_after_payments
from storefront.services.erasing import forget_erased
from tests.storefront import web, world
from tests.storefront.cards import at_bank, attempt_of, begin, declined, do_relay, eventually, expire_holds_of, pay
from tests.storefront.world import change, orders_of, reprice, with_cart

pytestmark = pytest.mark.usefixtures("bank")


def test_declined_card_charges_nothing_and_another_one_pays() -> None:
    mug = world.product(stock=5)
    client, page = begin(mug)
    back = pay(page, web.DECLINED)
    shown = client.get(back).content.decode()
    assert "declined" in shown
    assert orders_of(mug) == 0
    again = client.post(back.replace("return", "again"))
    sent = client.post(again["Location"])
    back = pay(sent["Location"])
    assert "Thank you" in client.get(back, follow=True).content.decode()
    assert orders_of(mug) == 1


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


def test_paid_order_that_cannot_be_fulfilled_is_refused_and_released(bank: CardStandIn) -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2, email="paid.late@example.com")
    expire_holds_of(mug)
    other = with_cart((mug, 1))
    assert other.post("/checkout/", world.order_form(other)).status_code == 302
    back = pay(page)
    shown = client.get(back).content.decode()
    assert "ran out before the payment was confirmed" in shown
    do_relay()
    assert (at_bank(bank, mug)[0], attempt_of(mug).state) == ("voided", "failed")
    assert "Only 1 left" in client.get("/cart/").content.decode()
    assert "ran out before your payment was confirmed" in letter_to("paid.late@example.com")
    assert logistics.available([mug]) == {mug: 1}


def letter_to(address: str) -> str:
    """The one e-mail of a payment that led to no order: the shopper may have closed the page."""
    (found,) = [m for m in mail.outbox if m.to == [address]]
    assert "nothing is charged" in found.subject
    assert "nothing is charged" in str(found.body).lower()
    assert isinstance(found, mail.EmailMultiAlternatives)
    assert "released. How soon" in str(found.alternatives[0][0])
    return str(found.body)


def test_payment_that_came_too_late_is_released_and_said_by_letter(bank: CardStandIn) -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2, email="too.late@example.com")
    PaymentAttempt.objects.filter(pk=attempt_of(mug).pk).update(
        hold_until="2020-01-01T00:00:00Z", look_at=timezone.now()
    )
    look_after_payments()
    assert attempt_of(mug).reason == "expired"
    pay(page)  # the provider has not been told yet
    eventually(lambda: attempt_of(mug).provider_state == "authorised")
    run_relay("storefront")
    assert "your payment came after its time was over" in letter_to("too.late@example.com")
    assert (at_bank(bank, mug)[0], orders_of(mug)) == ("voided", 0)
    assert [line["product_id"] for line in client.get("/cart/").context["lines"]] == [mug]


def test_paid_order_of_a_customer_who_was_blocked_is_released_and_said_by_letter(bank: CardStandIn) -> None:
    mug = world.product(stock=2)
    blocked = world.customer("Blocked", email="blocked@example.com")
    client, page = begin(mug, 2, email="blocked@example.com")
    world.change_customer(blocked.pk, is_blocked=True)
    client.get(pay(page))
    run_relay("storefront")
    assert attempt_of(mug).reason == "refused"
    assert "we could not complete your order" in letter_to("blocked@example.com")
    assert (at_bank(bank, mug)[0], orders_of(mug)) == ("voided", 0)


def test_shopper_who_paid_nothing_gets_no_letter() -> None:
    mug = world.product(stock=2)
    begin(mug, email="paid.nothing@example.com")
    PaymentAttempt.objects.filter(pk=attempt_of(mug).pk).update(hold_until="2020-01-01T00:00:00Z")
    do_relay()
    assert attempt_of(mug).reason == "expired"
    assert [m for m in mail.outbox if m.to == ["paid.nothing@example.com"]] == []


def test_cart_leads_back_to_a_payment_that_is_under_way() -> None:
    mug = world.product("1000", stock=5)
    client, _ = begin(mug)
    step = f"/checkout/pay/{attempt_of(mug).ref}/"
    shown = client.get("/cart/").content.decode()
    assert step in shown
    assert "You have begun to pay 1,270\u00a0Ft by card" in shown
    assert "is not in it" not in shown
    with_cart((mug, 1), client=client)
    assert "is not in it" in client.get("/cart/").content.decode()
    assert client.post("/checkout/", world.order_form(client)).status_code == 302  # by transfer after all
    assert step not in client.get("/cart/").content.decode()


def test_payments_of_an_erased_customer_keep_goods_and_amounts_alone() -> None:
    mug = world.product("1000", stock=5)
    begin(mug, email="to.erase@example.com", note="Ring at Anna's")
    customer = CustomerCopy.objects.get(email="to.erase@example.com")
    erase_customer(customer.pk, actor=world.SHOPPER)
    forget_erased()
    assert attempt_of(mug).basket["email"] != ""  # it may still be ordered
    PaymentAttempt.objects.filter(pk=attempt_of(mug).pk).update(state="failed", reason="expired")
    assert forget_erased()["payments"] == 1
    kept = attempt_of(mug).basket
    assert [kept[name] for name in ("email", "customer_name", "ship_to", "bill_to", "note")] == ["", "", {}, {}, ""]
    assert (kept["gross_total"], kept["lines"][0]["sku"] != "") == ("1270", True)
    assert forget_erased()["payments"] == 0


def test_payment_nobody_made_is_called_off(bank: CardStandIn) -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2)
    PaymentAttempt.objects.filter(pk=attempt_of(mug).pk).update(hold_until="2020-01-01T00:00:00Z")
    do_relay()
    assert (at_bank(bank, mug)[0], attempt_of(mug).reason) == ("voided", "expired")
    with pytest.raises(AssertionError, match="no longer be paid"):
        web.pay(page, web.GOOD)
    assert client.get("/cart/").context["lines"] != []
