"""Hundreds of documents of every kind, every fault of the stand-in on: it ends up with what was issued, once each."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from erp.errors import Refused
from finance.models import Invoice, NavSubmission
from finance.services.crediting import issue_credit_note
from finance.services.reporting.connection import connect
from finance.services.reporting.draining import drain
from finance.services.reporting.reconciling import reconcile
from finance.services.reporting.repairing import resubmit_all
from tests.databases import ErpDatabase
from tests.finance.reporting.stand_in import StandInProcess, running
from tests.finance.reporting.test_describe_documents import customer, invoice
from tests.finance.reporting.test_reconcile import PERIOD
from tests.finance.test_checks import plant
from tests.finance.world import BOOKKEEPER, DAY, make_world

SEED = 20260310
CODES = ("27", "18", "5", "AAM", "TAM", "ATK")
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "maintenance", "probability": 0.04},
    {"kind": "bare_503", "probability": 0.04},
    {"kind": "operation_failed", "probability": 0.04},
    {"kind": "lost_request", "probability": 0.04},
    {"kind": "slow", "probability": 0.04, "delay_s": 0.01},
    {"kind": "lost_answer", "probability": 0.05},
    {"kind": "bare_504_after_accept", "probability": 0.05},
    {"kind": "broken_answer", "probability": 0.05},
    {"kind": "abort", "probability": 0.05},
    {"kind": "warn", "probability": 0.05},
    {"kind": "stuck", "probability": 0.1},
)
# Each of them strikes at least once, whatever chance says; the costly one, which hangs, no more than that.
SURELY = (*(fault["kind"] for fault in FAULTS), "timeout_after_accept")
ONCE = tuple({"kind": kind, "times": 1} for kind in SURELY)


def issue_many(count: int, chance: random.Random) -> list[str]:
    """Issue invoices of every sort, and credit notes and cancellations of some."""
    buyers = [
        customer(),
        customer(vat_status="domestic", tax_number="10987656-2-06"),
        customer(vat_status="third_country", country="CH", postcode=""),
    ]
    abroad = customer(vat_status="eu", tax_number="ATU13585627", country="AT")
    numbers: list[str] = []
    while len(numbers) < count:
        is_abroad = chance.random() < 0.1
        codes = ("KBAET",) if is_abroad else CODES
        lines = [
            {
                "name": f"Áru {chance.randrange(100)}", "quantity": chance.randrange(1, 30),
                "vat_code": chance.choice(codes), "unit_price": Decimal(chance.randrange(100, 999_999)) / 100,
                "discount": Decimal(chance.choice((0, 0, 0, 1))),
            }
            for _ in range(chance.randrange(1, 6))
        ]  # fmt: skip
        mode = chance.choice(("net", "gross"))
        number = invoice(
            abroad if is_abroad else chance.choice(buyers), *lines, currency=chance.choice(("HUF", "HUF", "EUR")),
            price_mode=mode, is_simplified=mode == "gross" and chance.random() < 0.3,
        )  # fmt: skip
        numbers.append(number)
        if chance.random() < 0.25 and len(numbers) < count:
            numbers += _change(number, chance)
    return numbers


def _change(number: str, chance: random.Random) -> list[str]:
    key = Invoice.objects.get(number=number).pk
    made = []
    try:
        for lines in ([{"line_no": 1, "quantity": 1}], None):
            made.append(issue_credit_note(key, actor=BOOKKEEPER, lines=lines, issued_on=DAY)["number"])
            if chance.random() < 0.5:
                break
    except Refused:  # nothing is left of it
        pass
    return [str(n) for n in made]


def report_all(nav: StandInProcess) -> None:
    """Report everything as Celery and a patient person would, until nothing is open."""
    client = connect(sleep=lambda _: None)
    for _ in range(60):
        drain(client, passes=3)
        nav.order("release")
        failed = NavSubmission.objects.filter(state__in=("refused", "blocked")).values_list("pk", flat=True)
        resubmit_all(list(failed), actor=BOOKKEEPER)
        if not NavSubmission.objects.exclude(state="done").exists():
            return
    pytest.fail(f"not reported: {[str(s) for s in NavSubmission.objects.exclude(state='done')[:5]]}")


def run(count: int, folder: Path, erp: ErpDatabase) -> None:
    """Issue, report under faults, compare, and find one cent."""
    chance = random.Random(SEED)
    make_world()
    with running(folder / "nav.sqlite3", "--fault-seed", str(SEED), max_batch=20) as nav:
        nav.inject(*FAULTS, *ONCE)
        issued: list[str] = []
        while len(issued) < count:  # reports leave while others are issued
            issued += issue_many(min(100, count - len(issued)), chance)
            drain(connect(sleep=lambda _: None), passes=2)
        report_all(nav)
        struck = nav.order("struck")
        nav.inject()
        assert set(struck) == set(SURELY)
        numbers = Invoice.objects.filter(state="issued").values_list("number", flat=True)
        assert Counter(nav.held()) == Counter(numbers) == Counter(issued)
        found = reconcile(PERIOD)
        assert (found.is_clean, found.pending) == (True, []), found.as_json()
        for row in found.codes:
            assert row["ledger"] == row["documents"] == row["nav"]
        victim = chance.choice(issued)
        one_cent = "update journal_line set amount = amount + 0.01 where account like '9%' and document_number = "
        plant(erp, f"{one_cent}'{victim}'")
        done = erp.manage("nav_reconcile", PERIOD, check=False, ERP_NAV_URL=nav.base_url)
        assert done.returncode == 1
        assert victim in done.stdout


def test_200_documents_under_every_fault_are_held_once(
    fresh_erp: ErpDatabase, official_files: Path, tmp_path: Path
) -> None:
    run(200, tmp_path, fresh_erp)


@pytest.mark.soak
def test_2000_documents_under_every_fault_are_held_once(
    fresh_erp: ErpDatabase, official_files: Path, tmp_path: Path
) -> None:
    run(2000, tmp_path, fresh_erp)
