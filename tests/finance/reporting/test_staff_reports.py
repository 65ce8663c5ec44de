"""The bookkeeper sees what became of every report, repairs and annuls; credentials are kept sealed."""

from __future__ import annotations

import os
import re
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from erp.alerts import open_alerts
from erp.encryption import CannotDecrypt, decrypt, encrypt
from erp.watchdog import look
from finance.errors import ReportingNotSetUp
from finance.models import Invoice, NavCredential, NavSubmission
from finance.services.crediting import issue_credit_note
from finance.services.reporting import watching
from finance.services.reporting.connection import connect, describe, say_once
from finance.services.reporting.draining import drain
from finance.services.reporting.secrets import NAMES, credentials_of, store_credentials
from finance.tasks import report_to_nav
from tests.databases import ErpDatabase
from tests.environment import PROJECT_DIR
from tests.finance.reporting.stand_in import StandInProcess
from tests.finance.reporting.test_describe_documents import customer, invoice
from tests.finance.world import BOOKKEEPER, DAY, World
from tests.people import staff_client

SECRETS = {
    "login": "lama5678901234",
    "password": "Titkos-Jelszo1",
    "sign_key": "11-aa22-bb",
    "exchange_key": "0123456789ABCDEF",
}

KINDS = ("request", "response")


@pytest.fixture
def desk(books: World) -> Client:
    return staff_client("desk", duty="finance")


def page(desk: Client, number: str) -> str:
    """The document's admin page."""
    key = Invoice.objects.get(number=number).pk
    return desk.get(reverse("admin:finance_invoice_change", args=[key])).content.decode()


def refused(nav: StandInProcess) -> str:
    """A document whose report was refused."""
    number = invoice(customer())
    nav.inject({"kind": "abort", "number": number, "times": 1, "code": "SOME_RULE"})
    assert drain() == 0
    return number


def test_refused_report_is_among_the_stuck_documents_and_sent_again_by_the_button(
    desk: Client, nav: StandInProcess
) -> None:
    number = refused(nav)
    shown = desk.get("/admin/stuck/").content.decode()
    report = NavSubmission.objects.get(number=number)
    for part in (f"Report of {number} to the NAV", "SOME_RULE", f"/admin/finance/invoice/{report.pk}/change/"):
        assert part in shown
    form = {"source": "finance.nav-reports", "key": str(report.pk)}
    said = desk.post("/admin/stuck/retry/", form, follow=True).content.decode()
    assert f"The report of {number} is sent again" in said
    assert drain() == 0
    report.refresh_from_db()
    assert report.state == "done"
    assert f"Report of {number} to the NAV" not in desk.get("/admin/stuck/?format=json").content.decode()


def test_page_of_a_reported_invoice_shows_report_and_archive(books: World, nav: StandInProcess, desk: Client) -> None:
    number = invoice(customer())
    assert "Waiting to be sent" in page(desk, number)
    assert drain() == 0
    found = NavSubmission.objects.get(number=number)
    assert found.item is not None
    shown = page(desk, number)
    for text in ("Reported", found.transaction_id, found.item.batch.request_id, found.item.hash, "Annul the report"):
        assert text in shown
    for kind, content in (("xml", number), ("request", "***"), ("response", found.transaction_id)):
        answer = desk.get(reverse("finance-nav-file", args=[found.item.pk, kind]))
        assert content in answer.content.decode()
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert kind != "xml" or answer.content == nav.xml(number)
    assert desk.get(reverse("finance-nav-file", args=[found.item.pk, "other"])).status_code == 404


def test_refused_report_is_explained_and_repaired(books: World, nav: StandInProcess, desk: Client) -> None:
    number = refused(nav)
    shown = page(desk, number)
    for text in ("Refused by the NAV", "SOME_RULE", "invoiceNumber", "Repair and report again"):
        assert text in shown
    listed = desk.get(reverse("finance-nav-reports")).content.decode()
    assert number in listed
    assert "23 h" in listed
    url = reverse("finance-nav-repair", args=[Invoice.objects.get(number=number).pk])
    assert "The document stays as it was issued" in desk.get(url).content.decode()
    assert "is built anew" in desk.post(url, {"street": "Fő utca 2."}, follow=True).content.decode()
    assert drain() == 0
    found = NavSubmission.objects.get(number=number)
    assert (found.state, found.buyer, found.repaired_by) == ("done", {"street": "Fő utca 2."}, "desk")
    assert "Only a report that failed" in desk.post(url, {}, follow=True).content.decode()


