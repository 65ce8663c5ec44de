"""Hundreds of documents of every kind, every fault of the stand-in on: it ends up with what was issued, once each."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from erp.errors import Refused
from finance import api
from finance.models import Invoice, NavAnnulment, NavSubmission
from finance.services.corrections import correct_invoice
from finance.services.crediting import issue_credit_note
from finance.services.goods_issues import issue_collective, set_collective
from finance.services.reporting.annulling import request_annulment
from finance.services.reporting.connection import connect
from finance.services.reporting.draining import drain
from finance.services.reporting.reconciling import reconcile
from finance.services.reporting.repairing import resubmit_all
from tests.databases import ErpDatabase
from tests.finance.reporting.stand_in import StandInProcess, running
from tests.finance.reporting.test_describe_documents import customer, invoice
from tests.finance.reporting.test_reconcile import PERIOD
from tests.finance.test_checks import plant
from tests.finance.world import BOOKKEEPER, DAY, World, make_world

SEED = 20260310
CODES = ("27", "18", "5", "AAM", "TAM", "ATK", "NAM", "EUE", "HO", "NEM_HARIT", "KUL_HASZNALT", "KUL_UTAZAS")
ABROAD = ("KBAET", "EUFAD37", "EUFADE")
AT_HOME = ("FAD", "KOMP7", "KOMP12", "27")
CHUNK = 50  # documents issued between two rounds of the outbox
KILLED_AT = ("nav:noted", "nav:answered", "nav:claimed", "nav:prepared")
WORKER = (
    "from finance.services.reporting import channel, outbox\n"
    "channel.try_now('standin')\noutbox.send_waiting()"
)  # fmt: skip
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


@dataclass
class Trade:
    """A company that issues documents of every sort, by chance."""

    books: World
    chance: random.Random
    buyers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buyers = [customer(), customer(vat_status="third_country", country="CH", postcode="")]
        self.domestic = customer(vat_status="domestic", tax_number="10987656-2-06")
        self.abroad = customer(vat_status="eu", tax_number="ATU13585627", country="AT")
        self.collected = customer()
        set_collective(self.collected, is_collective=True)
        self.books.receive(self.books.mug, 100_000, "600")

    def issue_many(self, count: int) -> list[str]:
        """Issue so many documents: invoices, advances with their final invoices, collective ones, and changes."""
        numbers: list[str] = []
        while len(numbers) < count:
            kind = self.chance.random()
            made = self._collective() if kind < 0.06 else self._advance() if kind < 0.14 else [self._sale()]
            made += self._return() if kind > 0.96 else []
            numbers += made
            if self.chance.random() < 0.25:
                numbers += _change(self.chance.choice(made), self.chance)
        return numbers

    def _sale(self) -> str:
        kind = self.chance.random()
        buyer, codes = self.chance.choice(self.buyers), CODES
        if kind < 0.2:
            buyer, codes = (self.abroad, ABROAD) if kind < 0.1 else (self.domestic, AT_HOME)
        lines = [
            {
                "name": f"Áru {self.chance.randrange(100)}", "quantity": self.chance.randrange(1, 30),
                "vat_code": self.chance.choice(codes),
                "unit_price": Decimal(self.chance.randrange(100, 999_999)) / 100,
                "discount": Decimal(self.chance.choice((0, 0, 0, 1))),
            }
            for _ in range(self.chance.randrange(1, 6))
        ]  # fmt: skip
        mode = self.chance.choice(("net", "gross"))
        return invoice(
            buyer, *lines, currency=self.chance.choice(("HUF", "HUF", "EUR")), price_mode=mode,
            is_simplified=mode == "gross" and codes is CODES and self.chance.random() < 0.3,
        )  # fmt: skip

    def _advance(self) -> list[str]:
        """An advance invoice that is paid, and the final invoice that takes it off."""
        line = {"name": "Előleg", "quantity": 1, "unit_price": str(self.chance.randrange(1000, 9000))}
        advance = invoice(self.domestic, line, kind="advance")
        found = Invoice.objects.get(number=advance)
        api.record_payment({"invoice_id": found.pk, "amount": found.gross_total, "received_on": DAY}, actor=BOOKKEEPER)
        off = {**line, "unit_price": f"-{line['unit_price']}", "advance_invoice_id": found.pk}
        return [advance, invoice(self.domestic, {"unit_price": "9999"}, off, kind="final")]

    def _return(self) -> list[str]:
        """Goods that come back and were never invoiced here: a credit without original."""
        line = self.books.product_line(self.books.mug, 1, "1000", order_line_no=None)
        done = api.credit_return(self.books.give_back(line, order_id=None))
        return [str(document["number"]) for document in done["documents"]]

    def _collective(self) -> list[str]:
        """Two goods issues on different days, invoiced together."""
        for day in (date(2026, 3, 2), date(2026, 3, 5)):
            line = self.books.product_line(self.books.mug, self.chance.randrange(1, 5), "1000")
            api.invoice_goods_issue(self.books.issue(line, customer_id=self.collected, issued_on=day))
        made = issue_collective(self.collected, date(2026, 3, 1), DAY, actor=BOOKKEEPER, issued_on=DAY)
        return [str(row["number"]) for row in made]


def _change(number: str, chance: random.Random) -> list[str]:
    """Corrections of several sorts, then credit notes up to a cancellation, as far as chance lets them go."""
    invoice_ = Invoice.objects.get(number=number)
    made: list[str] = []
    try:
        while chance.random() < 0.6:
            data = {"reason": "Téves", "issued_on": DAY, **_correction(invoice_, chance)}
            made.append(str(correct_invoice(invoice_.pk, data, actor=BOOKKEEPER)["number"]))
        for lines in ([{"line_no": 1, "quantity": 1}], None):
            made.append(str(issue_credit_note(invoice_.pk, actor=BOOKKEEPER, lines=lines, issued_on=DAY)["number"]))
            if chance.random() < 0.5:
                break
    except Refused:  # nothing is left of it, or it is no correction for such a document
        pass
    return made


def _correction(of: Invoice, chance: random.Random) -> dict[str, Any]:
    """The right price, quantity or VAT code of the first line, or another product instead of it."""
    line = of.lines.get(line_no=1)
    sort = chance.choice(("price", "price", "quantity", "code", "product"))
    if sort == "price":
        price = max(line.unit_price * chance.choice((2, Decimal("0.7"), Decimal("1.01"))), Decimal("0.01"))
        return {"lines": [{"line_no": 1, "unit_price": round(price, 2)}]}
    if sort == "quantity":
        return {"lines": [{"line_no": 1, "quantity": line.quantity + chance.choice((-1, 1, 5))}]}
    if sort == "code":
        return {"lines": [{"line_no": 1, "vat_code": "5" if line.vat_code == "27" else "27"}]}
    other = {"name": "Más áru", "quantity": line.quantity, "unit_price": line.unit_price, "vat_code": line.vat_code}
    return {"lines": [{"line_no": 1, "quantity": 0}], "added": [other]}


def report_all(nav: StandInProcess) -> None:
    """Report everything as Celery and a patient person would, until nothing is open."""
    client = connect(sleep=lambda _: None)
    for _ in range(60):
        drain(client, passes=3)
        nav.order("release")
        failed = NavSubmission.objects.filter(state__in=("refused", "blocked", "annulled")).values_list("pk", flat=True)
        resubmit_all(list(failed), actor=BOOKKEEPER)
        if not NavSubmission.objects.exclude(state="done").exists():
            return
    pytest.fail(f"not reported: {[str(s) for s in NavSubmission.objects.exclude(state='done')[:5]]}")


def kill_a_worker(erp: ErpDatabase, nav: StandInProcess, point: str) -> bool:
    """A worker that dies at a point of its way; what it held comes free as after its lease."""
    settings = {"ERP_NAV_URL": nav.base_url, "ERP_NAV_MAX_BATCH": "20", "ERP_NAV_TIMEOUT_S": "3"}
    died = erp.python(WORKER, check=False, ERP_FAULT_POINT=point, **settings)
    NavSubmission.objects.filter(state="waiting").update(next_at="2026-01-01T00:00:00Z")
    return bool(died.returncode == -9)


def annul_some(nav: StandInProcess, chance: random.Random) -> dict[str, str]:
    """Annul reports of a changed, a collective and two plain documents; the last one is rejected on the NAV's page."""
    reports = NavSubmission.objects.filter(base_id=None, state="done")
    changed = reports.filter(invoice__chain__isnull=False)
    picked = [
        changed.order_by("pk").first(), reports.filter(invoice__is_collective=True).order_by("pk").first(),
        *chance.sample(list(reports.filter(invoice__is_collective=False, invoice__chain=None)), 2),
    ]  # fmt: skip
    numbers = [report.number for report in picked if report]
    assert len(numbers) == 4
    for report in picked:
        if report:
            request_annulment(report.pk, code="ERRATIC_DATA", reason="Wrong data", actor=BOOKKEEPER)
    decided = dict(zip(numbers, ("DONE", "DONE", "DONE", "REJECTED"), strict=True))
    client = connect(sleep=lambda _: None)
    for _ in range(60):
        drain(client, passes=3)
        nav.order("release")
        for number in NavAnnulment.objects.filter(state="pending").values_list("submission__number", flat=True):
            nav.order("annulments", number=number, decision=decided[number])
        if not NavAnnulment.objects.exclude(state__in=("done", "rejected")).exists():
            return decided
    pytest.fail(f"not decided: {[str(a) for a in NavAnnulment.objects.all()]}")


