"""Sales orders over REST: placed with an Idempotency-Key, read at the owner, copies read-only."""

from __future__ import annotations

import pytest

from erp.duties import INTEGRATORS
from storefront.models import SalesOrder
from tests.databases import ErpDatabase
from tests.people import ApiClient, person
from tests.storefront import world

URL = "/api/v1/storefront/sales-orders/"


@pytest.fixture
def api(module_erp: ErpDatabase) -> ApiClient:
    """An integrator."""
    world.set_up_books()
    return ApiClient(person("integrator", duty=INTEGRATORS))


def body(product: int, quantity: int = 1, **more: object) -> dict[str, object]:
    return {"customer_id": world.customer().pk, "lines": [{"product_id": product, "quantity": quantity}], **more}


def test_order_is_placed_and_read_back(api: ApiClient) -> None:
    mug = world.product("1000", stock=5, sku="REST-MUG")
    lines = [{"sku": "REST-MUG", "quantity": 2, "unit_price": "900.50"}]
    made = api.send("POST", URL, body(mug, lines=lines, external_ref="web-1"), Idempotency_Key="rest-1")
    assert made.status_code == 201, made.content
    answer = made.json()
    assert (answer["outcome"], answer["net_total"], answer["lifecycle"]) == ("accepted", "1801.0000", "open")
    read = api.get(made["Location"])
    assert (read.status_code, read.json()["number"], read["ETag"]) == (200, answer["number"], made["ETag"])
    assert read.json()["lines"][0]["unit_price"] == "900.500000"
    assert [o["id"] for o in api.get(f"{URL}?external_ref=web-1").json()["results"]] == [answer["id"]]


def test_repeat_with_the_key_gives_the_one_order(api: ApiClient) -> None:
    mug = world.product(stock=5)
    answers = [api.send("POST", URL, body(mug), Idempotency_Key="rest-2").json()["id"] for _ in range(2)]
    assert answers[0] == answers[1]
    other = api.send("POST", URL, body(mug, 2), Idempotency_Key="rest-2")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-conflict")


def test_short_order_is_a_conflict_with_lines(api: ApiClient) -> None:
    mug = world.product(stock=1)
    refused = api.send("POST", URL, body(mug, 2), Idempotency_Key="rest-3")
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["code"] == "out-of-stock"
    assert [(s["line_no"], s["requested"], s["available"]) for s in problem["short"]] == [(1, 2, 1)]


def test_key_and_valid_data_are_asked_for(api: ApiClient) -> None:
    mug = world.product(stock=1)
    assert api.send("POST", URL, body(mug)).status_code == 400
    bad = api.send("POST", URL, body(mug, lines=[{"quantity": 0}]), Idempotency_Key="rest-4")
    assert bad.status_code == 400
    assert "lines" in bad.json()["errors"]


def test_order_is_not_changed_here(api: ApiClient) -> None:
    placed = world.place((world.product(stock=1), 1))
    url = f"{URL}{placed['order_id']}/"
    for method in ("PATCH", "PUT", "DELETE"):
        assert api.send(method, url, {"note": "x"}, If_Match="*").status_code == 405
    assert SalesOrder.objects.get(pk=placed["order_id"]).version == placed["version"]


def test_copies_name_their_owner(api: ApiClient) -> None:
    world.product(stock=1)
    world.copy_stock()
    stock = api.get("/api/v1/storefront/stock/")
    assert (stock.status_code, stock["X-ERP-Owner"], stock["X-ERP-Window"]) == (200, "logistics", "15")
    refused = api.send("PATCH", "/api/v1/storefront/products/1/", {"name": "x"})
    assert (refused.status_code, refused.json()["owner"]) == (405, "admin_app")


def test_categories_and_ways_of_delivery_are_read(api: ApiClient) -> None:
    world.delivery("REST")
    assert api.get("/api/v1/storefront/categories/").status_code == 200
    methods = api.get("/api/v1/storefront/shipping-methods/?code=REST").json()["results"]
    assert [m["name"] for m in methods] == ["Rest"]


def test_without_a_token_nothing_is_shown(module_erp: ErpDatabase) -> None:
    from django.test import Client

    assert Client().get(URL).status_code in {401, 403}
