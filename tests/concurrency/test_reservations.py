"""Many buyers in many processes: exactly what there is gets sold, and everyone else is told what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from logistics import api
from logistics.models import Reservation
from logistics.services import relays
from tests.concurrency import proofs
from tests.concurrency.buyers import Buyers
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.finance_recorder import FinanceRecorder
from tests.logistics.world import figures, stocked

PROCESSES = 16


@pytest.fixture(scope="module")
def buyers(module_erp: ErpDatabase) -> Iterator[Buyers]:
    crowd = Buyers(module_erp, PROCESSES)
    yield crowd
    crowd.close()


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(relays, "finance", FinanceRecorder())
    yield
    world.require_sound_books()


def outcomes(answers: list[dict[str, Any]]) -> dict[str, int]:
    return dict(Counter(a["outcome"] for a in answers))


def left(answers: list[dict[str, Any]]) -> set[int]:
    """What refused buyers were told is left."""
    return {s["available"] for a in answers if a["outcome"] == "refused" for s in a["short"]}


def test_exactly_what_there_is_gets_allocated(buyers: Buyers) -> None:
    proof = proofs.hot_product(buyers, pieces=37, crowd=200)
    assert proof.found == proof.expected


def test_losers_are_told_what_is_left(buyers: Buyers) -> None:
    proof = proofs.hot_product(buyers, pieces=37, crowd=80, each=2)
    assert proof.found == proof.expected


def test_carts_in_different_line_orders_meet_no_deadlock(buyers: Buyers) -> None:
    proof = proofs.any_line_order(buyers, pieces=60, crowd=96)
    assert proof.found == proof.expected


def test_cart_naming_one_product_twice_cannot_oversell(buyers: Buyers) -> None:
    proof = proofs.named_twice(buyers, pieces=49, crowd=48)
    assert proof.found == proof.expected


def test_holds_and_orders_mixed_sell_every_piece_once(buyers: Buyers) -> None:
    mug = stocked(30)
    answers = buyers.place([(mug, 1)], buyers=80, holds=True)
    assert outcomes(answers) == {"accepted": 30, "refused": 50}
    assert figures(mug) == (30, 30)
    assert not Reservation.objects.filter(state="held").exists()


def test_one_offer_from_every_process_is_accepted_once(buyers: Buyers) -> None:
    mug = stocked(30)
    answers = buyers.place([(mug, 2)], orders=[5, 6])
    assert outcomes(answers) == {"accepted": 2, "seen": 2 * PROCESSES - 2}
    assert figures(mug) == (30, 4)


def test_expired_hold_is_freed_once_among_many_buyers(buyers: Buyers) -> None:
    mug = stocked(40)
    for n in range(1, 41):
        api.hold_stock(f"old-{n}", [{"line_no": 1, "product_id": mug, "quantity": 1}], 600)
    old = Reservation.objects.filter(owner_key__startswith="old-")
    old.update(expires_at="2020-01-01T00:00:00Z")
    answers = buyers.place([(mug, 1)], buyers=80)
    assert outcomes(answers) == {"accepted": 40, "refused": 40}
    assert (old.filter(state="expired").count(), api.expire_holds(), figures(mug)) == (40, 0, (40, 40))


def test_line_split_over_warehouses_sells_all_of_both(buyers: Buyers) -> None:
    world.warehouse("EAST", 20)
    mug = stocked(31)
    world.receive(mug, 20, code="EAST")
    answers = buyers.place([(mug, 3)], buyers=32)
    assert outcomes(answers) == {"accepted": 17, "refused": 15}
    assert (figures(mug)[1] + figures(mug, "EAST")[1], left(answers)) == (51, {0})
