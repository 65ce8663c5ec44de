"""Orders that wait for goods: by product, since when, what is expected, and served by a button."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from erp.errors import Refused
from logistics import api
from logistics.models import ProductCopy
from logistics.services.documents import today
from logistics.services.waiting import expect_goods, list_waiting
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, figures, stocked
from tests.people import ApiClient, person, staff_client

URL = "/admin/logistics/waiting/"


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase, finance: object) -> Iterator[None]:
    yield
    world.require_sound_books()


def row_of(product_id: int) -> dict[str, Any]:
    (found,) = [row for row in list_waiting() if row["product_id"] == product_id]
    return found


def waits_although_free() -> int:
    """A product of which an order waits for 3 while 2 became free just now: a shopper's hold was released."""
    mug = stocked(2, backorder_allowed=True)
    api.hold_stock(f"cart of {mug}", [{"line_no": 1, "product_id": mug, "quantity": 2}], 600)
    accepted((mug, 3))
    api.release_hold(f"cart of {mug}")
    return mug


def test_list_says_who_waits_for_how_much_since_when() -> None:
    mug, plate = stocked(3, backorder_allowed=True), stocked(9)
    first = accepted((mug, 5), ordered_on="2026-11-02")
    accepted((mug, 4), (plate, 1), ordered_on="2026-11-20")
    row = row_of(mug)
    assert (row["ordered"], row["waiting"], row["free"], row["since"]) == (9, 6, 0, date(2026, 11, 2))
    assert [(o["id"], o["waiting"]) for o in row["orders"]][0] == (first, 2)
    assert len(row["orders"]) == 2
    assert [r for r in list_waiting() if r["product_id"] == plate] == []
    world.receive(mug, 6)
    assert [r for r in list_waiting() if r["product_id"] == mug] == []


def test_expected_day_is_noted_and_cleared_by_the_receipt() -> None:
    mug = stocked(0, backorder_allowed=True)
    accepted((mug, 5))
    expect_goods(mug, today() + timedelta(days=3), actor=CLERK)
    world.receive(mug, 1)  # something else came first
    assert row_of(mug)["expected_on"] == today() + timedelta(days=3)
    expect_goods(mug, today(), actor=CLERK)
    world.receive(mug, 1)
    assert (row_of(mug)["waiting"], row_of(mug)["expected_on"]) == (3, None)
    expect_goods(mug, today(), actor=CLERK)
    expect_goods(mug, None, actor=CLERK)
    assert row_of(mug)["expected_on"] is None
    with pytest.raises(Refused, match="from today on"):
        expect_goods(mug, date(2020, 1, 1), actor=CLERK)


def test_button_serves_what_is_free_now() -> None:
    mug, plate = waits_although_free(), waits_although_free()
    clerk = staff_client("clerk", duty="logistics")
    page = clerk.get(URL).content.decode()
    for part in (ProductCopy.objects.get(pk=mug).sku, "Allocate what is free", "Allocate now"):
        assert part in page
    said = clerk.post(URL, {"verb": "allocate", "product": mug}, follow=True).content.decode()
    assert "1 order got goods" in said
    assert (figures(mug), figures(plate)) == ((2, 2), (2, 0))
    clerk.post(URL, {"verb": "allocate"})
    assert figures(plate) == (2, 2)
    assert "Nothing is free" in clerk.post(URL, {"verb": "allocate"}, follow=True).content.decode()


def test_day_is_noted_on_the_page_and_a_late_one_is_marked(module_erp: ErpDatabase) -> None:
    mug = stocked(0, backorder_allowed=True)
    accepted((mug, 2))
    clerk = staff_client("clerk", duty="logistics")
    form = {"verb": "expect", "product": mug, "expected_on": str(today())}
    assert f"More is expected on {today()}" in clerk.post(URL, form, follow=True).content.decode()
    assert f'value="{today()}"' in clerk.get(URL).content.decode()
    with module_erp.connect("logistics") as logistics:
        logistics.execute("update expected_goods set expected_on = '2026-01-02' where product_id = %s", [mug])
    assert ">late<" in clerk.get(URL).content.decode()
    assert "year-month-day" in clerk.post(URL, {**form, "expected_on": "soon"}, follow=True).content.decode()
    assert staff_client("bookkeeper", duty="finance").get(URL).status_code == 403
    assert Client().get(URL).status_code == 302


def test_integrators_read_the_list_and_serve_it() -> None:
    mug = waits_although_free()
    clerk, base = ApiClient(person("clerk", duty="logistics")), "/api/v1/logistics/waiting-orders/"
    body = {"product_id": mug, "expected_on": str(today())}
    assert clerk.send("POST", f"{base}expected/", body, Idempotency_Key="e1").status_code == 200
    (row,) = [r for r in clerk.get(base).json()["results"] if r["product_id"] == mug]
    assert (row["waiting"], row["free"], row["expected_on"]) == (3, 2, str(today()))
    done = clerk.send("POST", f"{base}allocate/", {"product_ids": [mug]}, Idempotency_Key=f"a{mug}")
    assert (done.json(), figures(mug)) == ({"served": 1}, (2, 2))
