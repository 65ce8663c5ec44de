"""The warehouse on a phone: every page fits 360 px, and a scanner, which types and presses Enter, does the work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from logistics import api
from logistics.models import ProductCopy, Shipment
from logistics.services import counting
from tests.browser.conftest import CHROMIUM
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, figures, stocked
from tests.people import person

pytest.importorskip("playwright.sync_api")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: browser tests are left out"),
]


@pytest.fixture(scope="module")
def site(module_erp: ErpDatabase) -> Iterator[str]:
    """URL of the running pages."""
    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def phone(site: str, browser: Any) -> Any:
    """A phone's browser in which a warehouse clerk is logged in."""
    client = Client()
    client.force_login(person("packer", duty="logistics"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(locale="en-GB", **PHONE)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    return context.new_page()


def sku(product_id: int) -> str:
    return ProductCopy.objects.get(pk=product_id).sku


def scan(page: Any, *codes: str) -> None:
    for code in codes:
        page.locator("#scan").type(code)
        page.keyboard.press("Enter")


def picked(order_id: int) -> int:
    (planned,) = api.create_shipments(order_id, actor=CLERK)
    api.pick_shipment(planned["id"], actor=CLERK)
    return int(planned["id"])


def test_every_page_fits_a_phone(site: str, phone: Any) -> None:
    world.warehouse("A-WAREHOUSE-OF-20-XX", 90)
    mug = stocked(9, sku="A-RATHER-LONG-SKU-0123456789-0123456789", name="A product with quite a long name " * 4)
    order_id, returned = accepted((mug, 4)), accepted((mug, 2))
    shipment = picked(order_id)
    api.ship(returned, None, actor=CLERK, key=None)
    back = api.request_return(returned, [{"line_no": 1, "quantity": 1}], actor=CLERK, key=None)["return_id"]
    api.receive_parcel(back, actor=CLERK)
    sheet = counting.open_count(actor=CLERK, key=None, warehouse="MAIN", sku_prefix="A-RATHER")["count_id"]
    world.receive(mug, 1)
    accepted((mug, 4))
    pages = [
        "receive", "adjust", "count", f"count/{sheet}", "transfer", "pick-list", "low-stock", "reorder-levels",
        f"plan/{order_id}", f"pack/{shipment}", f"track/{shipment}", f"inspect/{back}",
        f"shipment/{shipment}/change", f"salesorder/{order_id}/change",
    ]  # fmt: skip
    wide = {}
    for name in pages:
        answer = phone.goto(f"{site}/admin/logistics/{name}/")
        assert answer.status == 200, name
        wide[name] = phone.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in wide.items() if width > 360} == {}


def test_scanned_delivery_is_booked(site: str, phone: Any) -> None:
    mug, plate = stocked(0), stocked(0, barcode="5990000000024")
    phone.goto(f"{site}/admin/logistics/receive/")
    phone.get_by_label("Warehouse").select_option("MAIN")
    scan(phone, sku(mug), "5990000000024", sku(mug), *["no-such"] * 2)
    assert phone.get_by_role("status").inner_text() == "no-such: 2"
    phone.get_by_role("button", name="Book receipt").click()
    phone.get_by_text("No stocked product has the SKU or barcode no-such").wait_for()
    phone.locator('[name="rows-2-product"]').fill("")
    phone.locator('[name="rows-2-quantity"]').fill("")
    phone.get_by_role("button", name="Book receipt").click()
    phone.get_by_text("3 pieces are on the shelf in MAIN").wait_for()
    assert (figures(mug), figures(plate)) == ((2, 0), (1, 0))


def test_more_scans_than_rows_make_new_rows(site: str, phone: Any) -> None:
    products = [stocked(0) for _ in range(11)]
    phone.goto(f"{site}/admin/logistics/receive/")
    phone.get_by_label("Warehouse").select_option("MAIN")
    scan(phone, *[sku(p) for p in products])
    phone.get_by_role("button", name="Book receipt").click()
    phone.get_by_text("11 pieces are on the shelf").wait_for()
    assert {figures(p) for p in products} == {(1, 0)}


def test_parcel_is_checked_by_scanning(site: str, phone: Any) -> None:
    mug, plate = stocked(5, barcode="5990000000031"), stocked(5)
    shipment = picked(accepted((mug, 2), (plate, 1)))
    phone.goto(f"{site}/admin/logistics/pack/{shipment}/")
    said = phone.get_by_role("status")
    scan(phone, "5990000000031", sku(mug).lower())
    assert said.inner_text().endswith("2 of 2")
    scan(phone, sku(mug))
    assert "all 2 are packed already" in said.inner_text()
    scan(phone, "5999999999999")
    assert "is not on this shipment" in said.inner_text()
    phone.get_by_label("Tracking number").fill("T-1")
    phone.keyboard.press("Enter")  # of the scanner: nothing is sent
    phone.get_by_role("button", name="Packed", exact=True).click()
    phone.get_by_text("1 pieces stay reserved").wait_for()
    lines = Shipment.objects.get(pk=shipment).lines.values_list("product_id", "quantity")
    assert list(lines) == [(mug, 2)]


def test_shelf_is_counted_by_scanning(site: str, phone: Any) -> None:
    mug, plate = stocked(5), stocked(3, barcode="5990000000048")
    phone.goto(f"{site}/admin/logistics/count/")
    phone.get_by_label("Warehouse").select_option("MAIN")
    phone.get_by_label("What is counted").select_option("scan")
    phone.get_by_role("button", name="Open sheet").click()
    for code, pieces in ((sku(mug), "4"), ("5990000000048", "6")):
        scan(phone, code)  # puts it on the sheet
        phone.get_by_text("is on the sheet").wait_for()
        scan(phone, code)  # goes to its field
        phone.keyboard.type(pieces)
        phone.keyboard.press("Enter")
        assert phone.evaluate("document.activeElement.id") == "scan"
    phone.once("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="Post differences").click()
    phone.get_by_text("2 differences posted, +2 pieces").wait_for()
    assert (figures(mug), figures(plate)) == ((4, 0), (6, 0))
