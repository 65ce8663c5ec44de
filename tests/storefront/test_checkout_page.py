"""The checkout in the browser: one order whatever is pressed, and what was confirmed is what is ordered."""

from __future__ import annotations

import threading

import pytest
from django.core import mail
from django.db import connections
from django.test import Client

from admin_app.models import Customer
from erp.relay import run_relay
from logistics import api as logistics
from storefront.models import Cart, SalesOrder
from tests.concurrency import proofs
from tests.databases import ErpDatabase
from tests.storefront import world
from tests.storefront.world import order_of, orders_of, reprice, with_cart


@pytest.fixture(autouse=True)
def _shop(module_erp: ErpDatabase) -> None:
    world.set_up_books()
    world.delivery()


def test_guest_orders_and_sees_the_order() -> None:
    mug = world.product("1000", stock=5)
    client = with_cart((mug, 2))
    response = client.post("/checkout/", world.order_form(client, email="new.guest@example.com"), follow=True)
    assert response.status_code == 200
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert response.context["order"]["number"] == order.number
    assert "Thank you for your order" in response.content.decode()
    assert (order.gross_total, order.price_mode, order.custody) == (2540, "gross", "handed_over")
    assert Customer.objects.get(pk=order.customer_id).email == "new.guest@example.com"
    assert client.get("/cart/").context["lines"] == []
    assert Client().get(f"/orders/{order.number}/").status_code == 404


def test_accepted_order_is_confirmed_by_mail() -> None:
    mug = world.product(stock=5)
    client = with_cart((mug, 1))
    client.post("/checkout/", world.order_form(client, email="mail@example.com"))
    run_relay("storefront")
    number = SalesOrder.objects.get(lines__product_id=mug).number
    sent = [m for m in mail.outbox if m.to == ["mail@example.com"]]
    assert len(sent) == 1
    assert number in sent[0].subject
    assert "1,270" in sent[0].body


def test_button_pressed_twice_makes_one_order() -> None:
    proof = proofs.pressed_twice()
    assert proof.found == proof.expected


@pytest.mark.parametrize("same_key", [True, False])
def test_button_pressed_five_times_at_once_makes_one_order(same_key: bool) -> None:
    mug = world.product(stock=9)
    client = with_cart((mug, 2))
    form = world.order_form(client)
    answers: list[tuple[int, str]] = []

    def press(number: int) -> None:
        browser = Client()
        browser.cookies = client.cookies
        key = form["idempotency_key"] if same_key else f"{form['idempotency_key']}:{number}"
        response = browser.post("/checkout/", {**form, "idempotency_key": key})
        answers.append((response.status_code, response["Location"]))
        connections.close_all()

    threads = [threading.Thread(target=press, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1, answers
    assert orders_of(mug) == 1
    assert logistics.available([mug]) == {mug: 7}


def test_quantity_raised_in_another_tab_is_not_ordered_unseen() -> None:
    mug = world.product(stock=9)
    client = with_cart((mug, 1))
    form = world.order_form(client)
    with_cart((mug, 5), client=client)
    response = client.post("/checkout/", form)
    assert response.status_code == 409
    assert "has changed" in response.content.decode()
    assert orders_of(mug) == 0
    again = client.post("/checkout/", world.order_form(client))
    assert again.status_code == 302
    assert SalesOrder.objects.get(lines__product_id=mug).lines.get().quantity == 6


def test_price_changed_after_the_page_was_shown_is_said_first() -> None:
    mug = world.product("1000", stock=9)
    client = with_cart((mug, 1))
    form = world.order_form(client)
    reprice(mug, "2000")
    response = client.post("/checkout/", form)
    assert response.status_code == 409
    assert "1,270\u00a0Ft to 2,540\u00a0Ft" in response.content.decode()
    assert orders_of(mug) == 0
    client.post("/checkout/", world.order_form(client))
    assert SalesOrder.objects.get(lines__product_id=mug).gross_total == 2540


def test_refused_order_says_per_line_what_is_left() -> None:
    mug, jug = world.product(stock=2), world.product(stock=9)
    client = with_cart((jug, 1), (mug, 3))
    response = client.post("/checkout/", world.order_form(client))
    assert response.status_code == 409
    messages = {line["product_id"]: line["message"] for line in response.context["lines"]}
    assert messages == {jug: "", mug: "Only 2 left. Please change the quantity."}
    assert "Only 2 left" in response.content.decode()
    cart = client.get("/cart/")
    assert not cart.context["can_checkout"]
    form = {f"quantity-{mug}": "2", f"quantity-{jug}": "1", "cart_version": cart.context["cart_version"]}
    client.post("/cart/update/", form)
    assert client.post("/checkout/", world.order_form(client)).status_code == 302
    assert logistics.available([mug, jug]) == {mug: 0, jug: 8}


def test_delivery_is_a_line_with_its_own_vat() -> None:
    post = world.product("1000", product_class="shipping", is_stocked=False)
    world.delivery("POST", product_id=post, free_from=5000)
    mug = world.product("1000", stock=9)
    client = with_cart((mug, 1))
    form = world.order_form(client, shipping_method="POST", total="2540")
    assert client.post("/checkout/", form).status_code == 302
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert [(x.product_class, x.gross) for x in order.lines.all()] == [("goods", 1270), ("shipping", 1270)]
    with_cart((mug, 4), client=client)
    form = world.order_form(client, shipping_method="POST", total="5080")
    assert client.post("/checkout/", form).status_code == 302
    assert SalesOrder.objects.order_by("-pk").first().lines.count() == 1  # type: ignore[union-attr]


def test_total_that_was_not_shown_is_not_ordered() -> None:
    post = world.product("500", product_class="shipping", is_stocked=False)
    world.delivery("PAID", product_id=post)
    mug = world.product("1000", stock=9)
    client = with_cart((mug, 1))
    form = world.order_form(client, shipping_method="PAID", total="1270")
    response = client.post("/checkout/", form)
    assert response.status_code == 409
    assert response.context["totals"]["gross"] == 1905
    assert orders_of(mug) == 0
    assert client.post("/checkout/", {**form, "total": "1905"}).status_code == 302


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("ship_name", ""), ("shipping_method", "TELEPORT"), ("accept_terms", ""), ("bill_same", "")],
)
def test_incomplete_form_is_shown_again_with_what_was_typed(field: str, value: str) -> None:
    mug = world.product(stock=9)
    client = with_cart((mug, 1))
    form = {k: v for k, v in world.order_form(client).items() if not (k == field and not value)}
    response = client.post("/checkout/", {**form, **({field: value} if value else {})})
    assert response.status_code == 422
    assert "Please look at this again" in response.content.decode()
    assert "Fő utca 2." in response.content.decode()
    assert orders_of(mug) == 0


