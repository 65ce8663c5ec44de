"""The whole journey by visible labels, on desktop and phone: found with a typo, bought, shipped, invoiced, returned.

With ``ERP_SCREENSHOTS=docs/screenshots`` the pages are kept as pictures.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from erp.relay import run_relay
from logistics import api as logistics
from storefront.models import CustomerCopy, InvoiceCopy, SalesOrder
from tests.browser.conftest import CHROMIUM
from tests.storefront import web, world

pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: browser tests are left out"),
]

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
}


class Journey:
    """A browser's page that keeps pictures when asked to, and refuses to scroll sideways."""

    def __init__(self, browser: Any, url: str, screen: str) -> None:
        self.screen, self.url = screen, url
        self.context = browser.new_context(locale="en-GB", accept_downloads=True, **SCREENS[screen])
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)

    def picture(self, name: str) -> None:
        """Keep the page as a picture; it must fit the screen's width."""
        width = SCREENS[self.screen]["viewport"]["width"]
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width, name
        folder = os.environ.get("ERP_SCREENSHOTS")
        if folder:
            target = Path(folder) / f"shop-{name}-{self.screen}.png"
            self.page.screenshot(path=target, full_page=self.screen == "phone")


def find_with_a_typo(trip: Journey) -> None:
    page = trip.page
    world.copy_stock()
    page.goto(trip.url)
    page.get_by_role("heading", name="All products").wait_for()
    trip.picture("list")
    page.get_by_role("searchbox", name="Search products").fill("enamell mgu")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text("Shown is what we found for").wait_for()
    trip.picture("search")
    page.get_by_role("link", name="Enamel mug, blue", exact=True).click()
    page.get_by_role("heading", name="Enamel mug, blue").wait_for()
    trip.picture("product")


def email_of(trip: Journey, payment: str) -> str:
    return f"{trip.screen}.{payment.replace(' ', '.').lower()}@example.com"


def fill_the_checkout(trip: Journey, payment: str) -> None:
    page = trip.page
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").first.click()
    page.get_by_role("heading", name="Your cart", exact=True).wait_for()
    trip.picture("cart")
    page.get_by_role("link", name="Go to checkout").click()
    for label, value in (
        ("E-mail", email_of(trip, payment)), ("Name", "Nagy Béla"), ("Street and number", "Fő utca 2."),
        ("Postcode", "6720"), ("City", "Szeged"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).first.fill(value)
    page.get_by_label("Pick up in our shop – free").check()
    page.locator("#summary").get_by_text("Pick up in our shop").wait_for()
    page.get_by_label(payment).check()
    page.get_by_label("I accept the terms and conditions").check()
    trip.picture("checkout")
    page.get_by_role("button", name="Place order with obligation to pay").click()


def buy(trip: Journey) -> SalesOrder:
    page = trip.page
    fill_the_checkout(trip, "Bank transfer")
    page.get_by_text("Thank you for your order").wait_for()
    return SalesOrder.objects.get(email=email_of(trip, "Bank transfer"))


def ship(order: SalesOrder) -> InvoiceCopy:
    logistics.ship(order.pk, None, actor=world.SHOPPER, key=None)
    run_relay("logistics")
    world.copy_orders()
    return InvoiceCopy.objects.get(order_id=order.pk)


def fetch_the_invoice(trip: Journey, invoice: InvoiceCopy) -> bytes:
    page = trip.page
    page.reload()
    page.get_by_text("2 shipped").wait_for()
    trip.picture("order")
    page.get_by_role("link", name=f"Invoice {invoice.number}").click()
    trip.picture("invoice")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename == f"{invoice.number.replace('/', '-')}.pdf"
    return Path(download.value.path()).read_bytes()


def request_a_return(trip: Journey, order: SalesOrder) -> None:
    page = trip.page
    page.get_by_role("link", name=f"Order {order.number}").click()
    page.get_by_text("Return something").click()
    page.get_by_label("Enamel mug, blue").fill("1")
    page.get_by_label("Reason").fill("Too blue")
    trip.picture("return")
    page.get_by_role("button", name="Request the return").click()
    page.get_by_text("Your return is noted").wait_for()


@pytest.mark.parametrize("screen", SCREENS)
def test_shopper_buys_gets_the_invoice_and_returns_a_piece(demo_shop: str, browser: Any, screen: str) -> None:
    trip = Journey(browser, demo_shop, screen)
    find_with_a_typo(trip)
    order = buy(trip)
    invoice = ship(order)
    pdf = fetch_the_invoice(trip, invoice)
    assert pdf.startswith(b"%PDF")
    request_a_return(trip, order)
    world.copy_orders()
    (back,) = logistics.get_order(order.pk)["returns"]
    assert (back["state"], back["lines"][0]["quantity"]) == ("requested", 1)
    assert trip.problems == []
    trip.context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_customer_finds_account_addresses_and_orders(demo_shop: str, browser: Any, screen: str) -> None:
    trip = Journey(browser, demo_shop, screen)
    page = trip.page
    page.goto(demo_shop)
    page.get_by_role("link", name="Log in", exact=True).click()
    page.get_by_label("E-mail").fill("anna.kiss@example.com")
    page.get_by_label("Password").fill("anna")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Your account").wait_for()
    trip.picture("account")
    page.get_by_role("link", name="Your addresses").click()
    page.get_by_role("link", name="Add an address").click()
    name = f"Nagymama {screen}"
    for label, value in (
        ("Name", name), ("Street and number", "Kis u. 3."), ("Postcode", "7621"), ("City", "Pécs"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The address is saved.").wait_for()
    assert page.get_by_text(name, exact=True).is_visible()
    trip.picture("addresses")
    page.get_by_role("link", name="Back to your account").click()
    page.get_by_role("link", name="All your orders").click()
    assert page.get_by_role("link", name="SO-").count() >= 3
    trip.picture("orders")
    page.get_by_role("button", name="Magyar").click()
    page.get_by_role("heading", name="Rendelések").wait_for()
    trip.picture("orders-hu")
    assert CustomerCopy.objects.get(email="anna.kiss@example.com")
    assert trip.problems == []
    trip.context.close()


def test_shopper_pays_by_card_after_a_declined_one(demo_shop: str, browser: Any, settings: Any) -> None:
    with web.card_shop(settings):
        trip = Journey(browser, settings.SHOP_URL, "phone")
        page = trip.page
        find_with_a_typo(trip)
        fill_the_checkout(trip, "Bank card")
        page.get_by_role("heading", name="Payment by card").wait_for()
        trip.picture("payment")
        assert [v["id"] for v in Axe().run(page).response["violations"]] == []
        for card in (web.DECLINED, web.GOOD):
            page.get_by_role("button", name="Pay ").click()
            page.get_by_label("Card number").fill(card)
            page.get_by_role("button", name="Pay ").click()
            if card == web.DECLINED:
                page.get_by_text("Your bank declined the card. Nothing is charged.").wait_for()
                assert [v["id"] for v in Axe().run(page).response["violations"]] == []
                page.get_by_role("button", name="Try again with a card").click()
                page.get_by_role("heading", name="Payment by card").wait_for()
        page.get_by_text("Thank you for your order").wait_for()
        assert page.get_by_text("Card authorised").first.is_visible()
        trip.context.close()
