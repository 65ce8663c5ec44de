"""Holds expire, never block their own shopper, and become allocations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from logistics import api
from logistics.models import Reservation
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import figures, offer, stocked


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase) -> Iterator[None]:
    yield
    world.require_sound_books()


def lines(product_id: int, quantity: int) -> list[dict[str, int]]:
    return [{"line_no": 1, "product_id": product_id, "quantity": quantity}]


def expire(owner_key: str) -> None:
    Reservation.objects.filter(owner_key=owner_key, state="held").update(expires_at="2020-01-01T00:00:00Z")


def test_hold_takes_stock_from_others() -> None:
    mug = stocked(5)
    assert api.hold_stock("cart-a", lines(mug, 4), 600)["outcome"] == "held"
    assert api.available([mug]) == {mug: 1}
    other = api.hold_stock("cart-b", lines(mug, 2), 600)
    assert (other["outcome"], other["short"][0]["available"]) == ("refused", 1)


def test_own_hold_never_blocks_its_shopper() -> None:
    mug = stocked(5)
    api.hold_stock("cart-c", lines(mug, 4), 600)
    assert api.available([mug], "cart-c") == {mug: 5}
    assert api.hold_stock("cart-c", lines(mug, 5), 600)["outcome"] == "held"
    assert figures(mug) == (5, 5)
    answer = api.accept_order(offer((mug, 5), owner_key="cart-c"))
    assert answer["outcome"] == "accepted"
    assert figures(mug) == (5, 5)


def test_refused_hold_keeps_the_earlier_one() -> None:
    mug = stocked(5)
    api.hold_stock("cart-d", lines(mug, 3), 600)
    refused = api.hold_stock("cart-d", lines(mug, 6), 600)
    assert refused["short"] == [{"line_no": 1, "product_id": mug, "requested": 6, "available": 5}]
    assert figures(mug) == (5, 3)


def test_order_of_less_gives_the_rest_of_a_hold_back() -> None:
    mug, plate = stocked(5), stocked(5)
    api.hold_stock("cart-e", [*lines(mug, 3), {"line_no": 2, "product_id": plate, "quantity": 2}], 600)
    api.accept_order(offer((mug, 1), owner_key="cart-e"))
    assert (figures(mug), figures(plate)) == ((5, 1), (5, 0))


def test_expired_hold_counts_for_nobody() -> None:
    mug = stocked(5)
    api.hold_stock("cart-f", lines(mug, 5), 600)
    expire("cart-f")
    assert api.available([mug]) == {mug: 5}
    assert api.accept_order(offer((mug, 5)))["outcome"] == "accepted"
    assert Reservation.objects.get(owner_key="cart-f").state == "expired"
    assert figures(mug) == (5, 5)


def test_expired_hold_is_held_again_or_refused() -> None:
    mug = stocked(2)
    api.hold_stock("cart-g", lines(mug, 2), 600)
    expire("cart-g")
    assert api.hold_stock("cart-g", lines(mug, 2), 600)["outcome"] == "held"
    expire("cart-g")
    api.accept_order(offer((mug, 1)))
    late = api.accept_order(offer((mug, 2), owner_key="cart-g"))
    assert (late["outcome"], late["short"][0]["available"]) == ("refused", 1)
    assert figures(mug) == (2, 1)


def test_hold_really_ends_by_the_clock() -> None:
    mug = stocked(1)
    ends_at = api.hold_stock("cart-h", lines(mug, 1), 1)["expires_at"]
    assert api.accept_order(offer((mug, 1)))["outcome"] == "refused"
    while datetime.now(UTC) <= ends_at:
        time.sleep(0.02)
    assert api.accept_order(offer((mug, 1)))["outcome"] == "accepted"


def test_task_releases_expired_holds() -> None:
    mug = stocked(9)
    for n in range(3):
        api.hold_stock(f"cart-i{n}", lines(mug, 2), 600)
    expire("cart-i0")
    expire("cart-i1")
    assert api.expire_holds() == 4
    assert figures(mug) == (9, 2)
    assert api.expire_holds() == 0


def test_released_hold_is_free_at_once() -> None:
    mug = stocked(3)
    api.hold_stock("cart-j", lines(mug, 3), 600)
    assert api.release_hold("cart-j") == 3
    assert api.release_hold("cart-j") == 0
    assert figures(mug) == (3, 0)


def test_hold_of_backorder_product_takes_what_there_is() -> None:
    mug = stocked(2, backorder_allowed=True)
    assert api.hold_stock("cart-k", lines(mug, 5), 600)["outcome"] == "held"
    assert figures(mug) == (2, 2)
