"""What comes in, is counted, spoilt or moved: every piece has a numbered move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from django.db import connections

from erp.db import cursor
from erp.errors import IdempotencyConflict, Refused
from erp.relay import run_relay
from logistics import api
from logistics.models import ChangeJournal, GoodsReceipt, Stock, StockMove
from logistics.serializers import InsufficientStock
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.finance_recorder import FinanceRecorder
from tests.logistics.world import CLERK, accepted, figures, stocked


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase, finance: FinanceRecorder) -> Iterator[None]:
    yield
    world.require_sound_books()


def test_receipt_is_booked_once_per_key() -> None:
    world.warehouse()
    mug = world.product()
    rows = [{"product_id": mug, "quantity": 7, "unit_cost": Decimal("1.25"), "moved_on": date(2010, 11, 30)}]
    first = api.receive_goods(rows, actor=CLERK, key="delivery 1", received_on=date(2010, 11, 30))
    assert api.receive_goods(rows, actor=CLERK, key="delivery 1", received_on=date(2010, 11, 30)) == first
    assert figures(mug) == (7, 0)
    move = StockMove.objects.get(product_id=mug)
    assert (move.unit_cost, move.moved_on, move.actor_name) == (Decimal("1.25"), date(2010, 11, 30), "Clerk")
    with pytest.raises(IdempotencyConflict):
        api.receive_goods(rows[:0], actor=CLERK, key="delivery 1")


def test_thousand_rows_take_a_handful_of_statements() -> None:
    world.warehouse()
    products = [world.product() for _ in range(3)]
    rows = [{"product_id": products[n % 3], "quantity": 1 + n % 5} for n in range(1000)]
    with connections["logistics"].execute_wrapper(counter := Statements()):
        api.receive_goods(rows, actor=CLERK, key=None)
    assert counter.count < 20
    total = sum(r["quantity"] for r in rows)
    assert sum(figures(p)[0] for p in products) == total
    assert [p.version for p in Stock.objects.filter(product_id__in=products)] == [2, 2, 2]


class Statements:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.count += 1
        return execute(sql, params, many, context)


def test_finance_is_told_of_moves_in_product_order(finance: FinanceRecorder) -> None:
    mug = stocked(5)
    world.receive(mug, 2)
    run_relay("logistics")
    moves = [m for m in finance.valued if m["product_id"] == mug]
    assert [(m["move_seq"], m["kind"], m["quantity"], m["warehouse_code"]) for m in moves] == [
        (1, "receipt", 5, "MAIN"), (2, "receipt", 2, "MAIN"),
    ]  # fmt: skip


def test_stock_changes_are_journalled_with_the_actor() -> None:
    mug = stocked(5)
    stock = Stock.objects.get(product_id=mug)
    entry = ChangeJournal.objects.get(entity="stock", key=stock.pk, version=stock.version)
    assert (entry.actor_name, entry.payload["on_hand"], entry.payload["warehouse_code"]) == ("Clerk", 5, "MAIN")


def test_service_cannot_be_received() -> None:
    world.warehouse()
    postage = world.product(product_class="shipping", is_stocked=False)
    with pytest.raises(Refused, match="Not a stocked product"):
        world.receive(postage, 1)
    assert not GoodsReceipt.objects.filter(pk=0).exists()


def test_adjustment_below_reserved_is_refused() -> None:
    mug = stocked(5)
    accepted((mug, 4))
    with pytest.raises(InsufficientStock, match="5 on hand, 4 of them reserved, 2 asked for"):
        api.adjust_stock([{"product_id": mug, "quantity": -2}], actor=CLERK, key=None, reason="broken")
    api.adjust_stock([{"product_id": mug, "quantity": -1}], actor=CLERK, key=None, reason="broken")
    assert figures(mug) == (4, 4)


def test_count_posts_the_difference_only() -> None:
    mug, plate = stocked(5), stocked(3)
    done = api.count_stock(
        [{"product_id": mug, "counted": 4}, {"product_id": plate, "counted": 3}], actor=CLERK, key=None
    )
    assert done["differences"] == [{"product_id": mug, "expected": 5, "counted": 4}]
    assert (figures(mug), figures(plate)) == ((4, 0), (3, 0))
    again = api.count_stock([{"product_id": mug, "counted": 4}], actor=CLERK, key=None)
    assert (again["number"], again["differences"]) == ("", [])


def test_scrap_needs_a_reason() -> None:
    mug = stocked(5)
    with pytest.raises(Refused, match="needs a reason"):
        api.scrap_stock([{"product_id": mug, "quantity": 1}], actor=CLERK, key=None, reason="")
    api.scrap_stock([{"product_id": mug, "quantity": 2}], actor=CLERK, key=None, reason="dropped")
    move = StockMove.objects.get(product_id=mug, kind="scrap")
    assert (move.quantity, move.reason, figures(mug)) == (-2, "dropped", (3, 0))


def test_transfer_is_two_moves_and_leaves_reserved_alone() -> None:
    world.warehouse("EAST", 50)
    mug = stocked(5)
    accepted((mug, 2))
    with pytest.raises(InsufficientStock):
        api.transfer_stock([{"product_id": mug, "quantity": 4}], source="MAIN", target="EAST", actor=CLERK, key=None)
    api.transfer_stock([{"product_id": mug, "quantity": 3}], source="MAIN", target="EAST", actor=CLERK, key="t1")
    assert (figures(mug), figures(mug, "EAST")) == ((2, 2), (3, 0))
    moves = StockMove.objects.filter(product_id=mug, kind="transfer").order_by("seq")
    assert [m.quantity for m in moves] == [-3, 3]
    assert len({m.document_number for m in moves}) == 1


def test_moves_cannot_be_changed_or_removed() -> None:
    stocked(1)
    for statement in ("update stock_move set quantity = 9", "delete from stock_move", "truncate stock_move"):
        with pytest.raises(Exception, match="permission denied|append-only"), cursor("logistics") as cur:
            cur.execute(statement)


def test_owner_of_the_table_cannot_change_moves_either(module_erp: ErpDatabase) -> None:
    stocked(1)
    with module_erp.connect("logistics_ddl") as connection, pytest.raises(Exception, match="append-only"):
        connection.execute("update stock_move set quantity = 9")


def test_negative_stock_is_refused_by_postgresql(module_erp: ErpDatabase) -> None:
    mug = stocked(1)
    with module_erp.connect("logistics") as connection, pytest.raises(Exception, match="stock_not_negative"):
        connection.execute("update stock set reserved = 2 where product_id = %s", [mug])