def compare(nav: StandInProcess, issued: list[str]) -> None:
    """The stand-in holds what was issued, once each, and the period ties out."""
    numbers = Invoice.objects.filter(state="issued").values_list("number", flat=True)
    assert Counter(nav.held()) == Counter(numbers) == Counter(issued)
    found = reconcile(PERIOD)
    assert (found.is_clean, found.pending) == (True, []), found.as_json()
    for row in found.codes:
        assert row["ledger"] == row["documents"] == row["nav"]
    codes = {code for row in found.codes for code in row["code"].split("+")}
    assert {"27", "AAM", "KBAET", "FAD", "KOMP7"} <= codes


def run(count: int, folder: Path, erp: ErpDatabase) -> None:
    """Issue, report under faults and kills, annul and report again, compare, and find one cent."""
    chance = random.Random(SEED)
    trade = Trade(make_world(), chance)
    with running(folder / "nav.sqlite3", "--fault-seed", str(SEED), max_batch=20) as nav:
        nav.inject(*FAULTS, *ONCE)
        issued: list[str] = []
        killed = Counter[str]()
        while len(issued) < count:  # reports leave while others are issued, and workers die
            issued += trade.issue_many(min(CHUNK, count - len(issued)))
            point = KILLED_AT[killed.total() % len(KILLED_AT)]
            killed[point] += kill_a_worker(erp, nav, point)
            drain(connect(sleep=lambda _: None), passes=2)
        report_all(nav)
        assert len(+killed) >= 2
        decided = annul_some(nav, chance)
        states = dict(NavSubmission.objects.filter(number__in=decided).values_list("number", "state"))
        assert [states[n] for n in decided] == ["annulled"] * 3 + ["done"]
        report_all(nav)
        struck = nav.order("struck")
        nav.inject()
        assert set(struck) == set(SURELY)
        kinds = set(Invoice.objects.filter(state="issued").values_list("kind", flat=True))
        assert kinds == {str(kind) for kind in Invoice.Kind}
        operations = NavSubmission.objects.filter(invoice__kind="correction").values_list("operation", flat=True)
        assert len(operations) >= count // 20
        compare(nav, issued)
        victim = chance.choice(issued)
        one_cent = "update journal_line set amount = amount + 0.01 where vat_code <> '' and document_number = "
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
