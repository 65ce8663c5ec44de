"""The proofs of reserving and ordering: each is one run that a test checks and a benchmark times.

A run gives what was found beside what must hold. Sizes are arguments: a test takes the least that can fail.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from logistics import api as logistics
from storefront.cardstandin.server import CardStandIn
from storefront.models import PaymentAttempt, SalesOrder
from tests.concurrency.buyers import Buyers
from tests.concurrency.crowd import Crowd
from tests.databases import ErpDatabase
from tests.logistics.world import figures, stocked
from tests.storefront import web, world
from tests.storefront.cards import attempt_of, begin, do_relay, eventually, expire_holds_of

PRESS_AND_DIE = """
from django.test import Client
client = Client()
client.cookies.load({cookies!r})
client.post("/checkout/", {form!r})
"""


@dataclass
class Proof:
    """One run: ``found`` must equal ``expected``."""

    name: str
    decided: int = 0  # orders that were accepted or refused
    seconds: float = 0.0
    found: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether everything is as it must be."""
        return self.found == self.expected

    @contextmanager
    def timed(self) -> Iterator[None]:
        """What is inside counts."""
        began = time.monotonic()
        yield
        self.seconds += time.monotonic() - began


def accepted(product: int) -> list[SalesOrder]:
    """Orders of a product that Logistics has taken."""
    return list(SalesOrder.objects.filter(lines__product_id=product, custody="handed_over"))


def _reserved_by(
    proof: Proof, buyers: Buyers, lines: list[tuple[int, int]], crowd: int, *, win: int, left: int, **how: Any
) -> Proof:
    """Let a crowd want the same lines: ``win`` of them get everything, the others are told what is ``left``."""
    pieces = Counter[int]()
    for product, quantity in lines:
        pieces[product] += quantity
    on_hand = {product: figures(product)[0] for product in pieces}
    with proof.timed():
        answers = buyers.place(lines, buyers=crowd, **how)
    outcomes = Counter(answer["outcome"] for answer in answers)
    told = {s["available"] for a in answers if a["outcome"] == "refused" for s in a["short"]}
    proof.decided = sum(outcomes.values())
    proof.found = {**outcomes, "stock": {p: figures(p) for p in pieces}, "told": told}
    proof.expected = {
        "accepted": win, "refused": crowd - win, "told": {left},
        "stock": {p: (on_hand[p], win * each) for p, each in pieces.items()},
    }  # fmt: skip
    return proof


def hot_product(buyers: Buyers, pieces: int, crowd: int, each: int = 1) -> Proof:
    """More buyers than pieces of one product."""
    proof = Proof(f"{pieces} pieces, {crowd} buyers who want {each} each")
    win = pieces // each
    return _reserved_by(proof, buyers, [(stocked(pieces), each)], crowd, win=win, left=pieces - win * each)


def any_line_order(buyers: Buyers, pieces: int, crowd: int) -> Proof:
    """Carts with the same 5 products in different orders of their lines."""
    lines = [(stocked(pieces), 1) for _ in range(5)]
    proof = Proof(f"the same 5 products in different line orders, {pieces} of each, {crowd} buyers")
    return _reserved_by(proof, buyers, lines, crowd, win=pieces, left=0, shuffle=True)


