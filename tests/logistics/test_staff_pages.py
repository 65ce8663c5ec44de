"""Warehouse staff work in the admin: forms and buttons call the services, refusals are told in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from logistics import api
from logistics.models import ProductCopy, ReturnOrder, SalesOrder, Shipment, Stock, StockMove, Warehouse
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.finance_recorder import FinanceRecorder
from tests.logistics.world import CLERK, accepted, figures, stocked
from tests.pdf_text import pdf_text
from tests.people import staff_client


@pytest.fixture
def clerk(module_erp: ErpDatabase, finance: FinanceRecorder) -> Iterator[Client]:
    yield staff_client("clerk", duty="logistics")
    world.require_sound_books()


def sku(product_id: int) -> str:
    return ProductCopy.objects.get(pk=product_id).sku


def task(client: Client, url: str, rows: list[dict[str, Any]], **head: Any) -> str:
    """Fill in a form page as a browser would; returns what the next page says."""
    shown = client.get(url).content.decode()
    key = re.search(r'name="key" value="(\w+)"', shown)
    assert key
    data = {
        "key": key.group(1), "warehouse": Warehouse.objects.get(code="MAIN").pk, "on": "2026-11-24",
        "rows-TOTAL_FORMS": len(rows), "rows-INITIAL_FORMS": 0, **head,
    }  # fmt: skip
    for n, row in enumerate(rows):
        data |= {f"rows-{n}-{name}": value for name, value in row.items()}
    first = client.post(url, data, follow=True).content.decode()
    client.post(url, data, follow=True)  # the button pressed twice
    return first


def press(client: Client, model: str, pk: int, name: str) -> str:
    return client.post(f"/admin/logistics/do/{model}/{pk}/{name}/", follow=True).content.decode()


def test_goods_are_received_once_however_often_sent(clerk: Client) -> None:
    world.warehouse()
    mug = world.product(barcode="5991234567890")
    said = task(clerk, "/admin/logistics/receive/", [
        {"product": sku(mug).lower(), "quantity": 4, "unit_cost": "1.5"}, {"product": "5991234567890", "quantity": 2},
    ], supplier_ref="D-77")  # fmt: skip
    assert "6 pieces are on the shelf in MAIN" in said
    assert figures(mug) == (6, 0)
    assert StockMove.objects.filter(product_id=mug).first().actor_name == "clerk"  # type: ignore[union-attr]


def test_unknown_product_is_named(clerk: Client) -> None:
    world.warehouse()
    said = task(clerk, "/admin/logistics/receive/", [{"product": "NO-SUCH", "quantity": 4}])
    assert "No stocked product has the SKU or barcode NO-SUCH" in said


def test_scrap_of_reserved_goods_is_refused_in_words(clerk: Client) -> None:
    mug = stocked(3)
    accepted((mug, 2))
    rows = [{"product": sku(mug), "quantity": 2}]
    said = task(clerk, "/admin/logistics/adjust/", rows, kind="scrap", reason="broken")
    assert "3 on hand, 2 of them reserved" in said
    assert figures(mug) == (3, 2)


def test_transfer_is_booked(clerk: Client) -> None:
    world.warehouse("EAST", 50)
    mug = stocked(5)
    target = Warehouse.objects.get(code="EAST").pk
    rows = [{"product": sku(mug), "quantity": 4}]
    assert "MAIN → EAST" in task(clerk, "/admin/logistics/transfer/", rows, target=target)
    assert (figures(mug), figures(mug, "EAST")) == ((1, 0), (4, 0))


def test_count_sheet_is_opened_scanned_and_posted(clerk: Client) -> None:
    mug, plate = stocked(3), stocked(4, barcode="5990000000017")
    main = Warehouse.objects.get(code="MAIN").pk
    opened = clerk.post(
        "/admin/logistics/count/", {"key": "c1", "warehouse": main, "on": "2026-11-24", "scope": "scan"}, follow=True
    )
    url = opened.redirect_chain[-1][0]
    assert "Nothing is on the sheet yet" in opened.content.decode()
    for code in (sku(mug), "5990000000017"):
        clerk.post(url, {"scan": code})
    said = clerk.post(url, {"scan": "NO-SUCH", f"counted-{mug}": "5"}, follow=True).content.decode()
    assert "No stocked product has the SKU or barcode NO-SUCH" in said
    world.receive(plate, 1)
    written = {f"counted-{mug}": "5", f"counted-{plate}": "4"}
    said = clerk.post(url, {"verb": "post", **written}, follow=True).content.decode()
    assert "Stock moved since it was put on the sheet" in said
    assert "1 products moved since" in said
    assert "1 products are to be counted again" in clerk.post(url, {"verb": "again"}, follow=True).content.decode()
    said = clerk.post(url, {"verb": "post", f"counted-{mug}": "5", f"counted-{plate}": "x"}, follow=True)
    assert "is not a number of pieces" in said.content.decode()
    said = clerk.post(url, {"verb": "post", f"counted-{mug}": "5", f"counted-{plate}": "2"}, follow=True)
    assert "2 differences posted, -1 pieces" in said.content.decode()
    assert (figures(mug), figures(plate)) == ((5, 0), (2, 0))


def test_part_of_an_order_is_planned_packed_and_sent(clerk: Client) -> None:
    mug, plate = stocked(9), stocked(9)
    order_id = accepted((mug, 5), (plate, 2))
    url = f"/admin/logistics/plan/{order_id}/"
    assert clerk.get(url).status_code == 200
    assert "at least one line" in clerk.post(url, {"plan-1": "0"}, follow=True).content.decode()
    assert "Planned: SH-" in clerk.post(url, {"plan-1": "4"}, follow=True).content.decode()
    shipment = Shipment.objects.get(order_id=order_id)
    press(clerk, "shipment", shipment.pk, "pick")
    url = f"/admin/logistics/pack/{shipment.pk}/"
    assert f"Packed P{mug}" in clerk.get(url).content.decode()
    data = {
        "packed-1": "3",
        "parcels": 1,
        "weight_g": 800,
        "carrier": "MPL",
        "tracking_number": "PB77",
        "verb": "issue",
    }
    said = clerk.post(url, data, follow=True).content.decode()
    assert "1 pieces stay reserved for the order" in said
    shipment.refresh_from_db()
    assert (shipment.state, shipment.carrier, shipment.weight_g) == ("issued", "MPL", 800)
    assert (figures(mug), figures(plate)) == ((6, 2), (9, 2))
    url = f"/admin/logistics/track/{shipment.pk}/"
    assert "PB77" in clerk.get(url).content.decode()
    clerk.post(url, {"carrier": "GLS", "tracking_number": "G-2"}, follow=True)
    assert api.get_order(order_id)["shipments"][0]["tracking_number"] == "G-2"


def test_shipment_is_worked_off_by_its_buttons(clerk: Client) -> None:
    mug = stocked(3)
    order_id = accepted((mug, 2))
    page = clerk.get(f"/admin/logistics/salesorder/{order_id}/change/").content.decode()
    assert "Plan shipment" in page
    assert "Kiss Anna, Szeged" in page
    assert "Planned: SH-" in press(clerk, "salesorder", order_id, "plan")
    shipment = Shipment.objects.get(order_id=order_id)
    assert shipment.number in clerk.get("/admin/logistics/pick-list/?warehouse=MAIN").content.decode()
    assert "pick and pack it first" in press(clerk, "shipment", shipment.pk, "issue")
    for name in ("pick", "pack"):
        press(clerk, "shipment", shipment.pk, name)
    said = press(clerk, "shipment", shipment.pk, "issue")
    assert re.search(r"invoice INV-\d+-\d+ is issued", said)
    assert figures(mug) == (1, 0)
    assert sku(mug) not in clerk.get("/admin/logistics/pick-list/").content.decode()
    note = clerk.get(f"/admin/logistics/delivery-note/{shipment.pk}/?language=en")
    assert note["Content-Type"] == "application/pdf"
    assert f"P{mug}" in pdf_text(note.content)
    assert "Delivered" in clerk.get(f"/admin/logistics/shipment/{shipment.pk}/change/").content.decode()


def test_buttons_do_nothing_on_get(clerk: Client) -> None:
    order_id = accepted((stocked(3), 2))
    assert clerk.get(f"/admin/logistics/do/salesorder/{order_id}/cancel/").status_code == 405
    assert clerk.post(f"/admin/logistics/do/salesorder/{order_id}/nonsense/").status_code == 404


def test_return_is_inspected_on_its_page(clerk: Client) -> None:
    mug = stocked(5)
    order_id = accepted((mug, 4))
    api.ship(order_id, None, actor=CLERK, key=None)
    asked = api.request_return(order_id, [{"line_no": 1, "quantity": 3}], actor=CLERK, key=None)
    found = asked["return_id"]
    press(clerk, "returnorder", found, "receive")
    assert "Inspect" in clerk.get(f"/admin/logistics/returnorder/{found}/change/").content.decode()
    data = {
        "rows-TOTAL_FORMS": 1, "rows-INITIAL_FORMS": 1, "rows-0-line_no": 1, "rows-0-restock": 2, "rows-0-scrap": 1,
    }  # fmt: skip
    assert clerk.get(f"/admin/logistics/inspect/{found}/").status_code == 200
    assert "is restocked" in clerk.post(f"/admin/logistics/inspect/{found}/", data, follow=True).content.decode()
    assert (figures(mug), ReturnOrder.objects.get(pk=found).credit_note_number[:4]) == ((3, 0), "CRN-")


def test_order_is_cancelled_by_its_button(clerk: Client) -> None:
    order_id = accepted((stocked(3), 2))
    assert "is cancelled" in press(clerk, "salesorder", order_id, "cancel")
    assert SalesOrder.objects.get(pk=order_id).lifecycle == "cancelled"


def test_low_stock_lists_what_is_gone(clerk: Client) -> None:
    mug, plate = stocked(1), stocked(50)
    accepted((mug, 1))
    page = clerk.get("/admin/logistics/low-stock/").content.decode()
    assert sku(mug) in page
    assert sku(plate) not in page


def test_stuck_work_is_shown_and_retried(clerk: Client, finance: FinanceRecorder) -> None:
    order_id = accepted((stocked(3), 2))
    finance.is_down = True
    done = api.ship(order_id, None, actor=CLERK, key=None)
    page = clerk.get("/admin/stuck/").content.decode()
    assert "Finance is out of order" in page
    assert f"Invoice for shipment: {done['shipment_number']}" in page
    assert f"/admin/logistics/shipment/{done['shipment_id']}/change/" in page
    finance.is_down = False
    item = next(i for i in api.list_stuck() if i["key"] == f"shipment:{done['shipment_id']}")
    clerk.post("/admin/stuck/retry/", {"source": "logistics.relay", "key": item["id"]}, follow=True)
    assert Shipment.objects.get(pk=done["shipment_id"]).invoice_number == finance.invoices[done["shipment_id"]]


def test_no_figure_of_stock_is_written_by_hand(clerk: Client) -> None:
    row = Stock.objects.get(product_id=stocked(3))
    assert clerk.post(f"/admin/logistics/stock/{row.pk}/change/", {"on_hand": 99}).status_code == 403
    row.refresh_from_db()
    assert row.on_hand == 3


def test_reorder_level_puts_a_product_on_the_low_stock_list(clerk: Client) -> None:
    mug = stocked(30)
    main = Warehouse.objects.get(code="MAIN").pk
    data = {
        "key": "r1", "warehouse": main, "rows-TOTAL_FORMS": 1, "rows-INITIAL_FORMS": 0, "rows-0-product": sku(mug),
        "rows-0-level": 31, "rows-0-target": 50,
    }  # fmt: skip
    said = clerk.post("/admin/logistics/reorder-levels/", data, follow=True).content.decode()
    assert "MAIN: 1 levels set" in said
    assert sku(mug) in clerk.get("/admin/logistics/low-stock/?warehouse=MAIN").content.decode()


@pytest.mark.parametrize(
    "name",
    ["warehouse", "stock", "stockmove", "salesorder", "shipment", "goodsreceipt", "returnorder", "reservation",
     "orderoffer", "stockcount", "reorderlevel", "expectedgoods", "customercopy", "productcopy", "relayitem"],
)  # fmt: skip
def test_every_list_and_search_opens(clerk: Client, name: str) -> None:
    assert clerk.get(f"/admin/logistics/{name}/").status_code == 200
    assert clerk.get(f"/admin/logistics/{name}/?q=1").status_code == 200


def test_other_staff_look_but_do_not_touch(module_erp: ErpDatabase, finance: FinanceRecorder) -> None:
    order_id = accepted((stocked(3), 2))
    seller = staff_client("seller", duty="storefront")
    page = seller.get(f"/admin/logistics/salesorder/{order_id}/change/")
    assert (page.status_code, "Cancel order" in page.content.decode()) == (200, False)
    assert seller.post(f"/admin/logistics/do/salesorder/{order_id}/cancel/").status_code == 403
    assert seller.get("/admin/logistics/receive/").status_code == 403
