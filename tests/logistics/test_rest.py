"""Logistics over HTTP: its entities are read, its operations called with a key, its copies read-only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from erp.duties import INTEGRATORS
from logistics.models import StockMove
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.finance_recorder import FinanceRecorder
from tests.logistics.world import accepted, figures, stocked
from tests.pdf_text import pdf_text
from tests.people import ApiClient, person

BASE = "/api/v1/logistics"


@pytest.fixture
def clerk(module_erp: ErpDatabase, finance: FinanceRecorder) -> Iterator[ApiClient]:
    yield ApiClient(person("clerk", duty="logistics"))
    world.require_sound_books()


def post(client: ApiClient, path: str, body: Any, key: str) -> Any:
    return client.send("POST", f"{BASE}{path}", body, Idempotency_Key=key)


def test_stock_is_read_live_with_its_owner_named(clerk: ApiClient) -> None:
    mug = stocked(5)
    answer = clerk.get(f"{BASE}/stock/?product_id={mug}")
    (row,) = answer.json()["results"]
    assert (row["on_hand"], row["free"], row["warehouse_code"]) == (5, 5, "MAIN")
    assert (answer["X-ERP-Owner"], answer["X-ERP-Window"]) == ("logistics", "15")


def test_stock_cannot_be_written(clerk: ApiClient) -> None:
    mug = stocked(5)
    key = clerk.get(f"{BASE}/stock/?product_id={mug}").json()["results"][0]["id"]
    assert clerk.send("PATCH", f"{BASE}/stock/{key}/", {"on_hand": 9}).status_code == 405


def test_goods_are_received_once_per_key(clerk: ApiClient) -> None:
    world.warehouse()
    mug = world.product()
    body = {"rows": [{"product_id": mug, "quantity": 6, "unit_cost": "1.50"}], "warehouse": "MAIN"}
    first, second = (post(clerk, "/goods-receipts/", body, "gr-1") for _ in range(2))
    assert (first.status_code, first.json()) == (201, second.json())
    assert figures(mug) == (6, 0)
    other = post(clerk, "/goods-receipts/", {**body, "note": "x", "supplier_ref": "y"}, "gr-1")
    assert other.status_code == 422
    assert clerk.get(f"{BASE}/goods-receipts/").json()["results"]


def test_key_is_required(clerk: ApiClient) -> None:
    answer = clerk.send("POST", f"{BASE}/goods-receipts/", {"rows": []})
    assert answer.status_code == 400


def test_order_is_shipped_over_http(clerk: ApiClient) -> None:
    mug = stocked(5)
    order_id = accepted((mug, 3))
    answer = post(clerk, f"/sales-orders/{order_id}/shipments/", {"lines": [{"line_no": 1, "quantity": 2}]}, "s1")
    assert answer.status_code == 201, answer.content
    shipment = answer.json()["shipments"][0]
    assert shipment["invoice_number"].startswith("INV-")
    order = clerk.get(f"{BASE}/sales-orders/{order_id}/").json()
    assert (order["fulfilment"], order["lines"][0]["issued"], len(order["shipments"])) == ("partly_shipped", 2, 1)
    too_much = post(clerk, f"/sales-orders/{order_id}/shipments/", {"lines": [{"line_no": 1, "quantity": 2}]}, "s2")
    assert (too_much.status_code, "more than is reserved" in too_much.json()["detail"]) == (409, True)


def test_shipment_goes_through_its_steps(clerk: ApiClient) -> None:
    mug = stocked(5)
    order_id = accepted((mug, 3))
    planned = post(clerk, f"/sales-orders/{order_id}/shipments/", {"plan_only": True}, "p1").json()["shipments"]
    key = planned[0]["id"]
    assert post(clerk, f"/shipments/{key}/issue/", {}, "i0").status_code == 409
    for step in ("pick", "pack", "issue", "deliver"):
        answer = post(clerk, f"/shipments/{key}/{step}/", {}, step)
        assert answer.status_code == 200, answer.content
    assert clerk.get(f"{BASE}/shipments/{key}/").json()["state"] == "delivered"
    assert figures(mug) == (2, 0)


def test_order_is_cancelled_over_http(clerk: ApiClient) -> None:
    mug = stocked(5)
    order_id = accepted((mug, 3))
    answer = post(clerk, f"/sales-orders/{order_id}/cancel/", {"reason": "changed my mind"}, "c1")
    assert answer.json()["lifecycle"] == "cancelled"
    assert figures(mug) == (5, 0)


def test_return_is_noted_received_and_inspected(clerk: ApiClient) -> None:
    mug = stocked(5)
    order_id = accepted((mug, 3))
    post(clerk, f"/sales-orders/{order_id}/shipments/", {}, "r0")
    body = {"order_id": order_id, "lines": [{"line_no": 1, "quantity": 2}], "reason": "too blue"}
    found = post(clerk, "/returns/", body, "r1").json()
    post(clerk, f"/returns/{found['return_id']}/receive/", {}, "r2")
    decisions = {"decisions": [{"line_no": 1, "restock": 1, "scrap": 1}]}
    assert post(clerk, f"/returns/{found['return_id']}/inspect/", decisions, "r3").status_code == 200
    assert clerk.get(f"{BASE}/returns/{found['return_id']}/").json()["credit_note_number"]
    assert figures(mug) == (3, 0)


def test_stock_is_adjusted_counted_and_moved(clerk: ApiClient) -> None:
    world.warehouse("EAST", 50)
    mug = stocked(5)
    rows = [{"product_id": mug, "quantity": -1}]
    scrap = {"rows": rows, "kind": "scrap", "reason": "broken"}
    assert post(clerk, "/stock-adjustments/", scrap, "a1").status_code == 201
    assert post(clerk, "/stock-counts/", {"rows": [{"product_id": mug, "counted": 3}]}, "a2").json()["pieces"] == -1
    body = {"rows": [{"product_id": mug, "quantity": 2}], "from_warehouse": "MAIN", "to_warehouse": "EAST"}
    assert post(clerk, "/stock-transfers/", body, "a3").status_code == 201
    assert (figures(mug), figures(mug, "EAST")) == ((1, 0), (2, 0))
    moves = clerk.get(f"{BASE}/stock-moves/?product_id={mug}").json()["results"]
    assert len(moves) == StockMove.objects.filter(product_id=mug).count() == 5


def test_parcel_is_packed_and_its_note_fetched(clerk: ApiClient) -> None:
    mug = stocked(5)
    order_id = accepted((mug, 3))
    planned = post(clerk, f"/sales-orders/{order_id}/shipments/", {"plan_only": True}, "k1").json()["shipments"]
    key = planned[0]["id"]
    post(clerk, f"/shipments/{key}/pick/", {}, "k2")
    body = {"lines": [{"line_no": 1, "quantity": 2}], "weight_g": 700, "tracking_number": "T1"}
    assert post(clerk, f"/shipments/{key}/packing/", body, "k3").json()["left_out"] == 1
    note = clerk.get(f"{BASE}/shipments/{key}/delivery-note/?language=en", Accept="application/pdf")
    assert (note.status_code, note["Content-Type"]) == (200, "application/pdf")
    assert "700 g" in pdf_text(note.content)
    assert clerk.get(f"{BASE}/shipments/{10**9}/delivery-note/").json()["code"] == "not-found"


def test_sheet_is_opened_written_and_posted(clerk: ApiClient) -> None:
    mug = stocked(5)
    sheet = post(clerk, "/count-sheets/", {"warehouse": "MAIN"}, "n1").json()["count_id"]
    rows = {"rows": [{"product_id": mug, "counted": 3}]}
    assert post(clerk, f"/count-sheets/{sheet}/lines/", rows, "n2").json()["written"] == 1
    world.receive(mug, 1)
    refused = post(clerk, f"/count-sheets/{sheet}/steps/post/", {}, "n3")
    assert (refused.status_code, refused.json()["code"]) == (409, "stock-moved")
    assert refused.json()["moved"][0]["on_hand"] == 6
    assert post(clerk, f"/count-sheets/{sheet}/steps/count-again/", {}, "n4").json()["emptied"] == 1
    post(clerk, f"/count-sheets/{sheet}/lines/", rows, "n5")
    assert post(clerk, f"/count-sheets/{sheet}/steps/post/", {}, "n6").json()["pieces"] == -3
    assert clerk.get(f"{BASE}/count-sheets/?state=posted").json()["results"][-1]["id"] == sheet


def test_reorder_levels_make_the_low_stock_list(clerk: ApiClient) -> None:
    mug = stocked(5)
    body = {"rows": [{"product_id": mug, "level": 6, "target": 9}], "warehouse": "MAIN"}
    assert post(clerk, "/reorder-levels/", body, "l1").json()["set"] == 1
    assert clerk.get(f"{BASE}/reorder-levels/?product_id={mug}").json()["results"][0]["level"] == 6
    rows = clerk.get(f"{BASE}/low-stock/?warehouse=MAIN").json()["results"]
    assert [row["to_order"] for row in rows if row["product_id"] == mug] == [4]


def test_operations_need_the_duty(module_erp: ErpDatabase) -> None:
    world.warehouse()
    for name, duty in (("shopkeeper", "storefront"), ("integrator", INTEGRATORS)):
        answer = post(ApiClient(person(name, duty=duty)), "/warehouses/", {"code": "X", "name": "X"}, "w")
        assert answer.status_code == 403
    reader = ApiClient(person("reader", duty="storefront"))
    assert reader.get(f"{BASE}/warehouses/").status_code == 200


def test_copy_is_read_only_and_names_its_owner(clerk: ApiClient) -> None:
    world.product()
    assert clerk.get(f"{BASE}/products/").json()["results"]
    answer = clerk.send("POST", f"{BASE}/products/", {"sku": "X"})
    assert answer.status_code == 405
    assert "/api/v1/admin_app/products/" in answer.content.decode()
