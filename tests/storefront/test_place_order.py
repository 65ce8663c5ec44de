"""Orders from outside: priced, frozen, handed over; refused ones say per line what is left."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp.errors import IdempotencyConflict
from logistics import api as logistics
from storefront.models import ChangeJournal, SalesOrder
from storefront.serializers import ReferenceTaken
from storefront.services.handover import OutOfStock, build_offer
from storefront.services.integration import OrderInvalid
from storefront.services.placing import CustomerRefused
from storefront.services.pricing import NotForSale
from tests.databases import ErpDatabase
from tests.storefront import world


@pytest.fixture(autouse=True)
def _books(module_erp: ErpDatabase) -> None:
    world.set_up_books()


def test_accepted_order_belongs_to_logistics() -> None:
    mug = world.product("1000", stock=5)
    placed = world.place((mug, 2))
    assert placed["outcome"] == "accepted"
    assert (placed["net_total"], placed["vat_total"], placed["gross_total"]) == (2000, 540, 2540)
    order = SalesOrder.objects.get(pk=placed["order_id"])
    assert (order.custody, order.lifecycle, order.fulfilment) == ("handed_over", "open", "allocated")
    theirs = logistics.get_order(order.pk)
    assert (theirs["number"], theirs["epoch"], theirs["gross_total"]) == (order.number, 2, Decimal("2540.0000"))
    assert [line["reserved"] for line in theirs["lines"]] == [2]


def test_every_step_of_the_order_is_journalled() -> None:
    placed = world.place((world.product(stock=5), 1))
    steps = ChangeJournal.objects.filter(entity="sales_order", key=placed["order_id"]).order_by("version")
    assert [s.payload["custody"] for s in steps] == ["offered", "handed_over"]
    assert [s.actor_name for s in steps] == ["shopper", "shopper"]


def test_short_order_is_refused_with_what_is_left() -> None:
    mug, jug = world.product(stock=2), world.product(stock=9)
    with pytest.raises(OutOfStock) as refused:
        world.place((jug, 1), (mug, 3))
    short = refused.value.details["short"]
    assert [(s["line_no"], s["requested"], s["available"]) for s in short] == [(2, 3, 2)]
    order = SalesOrder.objects.get(pk=refused.value.details["order_id"])
    assert (order.custody, order.lifecycle) == ("refused", "cancelled")
    assert logistics.available([jug]) == {jug: 9}


def test_same_key_gives_the_one_order() -> None:
    mug = world.product(stock=5)
    first = world.place((mug, 1), key="twice")
    again = world.place((mug, 1), key="twice")
    assert again == first
    assert logistics.available([mug]) == {mug: 4}


def test_same_key_repeats_a_refusal() -> None:
    mug = world.product(stock=1)
    for _ in range(2):
        with pytest.raises(OutOfStock):
            world.place((mug, 2), key="refused twice")
    assert SalesOrder.objects.filter(lines__product_id=mug).count() == 1


def test_same_key_for_another_order_is_a_conflict() -> None:
    mug = world.product(stock=5)
    world.place((mug, 1), key="one thing")
    with pytest.raises(IdempotencyConflict):
        world.place((mug, 2), key="one thing")


def test_external_reference_is_taken_once() -> None:
    mug = world.product(stock=5)
    world.place((mug, 1), external_ref="web-77")
    with pytest.raises(ReferenceTaken):
        world.place((mug, 1), external_ref="web-77")


def test_own_prices_dates_and_codes_are_kept() -> None:
    mug = world.product("1000", stock=5)
    line = {"product_id": mug, "quantity": 3, "unit_price": "0.333333", "vat_code": "5", "discount": "0.10"}
    placed = world.place(lines=[line], currency="GBP", ordered_on="2010-12-01", channel="replay", country="FR")
    order = SalesOrder.objects.get(pk=placed["order_id"])
    header = (str(order.ordered_on), order.currency, order.channel, order.country)
    assert header == ("2010-12-01", "GBP", "replay", "FR")
    kept = order.lines.get()
    assert (kept.unit_price, kept.net, kept.vat) == (Decimal("0.333333"), Decimal("0.90"), Decimal("0.05"))


def test_gross_prices_are_what_is_paid() -> None:
    placed = world.place((world.product("999", stock=5), 2), price_mode="gross")
    assert (placed["gross_total"], placed["net_total"] + placed["vat_total"]) == (2538, 2538)  # 1,269 Ft each


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"customer_id": 10**12}, CustomerRefused),
        ({"lines": []}, OrderInvalid),
        ({"lines": [{"product_id": 10**12, "quantity": 1}]}, NotForSale),
        ({"price_mode": "both"}, OrderInvalid),
    ],
)
def test_unreadable_order_writes_nothing(data: dict[str, object], error: type[Exception]) -> None:
    before = SalesOrder.objects.count()
    with pytest.raises(error):
        world.place((world.product(stock=1), 1), **data)  # type: ignore[arg-type]
    assert SalesOrder.objects.count() == before


def test_blocked_customer_is_refused() -> None:
    blocked = world.customer("Blocked", is_blocked=True)
    with pytest.raises(CustomerRefused):
        world.place((world.product(stock=1), 1), customer_id=blocked.pk)


def test_numbers_follow_each_other() -> None:
    mug = world.product(stock=5)
    numbers = [int(world.place((mug, 1))["number"].removeprefix("SO-")) for _ in range(2)]
    assert numbers[1] == numbers[0] + 1


def test_first_offer_equals_what_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, object]] = []
    real = logistics.accept_order

    def note(offer: dict[str, object]) -> dict[str, object]:
        seen.append(offer)
        return real(offer)

    monkeypatch.setattr(logistics, "accept_order", note)
    placed = world.place((world.product("12.34", stock=5), 2), external_ref="offer-1", note="Ring twice")
    order = SalesOrder.objects.prefetch_related("lines").get(pk=placed["order_id"])
    read = build_offer(order)
    assert {k: v for k, v in seen[0].items() if v != read[k]} == {}
    assert seen[0].keys() == read.keys()
