"""Ledger, documents and NAV agree per VAT code; one cent anywhere is found and its document named."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sqlite3
from decimal import Decimal
from typing import Any

import pytest

from erp.scrubber.result import Findings
from finance import checks
from finance.models import Invoice, NavSubmission
from finance.services.crediting import issue_credit_note
from finance.services.reporting.annulling import request_annulment
from finance.services.reporting.draining import drain
from finance.services.reporting.reconciling import parse_period, reconcile
from finance.services.reporting.repairing import resubmit
from tests.databases import ErpDatabase
from tests.finance.reporting.stand_in import StandInProcess
from tests.finance.reporting.test_describe_documents import customer, invoice
from tests.finance.test_checks import plant
from tests.finance.world import BOOKKEEPER, DAY, World

PERIOD = f"{DAY:%Y-%m}"


@pytest.fixture(scope="module")
def reported(books: World, nav: StandInProcess) -> dict[str, str]:
    """Documents of several kinds, all reported."""
    made = {
        "plain": invoice(customer(), {}, {"vat_code": "5"}),
        "euro": invoice(customer(), {"unit_price": "9.99"}, currency="EUR"),
        "exempt": invoice(customer(), {"vat_code": "AAM"}),
    }
    key = Invoice.objects.get(number=made["plain"]).pk
    made["credit"] = str(
        issue_credit_note(key, actor=BOOKKEEPER, lines=[{"line_no": 1, "quantity": 1}], issued_on=DAY)["number"]
    )
    assert drain() == 0
    return made


def named() -> set[str]:
    """Documents on which the sides do not agree."""
    found = reconcile(PERIOD)
    rows = [*found.differences, *found.missing, *found.refused]
    assert found.is_clean == (not rows)
    return {row["number"] for row in rows}


def scrubbed() -> list[str]:
    """What the nightly check finds."""
    findings = Findings()
    checks.check_vat(findings)
    return [sample.key for sample in findings.samples]


def test_reported_period_is_clean_and_sums_per_code(reported: dict[str, str], module_erp: ErpDatabase) -> None:
    done = module_erp.manage("nav_reconcile", PERIOD, "--json", ERP_NAV_URL=_url())
    found = json.loads(done.stdout)
    assert {name: found[name] for name in ("missing", "pending", "refused", "differences")} == {
        "missing": [], "pending": [], "refused": [], "differences": [],
    }  # fmt: skip
    sums = {row["code"]: row for row in found["codes"]}
    assert set(sums) == {"27", "5", "AAM"}
    expected = 810 + round(Decimal("29.97") * Decimal("0.27"), 2) * 390 - 270
    assert {Decimal(sums["27"][side]) for side in ("ledger", "documents", "nav")} == {expected.quantize(Decimal(1))}
    assert scrubbed() == []


def _url() -> str:
    from django.conf import settings

    return str(settings.NAV["url"])


PLANTED = {
    "ledger": "update journal_line set amount = amount - 0.01 where account = '467' and document_number = '{number}'",
    "net": "update journal_line set amount = amount - 0.01 where account like '9%' and document_number = '{number}'",
    "line": "update invoice_line set vat = vat + 0.01, gross = gross + 0.01 where line_no = 1 and invoice_id = {id}",
    "summary": "update invoice set vat_summary = jsonb_set(vat_summary, '{{0,base_vat}}', '1') where id = {id}",
    "header": "update invoice set base_vat_total = base_vat_total + 0.01 where id = {id}",
}


@pytest.mark.parametrize("place", list(PLANTED))
@pytest.mark.parametrize("kind", ["plain", "euro", "credit"])
def test_one_cent_in_the_books_names_the_document(
    reported: dict[str, str], module_erp: ErpDatabase, place: str, kind: str
) -> None:
    number = reported[kind]
    key = Invoice.objects.get(number=number).pk
    with module_erp.connect("postgres") as c:
        tables = ("journal_line", "invoice_line", "invoice")
        for table in tables:
            c.execute(f"create temp table kept_{table} as table finance.{table}")  # type: ignore[arg-type]
        plant(module_erp, PLANTED[place].format(number=number, id=key))
        try:
            assert named() == {number}
        finally:
            with c.transaction():
                c.execute("set local session_replication_role = replica")
                for table in tables:
                    c.execute(f"delete from finance.{table}")  # type: ignore[arg-type]
                    c.execute(f"insert into finance.{table} overriding system value table kept_{table}")  # type: ignore[arg-type]
    assert named() == set()


@pytest.mark.parametrize("kind", ["plain", "euro", "credit"])
def test_one_cent_at_the_nav_names_the_document(reported: dict[str, str], nav: StandInProcess, kind: str) -> None:
    number = reported[kind]
    before = _rewrite(nav, number)
    try:
        assert named() == {number}
    finally:
        _restore(nav, number, before)
    assert named() == set()


def _rewrite(nav: StandInProcess, number: str) -> Any:
    """Change what the stand-in holds, behind its back."""
    with sqlite3.connect(nav.database) as db:
        (content,) = db.execute("select content from item where number = ? and state = 'DONE'", [number]).fetchone()
        xml = gzip.decompress(base64.b64decode(content)).decode()
        xml = re.sub(r"(<vatRateVatAmountHUF>-?\d+)(\.00)?(</)", r"\g<1>.01\3", xml, count=1)
        changed = base64.b64encode(gzip.compress(xml.encode())).decode()
        db.execute("update item set content = ? where number = ? and state = 'DONE'", [changed, number])
    return content


def _restore(nav: StandInProcess, number: str, content: str) -> None:
    with sqlite3.connect(nav.database) as db:
        db.execute("update item set content = ? where number = ? and state = 'DONE'", [content, number])


def test_document_the_nav_does_not_hold_is_missing(reported: dict[str, str], nav: StandInProcess) -> None:
    number = reported["exempt"]
    with sqlite3.connect(nav.database) as db:
        db.execute("update item set is_annulled = 1 where number = ?", [number])
    try:
        found = reconcile(PERIOD)
        assert [row["number"] for row in found.missing] == [number]
    finally:
        with sqlite3.connect(nav.database) as db:
            db.execute("update item set is_annulled = 0 where number = ?", [number])


def test_document_that_only_the_nav_has_is_named(reported: dict[str, str], module_erp: ErpDatabase) -> None:
    number = reported["exempt"]
    plant(module_erp, f"update invoice set issued_on = issued_on - 60 where number = '{number}'")
    try:
        assert named() == {number}
    finally:
        plant(module_erp, f"update invoice set issued_on = issued_on + 60 where number = '{number}'")


def test_fresh_documents_are_pending_and_not_counted(
    reported: dict[str, str], module_erp: ErpDatabase, nav: StandInProcess
) -> None:
    number = invoice(customer())
    found = reconcile(PERIOD)
    assert ([row["number"] for row in found.pending], found.is_clean) == ([number], True)
    findings = Findings()
    checks.check_vat(findings)
    assert (findings.in_flight, findings.mismatched) == (1, 0)
    NavSubmission.objects.filter(number=number).update(due_at="2026-01-01T00:00:00Z")
    assert named() == {number}
    assert scrubbed() == [f"NAV report of {number}"]
    assert drain() == 0
    assert (named(), scrubbed()) == (set(), [])


def test_refused_documents_are_listed_apart_with_their_reasons(
    reported: dict[str, str], nav: StandInProcess, module_erp: ErpDatabase
) -> None:
    number = invoice(customer())
    nav.inject({"kind": "abort", "number": number, "times": 1, "code": "SOME_RULE"})
    assert drain() == 0
    done = module_erp.manage("nav_reconcile", PERIOD, check=False, ERP_NAV_URL=nav.base_url)
    assert done.returncode == 1
    assert f"{number}: state refused" in done.stdout
    assert "SOME_RULE" in done.stdout
    resubmit(NavSubmission.objects.get(number=number).pk, actor=BOOKKEEPER)
    assert drain() == 0
    assert named() == set()


def test_changed_record_of_a_report_is_drift(reported: dict[str, str], module_erp: ErpDatabase) -> None:
    number = reported["plain"]
    found = NavSubmission.objects.get(number=number)
    altered = [{**row, "vat": str(Decimal(row["vat"]) + 1)} for row in found.reported]
    NavSubmission.objects.filter(number=number).update(reported=altered)
    assert scrubbed() == [f"NAV report of {number}, vatPercentage 0.05", f"NAV report of {number}, vatPercentage 0.27"]
    NavSubmission.objects.filter(number=number).update(reported=found.reported)
    assert scrubbed() == []


def test_annulled_report_is_missing_until_it_is_sent_again(reported: dict[str, str], nav: StandInProcess) -> None:
    base = invoice(customer(), {"quantity": 4})
    key = Invoice.objects.get(number=base).pk
    change = issue_credit_note(key, actor=BOOKKEEPER, lines=[{"line_no": 1, "quantity": 1}], issued_on=DAY)["number"]
    assert drain() == 0
    request_annulment(key, code="ERRATIC_DATA", reason="Wrong buyer", actor=BOOKKEEPER)
    assert drain() == 0
    annulment = NavSubmission.objects.get(pk=key).annulments.get()
    assert annulment.state == "pending"
    nav.order("annulments", number=base, decision="DONE")
    drain()
    annulment.refresh_from_db()
    assert annulment.state == "done"
    assert {s.state for s in NavSubmission.objects.filter(number__in=[base, change])} == {"annulled"}
    assert named() == {base, change}
    resubmit(key, actor=BOOKKEEPER)
    assert drain() == 0
    assert named() == set()


def test_rejected_annulment_leaves_the_report(reported: dict[str, str], nav: StandInProcess) -> None:
    number = invoice(customer())
    assert drain() == 0
    key = Invoice.objects.get(number=number).pk
    request_annulment(key, code="ERRATIC_DATA", reason="By mistake", actor=BOOKKEEPER)
    drain()
    nav.order("annulments", number=number, decision="REJECTED")
    drain()
    assert NavSubmission.objects.get(pk=key).annulments.get().state == "rejected"
    assert named() == set()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        ("2026", "2026-01-01", "2026-12-31"),
    ],
)
def test_period_is_read(text: str, first: str, last: str) -> None:
    assert [day.isoformat() for day in parse_period(text)] == [first, last]


def test_unknown_period_and_unreachable_nav_are_told(module_erp: ErpDatabase) -> None:
    wrong = module_erp.manage("nav_reconcile", "march", check=False)
    assert (wrong.returncode, "is no period" in wrong.stderr) == (2, True)
    nobody = module_erp.manage("nav_reconcile", PERIOD, check=False, ERP_NAV_URL="http://127.0.0.1:1/x")
    assert (nobody.returncode, "the NAV cannot be asked" in nobody.stderr) == (2, True)
