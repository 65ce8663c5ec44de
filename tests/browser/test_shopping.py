"""A shopper in a real browser: finds everything by its visible label, on a desktop, on a phone, without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from logistics import api as logistics
from storefront.models import SalesOrder
from tests.browser.conftest import CHROMIUM
from tests.databases import ErpDatabase
from tests.storefront import world

pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: browser tests are left out"),
]

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
    "no-script": {"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False},
}


@pytest.fixture(scope="module")
def shop(module_erp: ErpDatabase) -> Iterator[str]:
    """URL of the shop over HTTP."""
    world.set_up_books()
    world.delivery(name="Pick up")
    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()


def problems_of(page: Any) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


@pytest.mark.parametrize("screen", SCREENS)
def test_guest_buys_by_visible_labels(shop: str, browser: Any, screen: str) -> None:
    mug = world.product("1000", stock=5, name=f"Bear mug {screen}")
    world.copy_stock()
    context = browser.new_context(locale="en-GB", **SCREENS[screen])
    page = context.new_page()
    problems = problems_of(page)
    page.goto(shop)
    page.get_by_role("searchbox", name="Search products").fill(f"bear mug {screen}")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("link", name=f"Bear mug {screen}", exact=True).click()
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").first.click()
    page.get_by_role("link", name="Go to checkout").click()
    for label, value in (
        ("E-mail", f"{screen}@example.com"), ("Name", "Nagy Béla"), ("Street and number", "Fő utca 2."),
        ("Postcode", "6720"), ("City", "Szeged"),
    ):  # fmt: skip
        page.get_by_label(label, exact=True).first.fill(value)
    page.get_by_label("Pick up – free").check()
    page.get_by_label("I accept the terms and conditions").check()
    page.get_by_role("button", name="Place order with obligation to pay").click()
    page.get_by_text("Thank you for your order").wait_for()
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert page.get_by_role("heading", name=f"Order {order.number}").is_visible()
    assert (order.gross_total, order.custody) == (2540, "handed_over")
    assert logistics.available([mug]) == {mug: 3}
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]
    assert problems == []
    context.close()


def test_choosing_a_delivery_refreshes_the_total(shop: str, browser: Any) -> None:
    post = world.product("500", product_class="shipping", is_stocked=False)
    world.delivery("POST", name="By post", product_id=post, position=9)
    mug = world.product("1000", stock=5, name="Parcel mug")
    world.copy_stock()
    page = browser.new_context(locale="en-GB").new_page()
    page.goto(f"{shop}/p/parcel-mug/{mug}/")
    page.get_by_role("button", name="Add to cart").first.click()
    page.get_by_role("link", name="Go to checkout").click()
    page.get_by_label("Pick up – free").check()
    page.get_by_label("By post – 635").check()
    page.locator("#summary").get_by_text("1,905").wait_for()


def test_stock_text_follows_without_a_reload(shop: str, browser: Any) -> None:
    mug = world.product("1000", stock=5, name="Live mug")
    world.copy_stock()
    page = browser.new_context(locale="en-GB").new_page()
    page.goto(f"{shop}/p/live-mug/{mug}/")
    page.get_by_text("5 in stock").wait_for()
    world.place((mug, 4))
    world.copy_stock()
    page.evaluate(f"htmx.trigger('#stock-{mug}', 'stock-due')")
    page.get_by_text("1 in stock").wait_for()
