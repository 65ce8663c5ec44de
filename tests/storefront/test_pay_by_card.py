"""Paying by card, over HTTP with the stand-in: whatever the provider does, one order of what was confirmed."""

from __future__ import annotations

import pytest
from django.test import Client

from logistics import api as logistics
from logistics.models import Reservation
from storefront.cardstandin.server import CardStandIn
from storefront.models import PaymentAttempt, PaymentCallback, SalesOrder
from storefront.services.cards import paying
from storefront.services.cards.paying import PaymentOver, go_to_provider
from tests.concurrency import proofs
from tests.storefront import web, world
from tests.storefront.cards import at_bank, attempt_of, begin, do_relay, eventually, expire_holds_of, pay
from tests.storefront.world import orders_of, with_cart

pytestmark = pytest.mark.usefixtures("bank")


def test_paid_order_is_placed_and_its_hold_becomes_the_allocation(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    client, page = begin(mug, 2)
    assert logistics.available([mug]) == {mug: 3}
    assert orders_of(mug) == 0
    back = pay(page)
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
    back = pay(page, card)
    assert client.get(back)["Location"] == f"/orders/{SalesOrder.objects.get(lines__product_id=mug).number}/"
    bank.caller.send_of(str(attempt_of(mug).ref))  # what is late comes after all
    expected = 0 if card == web.NEVER else 1
    eventually(lambda: PaymentCallback.objects.filter(ref=attempt_of(mug).ref).count() == expected)
    assert orders_of(mug) == 1
    assert logistics.available([mug]) == {mug: 3}


def test_callback_alone_completes_the_order_when_the_browser_never_returns() -> None:
    proof = proofs.browser_never_returns()
    assert proof.found == proof.expected


def test_lost_answer_and_lost_callback_are_found_by_asking() -> None:
    mug = world.product(stock=5)
    _, page = begin(mug)
    assert web.pay(page, web.HANGS_UP) is None
    assert orders_of(mug) == 0
    do_relay()
    assert (orders_of(mug), attempt_of(mug).state) == (1, "placed")
    do_relay()
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
    back = pay(second)
    assert client.get(back).status_code == 302
    accepted = SalesOrder.objects.filter(lines__product_id=mug, custody="handed_over")
    assert [order.email for order in accepted] == ["tab.two@example.com"]


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
    back = pay(page)
    assert "Thank you" in client.get(back, follow=True).content.decode()
    assert (orders_of(mug), at_bank(bank, mug)[0]) == (1, "authorised")
    assert [line["product_id"] for line in client.get("/cart/").context["lines"]] == [jug]


def test_quantity_raised_while_paying_is_not_ordered_and_stays_in_the_cart() -> None:
    mug, jug = world.product("1000", stock=9), world.product(stock=9)
    client, page = begin(mug, 1)
    with_cart((mug, 4), (jug, 1), client=client)  # another tab
    back = pay(page)
    client.get(back)
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert (order.lines.get().quantity, order.gross_total, attempt_of(mug).amount) == (1, 1270, 1270)
    left = {line["product_id"]: line["quantity"] for line in client.get("/cart/").context["lines"]}
    assert left == {mug: 4, jug: 1}


def test_hold_that_expired_while_paying_is_made_again() -> None:
    mug = world.product(stock=2)
    client, page = begin(mug, 2)
    expire_holds_of(mug)
    logistics.expire_holds()
    back = pay(page)
    assert "Thank you" in client.get(back, follow=True).content.decode()
    assert logistics.available([mug]) == {mug: 0}
