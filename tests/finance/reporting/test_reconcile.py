"""Ledger, documents and NAV agree per VAT code; one cent anywhere is found and its document named."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from erp.scrubber.engine import run_check
from erp.scrubber.result import CheckResult, Findings
from finance import checks
from finance.models import Invoice, NavSubmission
from finance.nav.transport import Answer, Timeouts, post
from finance.services import posting
from finance.services.corrections import correct_invoice
from finance.services.crediting import issue_credit_note
from finance.services.reporting.annulling import request_annulment
from finance.services.reporting.connection import connect
from finance.services.reporting.draining import drain
from finance.services.reporting.reconciling import Reconciliation, parse_period, reconcile
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
    dearer = {"lines": [{"line_no": 1, "unit_price": Decimal("12.34")}], "issued_on": DAY}
    euro = Invoice.objects.get(number=made["euro"]).pk
    made["correction"] = str(correct_invoice(euro, dearer, actor=BOOKKEEPER)["number"])
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
    expected = 810 + round(Decimal("37.02") * Decimal("0.27"), 2) * 390 - 270
    assert {Decimal(sums["27"][side]) for side in ("ledger", "documents", "nav")} == {expected.quantize(Decimal(1))}
    assert scrubbed() == []


def _url() -> str:
    from django.conf import settings

    return str(settings.NAV["url"])


def test_vat_posted_by_hand_is_named_until_it_is_reversed(reported: dict[str, str], module_erp: ErpDatabase) -> None:
    day = Invoice.objects.get(number=reported["plain"]).issued_on
    before = {row["code"]: row["ledger"] for row in reconcile(PERIOD).codes}
    owed = [{"account": "9111", "amount": 1}, {"account": "467", "amount": -1, "vat_code": "27"}]
    bought = [
        {"account": "467", "amount": -27, "vat_code": "27"}, {"account": "466", "amount": 27, "vat_code": "27"},
    ]  # fmt: skip
    posting.post_journal_entry({"entry_on": day, "lines": bought}, actor=BOOKKEEPER, posting_key="manual:bought")
    entry = posting.post_journal_entry({"entry_on": day, "lines": owed}, actor=BOOKKEEPER, posting_key="manual:owed")
    assert named() == {f"entry {entry['id']}"}
    assert {row["code"]: row["ledger"] for row in reconcile(PERIOD).codes} == {**before, "27": before["27"] + 1}
    posting.reverse_entry(entry["id"], actor=BOOKKEEPER, on_date=day)
    assert named() == set()


PLANTED = {
    "ledger": "update journal_line set amount = amount - 0.01 where account = '467' and document_number = '{number}'",
    "net": "update journal_line set amount = amount - 0.01 where account like '9%' and document_number = '{number}'",
    "line": "update invoice_line set vat = vat + 0.01, gross = gross + 0.01 where line_no = 1 and invoice_id = {id}",
    "summary": "update invoice set vat_summary = jsonb_set(vat_summary, '{{0,base_vat}}', '1') where id = {id}",
    "header": "update invoice set base_vat_total = base_vat_total + 0.01 where id = {id}",
}


OF_RECORDS = {
    "archive": "update nav_item set xml = 'rubbish' where submission_id = {id}",
    "archived hash": "update nav_item set hash = reverse(hash) where submission_id = {id}",
    "refused": "update nav_submission set state = 'refused' where invoice_id = {id}",
    "blocked": "update nav_submission set state = 'blocked' where invoice_id = {id}",
    "annulled": "update nav_submission set state = 'annulled' where invoice_id = {id}",
    "open for long": "update nav_submission set state = 'sent', due_at = '2026-01-01' where invoice_id = {id}",
}
PLACES = [(kind, place) for kind in ("plain", "euro", "credit") for place in PLANTED]


@pytest.mark.parametrize(("kind", "place"), [*PLACES, *(("plain", place) for place in OF_RECORDS)])
def test_one_cent_in_the_books_names_the_document(
    reported: dict[str, str], module_erp: ErpDatabase, kind: str, place: str
) -> None:
    number = reported[kind]
    key = Invoice.objects.get(number=number).pk
    with module_erp.connect("postgres") as c:
        tables = ("journal_line", "invoice_line", "invoice", "nav_item", "nav_submission")
        for table in tables:
            c.execute(f"create temp table kept_{table} as table finance.{table}")  # type: ignore[arg-type]
        plant(module_erp, (PLANTED | OF_RECORDS)[place].format(number=number, id=key))
        try:
            assert named() == {number}
        finally:
            with c.transaction():
                c.execute("set local session_replication_role = replica")
                for table in tables:
                    c.execute(f"delete from finance.{table}")  # type: ignore[arg-type]
                    c.execute(f"insert into finance.{table} overriding system value table kept_{table}")  # type: ignore[arg-type]
    assert named() == set()


OF_HEADER = ("net_total", "vat_total", "gross_total", "base_net_total", "base_gross_total")
OF_LINE = ("net", "gross", "base_net", "base_vat", "unit_price", "discount")
OF_ENTRY = (("31%", "amount"), ("31%", "document_amount"), ("9%", "document_amount"), ("467", "document_amount"))


def test_one_cent_in_any_amount_of_a_document_names_it(reported: dict[str, str], module_erp: ErpDatabase) -> None:
    number = reported["euro"]
    key = Invoice.objects.get(number=number).pk
    places = [f"update invoice set {c} = {c} + %s where id = {key}" for c in OF_HEADER]
    places += [f"update invoice_line set {c} = {c} + %s where invoice_id = {key} and line_no = 1" for c in OF_LINE]
    places += [
        f"update journal_line set {c} = {c} + %s where account like '{a}' and document_number = '{number}'"
        for a, c in OF_ENTRY
    ]
    silent = []
    for statement in places:
        plant(module_erp, statement.replace("%s", "0.01"))
        if named() != {number}:
            silent.append(statement)
        plant(module_erp, statement.replace("%s", "-0.01"))
    assert silent == []
    assert named() == set()


OF_REPORT = (
    "vatRateVatAmount", "vatRateNetAmount", "vatRateGrossAmountHUF", "lineNetAmount", "lineNetAmountHUF",
    "lineVatAmountHUF", "lineGrossAmountNormal", "invoiceNetAmount", "invoiceVatAmountHUF", "invoiceGrossAmount",
    "unitPrice",
)  # fmt: skip


def test_one_cent_in_any_amount_at_the_nav_names_the_document(reported: dict[str, str], nav: StandInProcess) -> None:
    number = reported["euro"]
    unseen, before = [], _content(nav, number)
    try:
        for tag in OF_REPORT:
            _keep(nav, number, _with_cent(before, tag))
            rows = reconcile(PERIOD).differences
            assert {row["number"] for row in rows} == {number}
            # Sums and the document tell as well, not only that it is not what was sent; a price has no sum.
            told = [row for row in rows if row.get("problem") != "the NAV holds another XML than was sent"]
            if not told and tag != "unitPrice":
                unseen.append(tag)
    finally:
        _keep(nav, number, before)
    assert unseen == []
    assert named() == set()


def _content(nav: StandInProcess, number: str) -> str:
    with sqlite3.connect(nav.database) as db:
        (content,) = db.execute("select content from item where number = ? and state = 'DONE'", [number]).fetchone()
    return str(content)


def _with_cent(content: str, tag: str) -> str:
    xml = gzip.decompress(base64.b64decode(content)).decode()

    def add(match: re.Match[str]) -> str:
        return f"{match[1]}{Decimal(match[2]) + Decimal('0.01')}{match[3]}"

    changed, count = re.subn(rf"(<{tag}>)([^<]+)(</)", add, xml, count=1)
    assert count == 1
    return base64.b64encode(gzip.compress(changed.encode())).decode()


def _keep(nav: StandInProcess, number: str, content: str) -> None:
    """Change what the stand-in holds, behind its back."""
    with sqlite3.connect(nav.database) as db:
        db.execute("update item set content = ? where number = ? and state = 'DONE'", [content, number])


def test_document_reported_while_the_nav_is_asked_is_no_difference(
    reported: dict[str, str], nav: StandInProcess
) -> None:
    made: list[str] = []

    def transport(url: str, body: bytes, headers: Mapping[str, str], timeouts: Timeouts) -> Answer:
        if url.endswith("queryInvoiceDigest") and not made:
            made.append(invoice(customer(), {"unit_price": "777"}))
            assert drain() == 0
            connections.close_all()  # this thread's, which is the reconciliation's own
        return post(url, body, headers, timeouts)

    found = reconcile(PERIOD, connect(transport=transport))
    assert made[0] in nav.held()
    assert (found.is_clean, found.pending) == (True, [])
    assert [row for row in found.codes if not row["ledger"] == row["documents"] == row["nav"]] == []


def digests_changed(pattern: str, replacement: str) -> Reconciliation:
    """A reconciliation with a NAV whose digests are written otherwise."""

    def transport(url: str, body: bytes, headers: Mapping[str, str], timeouts: Timeouts) -> Answer:
        answer = post(url, body, headers, timeouts)
        if not url.endswith("queryInvoiceDigest"):
            return answer
        changed, count = re.subn(pattern, replacement, answer.body.decode(), flags=re.DOTALL)
        assert count
        return replace(answer, body=changed.encode())

    return reconcile(PERIOD, connect(transport=transport))


@pytest.mark.parametrize("tag", ["transactionId", "index"])
def test_documents_whose_digests_name_no_request_are_asked_for_by_number(
    reported: dict[str, str], module_erp: ErpDatabase, tag: str
) -> None:
    without = rf"<((?:\w+:)?{tag})>[^<]*</\1>"
    found = digests_changed(without, "")
    assert (found.is_clean, found.missing) == (True, [])
    assert {row["code"] for row in found.codes if row["nav"] == row["documents"]} == {"27", "5", "AAM"}
    number = reported["exempt"]
    plant(module_erp, f"update invoice set issued_on = issued_on - 60 where number = '{number}'")
    try:
        assert digests_changed(without, "").strays == [number]
    finally:
        plant(module_erp, f"update invoice set issued_on = issued_on + 60 where number = '{number}'")


def test_number_that_the_nav_holds_twice_is_named(reported: dict[str, str]) -> None:
    number = reported["exempt"]
    start = rf"(<(?:\w+:)?invoiceDigest>\s*<(?:\w+:)?invoiceNumber>{number}<.*?)"
    one = start + r"<((?:\w+:)?index)>[^<]*</\2>(.*?invoiceDigest>)"
    found = digests_changed(one, r"\g<0>\1\3")
    assert {row["number"] for row in found.differences} == {number}
    assert "more than once" in found.differences[0]["problem"]


@pytest.mark.parametrize("kind", ["plain", "credit", "correction"])
def test_one_cent_at_the_nav_names_the_document(reported: dict[str, str], nav: StandInProcess, kind: str) -> None:
    number = reported[kind]
    before = _content(nav, number)
    _keep(nav, number, _with_cent(before, "vatRateVatAmountHUF"))
    try:
        assert named() == {number}
    finally:
        _keep(nav, number, before)
    assert named() == set()


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


def scrub_vat() -> CheckResult:
    """The nightly check as the scrubber runs it."""
    return run_check({spec.name: spec for spec in checks.CHECKS}["vat"])


def test_nightly_check_finds_what_the_nav_has_lost_and_its_command_brings_it_back(
    reported: dict[str, str], nav: StandInProcess, module_erp: ErpDatabase
) -> None:
    number = reported["exempt"]
    with sqlite3.connect(nav.database) as db:
        db.execute("update item set is_annulled = 1 where number = ?", [number])
    result = scrub_vat()
    assert [(s.key, s.cause) for s in result.samples] == [(f"{number} at the NAV", "lost")]
    command = result.repair.removeprefix(f"{number}: manage.py ").split()
    assert f"again: {number}" in module_erp.manage(*command, ERP_NAV_URL=nav.base_url).stdout
    assert drain() == 0
    assert (scrub_vat().status, named()) == ("ok", set())
    assert "none, the NAV holds" in module_erp.manage(*command, ERP_NAV_URL=nav.base_url).stdout


def test_nightly_check_finds_other_content_at_the_nav(reported: dict[str, str], nav: StandInProcess) -> None:
    number = reported["plain"]
    before = _content(nav, number)
    _keep(nav, number, _with_cent(before, "vatRateVatAmountHUF"))
    try:
        result = scrub_vat()
    finally:
        _keep(nav, number, before)
    assert [(s.key, s.cause) for s in result.samples] == [(f"{number} at the NAV", "owner corrupt")]
    assert (result.status, result.amount) == ("alert", Decimal("0.01"))
    assert scrub_vat().status == "ok"


def test_nightly_check_finds_altered_archive_and_what_is_held_though_it_failed_here(
    reported: dict[str, str], module_erp: ErpDatabase
) -> None:
    archived, refused = reported["plain"], reported["exempt"]
    item = NavSubmission.objects.get(number=archived).item
    assert item is not None
    plant(module_erp, f"update nav_item set hash = reverse(hash) where id = {item.pk}")
    plant(module_erp, f"update nav_submission set state = 'refused' where number = '{refused}'")
    try:
        result = scrub_vat()
    finally:
        plant(module_erp, f"update nav_item set hash = '{item.hash}' where id = {item.pk}")
    keys = {sample.key for sample in result.samples}
    assert {f"archived report of {archived}", f"{archived} at the NAV", f"{refused} at the NAV"} <= keys
    assert f"{refused}: Repair and report again" in result.repair
    resubmit(
        NavSubmission.objects.get(number=refused).pk, actor=BOOKKEEPER
    )  # it holds what was sent: counts as reported
    assert drain() == 0
    assert (scrub_vat().status, named()) == ("ok", set())


def test_nightly_check_finds_what_was_reported_by_others(reported: dict[str, str], nav: StandInProcess) -> None:
    number = reported["euro"]
    content = _content(nav, number)
    with sqlite3.connect(nav.database) as db:
        db.execute("update item set number = 'OTHER-1' where number = ? and state = 'DONE'", [number])
    xml = gzip.decompress(base64.b64decode(_content(nav, "OTHER-1"))).decode().replace(number, "OTHER-1")
    _keep(nav, "OTHER-1", base64.b64encode(gzip.compress(xml.encode())).decode())
    try:
        result = scrub_vat()
    finally:
        with sqlite3.connect(nav.database) as db:
            db.execute("update item set number = ?, content = ? where number = 'OTHER-1'", [number, content])
    causes = {s.key: s.cause for s in result.samples}
    assert causes == {f"{number} at the NAV": "lost", "OTHER-1 at the NAV": "rogue write"}
    assert scrub_vat().status == "ok"


def test_nightly_check_is_failed_when_the_nav_does_not_answer(
    reported: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.NAV, "url", "http://127.0.0.1:1/x")
    result = scrub_vat()
    assert (result.status, result.mismatched) == ("failed", 0)
    assert "the NAV cannot be asked" in result.error
    assert "When nothing leaves" in result.repair
    monkeypatch.setitem(settings.NAV, "endpoint", "off")
    result = scrub_vat()
    assert (result.status, "No channel" in result.position) == ("ok", True)


def test_nightly_check_asks_for_the_newest_days_that_its_requests_allow(
    reported: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"{DAY} to {DAY}" in scrub_vat().position
    monkeypatch.setitem(settings.NAV, "nightly_requests", 0)
    position = scrub_vat().position
    assert "Asked the NAV" in position
    assert str(DAY) not in position


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
    with pytest.raises(CommandError, match="is no period") as wrong:
        call_command("nav_reconcile", "march")
    assert wrong.value.returncode == 2
    nobody = module_erp.manage("nav_reconcile", PERIOD, check=False, ERP_NAV_URL="http://127.0.0.1:1/x")
    assert (nobody.returncode, "the NAV cannot be asked" in nobody.stderr) == (2, True)
