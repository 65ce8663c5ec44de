"""The proofs of reserving and ordering, in real processes and timed; the runs are those of tests/concurrency."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from bench.harness import Result, judge

if TYPE_CHECKING:
    from tests.concurrency.proofs import Proof

PROCESSES, BUYERS = 16, 200
AT_ONCE, PAYING, RIVALS, SHOPPERS = 5, 20, 10, 20
TIME_OUTS = ("handover:before_freeze_commit", "handover:after_freeze", "handover:after_accepted")


def _row(proof: Proof) -> Result:
    seconds = max(proof.seconds, 0.001)
    counts = ", ".join(f"{what} {n}" for what, n in proof.found.items() if isinstance(n, int))
    told = counts if proof.holds else f"found {proof.found}, must be {proof.expected}"
    note = f"{seconds:.2f} s, {proof.decided / seconds:.1f} orders/s; {told}"
    return judge(proof.name, float(proof.holds), 1.0, "== 1", note=note)


def _reservations() -> Iterator[Proof]:
    from tests.concurrency import proofs
    from tests.concurrency.buyers import Buyers
    from tests.databases import ErpDatabase

    with closing(Buyers(ErpDatabase(os.environ["ERP_DATABASE_NAME"]), PROCESSES)) as buyers:
        yield proofs.hot_product(buyers, pieces=100, crowd=BUYERS)
        yield proofs.any_line_order(buyers, pieces=100, crowd=BUYERS)
        yield proofs.named_twice(buyers, pieces=199, crowd=BUYERS)


def _order_button() -> Iterator[Proof]:
    from django.conf import settings

    from erp.relay import run_relay
    from tests.concurrency import proofs
    from tests.concurrency.crowd import Crowd
    from tests.databases import ErpDatabase
    from tests.storefront import web, world

    erp = ErpDatabase(os.environ["ERP_DATABASE_NAME"])
    while run_relay("storefront")["done"]:
        pass  # what the orders of earlier rows left to do
    world.set_up_books()
    world.delivery()
    with web.card_shop(settings) as bank, closing(Crowd(erp, AT_ONCE)) as crowd:
        yield proofs.pressed_twice()
        yield proofs.pressed_at_once(crowd, bank)
        for step in TIME_OUTS:
            yield proofs.pressed_after_time_out(erp, step)
        yield proofs.raised_meanwhile(crowd, bank)
        yield proofs.hold_expires_while_paying(crowd, bank, paying=PAYING, rivals=RIVALS)
        yield proofs.browser_never_returns(SHOPPERS)


def measure() -> list[Result]:
    """One row for each proof, on the database of the environment; Django is set up."""
    from django.test.utils import setup_test_environment

    for name in ("ERP_PG_EXTRA", "ERP_EMAIL_URL"):  # what tests make quicker stays as it is
        os.environ.setdefault(name, "")
    os.environ.setdefault("ERP_LOCK_TIMEOUT_MS", "2000")
    setup_test_environment()
    return [_row(proof) for run in (_reservations, _order_button) for proof in run()]
