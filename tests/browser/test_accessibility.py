"""Every page of the shop: no axe-core violation, no sideways scrolling at 360 px; light and dark, both languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from erp.models import User
from storefront.models import CustomerCopy, InvoiceCopy, ProductCopy, SalesOrder
from storefront.services import passwords
from tests.browser.conftest import CHROMIUM
from tests.storefront import world

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: browser tests are left out"),
]

PHONE = {
    "viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "locale": "hu-HU",
    "color_scheme": "dark",
}  # fmt: skip
DESKTOP = {"width": 1280, "height": 900}
SETTLED = "Promise.all(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished))"
CONTRAST = {"runOnly": ["color-contrast", "target-size"], "resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def pages(demo_shop: str) -> dict[str, list[str]]:
    """Addresses of every page: what a guest sees, and what a customer with orders sees."""
    anna = CustomerCopy.objects.get(email="anna.kiss@example.com")
    user = User.objects.get(username="bela.nagy@example.com")
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), passwords.reset_token(user.pk)
    mug = ProductCopy.objects.get(sku="MUG-BLUE")
    orders = SalesOrder.objects.filter(customer_id=anna.pk).values_list("number", flat=True)[:2]
    invoices = InvoiceCopy.objects.filter(customer_id=anna.pk).values_list("number", flat=True)[:1]
    address = _address(anna)
    return {
        "guest": [
            "/", "/?category=Kitchen&sort=price", "/?q=mgu+blue", "/?q=nothing-at-all&in_stock=on",
            f"/p/enamel-mug-blue/{mug.pk}/", "/cart/", "/account/login/", "/account/register/",
            "/account/forgotten/", f"/account/reset/{uid}/{token}/", "/account/confirm/broken/", "/orders/find/",
            "/no-such-page/",
        ],
        "customer": [
            "/cart/", "/checkout/", "/account/", "/account/details/", "/account/addresses/",
            "/account/addresses/new/", f"/account/addresses/{address}/", "/account/password/", "/orders/",
            *(f"/orders/{number}/" for number in orders), *(f"/invoices/{number}/" for number in invoices),
        ],
    }  # fmt: skip


def _address(customer: CustomerCopy) -> int:
    from admin_app import api as admin

    row = {"kind": "delivery", "name": "Nagymama", "street": "Kis u. 3.", "postcode": "7621", "city": "Pécs"}
    admin.change_customer(customer.pk, {"addresses": [{**row, "country": "HU"}]}, actor=world.SHOPPER)
    return int(admin.list_addresses(customer.pk)[0]["id"])


def log_in(context: Any, url: str) -> None:
    """Give the browser the session of a customer with something in the cart, and a gone product beside it."""
    client = Client()
    assert client.login(username="anna.kiss@example.com", password="anna")
    client.post(f"/cart/add/{ProductCopy.objects.get(sku='MUG-RED').pk}/", {"quantity": "2"})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def problems_of(page: Any, address: str) -> list[str]:
    """All of axe-core on a phone in the dark, sideways scrolling, and contrast once more on a desktop by daylight."""
    found = axe.Axe().run(page).response["violations"]
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESKTOP)
    page.evaluate(SETTLED)
    found += axe.Axe().run(page, options=CONTRAST).response["violations"]
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE["viewport"])
    said = [f"{address}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]
    return [*said, f"{address}: scrolls sideways, {width[0]} px"] if width[0] > width[1] else said


def test_every_page_is_accessible_and_fits(demo_shop: str, browser: Any, pages: dict[str, list[str]]) -> None:
    problems: list[str] = []
    for who, addresses in pages.items():
        context = browser.new_context(**PHONE)
        page = context.new_page()
        if who == "customer":
            log_in(context, demo_shop)
        for address in addresses:
            page.goto(demo_shop + address)
            problems += problems_of(page, address)
            if address in {"/account/login/", "/checkout/"}:  # and with its errors shown
                page.locator("main form[novalidate] button[type=submit]").last.click()
                page.get_by_role("alert").wait_for()
                problems += problems_of(page, f"{address} with errors")
        context.close()
    assert problems == []


def test_every_control_is_reached_by_keyboard_and_shows_the_focus(demo_shop: str, browser: Any) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{demo_shop}/?q=mug")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to the content"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached.add(page.evaluate("(document.activeElement.textContent || document.activeElement.name || '').trim()"))
        outline = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e), a = getComputedStyle(e, '::after');"
            " return [s.outlineStyle, a.outlineStyle, s.boxShadow].some(v => v && v !== 'none') })()"
        )
        assert outline, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    assert "Enamel mug, blue" in reached
    assert any(text.startswith("Add to cart") for text in reached)
    context.close()
