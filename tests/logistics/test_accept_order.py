"""Orders are taken over whole or refused with what is left of each line; an epoch is answered once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logistics import api
from logistics.models import SalesOrder
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, figures, offer, stocked


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase) -> Iterator[None]:
    yield
    world.require_sound_books()


def test_accepted_order_has_its_stock_reserved() -> None:
    mug = stocked(10)
    answer = api.accept_order(offer((mug, 3)))
    assert (answer["outcome"], answer["epoch"]) == ("accepted", 2)
    assert answer["lines"] == [{"line_no": 1, "reserved": 3, "backordered": 0}]
    assert figures(mug) == (10, 3)
    order = api.get_order(answer["order_id"])
    assert (order["epoch"], order["lifecycle"], order["fulfilment"]) == (2, "open", "allocated")
    assert order["lines"][0]["reserved"] == 3


def test_short_order_is_told_what_is_left() -> None:
    mug, plate = stocked(2), stocked(9)
    answer = api.accept_order(offer((mug, 3), (plate, 1)))
    assert (answer["outcome"], answer["epoch"]) == ("refused", 1)
    assert answer["short"] == [{"line_no": 1, "product_id": mug, "sku": f"P{mug}", "requested": 3, "available": 2}]
    assert figures(plate) == (9, 0)
    assert not SalesOrder.objects.filter(pk=answer["order_id"]).exists()


def test_product_named_twice_is_one_demand() -> None:
    mug = stocked(5)
    assert api.accept_order(offer((mug, 3), (mug, 3)))["outcome"] == "refused"
    answer = api.accept_order(offer((mug, 3), (mug, 2)))
    assert [line["reserved"] for line in answer["lines"]] == [3, 2]
    assert figures(mug) == (5, 5)


def test_same_epoch_again_changes_nothing() -> None:
    mug = stocked(10)
    first = offer((mug, 4))
    answer = api.accept_order(first)
    again = api.accept_order(first)
    assert again["outcome"] == "seen"
    assert again["answer"] == answer
    assert figures(mug) == (10, 4)


def test_late_duplicate_cannot_revive_cancelled_order() -> None:
    mug = stocked(10)
    first = offer((mug, 4))
    order_id = api.accept_order(first)["order_id"]
    api.cancel_order(order_id, actor=CLERK, reason="changed my mind")
    assert api.accept_order(first)["outcome"] == "seen"
    assert api.accept_order({**first, "epoch": 5})["outcome"] == "seen"
    assert api.get_order(order_id)["lifecycle"] == "cancelled"
    assert figures(mug) == (10, 0)


def test_refused_order_can_be_offered_again_higher() -> None:
    mug = stocked(1)
    first = offer((mug, 2))
    assert api.accept_order(first)["outcome"] == "refused"
    world.receive(mug, 5)
    assert api.accept_order(first)["outcome"] == "seen"
    assert api.accept_order({**first, "epoch": 2})["epoch"] == 3
    assert api.accept_order(first)["answer"]["outcome"] == "refused"


def test_withdrawn_offer_is_never_accepted() -> None:
    mug = stocked(3)
    late = offer((mug, 1))
    assert api.withdraw_offer(late["order_id"], 1)["outcome"] == "withdrawn"
    assert api.accept_order(late)["outcome"] == "seen"
    assert figures(mug) == (3, 0)
    assert api.withdraw_offer(late["order_id"], 1)["outcome"] == "withdrawn"


def test_withdrawing_accepted_offer_tells_so() -> None:
    order_id = accepted((stocked(3), 1))
    assert api.withdraw_offer(order_id, 1)["outcome"] == "accepted"


def test_offer_never_seen_is_not_found() -> None:
    assert api.find_offer(999_999) is None


def test_backorder_product_is_accepted_short() -> None:
    mug = stocked(2, backorder_allowed=True)
    answer = api.accept_order(offer((mug, 5)))
    assert answer["lines"] == [{"line_no": 1, "reserved": 2, "backordered": 3}]
    assert api.get_order(answer["order_id"])["fulfilment"] == "backordered"


def test_backorder_does_not_excuse_other_lines() -> None:
    mug, plate = stocked(2, backorder_allowed=True), stocked(1)
    answer = api.accept_order(offer((mug, 5), (plate, 2)))
    assert [s["line_no"] for s in answer["short"]] == [2]
    assert figures(mug) == (2, 0)


def test_service_line_needs_no_stock() -> None:
    postage = world.product(product_class="shipping", is_stocked=False)
    answer = api.accept_order(offer((postage, 1)))
    assert answer["lines"] == [{"line_no": 1, "reserved": 0, "backordered": 0}]


def test_unknown_product_is_refused() -> None:
    answer = api.accept_order(offer((123_456_789, 1)))
    assert (answer["outcome"], answer["short"][0]["available"]) == ("refused", 0)


def test_one_warehouse_that_has_everything_is_preferred() -> None:
    world.warehouse("NEAR", 1)
    world.warehouse("FAR", 2)
    mug, plate = stocked(5, code="FAR"), stocked(5, code="FAR")
    world.receive(mug, 5, code="NEAR")
    accepted((mug, 2), (plate, 2))
    assert (figures(mug, "FAR"), figures(mug, "NEAR")) == ((5, 2), (5, 0))
    accepted((mug, 2))
    assert figures(mug, "NEAR") == (5, 2)


def test_line_is_split_over_warehouses_when_it_must() -> None:
    world.warehouse("NEAR", 1)
    world.warehouse("FAR", 2)
    mug = stocked(3, code="FAR")
    world.receive(mug, 4, code="NEAR")
    accepted((mug, 3), (mug, 3))
    assert (figures(mug, "NEAR"), figures(mug, "FAR")) == ((4, 4), (3, 2))


def test_inactive_warehouse_serves_nobody() -> None:
    world.warehouse("SHUT", 1)
    mug = stocked(5, code="SHUT")
    world.warehouse("SHUT", 1, is_active=False)
    assert api.available([mug]) == {mug: 0}
    assert api.accept_order(offer((mug, 1)))["outcome"] == "refused"
