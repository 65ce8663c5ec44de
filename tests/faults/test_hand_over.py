"""A process is killed at each step of the hand-over: one relay pass later there is one owner and one reservation."""

from __future__ import annotations

import signal

import pytest

from erp.db import cursor
from logistics import api as logistics
from logistics.models import OrderOffer
from logistics.models import SalesOrder as TheirOrder
from storefront.models import SalesOrder
from storefront.services.cancelling import cancel_order
from storefront.services.handover import build_offer, finish_hand_overs
from storefront.services.handover import hand_over as repeat_hand_over
from tests.databases import ErpDatabase
from tests.storefront import world

PLACE = """
from erp.actor import Actor
from storefront import api
api.place_order({{"customer_id": {customer}, "lines": [{{"product_id": {product}, "quantity": {quantity}}}]}},
                actor=Actor(None, "victim"), idempotency_key={key!r})
print("placed")
"""
FINISH = "from storefront.services.handover import finish_hand_overs\nfinish_hand_overs(grace_s=0)"

STEPS = ["handover:after_freeze", "handover:after_accepted", "handover:before_record_commit"]


@pytest.fixture(autouse=True)
def _books(module_erp: ErpDatabase) -> None:
    world.set_up_books()


def place_and_die(erp: ErpDatabase, at: str, product: int, quantity: int = 2, key: str = "victim") -> None:
    code = PLACE.format(customer=world.customer().pk, product=product, quantity=quantity, key=f"{key} {product}")
    done = erp.python(code, check=False, ERP_FAULT_POINT=at)
    assert done.returncode == -signal.SIGKILL, done.stderr


def order_of(product: int) -> SalesOrder:
    return SalesOrder.objects.get(lines__product_id=product)


def reserved(product: int) -> int:
    with cursor("logistics") as cur:
        cur.execute("select coalesce(sum(reserved), 0) from stock where product_id = %s", [product])
        return int(cur.fetchone()[0])


def owners(order_id: int) -> list[str]:
    ours = SalesOrder.objects.exclude(custody="handed_over").exclude(custody="offered").filter(pk=order_id).exists()
    theirs = TheirOrder.objects.filter(pk=order_id).exists()
    return [name for name, is_owner in (("storefront", ours), ("logistics", theirs)) if is_owner]


@pytest.mark.parametrize("step", STEPS)
def test_killed_hand_over_ends_with_logistics_as_the_one_owner(module_erp: ErpDatabase, step: str) -> None:
    mug = world.product(stock=5)
    place_and_die(module_erp, step, mug)
    order = order_of(mug)
    assert order.custody == "offered"
    assert finish_hand_overs(grace_s=0) == {"done": 1, "failed": 0}
    assert owners(order.pk) == ["logistics"]
    assert reserved(mug) == 2
    assert order_of(mug).custody == "handed_over"
    assert finish_hand_overs(grace_s=0) == {"done": 0, "failed": 0}


@pytest.mark.parametrize("step", ["handover:after_freeze", "handover:after_refused", "handover:before_record_commit"])
def test_killed_refusal_ends_with_storefront_as_the_one_owner(module_erp: ErpDatabase, step: str) -> None:
    mug = world.product(stock=1)
    place_and_die(module_erp, step, mug)
    finish_hand_overs(grace_s=0)
    order = order_of(mug)
    assert (order.custody, order.lifecycle) == ("refused", "cancelled")
    assert owners(order.pk) == ["storefront"]
    assert reserved(mug) == 0


def test_killed_before_the_freeze_commits_leaves_nothing(module_erp: ErpDatabase) -> None:
    mug = world.product(stock=5)
    place_and_die(module_erp, "handover:before_freeze_commit", mug)
    assert not SalesOrder.objects.filter(lines__product_id=mug).exists()
    assert finish_hand_overs(grace_s=0) == {"done": 0, "failed": 0}


def test_unseen_offer_is_made_again_under_a_higher_epoch(module_erp: ErpDatabase) -> None:
    mug = world.product(stock=5)
    place_and_die(module_erp, "handover:after_freeze", mug)
    late = build_offer(order_of(mug))
    finish_hand_overs(grace_s=0)
    order = order_of(mug)
    assert (order.epoch, TheirOrder.objects.get(pk=order.pk).epoch) == (3, 4)
    assert logistics.accept_order(late)["outcome"] == "seen"  # the first offer, arriving late after all
    assert reserved(mug) == 2


def test_killed_relay_is_finished_by_the_next(module_erp: ErpDatabase) -> None:
    mug = world.product(stock=5)
    place_and_die(module_erp, "handover:after_freeze", mug)
    for step in ("handover:before_reoffer", "handover:after_freeze", "handover:after_accepted"):
        done = module_erp.python(FINISH, check=False, ERP_FAULT_POINT=step)
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert finish_hand_overs(grace_s=0) == {"done": 1, "failed": 0}
    order = order_of(mug)
    assert owners(order.pk) == ["logistics"]
    assert reserved(mug) == 2


def test_late_duplicate_offer_cannot_revive_a_cancelled_order() -> None:
    mug = world.product(stock=5)
    placed = world.place((mug, 2))
    late = build_offer(SalesOrder.objects.get(pk=placed["order_id"]))
    cancel_order(placed["order_id"], actor=world.SHOPPER, reason="changed my mind")
    assert reserved(mug) == 0
    for epoch in (late["epoch"], late["epoch"] + 2):
        assert logistics.accept_order({**late, "epoch": epoch})["outcome"] == "seen"
    assert reserved(mug) == 0
    assert TheirOrder.objects.get(pk=placed["order_id"]).lifecycle == "cancelled"


def test_withdrawn_offer_is_never_accepted(module_erp: ErpDatabase) -> None:
    mug = world.product(stock=5)
    place_and_die(module_erp, "handover:after_freeze", mug)
    order = order_of(mug)
    late = build_offer(order)
    cancel_order(order.pk, actor=world.SHOPPER, reason="did not work")
    assert order_of(mug).lifecycle == "cancelled"
    assert logistics.accept_order(late)["outcome"] == "seen"
    assert (owners(order.pk), reserved(mug)) == (["storefront"], 0)


@pytest.mark.parametrize("step", ["handover:answer_lost", "handover:after_accepted", "handover:before_record_commit"])
def test_lost_answer_is_found_again_by_the_same_key(module_erp: ErpDatabase, step: str) -> None:
    mug = world.product(stock=5)
    place_and_die(module_erp, step, mug, key="lost")
    body = {"customer_id": world.customer().pk, "lines": [{"product_id": mug, "quantity": 2}]}
    from storefront import api

    placed = api.place_order(body, actor=world.SHOPPER, idempotency_key=f"lost {mug}")
    assert placed["outcome"] == "accepted"
    assert SalesOrder.objects.filter(lines__product_id=mug).count() == 1
    assert reserved(mug) == 2


def test_slow_request_and_relay_agree() -> None:
    mug = world.product(stock=5)
    placed = world.place((mug, 2))
    assert repeat_hand_over(placed["order_id"]).result == "accepted"
    assert OrderOffer.objects.filter(order_id=placed["order_id"]).count() == 1
