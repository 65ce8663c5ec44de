"""Moving average: strictly in the product's own order, idempotent by move."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finance import api
from finance.errors import InsufficientValue, MoveOutOfOrder
from finance.models import ProductCost, ValuedMove
from tests.finance.world import World, balances, posted

D = Decimal


def cost(product: int) -> tuple[int, Decimal, Decimal]:
    row = ProductCost.objects.get(pk=product)
    return row.quantity, row.value, row.unit_cost


def test_average_moves_with_receipts_and_not_with_issues(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    w.receive(w.mug, 30, "800")
    assert cost(w.mug) == (40, D(30000), D(750))
    w.sell(w.product_line(w.mug, 4, "1000"))
    assert cost(w.mug) == (36, D(27000), D(750))


def test_last_piece_takes_the_rounding_with_it(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 3, "33.333333")  # 100 forints for three
    for _ in range(3):
        w.sell(w.product_line(w.mug, 1, "50"))
    assert cost(w.mug)[:2] == (0, D(0))
    assert "261" not in balances()


def test_moves_are_valued_in_order_only(fresh_world: World) -> None:
    w = fresh_world
    first, second = (w.move(w.mug, 5, "receipt", unit_cost=D(10)) for _ in range(2))
    with pytest.raises(MoveOutOfOrder) as refused:
        api.value_stock_moves([second])
    assert refused.value.details["expected"] == 1
    assert api.value_stock_moves([second, first]) == [first["move_id"], second["move_id"]]


def test_repeated_moves_change_nothing(fresh_world: World) -> None:
    w = fresh_world
    move = w.move(w.mug, 5, "receipt", unit_cost=D(10))
    assert api.value_stock_moves([move]) == [move["move_id"]]
    assert api.value_stock_moves([move]) == []
    assert cost(w.mug)[0] == 5


@pytest.mark.parametrize(
    ("kind", "pieces", "contra"),
    [("adjustment", -2, "8694"), ("adjustment", 2, "9694"), ("scrap", -2, "8698"), ("receipt", 2, "456")],
)
def test_differences_are_posted_against_their_own_account(
    fresh_world: World, kind: str, pieces: int, contra: str
) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    move = w.move(w.mug, pieces, kind)
    api.value_stock_moves([move])
    assert posted(kind=kind, key=move["document_id"]) == {"261": D(600 * pieces), contra: D(-600 * pieces)}


def test_opening_stock_is_posted_against_the_opening_balance(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600", document_kind="opening_stock")
    assert balances() == {"261": D(6000), "491": D(-6000)}


def test_transfer_changes_neither_quantity_nor_value(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    api.value_stock_moves([w.move(w.mug, -4, "transfer"), w.move(w.mug, 4, "transfer")])
    assert cost(w.mug) == (10, D(6000), D(600))
    assert ValuedMove.objects.filter(kind="transfer", entry=None).count() == 2


def test_more_than_the_books_hold_is_refused(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 1, "600")
    with pytest.raises(InsufficientValue, match="the books hold 1"):
        api.value_stock_moves([w.move(w.mug, -2, "scrap")])


def test_receipt_in_foreign_currency_is_valued_in_base_currency(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 2, "1.50", currency="EUR")
    assert cost(w.mug) == (2, D(1170), D(585))


def test_thousand_receipts_are_one_transaction_and_one_entry_per_500(fresh_world: World) -> None:
    w = fresh_world
    moves = [w.move(w.mug, 1, "receipt", unit_cost=D(100), document_id=7, document_number="GR-7") for _ in range(1000)]
    assert len(api.value_stock_moves(moves)) == 1000
    assert ValuedMove.objects.values("entry").distinct().count() == 2
    assert cost(w.mug) == (1000, D(100000), D(100))