def named_twice(buyers: Buyers, pieces: int, crowd: int) -> Proof:
    """Carts that name one product on two lines, 1 and 2 pieces."""
    mug = stocked(pieces)
    proof = Proof(f"one product on two lines, {pieces} pieces, {crowd} buyers")
    return _reserved_by(proof, buyers, [(mug, 1), (mug, 2)], crowd, win=pieces // 3, left=pieces % 3)


def _one_order(proof: Proof, product: int, answers: list[Any]) -> Proof:
    """Whatever was pressed: one order of two pieces of nine, and every answer led to it."""
    orders = accepted(product)
    proof.decided = len(orders)
    proof.found = {"orders": len(orders), "answers": answers, "left": logistics.available([product])[product]}
    page = [302, f"/orders/{orders[0].number}/"] if orders else None
    proof.expected = {"orders": 1, "answers": [page] * len(answers), "left": 7}
    return proof


def _shopper(email: str) -> tuple[int, Client, dict[str, str]]:
    mug = world.product(stock=9)
    client = world.with_cart((mug, 2))
    return mug, client, world.order_form(client, email=email)


def pressed_at_once(crowd: Crowd, bank: CardStandIn, processes: int = 5) -> Proof:
    """The order button in several processes at the same moment."""
    mug, client, form = _shopper("never.seen@example.com")
    proof = Proof(f"order button pressed in {processes} processes at once")
    with proof.timed():
        crowd.begin(bank, [[("/checkout/", form)]] * processes, client)
        answers = crowd.answers()
    return _one_order(proof, mug, answers)


def pressed_twice() -> Proof:
    """The order button pressed once more after the answer."""
    mug, client, form = _shopper("twice@example.com")
    proof = Proof("order button pressed twice")
    with proof.timed():
        pages = [client.post("/checkout/", form) for _ in range(2)]
    return _one_order(proof, mug, [[page.status_code, page.headers.get("Location", "")] for page in pages])


def pressed_after_time_out(erp: ErpDatabase, step: str) -> Proof:
    """The server dies at ``step`` of the first press, its answer never comes, and the shopper presses again."""
    mug, client, form = _shopper("time.out@example.com")
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    erp.python(PRESS_AND_DIE.format(cookies=cookies, form=form), check=False, ERP_FAULT_POINT=step)
    proof = Proof(f"order button pressed again after a time-out ({step.partition(':')[2].replace('_', ' ')})")
    with proof.timed():
        page = client.post("/checkout/", form)
    return _one_order(proof, mug, [[page.status_code, page.headers.get("Location", "")]])


def raised_meanwhile(crowd: Crowd, bank: CardStandIn) -> Proof:
    """The quantity is raised in another tab while the order is placed, until an order came first once."""
    mug = world.product("1000", stock=999)
    proof = Proof("quantity raised in another tab while the order is placed")
    more, wrong = (f"/cart/add/{mug}/", {"quantity": "7"}), 0
    for late_by in range(12):
        client = world.with_cart((mug, 1))
        form = world.order_form(client)
        look = [("/cart/", dict[str, str]())] * (late_by * 2)  # the other tab comes later and later
        order, before = ("/checkout/", form), len(accepted(mug))
        with proof.timed():
            crowd.begin(bank, [[order], [*look, more, more], [*look, more], [order]], client)
            crowd.answers()
        proof.decided += 1
        wrong += len(accepted(mug)) > before + 1
        if len(accepted(mug)) > before:
            break
    orders = accepted(mug)
    confirmed = [o for o in orders if (o.lines.get().quantity, o.gross_total) == (1, 1270)]
    left = logistics.available([mug])[mug]
    proof.found = {"placed": bool(orders), "as confirmed": len(confirmed), "twice": wrong, "left": left}
    proof.expected = {"placed": True, "as confirmed": len(orders), "twice": 0, "left": 999 - len(orders)}
    return proof


def hold_expires_while_paying(crowd: Crowd, bank: CardStandIn, paying: int = 4, rivals: int = 3) -> Proof:
    """Paid when the hold is over, while others buy: held again and ordered, or refused and released."""
    mug = world.product(stock=paying)
    pages = [begin(mug, 1)[1] for _ in range(paying)]
    expire_holds_of(mug)
    for page in pages:
        web.pay(page, web.NEVER)
    others = [world.with_cart((mug, 1)) for _ in range(rivals)]
    forms = [world.order_form(other) for other in others]
    proof = Proof(f"holds of {paying} payments expire while they are confirmed, {rivals} others buy", paying + rivals)
    with proof.timed():
        crowd.begin(bank, [[]] * 3)
        bought = [c.post("/checkout/", form).status_code for c, form in zip(others, forms, strict=True)].count(302)
        crowd.answers()
        do_relay()
        do_relay()
    attempts = list(PaymentAttempt.objects.order_by("-id")[:paying])
    at_bank = Counter((a.state, (bank.service.payment(str(a.ref)) or {})["state"]) for a in attempts)
    placed = at_bank["placed", "authorised"]
    proof.found = {"sold": placed + bought, "at the provider": dict(at_bank), "left": logistics.available([mug])[mug]}
    refused = {("failed", "voided"): paying - placed} if placed < paying else {}
    ordered = {("placed", "authorised"): placed} if placed else {}
    proof.expected = {"sold": paying, "at the provider": {**refused, **ordered}, "left": 0}
    return proof


def browser_never_returns(shoppers: int = 1) -> Proof:
    """Paid, and the browser is closed: the provider's callback alone completes the order."""
    mugs = [world.product(stock=9) for _ in range(shoppers)]
    pages = [begin(mug, 2)[1] for mug in mugs]
    proof = Proof(f"{shoppers} browsers that never come back after payment", shoppers)
    with proof.timed():
        for page in pages:
            web.pay(page, web.GOOD)
        eventually(lambda: all(attempt_of(mug).state == "placed" for mug in mugs))
    proof.found = {"orders": [len(accepted(mug)) for mug in mugs], "left": logistics.available(mugs)}
    proof.expected = {"orders": [1] * shoppers, "left": dict.fromkeys(mugs, 7)}
    return proof