def test_new_means_of_transport_is_described_on_the_repair_page(
    books: World, nav: StandInProcess, desk: Client
) -> None:
    abroad = customer(vat_status="eu", tax_number="ATU13585627", country="AT")
    number = invoice(abroad, {"name": "Motorcsónak", "vat_code": "KBAUK"}, {"name": "Ponyva", "vat_code": "KBAET"})
    base = Invoice.objects.get(number=number)
    change = str(issue_credit_note(base.pk, actor=BOOKKEEPER, issued_on=DAY)["number"])
    assert drain() == 1  # the change, which waits for its base
    assert "line 1 sells a new means of transport (KBAUK)" in page(desk, number)
    url = reverse("finance-nav-repair", args=[base.pk])
    assert "line 1, Motorcsónak" in desk.get(url).content.decode()
    form = {
        "transport-TOTAL_FORMS": "1", "transport-INITIAL_FORMS": "1", "transport-0-kind": "vessel",
        "transport-0-line_id": str(base.lines.get(line_no=1).pk), "transport-0-size": "8.5",
    }  # fmt: skip
    desk.post(url, form)
    drain()
    assert "missing: kilometres, or hours used" in page(desk, number)
    desk.post(url, {**form, "transport-0-used": "3", "transport-0-first_used_on": "2026-02-01"})
    assert drain() == 0
    for each in (number, change):
        told = nav.xml(each).decode()
        for part in ("<length>8.5<", "<sailedHours>3<", "<firstEntryIntoService>2026-02-01<"):
            assert told.count(part) == 1, each


def test_report_is_annulled_by_a_form_and_followed(books: World, nav: StandInProcess, desk: Client) -> None:
    number = invoice(customer())
    assert drain() == 0
    url = reverse("finance-nav-annul", args=[Invoice.objects.get(number=number).pk])
    form = {"code": "ERRATIC_DATA", "reason": "Wrong buyer"}
    assert "The annulment is sent" in desk.post(url, form, follow=True).content.decode()
    assert "under way already" in desk.post(url, form, follow=True).content.decode()
    drain()
    assert "Waits for approval on the NAV" in page(desk, number)
    nav.order("annulments", number=number, decision="DONE")
    drain()
    shown = page(desk, number)
    assert "Report annulled" in shown
    assert "Repair and report again" in shown


def test_invoices_are_filtered_by_their_report(books: World, nav: StandInProcess, desk: Client) -> None:
    number = refused(nav)
    url = reverse("admin:finance_invoice_changelist")
    assert number in desk.get(url, {"submission__state__exact": "refused"}).content.decode()
    assert number not in desk.get(url, {"submission__state__exact": "done"}).content.decode()
    assert (
        number in desk.get(reverse("finance-nav-reports"), {"state": "refused", "number": number[-4:]}).content.decode()
    )


def test_page_says_where_reports_go_and_why_they_wait(books: World, nav: StandInProcess, desk: Client) -> None:
    url = reverse("finance-nav-reports")
    assert "go to the stand-in on this machine, not to the NAV" in desk.get(url).content.decode()
    invoice(customer())
    nav.inject({"kind": "maintenance"})
    from finance.services.reporting.outbox import send_waiting

    send_waiting(connect(sleep=lambda _: None))
    assert "MAINTENANCE_MODE" in desk.get(url).content.decode()
    nav.inject()
    assert "is tried again now" in desk.post(reverse("finance-nav-try-now"), follow=True).content.decode()
    assert drain() == 0


def test_only_the_duty_opens_reports(books: World) -> None:
    other = staff_client("keeper", duty="logistics")
    assert other.get(reverse("finance-nav-reports")).status_code == 403