def test_customer_orders_with_the_address_of_the_account() -> None:
    anna = world.account("anna.orders@example.com", postcode="7621", city="Pécs", street="Király u. 5.")
    mug = world.product(stock=9)
    client = with_cart((mug, 1), client=world.logged_in("anna.orders@example.com"))
    assert client.get("/checkout/").context["form"]["ship_city"].value() == "Pécs"
    assert client.post("/checkout/", world.order_form(client)).status_code == 302
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert order.customer_id == anna.pk
    assert order.number in client.get("/orders/").content.decode()


def test_guest_with_a_known_address_changes_nothing_of_that_customer() -> None:
    known = world.customer("Known", email="known@example.com", city="Győr")
    mug = world.product(stock=9)
    client = with_cart((mug, 1))
    client.post("/checkout/", world.order_form(client, email="Known@example.com"))
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert (order.customer_id, order.ship_to["city"]) == (known.pk, "Szeged")
    assert Customer.objects.get(pk=known.pk).city == "Győr"


def test_order_is_left_to_the_relay_when_logistics_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from erp.errors import OwnerBusy
    from storefront.services import handover

    def busy(offer: object) -> None:
        raise OwnerBusy

    mug = world.product(stock=9)
    client = with_cart((mug, 1))
    form = world.order_form(client)
    with monkeypatch.context() as patched:
        patched.setattr(logistics, "accept_order", busy)
        response = client.post("/checkout/", form, follow=True)
    assert "Being confirmed" in response.content.decode()
    assert Cart.objects.get(order_id=SalesOrder.objects.get(lines__product_id=mug).pk).state == "placing"
    assert handover.finish_hand_overs(grace_s=0)["done"] == 1
    assert SalesOrder.objects.get(lines__product_id=mug).custody == "handed_over"


def test_second_customer_gets_only_what_is_left() -> None:
    mug = world.product(stock=4)
    first, second = with_cart((mug, 3)), with_cart((mug, 3))
    form_one, form_two = world.order_form(first), world.order_form(second)
    assert first.post("/checkout/", form_one).status_code == 302
    response = second.post("/checkout/", form_two)
    message = response.context["lines"][0]["message"]
    assert (response.status_code, message) == (409, "Only 1 left. Please change the quantity.")


def test_old_page_of_an_ordered_cart_orders_nothing_new() -> None:
    mug, jug = world.product(stock=9), world.product(stock=9)
    client = with_cart((mug, 1))
    form = world.order_form(client)
    assert client.post("/checkout/", form).status_code == 302
    with_cart((jug, 1), client=client)  # the next cart
    again = client.post("/checkout/", form)
    assert (again.status_code, again["Location"]) == (302, f"/orders/{order_of(mug).number}/")
    mixed = world.order_form(client, idempotency_key=form["idempotency_key"] + "x")
    assert client.post("/checkout/", mixed).status_code == 409
    assert (orders_of(mug), orders_of(jug)) == (1, 0)
