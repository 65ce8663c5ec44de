"""Logistics and Finance together: every move is valued in its order, every goods issue invoiced once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from pytest_django import DjangoDbBlocker

from erp.actor import SYSTEM
from erp.relay import run_relay
from finance import api as finance
from finance.services.goods_issues import issue_collective, set_collective
from logistics import api
from logistics.models import RelayItem, SalesOrder, Shipment, StockMove
from logistics.services import counting
from logistics.services.collective import collect_invoice_numbers
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, stocked

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def books(module_erp: ErpDatabase, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        finance.load_demo(SYSTEM)


@pytest.fixture(autouse=True)
def sound(books: None) -> Iterator[None]:
    yield
    world.require_sound_books()
    assert finance.books_difference() == 0
    assert api.list_stuck() == []


def balance(account: str) -> Decimal:
    return sum((Decimal(a["balance"]) for a in finance.trial_balance(*YEAR) if a["account"] == account), Decimal(0))


def inventory() -> Decimal:
    from finance.services.accounts import INVENTORY

    return balance(INVENTORY)


def test_receipt_is_in_the_books_when_the_call_returns() -> None:
    before = inventory()
    stocked(10)  # at 60 each
    assert inventory() - before == 600


def test_goods_issue_is_invoiced_when_the_call_returns() -> None:
    mug = stocked(10)
    before = inventory()
    done = api.ship(accepted((mug, 4)), None, actor=CLERK, key=None, on_date=DAY)
    invoice = finance.find_invoice_by_shipment(done["shipment_id"])
    assert invoice is not None
    assert done["shipments"][0]["invoice_number"] == invoice["number"]
    assert (invoice["net_total"], invoice["gross_total"]) == (400, 508)
    assert inventory() - before == -240


def test_collective_invoice_reaches_its_shipments_and_orders() -> None:
    mug = stocked(10)
    orders = [accepted((mug, n)) for n in (1, 2)]
    customer = SalesOrder.objects.get(pk=orders[0]).customer_id
    set_collective(customer, is_collective=True)
    shipped = [api.ship(key, None, actor=CLERK, key=None, on_date=DAY)["shipment_id"] for key in orders]
    assert collect_invoice_numbers() == 0
    assert set(Shipment.objects.filter(pk__in=shipped).values_list("invoice_number", flat=True)) == {""}
    (done,) = issue_collective(customer, DAY, DAY, actor=SYSTEM, issued_on=DAY)
    set_collective(customer, is_collective=False)
    assert (collect_invoice_numbers(), collect_invoice_numbers()) == (2, 0)
    assert set(Shipment.objects.filter(pk__in=shipped).values_list("invoice_number", flat=True)) == {done["number"]}
    assert set(SalesOrder.objects.filter(pk__in=orders).values_list("invoicing", flat=True)) == {"fully"}


def test_return_reverses_cost_and_is_credited() -> None:
    mug = stocked(10)
    order_id = accepted((mug, 4))
    api.ship(order_id, None, actor=CLERK, key=None, on_date=DAY)
    before = inventory()
    done = api.receive_return(order_id, [{"line_no": 1, "quantity": 4}], actor=CLERK, key=None, on_date=DAY)
    assert done["credit_note_number"]
    assert inventory() - before == 240
    assert api.get_order(order_id)["invoicing"] == "credited"


def test_scrapped_return_leaves_its_loss_in_the_books() -> None:
    mug = stocked(10)
    order_id = accepted((mug, 2))
    api.ship(order_id, None, actor=CLERK, key=None, on_date=DAY)
    before = inventory()
    api.receive_return(
        order_id, [{"line_no": 1, "quantity": 2}], actor=CLERK, key=None, on_date=DAY, restock=False
    )
    assert inventory() == before
    assert StockMove.objects.filter(product_id=mug, kind="scrap").count() == 1


def test_count_scrap_and_transfer_are_valued_in_order() -> None:
    world.warehouse("EAST", 50)
    mug = stocked(10)
    before = inventory()
    api.transfer_stock([{"product_id": mug, "quantity": 4}], source="MAIN", target="EAST", actor=CLERK, key=None)
    api.scrap_stock([{"product_id": mug, "quantity": 1}], actor=CLERK, key=None, reason="broken")
    api.count_stock([{"product_id": mug, "counted": 6}], actor=CLERK, key=None)
    assert inventory() == before


def value_of(product_id: int) -> tuple[int, Decimal]:
    """(pieces, value) that the books hold of a product."""
    from finance.models import ProductCost

    found = ProductCost.objects.get(pk=product_id)
    return found.quantity, found.value


def test_books_hold_what_lies_on_the_shelves_after_every_kind_of_move() -> None:
    world.warehouse("EAST", 50)
    mug = world.product()
    world.warehouse()
    for pieces, cost in ((10, "60"), (10, "80")):
        rows = [{"product_id": mug, "quantity": pieces, "unit_cost": Decimal(cost)}]
        api.receive_goods(rows, actor=CLERK, key=None, warehouse="MAIN")
    before = {account: balance(account) for account in ("8694", "8698", "9694")}
    assert value_of(mug) == (20, 1400)
    api.transfer_stock([{"product_id": mug, "quantity": 4}], source="MAIN", target="EAST", actor=CLERK, key=None)
    assert value_of(mug) == (20, 1400)
    api.scrap_stock([{"product_id": mug, "quantity": 3}], actor=CLERK, key=None, reason="broken", warehouse="EAST")
    assert value_of(mug) == (17, 1190)
    for counted, code in ((11, "MAIN"), (4, "EAST")):  # two short here, three too many there
        sheet = counting.open_count(actor=CLERK, key=None, warehouse=code)["count_id"]
        counting.put_on_sheet(sheet, mug, actor=CLERK)
        counting.write_counts(sheet, {mug: counted}, actor=CLERK)
        counting.post_count(sheet, actor=CLERK)
    assert value_of(mug) == (15, 1050)
    order_id = accepted((mug, 4))
    api.ship(order_id, None, actor=CLERK, key=None, on_date=DAY)
    back = api.request_return(order_id, [{"line_no": 1, "quantity": 3}], actor=CLERK, key=None)["return_id"]
    api.receive_parcel(back, actor=CLERK)
    api.inspect_return(back, {1: (1, 2)}, actor=CLERK, on_date=DAY)
    assert value_of(mug) == (12, 840)
    assert sum(world.figures(mug, code)[0] for code in ("MAIN", "EAST")) == 12
    change = {account: balance(account) - amount for account, amount in before.items()}
    assert change == {"8694": 350, "8698": 350, "9694": -210}  # five short, three and two scrapped, three found


def test_partial_shipments_give_an_invoice_each() -> None:
    mug = stocked(10)
    order_id = accepted((mug, 5))
    for pieces in (2, 3):
        api.ship(order_id, [{"line_no": 1, "quantity": pieces}], actor=CLERK, key=None, on_date=DAY)
    numbers = [s["invoice_number"] for s in api.get_order(order_id)["shipments"]]
    assert len(set(numbers)) == 2
    assert all(numbers)
    assert api.get_order(order_id)["lifecycle"] == "closed"


SHIP = """
from erp.actor import Actor
from logistics import api
api.ship({order}, None, actor=Actor(7, "Clerk"), key="{key}")
"""


def test_kill_between_invoice_and_write_back_gives_one_invoice(module_erp: ErpDatabase) -> None:
    order_id = accepted((stocked(10), 4))
    died = module_erp.python(
        SHIP.format(order=order_id, key="k"), check=False, ERP_FAULT_POINT="invoice:before_write_back"
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    shipment = Shipment.objects.get(order_id=order_id)
    invoice = finance.find_invoice_by_shipment(shipment.pk)
    assert invoice is not None
    assert (shipment.state, shipment.invoice_number) == ("issued", "")
    RelayItem.objects.filter(state="waiting").update(next_at="2020-01-01T00:00:00Z")  # the lease has run out
    run_relay("logistics")
    shipment.refresh_from_db()
    assert shipment.invoice_number == invoice["number"]
    assert api.get_order(order_id)["lifecycle"] == "closed"


def test_moves_that_overtake_each_other_are_valued_in_order() -> None:
    mug = stocked(10)
    first, second = accepted((mug, 2)), accepted((mug, 3))
    api.ship(first, None, actor=CLERK, key=None, on_date=DAY, settle_now=False)
    late = api.ship(second, None, actor=CLERK, key=None, on_date=DAY)
    assert late["shipments"][0]["invoice_number"] == ""
    assert "MoveOutOfOrder" in api.list_stuck()[0]["last_error"]
    RelayItem.objects.filter(state="waiting").update(next_at="2020-01-01T00:00:00Z")
    for _ in range(2):
        run_relay("logistics")
        RelayItem.objects.filter(state="waiting").update(next_at="2020-01-01T00:00:00Z")
    assert Shipment.objects.filter(order_id__in=[first, second], invoice_number="").count() == 0