def test_alarm_comes_before_the_deadline_and_ends_with_the_report(books: World, nav: StandInProcess) -> None:
    number = refused(nav)
    watching.tell()
    told = {alert.key: alert.message for alert in open_alerts()}
    assert number in told["nav:refused"]
    NavSubmission.objects.filter(number=number).update(created_at="2026-01-01T00:00:00Z")
    assert "nav:deadline" in look()
    from finance.services.reporting.repairing import resubmit_all

    failed = NavSubmission.objects.filter(state__in=("refused", "blocked", "annulled")).values_list("pk", flat=True)
    assert resubmit_all(failed, actor=BOOKKEEPER) >= 1
    assert drain() == 0
    watching.tell()
    assert "nav:deadline" not in look()
    assert not [alert.key for alert in open_alerts() if alert.key.startswith("nav:")]


def test_refused_credentials_stop_the_channel_and_alert(
    books: World, nav: StandInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = invoice(customer())
    monkeypatch.setattr(settings, "SECRET_KEY", "another")  # so another technical user
    from finance.services.reporting.outbox import send_waiting

    send_waiting()
    watching.tell()
    assert "INVALID_SECURITY_USER" in {a.key: a.message for a in open_alerts()}["nav:channel"]
    assert NavSubmission.objects.get(number=number).state == "waiting"
    monkeypatch.undo()
    assert drain() == 0
    watching.tell()
    assert "nav:channel" not in {alert.key for alert in open_alerts()}


def test_worker_says_in_its_log_why_nothing_leaves(
    books: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "NAV", {**settings.NAV, "url": "", "endpoint": "live", "schema_dir": ""})
    say_once.cache_clear()
    for _ in range(3):
        assert report_to_nav() == {}
    told = [record.getMessage() for record in caplog.records]
    assert len([text for text in told if "Nothing is sent to the live system" in text]) == 1
    assert any("NOT checked against the schema" in text for text in told)


def test_page_names_every_setting_and_every_command() -> None:
    page = (PROJECT_DIR / "docs/nav.md").read_text(encoding="utf-8")
    names = set(re.findall(r"ERP_NAV_\w+", (PROJECT_DIR / "erp/settings.py").read_text(encoding="utf-8")))
    names |= {f"ERP_NAV_{name.upper()}" for name in NAMES}
    assert len(names) > 10
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
    commands = [path.stem for path in (PROJECT_DIR / "finance/management/commands").glob("nav_*.py")]
    assert [name for name in commands if f"`manage.py {name}" not in page] == []
    assert "## When nothing leaves" in page
    assert "docs/nav.md, When nothing leaves" in watching.CHANNEL_REMEDY


def test_request_without_answer_is_in_the_archive(
    books: World, nav: StandInProcess, desk: Client, module_erp: ErpDatabase
) -> None:
    number = invoice(customer())
    run = "from finance.services.reporting.outbox import send_waiting; send_waiting()"
    killed = module_erp.python(run, check=False, ERP_FAULT_POINT="nav:noted", ERP_NAV_URL=nav.base_url)
    assert killed.returncode == -9
    item = NavSubmission.objects.get(number=number).item
    assert item is not None
    shown, request, response = page(desk, number), *(reverse("finance-nav-file", args=[item.pk, k]) for k in KINDS)
    assert (request in shown, response in shown) == (True, False)
    content = desk.get(request).content.decode()
    assert ("ManageInvoiceRequest" in content, content.count("***")) == (True, 4)
    assert desk.get(response).status_code == 404
    assert drain() == 0


def test_command_reports_what_waits_and_says_what_is_left(
    books: World, nav: StandInProcess, module_erp: ErpDatabase
) -> None:
    number = invoice(customer())
    nav.inject({"kind": "stuck", "times": 1})
    left = module_erp.manage("nav_send", "--for-s", "0", check=False, ERP_NAV_URL=nav.base_url)
    assert (left.returncode, "1 report(s) are still open" in left.stdout) == (1, True)
    nav.order("release")
    done = module_erp.manage("nav_send", "--every-s", "0.2", ERP_NAV_URL=nav.base_url)
    assert "Everything is reported" in done.stdout
    assert NavSubmission.objects.get(number=number).state == "done"


def test_stored_credentials_are_encrypted_and_come_second(books: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReportingNotSetUp, match="ERP_NAV_LOGIN, ERP_NAV_PASSWORD"):
        credentials_of("test", "12345676")
    store_credentials("test", SECRETS, BOOKKEEPER)
    sealed = bytes(NavCredential.objects.get(endpoint="test").sealed)
    assert not [value for value in SECRETS.values() if value.encode() in sealed]
    found = credentials_of("test", "12345676")
    assert (found.login, found.sign_key) == (SECRETS["login"], SECRETS["sign_key"])
    assert SECRETS["sign_key"] not in repr(found)
    monkeypatch.setattr(settings, "SECRET_KEY", "another")
    with pytest.raises(ReportingNotSetUp, match="cannot be opened"):
        credentials_of("test", "12345676")
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"ERP_NAV_{name.upper()}", value + "x")
    assert credentials_of("test", "12345676").login == SECRETS["login"] + "x"


