"""The order button under attack, in processes of their own: one order, and it is what was confirmed."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from erp.relay import drain
from logistics import api as logistics
from logistics.models import Reservation
from storefront.cardstandin.server import CardStandIn
from storefront.models import PaymentAttempt, SalesOrder
from storefront.services.handover import finish_hand_overs
from tests.databases import ErpDatabase
from tests.storefront import web, world
from tests.storefront.cards import attempt_of, begin, do_relay
from tests.storefront.world import with_cart

# Started once, then given one job after the other; each begins at the same moment in all processes.
WORKER = """
import json, sys, time
from django.conf import settings
from django.test import Client
from django.utils import timezone
from storefront.models import PaymentAttempt
from storefront.services.cards.completing import look_after_payments
print("ready", flush=True)
for text in sys.stdin:
    job = json.loads(text)
    settings.CARD_URL, settings.CARD_SECRET = job["cards"]
    client, answers = Client(), []
    client.cookies.load(job["cookies"])
    while time.time() < job["start_at"]:
        time.sleep(0.001)
    for path, form in job["posts"]:
        answer = client.post(path, form)
        answers.append([answer.status_code, answer.headers.get("Location", "")])
    if not job["posts"]:
        PaymentAttempt.objects.update(look_at=timezone.now())
        answers.append(look_after_payments())
    print(json.dumps(answers), flush=True)
"""

COMPLETE = """
from storefront.services.cards.completing import look_after_payments
from storefront.models import PaymentAttempt
from django.utils import timezone
PaymentAttempt.objects.update(look_at=timezone.now())
print(look_after_payments())
"""


Job = list[tuple[str, dict[str, str]]]  # what is posted; nothing: look after payments


class Crowd:
    """Processes that act for one shopper, or for the payment task."""

    def __init__(self, erp: ErpDatabase, processes: int) -> None:
        self._running = [erp.popen(WORKER, ERP_LOCK_TIMEOUT_MS="20000") for _ in range(processes)]
        for process in self._running:
            assert self._read(process) == "ready\n"

    def begin(self, bank: CardStandIn, jobs: list[Job], client: Client | None = None) -> None:
        """Give every job to a process of its own."""
        cookies = "; ".join(f"{name}={m.value}" for name, m in client.cookies.items()) if client else ""
        common = {"cookies": cookies, "cards": [bank.url, web.SECRET], "start_at": time.time() + 0.2}
        for process, posts in zip(self._running, jobs, strict=False):
            assert process.stdin is not None
            process.stdin.write(json.dumps({**common, "posts": posts}) + "\n")
            process.stdin.flush()
        self._given = len(jobs)

    def answers(self) -> list[Any]:
        """What all of them got."""
        return [answer for process in self._running[: self._given] for answer in json.loads(self._read(process))]

    def close(self) -> None:
        """End the processes."""
        for process in self._running:
            process.communicate(timeout=30)

    @staticmethod
    def _read(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=10)[1]
        return line


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


def accepted(product: int) -> list[SalesOrder]:
    return list(SalesOrder.objects.filter(lines__product_id=product, custody="handed_over"))


def test_button_pressed_in_five_processes_makes_one_order(crowd: Crowd, bank: CardStandIn) -> None:
    mug = world.product(stock=9)
    client = with_cart((mug, 2))
    form = world.order_form(client, email="never.seen@example.com")
    crowd.begin(bank, [[("/checkout/", form)]] * 5, client)
    answers = crowd.answers()
    (order,) = accepted(mug)
    assert answers == [[302, f"/orders/{order.number}/"]] * 5
    assert logistics.available([mug]) == {mug: 7}


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
    mug = world.product("1000", stock=999)
    placed = 0
    for late_by in range(12):  # until the order came first once
        client = with_cart((mug, 1))
        form = world.order_form(client)
        before = accepted(mug)
        more = (f"/cart/add/{mug}/", {"quantity": "7"})
        look = [("/cart/", {})] * (late_by * 2)  # the other tab comes later and later
        crowd.begin(bank, [[("/checkout/", form)], [*look, more, more], [*look, more], [("/checkout/", form)]], client)
        crowd.answers()
        orders = [order for order in accepted(mug) if order not in before]
        assert len(orders) <= 1
        for order in orders:
            assert (order.lines.get().quantity, order.gross_total) == (1, 1270)
        placed += len(orders)
        assert 999 - logistics.available([mug])[mug] == placed
        if placed:
            break
    assert placed


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
    mug = world.product(stock=4)
    pages = [begin(mug, 1)[1] for _ in range(4)]
    Reservation.objects.filter(product_id=mug, state="held").update(expires_at="2020-01-01T00:00:00Z")
    for page in pages:
        web.pay(page, web.NEVER)
    rivals = [with_cart((mug, 1)) for _ in range(3)]
    forms = [world.order_form(rival) for rival in rivals]
    crowd.begin(bank, [[]] * 3)
    taken = [r.post("/checkout/", form).status_code for r, form in zip(rivals, forms, strict=True)]
    crowd.answers()
    do_relay()
    do_relay()
    attempts = list(PaymentAttempt.objects.order_by("-id")[:4])
    placed = [a for a in attempts if a.state == "placed"]
    assert len(placed) + taken.count(302) == 4
    assert logistics.available([mug]) == {mug: 0}
    for attempt in attempts:
        found = bank.service.payment(str(attempt.ref))
        assert found is not None
        assert found["state"] == ("authorised" if attempt.state == "placed" else "voided")


def _cards(bank: CardStandIn) -> dict[str, str]:
    return {"ERP_CARD_URL": bank.url, "ERP_CARD_SECRET": web.SECRET, "ERP_LOCK_TIMEOUT_MS": "20000"}
