"""What comes back is capped by what left, restocked or scrapped, and credited as it was sold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erp.errors import Refused
from erp.relay import run_relay
from logistics import api
from logistics.models import ReturnOrder, StockMove
from logistics.services.planning import WrongState
from logistics.services.returns import reject_return
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.finance_recorder import FinanceRecorder
from tests.logistics.world import CLERK, accepted, customer, figures, stocked


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase, finance: FinanceRecorder) -> Iterator[None]:
    yield
    world.require_sound_books()


def shipped(*lines: tuple[int, int], **header: Any) -> int:
    order_id = accepted(*lines, **header)
    api.ship(order_id, None, actor=CLERK, key=None)
    return order_id


def test_return_is_restocked_and_credited(finance: FinanceRecorder) -> None:
    mug = stocked(5)
    order_id = shipped((mug, 4))
    back = [{"line_no": 1, "quantity": 4}]
    done = api.receive_return(order_id, back, actor=CLERK, key=f"r{order_id}", on_date=date(2011, 6, 1))
    assert api.receive_return(order_id, back, actor=CLERK, key=f"r{order_id}", on_date=date(2011, 6, 1)) == done
    assert (done["state"], done["credit_note_number"][:4]) == ("restocked", "CRN-")
    assert figures(mug) == (5, 0)
    order = api.get_order(order_id)
    assert (order["fulfilment"], order["invoicing"], order["lines"][0]["returned"]) == ("returned", "credited", 4)
    assert order["returns"][0]["credit_note_number"] == done["credit_note_number"]
    line = finance.credits[done["return_id"]]["lines"][0]
    move = StockMove.objects.get(product_id=mug, kind="return")
    assert (line["order_id"], line["order_line_no"], line["move_seq"], move.moved_on) == (
        order_id, 1, move.seq, date(2011, 6, 1),
    )  # fmt: skip


def test_more_than_was_issued_cannot_come_back() -> None:
    order_id = shipped((stocked(5), 4))
    api.receive_return(order_id, [{"line_no": 1, "quantity": 3}], actor=CLERK, key=None)
    with pytest.raises(Refused, match="1 can still come back, not 2"):
        api.receive_return(order_id, [{"line_no": 1, "quantity": 2}], actor=CLERK, key=None)
    assert api.list_returnable(order_id)[0]["quantity"] == 1


def test_requested_return_counts_against_the_next() -> None:
    order_id = shipped((stocked(5), 4))
    first = api.request_return(order_id, [{"line_no": 1, "quantity": 3}], actor=CLERK, key=None)
    assert api.list_returnable(order_id)[0]["quantity"] == 1
    reject_return(first["return_id"], actor=CLERK, reason="too late")
    assert api.list_returnable(order_id)[0]["quantity"] == 4


def test_inspection_splits_restock_scrap_and_send_back(finance: FinanceRecorder) -> None:
    mug = stocked(10)
    order_id = shipped((mug, 6))
    asked = api.request_return(order_id, [{"line_no": 1, "quantity": 5}], actor=CLERK, key=None, reason="cracked")
    with pytest.raises(WrongState, match="only received goods"):
        api.inspect_return(asked["return_id"], actor=CLERK)
    api.receive_parcel(asked["return_id"], actor=CLERK)
    assert figures(mug) == (4, 0)
    api.inspect_return(asked["return_id"], {1: (1, 3)}, actor=CLERK)
    assert figures(mug) == (5, 0)
    moves = StockMove.objects.filter(document_kind="return", document_id=asked["return_id"]).order_by("seq")
    assert [(m.kind, m.quantity) for m in moves] == [("return", 4), ("scrap", -3)]
    assert ReturnOrder.objects.get(pk=asked["return_id"]).state == "scrapped"
    assert finance.credits[asked["return_id"]]["lines"][0]["quantity"] == 4
    run_relay("logistics")
    assert [m["quantity"] for m in finance.valued if m["kind"] == "scrap" and m["product_id"] == mug] == [-3]
    assert api.list_returnable(order_id)[0]["quantity"] == 2
    with pytest.raises(WrongState):
        api.inspect_return(asked["return_id"], actor=CLERK)


def test_one_return_may_come_from_several_orders(finance: FinanceRecorder) -> None:
    mug = stocked(9)
    first, second = shipped((mug, 2)), shipped((mug, 3))
    lines: list[dict[str, Any]] = [
        {"order_id": first, "order_line_no": 1, "quantity": 2},
        {"order_id": second, "order_line_no": 1, "quantity": 1},
        {"product_id": mug, "quantity": 1, "unit_price": Decimal("90"), "vat_code": "27", "vat_rate": Decimal(27)},
    ]
    header = {"customer_id": customer(), "currency": "HUF", "external_ref": "C536379"}
    done = api.receive_return(None, lines, actor=CLERK, key="c536379", header=header)
    sent = finance.credits[done["return_id"]]
    origins = [(line["order_id"], line["order_line_no"]) for line in sent["lines"]]
    assert origins == [(first, 1), (second, 1), (None, None)]
    assert (sent["external_ref"], figures(mug)) == ("C536379", (8, 0))
    assert [api.get_order(n)["fulfilment"] for n in (first, second)] == ["returned", "shipped"]


def test_return_without_order_needs_a_customer() -> None:
    mug = stocked(1)
    line = {"product_id": mug, "quantity": 1, "unit_price": Decimal(1), "vat_code": "27", "vat_rate": Decimal(27)}
    with pytest.raises(Refused, match="needs a customer"):
        api.receive_return(None, [line], actor=CLERK, key=None)


def test_returned_goods_serve_waiting_orders() -> None:
    mug = stocked(4, backorder_allowed=True)
    order_id = shipped((mug, 4))
    waiting = accepted((mug, 2))
    api.receive_return(order_id, [{"line_no": 1, "quantity": 4}], actor=CLERK, key=None)
    run_relay("logistics")
    assert api.get_order(waiting)["fulfilment"] == "allocated"


def test_discount_comes_back_to_the_cent(finance: FinanceRecorder) -> None:
    made = world.offer((stocked(3), 3), currency="EUR")
    made["lines"][0]["discount"] = Decimal("10.00")
    order_id = api.accept_order(made)["order_id"]
    api.ship(order_id, None, actor=CLERK, key=None)
    shares = []
    for _ in range(3):
        done = api.receive_return(order_id, [{"line_no": 1, "quantity": 1}], actor=CLERK, key=None)
        shares.append(finance.credits[done["return_id"]]["lines"][0]["discount"])
    assert shares == ["3.33", "3.34", "3.33"]
