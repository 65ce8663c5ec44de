"""Count sheets: differences are posted once, moves in between are told, missing goods give up their reservations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from erp.errors import Refused
from logistics import api
from logistics.models import Reservation, StockCount, StockMove
from logistics.serializers import InsufficientStock
from logistics.services import counting
from logistics.services.counting import StockMoved
from logistics.services.planning import WrongState
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, figures, stocked


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase, finance: object) -> Iterator[None]:
    yield
    world.require_sound_books()


def open_sheet(*products: int, code: str = "MAIN") -> int:
    count_id = counting.open_count(actor=CLERK, key=None, warehouse=code)["count_id"]
    for product in products:
        counting.put_on_sheet(count_id, product, actor=CLERK)
    return int(count_id)


def post(count_id: int, counted: dict[int, int | None]) -> dict[str, object]:
    counting.write_counts(count_id, counted, actor=CLERK)
    return counting.post_count(count_id, actor=CLERK)


def test_differences_of_all_lines_are_one_document_posted_once() -> None:
    mug, plate, bowl, spoon = stocked(5), stocked(3), stocked(2), stocked(4)
    sheet = open_sheet(mug, plate, bowl, spoon)
    done = post(sheet, {mug: 4, plate: 3, bowl: 7, spoon: None})
    assert done["pieces"] == 4
    assert [figures(p) for p in (mug, plate, bowl, spoon)] == [(4, 0), (3, 0), (7, 0), (4, 0)]
    assert counting.post_count(sheet, actor=CLERK)["differences"] == []
    moves = StockMove.objects.filter(document_kind="stock_count", document_id=sheet).order_by("product_id")
    assert [(m.quantity, m.document_number, m.reason) for m in moves] == [
        (-1, done["number"], "Stock count"), (5, done["number"], "Stock count"),
    ]  # fmt: skip


def test_product_that_moved_in_between_must_be_counted_again() -> None:
    mug, plate = stocked(5), stocked(3)
    sheet = open_sheet(mug, plate)
    world.receive(mug, 2)
    with pytest.raises(StockMoved, match=r"7 now, 5 then") as refused:
        post(sheet, {mug: 4, plate: 1})
    assert [m["product_id"] for m in refused.value.details["moved"]] == [mug]
    assert (figures(mug), figures(plate)) == ((7, 0), (3, 0))
    assert counting.count_again(sheet, actor=CLERK) == 1
    found = StockCount.objects.get(pk=sheet)
    lines = {line["product_id"]: line for line in counting.list_sheet(found)}
    assert (lines[mug]["expected"], lines[mug]["counted"], lines[plate]["counted"]) == (7, None, 1)
    post(sheet, {mug: 6, plate: 1})
    assert (figures(mug), figures(plate)) == ((6, 0), (1, 0))


def test_reservation_in_between_does_not_spoil_a_count() -> None:
    mug = stocked(5)
    sheet = open_sheet(mug)
    accepted((mug, 2))
    post(sheet, {mug: 4})
    assert figures(mug) == (4, 2)


def test_missing_goods_make_the_youngest_orders_wait() -> None:
    mug = stocked(6)
    old, young = accepted((mug, 3)), accepted((mug, 3))
    done = post(open_sheet(mug), {mug: 4})
    assert done["waiting"] == [f"SO-{young:06d}"]
    assert figures(mug) == (4, 4)
    assert [api.get_order(n)["fulfilment"] for n in (old, young)] == ["allocated", "backordered"]
    assert [api.get_order(n)["lines"][0]["reserved"] for n in (old, young)] == [3, 1]
    api.ship(young, None, actor=CLERK, key=None)
    assert Reservation.objects.filter(order_id=young, state="released").get().quantity == 2


def test_goods_missing_here_are_taken_from_another_warehouse() -> None:
    world.warehouse("EAST", 50)
    mug = stocked(3)
    order_id = accepted((mug, 3))
    world.receive(mug, 5, code="EAST")
    assert post(open_sheet(mug), {mug: 0})["waiting"] == [f"SO-{order_id:06d}"]
    assert (figures(mug), figures(mug, "EAST")) == ((0, 0), (5, 3))
    assert api.get_order(order_id)["fulfilment"] == "allocated"


def test_goods_on_a_shipment_keep_their_reservation() -> None:
    mug = stocked(3)
    order_id = accepted((mug, 3))
    api.create_shipments(order_id, actor=CLERK)
    with pytest.raises(InsufficientStock, match="3 on hand, 3 of them reserved"):
        post(open_sheet(mug), {mug: 1})
    assert figures(mug) == (3, 3)


def test_shopper_at_the_till_gives_way_after_waiting_orders() -> None:
    mug = stocked(4)
    order_id = accepted((mug, 2))
    api.hold_stock("anna", [{"line_no": 1, "product_id": mug, "quantity": 2}], 600)
    post(open_sheet(mug), {mug: 2})
    assert (figures(mug), api.get_order(order_id)["lines"][0]["reserved"]) == ((2, 2), 0)
    post(open_sheet(mug), {mug: 1})
    assert figures(mug) == (1, 1)


def test_sheet_lists_what_lies_there_by_the_beginning_of_the_sku() -> None:
    cups = [stocked(1, sku=f"CUP%{n}") for n in range(3)]
    stocked(1, sku="CUPBOARD")
    made = counting.open_count(actor=CLERK, key="s1", warehouse="MAIN", sku_prefix="CUP%")
    assert counting.open_count(actor=CLERK, key="s1", warehouse="MAIN", sku_prefix="CUP%") == made
    found = StockCount.objects.get(pk=made["count_id"])
    assert [line["product_id"] for line in counting.list_sheet(found)] == cups
    with pytest.raises(Refused, match="begins with 'NONE'"):
        counting.open_count(actor=CLERK, key=None, warehouse="MAIN", sku_prefix="NONE")


def test_product_found_where_there_was_none_is_posted() -> None:
    world.warehouse("EAST", 50)
    mug = stocked(0)
    post(open_sheet(mug, code="EAST"), {mug: 2})
    assert (figures(mug), figures(mug, "EAST")) == ((0, 0), (2, 0))


def test_closed_sheet_takes_nothing_more() -> None:
    mug = stocked(3)
    sheet = open_sheet(mug)
    counting.cancel_count(sheet, actor=CLERK)
    with pytest.raises(WrongState, match="cancelled already"):
        post(sheet, {mug: 1})
    with pytest.raises(Refused, match="Nothing is counted"):
        counting.post_count(open_sheet(mug), actor=CLERK)
    assert figures(mug) == (3, 0)
