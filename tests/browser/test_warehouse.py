"""The warehouse on a phone: every page fits 360 px and passes axe-core; a scanner (it types, then Enter) does the work.

With ``ERP_SCREENSHOTS=docs/screenshots`` some pages are kept as pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from logistics import api
from logistics.models import ProductCopy, Shipment
from logistics.services import counting
from logistics.services.documents import today
from logistics.services.waiting import expect_goods
from tests.browser.conftest import CHROMIUM
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, figures, stocked
from tests.people import person

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
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


LEFT_OUT = {"rules": {"landmark-unique": {"enabled": False}}}  # the theme names every scrolling table alike
PICTURES = {"pick-list", "waiting", "pack"}


def problems_of(page: Any, *, with_axe: bool) -> list[str]:
    """What axe-core finds, and scrolling sideways."""
    found = axe.Axe().run(page, options=LEFT_OUT).response["violations"] if with_axe else []
    width = page.evaluate("document.documentElement.scrollWidth")
    said = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]
    return [*said, f"{width} px wide"] if width > 360 else said


def keep_picture(page: Any, name: str) -> None:
    folder = os.environ.get("ERP_SCREENSHOTS")
    if folder and name.split("/", maxsplit=1)[0] in PICTURES:
        page.screenshot(path=Path(folder) / f"warehouse-{name.split('/', maxsplit=1)[0]}-phone.png", full_page=True)


def test_every_page_is_accessible_and_fits_a_phone(site: str, phone: Any) -> None:
    world.warehouse("A-WAREHOUSE-OF-20-XX", 90)
    mug = stocked(9, sku="A-RATHER-LONG-SKU-0123456789-0123456789", name="A product with quite a long name " * 4)
    order_id, returned = accepted((mug, 4)), accepted((mug, 2))
    shipment = picked(order_id)
    api.ship(returned, None, actor=CLERK, key=None)
    back = api.request_return(returned, [{"line_no": 1, "quantity": 1}], actor=CLERK, key=None)["return_id"]
    api.receive_parcel(back, actor=CLERK)
    sheet = counting.open_count(actor=CLERK, key=None, warehouse="MAIN", sku_prefix="A-RATHER")["count_id"]
    world.receive(mug, 1)
    api.create_shipments(accepted((mug, 2)), actor=CLERK)
    plate = stocked(0, sku="PLATE-BLUE", name="Enamel plate, blue", backorder_allowed=True)
    accepted((plate, 4), customer_name="Horváth Csilla")
    expect_goods(plate, today(), actor=CLERK)
    alike = [f"track/{shipment}", "adjust", "transfer", "reorder-levels", "salesorder", f"plan/{order_id}"]
    pages = [
        "receive", "count", f"count/{sheet}", "pick-list", "waiting", "low-stock", f"pack/{shipment}",
        f"inspect/{back}", f"shipment/{shipment}/change", f"salesorder/{order_id}/change", "shipment",
    ]  # fmt: skip
    problems = {}
    for path in ["", "stuck/", *(f"logistics/{name}/" for name in [*pages, *alike])]:
        answer = phone.goto(f"{site}/admin/{path}")
        assert answer.status == 200, path
        problems[path] = problems_of(phone, with_axe=path.removeprefix("logistics/").strip("/") not in alike)
        keep_picture(phone, path.removeprefix("logistics/"))
    assert {path: found for path, found in problems.items() if found} == {}


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
