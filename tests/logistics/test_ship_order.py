"""Goods leave once, whole or in parts, and Finance is told exactly what left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from erp.errors import IdempotencyConflict
from erp.relay import run_relay
from logistics import api
from logistics.models import RelayItem, Reservation, Shipment, StockMove
from logistics.services import fulfilment
from logistics.services.planning import NotReserved, WrongState
from logistics.tasks import release_expired_holds, reserve_for_waiting_orders
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.finance_recorder import FinanceRecorder
from tests.logistics.world import CLERK, accepted, figures, stocked


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase, finance: FinanceRecorder) -> Iterator[None]:
    yield
    world.require_sound_books()


def test_shipping_moves_stock_and_gets_an_invoice(finance: FinanceRecorder) -> None:
    mug = stocked(10)
    order_id = accepted((mug, 4))
    done = api.ship(order_id, None, actor=CLERK, key=f"ship {order_id}", on_date=date(2011, 5, 3))
    assert figures(mug) == (6, 0)
    assert done["shipments"][0]["invoice_number"] == finance.invoices[done["shipment_id"]]
    order = api.get_order(order_id)
    assert (order["fulfilment"], order["invoicing"], order["lifecycle"]) == ("shipped", "fully", "closed")
    move = StockMove.objects.get(document_kind="shipment", document_id=done["shipment_id"])
    assert (move.quantity, move.seq, move.moved_on) == (-4, 2, date(2011, 5, 3))
    line = finance.issues[done["shipment_id"]]["lines"][0]
    assert (line["quantity"], line["move_id"], line["move_seq"]) == (4, move.pk, 2)
    assert finance.issues[done["shipment_id"]]["issued_on"] == "2011-05-03"


def test_same_key_ships_once() -> None:
    mug = stocked(10)
    order_id = accepted((mug, 4))
    first = api.ship(order_id, None, actor=CLERK, key=f"k{order_id}")
    assert api.ship(order_id, None, actor=CLERK, key=f"k{order_id}") == first
    assert figures(mug) == (6, 0)
    with pytest.raises(IdempotencyConflict):
        api.ship(order_id, [{"line_no": 1, "quantity": 1}], actor=CLERK, key=f"k{order_id}")


def test_partial_shipments_are_documents_of_their_own(finance: FinanceRecorder) -> None:
    mug, plate = stocked(10), stocked(10)
    order_id = accepted((mug, 5), (plate, 2))
    api.ship(order_id, [{"line_no": 1, "quantity": 2}], actor=CLERK, key=None)
    order = api.get_order(order_id)
    assert (order["fulfilment"], order["invoicing"], order["lifecycle"]) == ("partly_shipped", "partly", "open")
    assert (figures(mug), figures(plate)) == ((8, 3), (10, 2))
    api.ship(order_id, None, actor=CLERK, key=None)
    order = api.get_order(order_id)
    assert (order["fulfilment"], order["invoicing"], order["lifecycle"]) == ("shipped", "fully", "closed")
    assert [len(s["lines"]) for s in order["shipments"]] == [1, 2]
    assert (figures(mug), figures(plate)) == ((5, 0), (8, 0))


def test_more_than_reserved_is_refused_by_line() -> None:
    order_id = accepted((stocked(10), 5))
    with pytest.raises(NotReserved, match="line 1: 2 more than is reserved"):
        api.ship(order_id, [{"line_no": 1, "quantity": 7}], actor=CLERK, key=None)
    assert api.get_order(order_id)["fulfilment"] == "allocated"


def test_each_warehouse_ships_its_own_part() -> None:
    world.warehouse("NEAR", 1)
    world.warehouse("FAR", 2)
    mug = stocked(3, code="FAR")
    world.receive(mug, 4, code="NEAR")
    done = api.ship(accepted((mug, 6)), None, actor=CLERK, key=None)
    assert len(done["shipments"]) == 2
    assert (figures(mug, "NEAR"), figures(mug, "FAR")) == ((0, 0), (1, 0))


def test_service_line_goes_with_first_shipment(finance: FinanceRecorder) -> None:
    mug, postage = stocked(10), world.product(product_class="shipping", is_stocked=False)
    order_id = accepted((mug, 4), (postage, 1))
    first = api.ship(order_id, [{"line_no": 1, "quantity": 1}], actor=CLERK, key=None)
    second = api.ship(order_id, None, actor=CLERK, key=None)
    sent = [[line["order_line_no"] for line in finance.issues[s["shipment_id"]]["lines"]] for s in (first, second)]
    assert sent == [[1, 2], [1]]
    assert finance.issues[first["shipment_id"]]["lines"][1]["move_id"] is None


def test_service_order_is_delivered_by_issuing_it() -> None:
    postage = world.product(product_class="service", is_stocked=False)
    order_id = accepted((postage, 2))
    api.ship(order_id, None, actor=CLERK, key=None)
    order = api.get_order(order_id)
    assert (order["fulfilment"], order["invoicing"], order["lifecycle"]) == ("delivered", "fully", "closed")


def test_discount_is_shared_out_to_the_cent(finance: FinanceRecorder) -> None:
    mug = stocked(10)
    made = world.offer((mug, 3), currency="EUR")
    made["lines"][0]["discount"] = Decimal("10.00")
    order_id = api.accept_order(made)["order_id"]
    parts = [api.ship(order_id, [{"line_no": 1, "quantity": 1}], actor=CLERK, key=None) for _ in range(3)]
    shares = [finance.issues[p["shipment_id"]]["lines"][0]["discount"] for p in parts]
    assert shares == ["3.33", "3.34", "3.33"]


def test_step_by_step_shipment_goes_through_its_states() -> None:
    mug = stocked(10)
    order_id = accepted((mug, 4))
    (planned,) = api.create_shipments(order_id, actor=CLERK)
    assert api.get_order(order_id)["fulfilment"] == "picking"
    with pytest.raises(WrongState, match="pick and pack it first"):
        api.issue_shipment(planned["id"], actor=CLERK)
    api.pick_shipment(planned["id"], actor=CLERK)
    api.pack_shipment(planned["id"], actor=CLERK)
    fulfilment.set_tracking(planned["id"], carrier="MPL", tracking_number="PB1", actor=CLERK)
    assert figures(mug) == (10, 4)
    api.issue_shipment(planned["id"], actor=CLERK)
    api.issue_shipment(planned["id"], actor=CLERK)
    assert figures(mug) == (6, 0)
    fulfilment.deliver_shipment(planned["id"], actor=CLERK)
    order = api.get_order(order_id)
    assert (order["fulfilment"], order["shipments"][0]["tracking_number"]) == ("delivered", "PB1")


def test_cancelled_shipment_leaves_pieces_reserved() -> None:
    mug = stocked(10)
    order_id = accepted((mug, 4))
    (planned,) = api.create_shipments(order_id, [{"line_no": 1, "quantity": 3}], actor=CLERK)
    fulfilment.cancel_shipment(planned["id"], actor=CLERK)
    assert (figures(mug), api.get_order(order_id)["fulfilment"]) == ((10, 4), "allocated")
    api.ship(order_id, None, actor=CLERK, key=None)
    assert figures(mug) == (6, 0)


def test_issued_shipment_cannot_be_taken_back() -> None:
    done = api.ship(accepted((stocked(2), 1)), None, actor=CLERK, key=None)
    with pytest.raises(WrongState, match="comes back as a return"):
        fulfilment.cancel_shipment(done["shipment_id"], actor=CLERK)


def test_invoice_follows_when_finance_is_back(finance: FinanceRecorder) -> None:
    finance.is_down = True
    order_id = accepted((stocked(2), 1))
    done = api.ship(order_id, None, actor=CLERK, key=None)
    assert (done["shipments"][0]["invoice_number"], api.get_order(order_id)["invoicing"]) == ("", "none")
    assert [item["key"] for item in api.list_stuck() if item["kind"] == "invoice_issue"] == [
        f"shipment:{done['shipment_id']}"
    ]
    finance.is_down = False
    RelayItem.objects.exclude(state="done").update(next_at="2020-01-01T00:00:00Z")
    run_relay("logistics")
    assert Shipment.objects.get(pk=done["shipment_id"]).invoice_number == finance.invoices[done["shipment_id"]]
    assert api.get_order(order_id)["lifecycle"] == "closed"
    assert api.list_stuck() == []


def test_cancelled_order_cannot_be_shipped() -> None:
    order_id = accepted((stocked(2), 1))
    api.cancel_order(order_id, actor=CLERK)
    with pytest.raises(WrongState, match="cancelled"):
        api.ship(order_id, None, actor=CLERK, key=None)


def test_cancelling_gives_stock_back_once() -> None:
    mug = stocked(5)
    order_id = accepted((mug, 4))
    api.create_shipments(order_id, actor=CLERK)
    for _ in range(2):
        assert api.cancel_order(order_id, actor=CLERK)["lifecycle"] == "cancelled"
    assert figures(mug) == (5, 0)


def test_picked_order_cannot_be_cancelled() -> None:
    order_id = accepted((stocked(5), 4))
    (planned,) = api.create_shipments(order_id, actor=CLERK)
    api.pick_shipment(planned["id"], actor=CLERK)
    with pytest.raises(WrongState, match="is picked"):
        api.cancel_order(order_id, actor=CLERK)


def test_rest_of_partly_shipped_order_can_be_cancelled() -> None:
    mug = stocked(5)
    order_id = accepted((mug, 4))
    api.ship(order_id, [{"line_no": 1, "quantity": 1}], actor=CLERK, key=None)
    with pytest.raises(WrongState, match="comes back as a return"):
        api.cancel_order(order_id, actor=CLERK)
    assert api.cancel_rest(order_id, actor=CLERK)["cancelled"] == 3
    order = api.get_order(order_id)
    assert (figures(mug), order["fulfilment"], order["lifecycle"]) == ((4, 0), "shipped", "closed")
    assert api.cancel_rest(order_id, actor=CLERK)["cancelled"] == 0


def test_arriving_goods_serve_the_oldest_backorder_first() -> None:
    mug = stocked(1, backorder_allowed=True)
    old, young = accepted((mug, 4)), accepted((mug, 4))
    world.receive(mug, 5)
    run_relay("logistics")
    lines = [api.get_order(n)["lines"][0]["reserved"] for n in (old, young)]
    assert lines == [4, 2]
    assert api.get_order(old)["fulfilment"] == "allocated"
    assert figures(mug) == (6, 6)


def test_goods_of_a_hold_that_ran_out_go_to_who_waits() -> None:
    mug = stocked(2, backorder_allowed=True)
    api.hold_stock("anna", [{"line_no": 1, "product_id": mug, "quantity": 2}], 600)
    order_id = accepted((mug, 2))
    assert api.get_order(order_id)["fulfilment"] == "backordered"
    Reservation.objects.filter(owner_key="anna").update(expires_at="2020-01-01T00:00:00Z")
    release_expired_holds()
    assert reserve_for_waiting_orders() == 1
    assert (api.get_order(order_id)["fulfilment"], figures(mug)) == ("allocated", (2, 2))
    assert reserve_for_waiting_orders() == 0