def test_credentials_command_reads_the_environment_and_shows_nothing(module_erp: ErpDatabase, books: World) -> None:
    given = {f"ERP_NAV_{name.upper()}": value for name, value in SECRETS.items()}
    done = module_erp.manage("nav_credentials", "live", "--from-environment", **given)
    assert "stored" in done.stdout
    assert not [value for value in SECRETS.values() if value in done.stdout + done.stderr]
    assert credentials_of("live", "12345676").login == SECRETS["login"]


def test_sealed_content_opens_for_its_purpose_alone() -> None:
    box = encrypt(b"secret", "key", "nav")
    assert decrypt(box, "key", "nav") == b"secret"
    for secret, purpose, content in (("other", "nav", box), ("key", "cards", box), ("key", "nav", box[:-4] + b"AAAA")):
        with pytest.raises(CannotDecrypt):
            decrypt(content, secret, purpose)


def test_endpoints_come_from_settings(books: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"ERP_NAV_{name.upper()}", value)

    def nav_settings(**changes: Any) -> None:
        monkeypatch.setattr(settings, "NAV", {**settings.NAV, "url": "", **changes})

    nav_settings(endpoint="live")
    assert connect().base_url == "https://api.onlineszamla.nav.gov.hu/invoiceService/v3"
    nav_settings(endpoint="test", schema_dir="")
    assert connect().base_url == "https://api-test.onlineszamla.nav.gov.hu/invoiceService/v3"
    assert "NOT checked against the schema" in describe()["why_unchecked"]
    nav_settings(endpoint="live", schema_dir="")
    with pytest.raises(ReportingNotSetUp, match="Nothing is sent to the live system unchecked: set ERP_NAV_SCHEMA_DIR"):
        connect()
    for endpoint, problem in (("off", "Reporting is off"), ("nowhere", "must be one of")):
        nav_settings(endpoint=endpoint)
        with pytest.raises(ReportingNotSetUp, match=problem):
            connect()
    assert os.environ["ERP_NAV_LOGIN"] == SECRETS["login"]


def test_after_going_live_what_the_stand_in_was_told_is_reported_again(
    books: World, nav: StandInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = invoice(customer())
    assert drain() == 0
    watching.tell()
    assert "nav:elsewhere" not in {alert.key for alert in open_alerts()}
    with pytest.raises(CommandError, match="does not report to the live system"):
        call_command("nav_report_again")
    client = connect()
    monkeypatch.setattr(settings, "NAV", {**settings.NAV, "endpoint": "live"})
    watching.tell()
    assert "nav_report_again" in {alert.key: alert.message for alert in open_alerts()}["nav:elsewhere"]
    monkeypatch.setattr(settings, "NAV", {**settings.NAV, "live_since": date(2999, 1, 1)})
    call_command("nav_report_again")
    assert NavSubmission.objects.get(number=number).state == "done"
    monkeypatch.setattr(settings, "NAV", {**settings.NAV, "live_since": date(2026, 1, 1)})
    call_command("nav_report_again")
    assert NavSubmission.objects.get(number=number).state == "waiting"
    assert drain(client) == 0
    found = NavSubmission.objects.get(number=number)
    assert (found.state, found.items.count()) == ("done", 2)
    watching.tell()
    assert "nav:elsewhere" not in {alert.key for alert in open_alerts()}
