"""Pages of the shop: what they show, to whom, and that they need no JavaScript."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from erp.models import User
from erp.relay import run_relay
from finance import api as finance
from finance.services.goods_issues import issue_collective, set_collective
from logistics import api as logistics
from logistics.services.collective import collect_invoice_numbers
from storefront.models import CustomerCopy, InvoiceCopy, SalesOrder, ShopAccount
from storefront.services import accounts, order_invoices, payments
from storefront.services.payments import tell_payments
from storefront.services.word_index import index_words
from tests.databases import ErpDatabase
from tests.storefront import world


@pytest.fixture(autouse=True)
def _shop(module_erp: ErpDatabase) -> None:
    world.set_up_books()
    world.delivery()


def text_of(client: Client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status, (url, response.status_code)
    return response.content.decode()


def shipped_order(email: str, pieces: int = 3, left: int = 2, **fields: Any) -> SalesOrder:
    """An order of 3 pieces of which 2 have left; invoiced."""
    world.delivery()
    mug = world.product("1000", stock=9)
    run_relay("logistics")
    owner = CustomerCopy.objects.get(email=email)
    placed = world.place((mug, pieces), customer_id=owner.pk, price_mode="gross", **fields)
    logistics.ship(placed["order_id"], [{"line_no": 1, "quantity": left}], actor=world.SHOPPER, key=None)
    run_relay("logistics")
    world.copy_orders()
    return SalesOrder.objects.get(pk=placed["order_id"])


def test_list_shows_gross_prices_and_fresh_stock() -> None:
    mug = world.product("1000", stock=7, name="Quokka mug")
    world.copy_stock()
    page = text_of(Client(), "/?q=quokka")
    assert "1,270\u00a0Ft" in page
    assert "7 in stock" in page
    assert f"/p/quokka-mug/{mug}/" in page


def test_list_pages_follow_each_other_without_gap_or_repeat() -> None:
    for n in range(30):
        world.product(str(100 + n % 7), name=f"Paged {n:02d}", category="Paged/Things")
    for sort in ("name", "price", "-price", "newest"):
        url, seen = f"/?category=Paged/Things&sort={sort}", []
        while url:
            response = Client().get(url)
            seen += [p["pk"] for p in response.context["products"]]
            url = response.context["next_url"]
        assert len(seen) == len(set(seen)) == 30, sort


def test_filters_narrow_the_list() -> None:
    cheap = world.product("100", name="Zebra cup", stock=3, category="Zoo")
    dear = world.product("900", name="Zebra pot", stock=0, category="Zoo/Big")
    world.copy_stock()

    def found(query: str) -> list[int]:
        return sorted(p["pk"] for p in Client().get(f"/?q=zebra&{query}").context["products"])

    assert found("") == [cheap, dear]
    assert found("price_min=200") == [dear]
    assert found("price_max=127") == [cheap]
    assert found("price_max=126") == []
    assert found("in_stock=on") == [cheap]


@pytest.mark.parametrize(
    "query", ["after=nonsense", "after=WzEsMl0", "sort=weird", "price_min=x", "category=%00", "q=%27%27%26%7C!"]
)
def test_strange_queries_do_no_harm(query: str) -> None:
    assert Client().get(f"/?{query}").status_code == 200


def test_typo_still_finds_and_suggests() -> None:
    world.product(name="Porcelain teapot Narwhal")
    index_words()
    response = Client().get("/?q=narhwal+tepot")
    assert [p["name"] for p in response.context["products"]] == ["Porcelain teapot Narwhal"]
    assert response.context["suggestion"]["text"] == "narwhal teapot"


def test_search_ignores_accents() -> None:
    world.product(name="Őzgerinc forma")
    assert [p["name"] for p in Client().get("/?q=ozgerinc").context["products"]] == ["Őzgerinc forma"]


def test_product_page_has_both_prices_and_one_address() -> None:
    mug = world.product("1000", name="Two prices", stock=4, attributes={"Volume": "3 dl"})
    world.copy_stock()
    page = text_of(Client(), f"/p/two-prices/{mug}/")
    assert "1,270\u00a0Ft" in page
    assert "net 1,000\u00a0Ft" in page
    assert "3 dl" in page
    assert Client().get(f"/p/old-name/{mug}/")["Location"] == f"/p/two-prices/{mug}/"


def test_service_is_available_without_counting() -> None:
    wrap = world.product(product_class="service", is_stocked=False, name="Wrapping")
    response = Client().get(f"/p/wrapping/{wrap}/")
    assert response.context["stock"].always
    assert "Out of stock" not in response.content.decode()


def test_stock_fragment_is_never_cached() -> None:
    mug = world.product(stock=4)
    world.copy_stock()
    response = Client().get(f"/stock/{mug}/", headers={"HX-Request": "true"})
    assert response["Cache-Control"] == "no-store"
    assert "4 in stock" in response.content.decode()


def test_missing_pages_look_like_the_shop() -> None:
    for url in ("/p/gone/999999999/", "/nowhere/", "/orders/SO-999999/", "/invoices/INV-1/"):
        assert "We cannot find this page" in text_of(Client(), url, 404)


def test_registration_makes_a_customer_everywhere_and_logs_in() -> None:
    client = Client()
    data = {"name": "New Person", "email": "New.Person@example.com", "password": "long-enough-1"}
    response = client.post("/account/register/", data, follow=True)
    assert "Your account is ready" in response.content.decode()
    made = CustomerCopy.objects.get(email="new.person@example.com")
    assert ShopAccount.objects.get(email="new.person@example.com").customer_id == made.pk
    assert made.name in text_of(client, "/account/")
    again = Client().post("/account/register/", data)
    assert (again.status_code, "account with this e-mail" in again.content.decode()) == (422, True)


def test_address_with_a_history_is_confirmed_by_mail_first() -> None:
    known = world.customer("Has ordered before", email="history@example.com")
    client = Client()
    data = {"name": "Anybody", "email": "history@example.com", "password": "long-enough-1"}
    assert "Please check your mail" in client.post("/account/register/", data).content.decode()
    log_in = {"email": "history@example.com", "password": "long-enough-1"}
    assert client.post("/account/login/", log_in).status_code == 422
    user = User.objects.get(username="history@example.com")
    assert client.get(f"/account/confirm/{accounts.confirmation_token(user.pk)}x/").status_code == 410
    assert client.get(f"/account/confirm/{accounts.confirmation_token(user.pk)}/").status_code == 200
    assert client.post("/account/login/", log_in).status_code == 302
    assert ShopAccount.objects.get(user_id=user.pk).customer_id == known.pk


def test_reader_that_does_not_confirm_gives_503_and_no_account(module_erp: ErpDatabase) -> None:
    data = {"name": "Unlucky", "email": "unlucky@example.com", "password": "long-enough-1"}
    with module_erp.connect("postgres") as other, other.transaction():
        other.execute("lock table finance.customer_copy in access exclusive mode")
        response = Client().post("/account/register/", data)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "Nothing has been changed" in response.content.decode()
    assert not User.objects.filter(username="unlucky@example.com").exists()
    assert not CustomerCopy.objects.filter(email="unlucky@example.com").exists()
    assert Client().post("/account/register/", data).status_code == 302


def test_cart_is_merged_at_log_in_and_waits_after_log_out() -> None:
    world.account("merge@example.com")
    mug = world.product()
    client = Client()
    client.post(f"/cart/add/{mug}/", {"quantity": 2})
    client.post("/account/login/", {"email": "merge@example.com", "password": "anna-secret-1"})
    assert [line["quantity"] for line in client.get("/cart/").context["lines"]] == [2]
    client.post("/account/logout/")
    assert client.get("/cart/").context["lines"] == []
    client.post("/account/login/", {"email": "merge@example.com", "password": "anna-secret-1"})
    assert [line["quantity"] for line in client.get("/cart/").context["lines"]] == [2]


def test_log_in_goes_on_only_within_the_site() -> None:
    world.account("next@example.com")
    said = {"email": "next@example.com", "password": "anna-secret-1"}
    assert Client().post("/account/login/", {**said, "next": "/orders/"})["Location"] == "/orders/"
    assert Client().post("/account/login/", {**said, "next": "https://evil.example/"})["Location"] == "/account/"


def test_order_page_shows_the_four_axes_from_logistics() -> None:
    world.account("axes@example.com")
    order = shipped_order("axes@example.com")
    client = world.logged_in("axes@example.com")
    response = client.get(f"/orders/{order.number}/")
    state = response.context["order"]
    assert (state["lifecycle"], state["fulfilment"], state["invoicing"]) == ("open", "partly_shipped", "partly")
    assert response.context["lines"][0]["issued"] == 2
    assert response.context["status_as_of"].age_s < 15
    assert "SH-" in response.content.decode()
    assert order.number in text_of(client, "/orders/")


def test_payment_is_on_the_page_as_soon_as_it_is_recorded() -> None:
    world.account("pays@example.com")
    order = shipped_order("pays@example.com")
    logistics.ship(order.pk, None, actor=world.SHOPPER, key=None)
    run_relay("logistics")
    for invoice in InvoiceCopy.objects.filter(order_id=order.pk):
        data = {"invoice_id": invoice.pk, "amount": invoice.gross_total}
        finance.record_payment(data, actor=world.SHOPPER, idempotency_key=None)
    world.copy_orders()
    client = world.logged_in("pays@example.com")
    assert client.get(f"/orders/{order.number}/").context["order"]["payment"] == "paid"
    assert tell_payments() == 1
    assert logistics.get_order(order.pk)["payment"] == "paid"
    world.copy_orders()
    assert tell_payments() == 0


def test_orders_that_stay_paid_in_part_keep_no_other_from_being_told() -> None:
    world.account("waits@example.com")
    orders = [shipped_order("waits@example.com") for _ in range(2)]
    for order in orders:
        invoice = InvoiceCopy.objects.get(order_id=order.pk)
        pay({"id": invoice.pk}, invoice.gross_total)
        assert tell_payments(limit=1) == 1
        world.copy_orders()
    assert {logistics.get_order(order.pk)["payment"] for order in orders} == {"partly_paid"}


def collective_orders(email: str, *quantities: int) -> tuple[list[SalesOrder], dict[str, Any]]:
    """Orders paid by transfer whose goods have left and are on one collective invoice; and that invoice."""
    customer, today = world.account(email), timezone.now().date()
    set_collective(customer.pk, is_collective=True)
    orders = [shipped_order(email, pieces, left=pieces, payment_method="transfer") for pieces in quantities]
    (invoice,) = issue_collective(customer.pk, today, today, actor=world.SHOPPER)
    set_collective(customer.pk, is_collective=False)
    collect_invoice_numbers()
    world.copy_orders()
    return orders, invoice


def pay(invoice: dict[str, Any], amount: object) -> None:
    finance.record_payment({"invoice_id": invoice["id"], "amount": amount}, actor=world.SHOPPER)


def test_collective_invoice_counts_for_its_orders_on_page_list_and_at_logistics_once_it_is_paid() -> None:
    orders, invoice = collective_orders("collective@example.com", 1, 3)
    client = world.logged_in("collective@example.com")
    pay(invoice, 3810)
    assert tell_payments() == 0
    assert [row["payment"] for row in client.get("/orders/").context["orders"]] == ["open", "open"]
    pay(invoice, 1270)
    for order in orders:
        response = client.get(f"/orders/{order.number}/")
        assert f"/invoices/{invoice['number']}/" in response.content.decode()
        assert response.context["order"]["payment"] == "paid"
        assert response.context["payment_instructions"] is None
        assert [i.number for i in order_invoices.invoices_of(order)] == [invoice["number"]]
    assert [row["payment"] for row in client.get("/orders/").context["orders"]] == ["paid", "paid"]
    assert tell_payments() == 2
    assert {logistics.get_order(order.pk)["payment"] for order in orders} == {"paid"}
    assert invoice["number"] in text_of(client, f"/invoices/{invoice['number']}/")


def test_documents_of_an_order_are_found_by_indexes_and_not_by_reading_history(module_erp: ErpDatabase) -> None:
    """The expression that is asked for is the one that is indexed; small tables would else be read whole."""
    with module_erp.connect("postgres") as c, c.transaction(force_rollback=True):
        c.execute("set local search_path = storefront")
        c.execute("set local enable_seqscan = off")
        c.execute("drop index shop_invoice_copy_order")
        for statement, argument, index in (
            (order_invoices._OF_ORDERS, [1], "invoice_copy_collective_orders"),
            (payments._NEWS, 500, "invoice_copy_collective_orders"),
            (payments._NEWS, 500, "sales_order_copy_unpaid"),
        ):
            plan = c.execute(f"explain {statement}", [argument]).fetchall()  # type: ignore[arg-type]
            assert index in "".join(row[0] for row in plan), index


def test_part_paid_collective_invoice_is_asked_for_under_its_own_number() -> None:
    orders, invoice = collective_orders("part@example.com", 1, 3)
    client = world.logged_in("part@example.com")
    pay(invoice, 3810)
    for order in orders:
        page = client.get(f"/orders/{order.number}/")
        (asked,) = page.context["payment_instructions"]["transfers"]
        assert (asked.reference, asked.amount) == (invoice["number"], 1270)
        assert "1,270\u00a0Ft" in page.content.decode()


def test_part_credited_order_is_asked_for_what_is_left() -> None:
    world.account("credited@example.com")
    order = shipped_order("credited@example.com", 3, left=3, payment_method="transfer")
    back = [{"line_no": 1, "quantity": 1}]
    logistics.receive_return(order.pk, back, actor=world.SHOPPER, key="part credit", reason="Broken")
    run_relay("logistics")
    world.copy_orders()
    page = world.logged_in("credited@example.com").get(f"/orders/{order.number}/")
    assert [(t.reference, t.amount) for t in page.context["payment_instructions"]["transfers"]] == [
        (order.number, 2540)
    ]


def test_guest_who_found_an_order_is_shown_no_collective_invoice() -> None:
    (order, _), invoice = collective_orders("guest-of@example.com", 1, 3)
    found = Client().post("/orders/find/", {"number": order.number, "email": "guest-of@example.com"}, follow=True)
    page = found.content.decode()
    assert order.number in page
    assert invoice["number"] not in page
    assert "please log in to see it" in page
    assert found.context["payment_instructions"] is None


def test_invoice_page_is_for_its_customer_alone() -> None:
    world.account("invoice@example.com")
    world.account("other@example.com")
    order = shipped_order("invoice@example.com")
    number = InvoiceCopy.objects.get(order_id=order.pk).number
    assert number in text_of(world.logged_in("invoice@example.com"), f"/invoices/{number}/")
    text_of(world.logged_in("other@example.com"), f"/invoices/{number}/", 404)
    text_of(world.logged_in("other@example.com"), f"/orders/{order.number}/", 404)
    text_of(Client(), f"/invoices/{number}/", 404)


def test_invoice_and_credit_note_are_fetched_as_pdf_by_their_customer_alone() -> None:
    world.account("pdf@example.com")
    world.account("nosy@example.com")
    order = shipped_order("pdf@example.com")
    back = [{"line_no": 1, "quantity": 1}]
    logistics.receive_return(order.pk, back, actor=world.SHOPPER, key="pdf return", reason="Broken")
    run_relay("logistics")
    numbers = list(InvoiceCopy.objects.filter(order_id=order.pk).order_by("id").values_list("number", "kind"))
    assert [kind for _, kind in numbers] == ["invoice", "credit_note"]
    mine, nosy = world.logged_in("pdf@example.com"), world.logged_in("nosy@example.com")
    for number, _kind in numbers:
        response = mine.get(f"/invoices/{number}/pdf/")
        assert (response["Content-Type"], response.content[:4]) == ("application/pdf", b"%PDF")
        assert "no-store" in response["Cache-Control"]
        for stranger in (nosy, Client()):
            assert stranger.get(f"/invoices/{number}/pdf/").status_code == 404


def test_guest_finds_an_order_by_number_and_address() -> None:
    mug = world.product(stock=3)
    owner = world.customer("Guest", email="found@example.com")
    number = world.place((mug, 1), customer_id=owner.pk)["number"]
    client = Client()
    wrong = client.post("/orders/find/", {"number": number, "email": "not@example.com"})
    unknown = client.post("/orders/find/", {"number": "SO-99999999", "email": "found@example.com"})
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert wrong.context["form"].errors == unknown.context["form"].errors
    found = client.post("/orders/find/", {"number": f" {number.lower()} ", "email": "Found@Example.com"}, follow=True)
    assert found.context["order"]["number"] == number


def test_customer_cancels_before_picking() -> None:
    world.account("cancels@example.com")
    mug = world.product(stock=3)
    owner = CustomerCopy.objects.get(email="cancels@example.com")
    number = world.place((mug, 2), customer_id=owner.pk)["number"]
    client = world.logged_in("cancels@example.com")
    assert client.get(f"/orders/{number}/").context["can_cancel"]
    client.post(f"/orders/{number}/cancel/")
    world.copy_orders()
    page = client.get(f"/orders/{number}/")
    assert page.context["order"]["lifecycle"] == "cancelled"
    assert not page.context["can_cancel"]
    assert logistics.available([mug]) == {mug: 3}


def test_customer_announces_a_return_once() -> None:
    world.account("returns@example.com")
    order = shipped_order("returns@example.com")
    client = world.logged_in("returns@example.com")
    page = client.get(f"/orders/{order.number}/")
    assert page.context["lines"][0]["returnable"] == 2
    form = {"quantity-1": "1", "reason": "Too blue", "idempotency_key": page.context["idempotency_key"]}
    for _ in range(2):
        client.post(f"/orders/{order.number}/return/", form)
    world.copy_orders()
    assert client.get(f"/orders/{order.number}/").context["lines"][0]["returnable"] == 1
    assert len(logistics.get_order(order.pk)["returns"]) == 1


def test_hungarian_texts_and_formats() -> None:
    world.product("1000", name="Magyar bögre")
    page = Client(headers={"Accept-Language": "hu"}).get("/?q=magyar").content.decode()
    assert '<html lang="hu">' in page
    assert "1\u00a0270\u00a0Ft" in page


def test_list_page_needs_few_queries() -> None:
    for _ in range(20):
        world.product(name="Counted thing", category="Counted")
    world.copy_stock()
    client = Client()
    client.get("/?category=Counted")
    with _Count() as count:
        client.get("/?category=Counted")
    assert count.queries <= 14, count.queries


class _Count:
    """Queries of Storefront's alias inside the block."""

    queries = 0

    def __enter__(self) -> _Count:
        self._wrapper = connections["storefront"].execute_wrapper(self._note)
        self._wrapper.__enter__()
        return self

    def _note(self, execute: object, *args: object) -> object:
        self.queries += 1
        return execute(*args)  # type: ignore[operator]

    def __exit__(self, *exc: object) -> None:
        self._wrapper.__exit__(*exc)  # type: ignore[arg-type]


def test_times_are_those_of_the_shops_place(settings: Any) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Budapest"
    world.account("time@example.com")
    order = shipped_order("time@example.com")
    page = text_of(world.logged_in("time@example.com"), f"/orders/{order.number}/")
    here = order.placed_at.astimezone(ZoneInfo("Europe/Budapest"))
    assert date_format(here, "DATETIME_FORMAT") in page
