"""The order button under attack, in processes of their own: one order, and it is what was confirmed."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from erp.relay import drain
from logistics import api as logistics
from storefront.cardstandin.server import CardStandIn
from storefront.models import PaymentAttempt
from storefront.services.handover import finish_hand_overs
from tests.concurrency import proofs
from tests.concurrency.crowd import Crowd
from tests.concurrency.proofs import accepted
from tests.databases import ErpDatabase
from tests.storefront import web, world
from tests.storefront.cards import attempt_of, begin, do_relay
from tests.storefront.world import with_cart

COMPLETE = """
from storefront.services.cards.completing import look_after_payments
from storefront.models import PaymentAttempt
from django.utils import timezone
PaymentAttempt.objects.update(look_at=timezone.now())
print(look_after_payments())
"""


@pytest.fixture(scope="module")
def crowd(module_erp: ErpDatabase) -> Iterator[Crowd]:
    found = Crowd(module_erp, 5)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def bank(module_erp: ErpDatabase, settings: Settings) -> Iterator[CardStandIn]:
    world.set_up_books()
    world.delivery()
    with web.card_shop(settings) as stand_in:
        yield stand_in


def test_button_pressed_in_five_processes_makes_one_order(crowd: Crowd, bank: CardStandIn) -> None:
    proof = proofs.pressed_at_once(crowd, bank)
    assert proof.found == proof.expected


@pytest.mark.parametrize("step", ["handover:before_freeze_commit", "handover:after_freeze", "handover:after_accepted"])
def test_button_pressed_again_after_a_time_out_makes_one_order(module_erp: ErpDatabase, step: str) -> None:
    proof = proofs.pressed_after_time_out(module_erp, step)
    assert proof.found == proof.expected


def test_card_button_pressed_in_five_processes_holds_the_pieces_once(crowd: Crowd, bank: CardStandIn) -> None:
    mug = world.product(stock=9)
    client = with_cart((mug, 2))
    form = world.order_form(client, email="five.cards@example.com", payment_method="card")
    crowd.begin(bank, [[("/checkout/", form)]] * 5, client)
    answers = crowd.answers()
    live = PaymentAttempt.objects.filter(state__in=("open", "authorised"), basket__lines__0__product_id=mug)
    assert answers == [[302, f"/checkout/pay/{live.get().ref}/"]] * 5
    assert logistics.available([mug]) == {mug: 7}
    assert accepted(mug) == []


def test_quantity_raised_while_the_order_is_placed_never_slips_in(crowd: Crowd, bank: CardStandIn) -> None:
    proof = proofs.raised_meanwhile(crowd, bank)
    assert proof.found == proof.expected


def test_one_payment_confirmed_by_everybody_at_once_is_one_order(crowd: Crowd, bank: CardStandIn) -> None:
    mug = world.product(stock=9)
    _, page = begin(mug, 2)
    web.pay(page, web.NEVER)
    crowd.begin(bank, [[]] * 5)
    crowd.answers()
    assert len(accepted(mug)) == 1
    assert logistics.available([mug]) == {mug: 7}


@pytest.mark.parametrize("step", ["payment:before_place", "handover:after_freeze", "payment:after_place"])
def test_killed_after_payment_is_completed_once(module_erp: ErpDatabase, bank: CardStandIn, step: str) -> None:
    mug = world.product(stock=9)
    _, page = begin(mug, 2)
    web.pay(page, web.NEVER)
    died = module_erp.python(COMPLETE, check=False, ERP_FAULT_POINT=step, **_cards(bank))
    assert died.returncode == -signal.SIGKILL, died.stderr
    drain("storefront")
    do_relay()
    finish_hand_overs(grace_s=0)
    (order,) = accepted(mug)
    assert (attempt_of(mug).state, attempt_of(mug).order_id) == ("placed", order.pk)
    assert logistics.available([mug]) == {mug: 7}


def test_holds_that_expire_while_payments_are_confirmed_leave_no_paid_order_without_goods(
    crowd: Crowd, bank: CardStandIn
) -> None:
    proof = proofs.hold_expires_while_paying(crowd, bank)
    assert proof.found == proof.expected


def _cards(bank: CardStandIn) -> dict[str, str]:
    return {"ERP_CARD_URL": bank.url, "ERP_CARD_SECRET": web.SECRET, "ERP_LOCK_TIMEOUT_MS": "20000"}
