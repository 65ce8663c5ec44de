"""Every document reported once: the way to DONE, and every way in which it can be disturbed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import IntegrityError

from erp.alerts import open_alerts
from erp.db import cursor, module_transaction
from finance.models import Invoice, NavAnnulment, NavBatch, NavChannel, NavItem, NavSubmission
from finance.nav import names
from finance.services.crediting import issue_credit_note
from finance.services.reporting import channel, following, outbox, panel, watching
from finance.services.reporting.annulling import request_annulment
from finance.services.reporting.connection import connect
from finance.services.reporting.draining import drain
from finance.services.reporting.repairing import resubmit
from tests.databases import ErpDatabase
from tests.finance.reporting.stand_in import StandInProcess, running
from tests.finance.reporting.test_describe_documents import customer, invoice
from tests.finance.test_checks import plant
from tests.finance.world import BOOKKEEPER, DAY, World

RUN = "from finance.services.reporting.outbox import send_waiting; print(send_waiting())"
State = NavSubmission.State


def state(number: str) -> str:
    """State of a document's report."""
    return NavSubmission.objects.get(number=number).state


def test_issued_document_is_done_after_one_pass(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    assert state(number) == State.WAITING
    outbox.send_waiting()
    assert state(number) == State.SENT
    following.follow()
    found = NavSubmission.objects.get(number=number)
    assert (found.state, found.messages) == (State.DONE, [])
    assert found.item is not None
    assert found.reported == [
        {"element": "vatPercentage", "value": "0.27", "case": "", "net": "3000.00", "vat": "810.00", "gross": "3810.00"}
    ]
    batch = found.item.batch
    assert (batch.state, batch.transaction_id) == (NavBatch.State.FINISHED, found.transaction_id)
    assert b"invoiceOperation" in bytes(batch.request)
    assert b"transactionId" in bytes(batch.response)
    assert bytes(batch.request).count(b"***") == 4  # login, password hash, signature, token
    assert number in nav.held()


def test_archive_is_written_once(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    assert drain() == 0
    item = NavSubmission.objects.get(number=number).item
    assert item is not None
    annulment = request_annulment(item.submission_id, code="ERRATIC_DATA", reason="Wrong buyer", actor=BOOKKEEPER)
    drain()
    for rows, changes in (
        (NavItem.objects.filter(pk=item.pk), {"xml": b"rubbish", "hash": "0", "totals": []}),
        (
            NavBatch.objects.filter(pk=item.batch_id),
            {"request": b"rubbish", "response": b"", "sent_at": "2026-01-01T00:00Z"},
        ),
        (NavAnnulment.objects.filter(pk=annulment), {"xml": b"rubbish", "reason": "Another"}),
    ):
        for name, value in changes.items():
            with pytest.raises(IntegrityError, match="is kept"):
                rows.update(**{name: value})
        with pytest.raises(IntegrityError, match="is kept"), module_transaction("finance"), cursor("finance") as cur:
            cur.execute(f"delete from {rows.model._meta.db_table} where id = %s", [rows.get().pk])
    nav.order("annulments", number=number, decision="REJECTED")
    assert drain() == 0


def test_document_archived_plain_is_found_out_about_and_read(
    books: World, nav: StandInProcess, module_erp: ErpDatabase
) -> None:
    number = invoice(customer())
    nav.inject({"kind": "lost_answer", "operation": "manageInvoice", "times": 1})
    outbox.send_waiting()
    item = NavSubmission.objects.get(number=number).item
    assert item is not None
    plain = f"update nav_item set xml = decode('{item.content.hex()}', 'hex') where id = {item.pk}"
    plant(module_erp, plain)  # as in rows from before documents were packed
    assert drain() == 0
    item.refresh_from_db()
    assert (state(number), Counter(nav.held())[number]) == (State.DONE, 1)
    assert panel.file_of(item.pk, "xml")[1] == bytes(item.xml) == nav.xml(number)


def test_change_waits_until_its_base_is_done(books: World, nav: StandInProcess) -> None:
    base = invoice(customer(), {"quantity": 5})
    key = Invoice.objects.get(number=base).pk
    one = issue_credit_note(key, actor=BOOKKEEPER, lines=[{"line_no": 1, "quantity": 2}], issued_on=DAY)["number"]
    two = issue_credit_note(key, actor=BOOKKEEPER, issued_on=DAY)["number"]
    outbox.send_waiting()
    assert [state(n) for n in (base, one, two)] == [State.SENT, State.WAITING, State.WAITING]
    assert drain() == 0
    assert [n for n in nav.held() if n in {base, one, two}] == [base, one, two]


@pytest.mark.parametrize(
    "fault", ["maintenance", "bare_503", "operation_failed", "lost_request", "lost_answer", "timeout_after_accept",
              "bare_504_after_accept", "broken_answer"],
)  # fmt: skip
def test_each_fault_of_the_way_ends_in_one_report(books: World, nav: StandInProcess, fault: str) -> None:
    numbers = [invoice(customer()) for _ in range(2)]
    nav.inject({"kind": fault, "operation": "manageInvoice", "times": 2})
    assert drain() == 0
    assert [state(n) for n in numbers] == [State.DONE, State.DONE]
    assert [Counter(nav.held())[n] for n in numbers] == [1, 1]


def test_outage_pauses_the_channel_and_reports_wait(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    nav.inject({"kind": "maintenance"})
    outbox.send_waiting(connect(sleep=lambda _: None))
    assert channel.is_paused("standin")
    assert outbox.send_waiting() == {}
    assert state(number) == State.WAITING
    nav.inject()
    assert drain() == 0
    assert not channel.is_paused("standin")
    assert state(number) == State.DONE


@pytest.mark.parametrize("point", ["nav:claimed", "nav:prepared", "nav:noted", "nav:answered"])
def test_worker_killed_anywhere_leaves_one_report(
    books: World, nav: StandInProcess, module_erp: ErpDatabase, point: str
) -> None:
    number = invoice(customer())
    killed = module_erp.python(RUN, check=False, ERP_FAULT_POINT=point, ERP_NAV_URL=nav.base_url)
    assert killed.returncode == -9
    NavSubmission.objects.filter(number=number, state=State.WAITING).update(
        next_at="2026-01-01T00:00:00Z"
    )  # lease over
    assert drain() == 0
    assert state(number) == State.DONE
    assert Counter(nav.held())[number] == 1


def test_stand_in_killed_after_taking_in_is_found_out_about(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    nav.inject({"kind": "stuck", "times": 1})
    outbox.send_waiting()
    nav.kill()
    assert drain(connect(sleep=lambda _: None), passes=2) == 1
    nav.start()
    nav.order("release")
    assert drain() == 0
    assert state(number) == State.DONE
    assert Counter(nav.held())[number] == 1


def test_lost_redis_loses_no_report(books: World, nav: StandInProcess, module_erp: ErpDatabase) -> None:
    code = (
        "from tests.finance.reporting.test_describe_documents import customer, invoice\n"
        "import finance.services.reporting.hints as hints\n"
        "hints.AT_MOST_EVERY_S = 0\nprint(invoice(customer()))"
    )
    done = module_erp.python(code, ERP_SEND_HINTS="1", ERP_REDIS_URL="redis://127.0.0.1:1/0")
    number = done.stdout.split()[-1]
    assert "report_to_nav hint for outside not given" in done.stderr
    assert state(number) == State.WAITING
    assert drain() == 0
    assert state(number) == State.DONE


def test_unfinished_batch_is_asked_about_again(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    nav.inject({"kind": "stuck", "times": 1})
    assert drain(passes=2) == 1
    assert state(number) == State.SENT
    nav.order("release")
    assert drain() == 0
    assert state(number) == State.DONE


def test_refused_report_is_told_and_sent_again_once_repaired(books: World, nav: StandInProcess) -> None:
    number, other = invoice(customer()), invoice(customer())
    nav.inject({"kind": "abort", "number": number, "times": 1, "code": "SOME_RULE"})
    assert drain() == 0
    found = NavSubmission.objects.get(number=number)
    assert (found.state, state(other)) == (State.REFUSED, State.DONE)
    assert [(m["result"], m["code"], m["tag"]) for m in found.messages] == [("ERROR", "SOME_RULE", "invoiceNumber")]
    resubmit(found.pk, actor=BOOKKEEPER)
    assert drain() == 0
    assert state(number) == State.DONE
    assert [item.status for item in found.items.all()] == ["ABORTED", "DONE"]


def test_warning_is_kept_with_the_report(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    nav.inject({"kind": "warn", "number": number, "times": 1})
    assert drain() == 0
    found = NavSubmission.objects.get(number=number)
    assert (found.state, found.has_warnings, found.messages[0]["result"]) == (State.DONE, True, "WARN")


def test_document_that_cannot_be_reported_holds_up_no_other(books: World, nav: StandInProcess) -> None:
    bad = invoice(customer(vat_status="domestic", tax_number="10987656-2-06", street=""))
    good = invoice(customer())
    assert drain() == 0
    found = NavSubmission.objects.get(number=bad)
    assert (found.state, state(good)) == (State.BLOCKED, State.DONE)
    assert "lacks street" in found.messages[0]["message"]
    resubmit(found.pk, actor=BOOKKEEPER, buyer={"street": "Fő utca 1."})
    assert drain() == 0
    assert state(bad) == State.DONE
    found.refresh_from_db()
    assert found.repaired_by == BOOKKEEPER.name


def test_too_large_document_is_blocked_and_holds_up_no_other(
    books: World, nav: StandInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, good = invoice(customer(), *[{}] * 30), invoice(customer())
    with monkeypatch.context() as limits:
        limits.setattr(names, "MAX_INVOICE_BYTES", 12_000)
        assert drain() == 0
    found = NavSubmission.objects.get(number=large)
    assert (found.state, state(good)) == (State.BLOCKED, State.DONE)
    assert "the NAV takes 12000 at most" in found.messages[0]["message"]
    resubmit(found.pk, actor=BOOKKEEPER)
    with monkeypatch.context() as limits:
        limits.setattr(names, "MAX_BODY_BYTES", 1_000)
        assert drain() == 0
    found.refresh_from_db()
    assert (found.state, "exceeds 1000" in found.messages[0]["message"]) == (State.BLOCKED, True)
    resubmit(found.pk, actor=BOOKKEEPER)
    assert drain() == 0
    assert state(large) == State.DONE


def test_document_that_nobody_foresaw_holds_up_no_other(
    books: World, nav: StandInProcess, module_erp: ErpDatabase
) -> None:
    bad, good = invoice(customer()), invoice(customer())
    with module_erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")
        rogue.execute(
            "update finance.invoice set vat_summary = jsonb_set(vat_summary, '{0,vat_code}', '\"NONE\"') "
            "where number = %s",
            [bad],
        )
    assert drain() == 0
    found = NavSubmission.objects.get(number=bad)
    assert (found.state, state(good)) == (State.BLOCKED, State.DONE)
    assert "cannot be built" in found.messages[0]["message"]


def test_wrong_exchange_key_stops_the_channel_and_loses_nothing(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    client = connect()
    wrong = replace(client, credentials=replace(client.credentials, exchange_key="0123456789abcdef"))
    assert outbox.send_waiting(wrong) == {"failed": 1}
    assert channel.is_paused("standin")
    assert NavChannel.objects.get(endpoint="standin").needs_a_person
    channel.try_now("standin")
    assert drain() == 0
    assert state(number) == State.DONE


def forget(number: str) -> None:
    """As if the NAV answered that it knows nothing of this document's batch, again and again."""
    batch = NavSubmission.objects.get(number=number).item.batch  # type: ignore[union-attr]
    NavBatch.objects.filter(pk=batch.pk).update(transaction_id=f"4FORGOTTEN{batch.pk}", polls=following.UNKNOWN_AFTER)


def test_batch_that_the_nav_forgot_is_sent_again_where_it_is_not_held(books: World, nav: StandInProcess) -> None:
    lost = invoice(customer())
    nav.inject({"kind": "stuck", "times": 1})
    outbox.send_waiting()
    held = invoice(customer())
    outbox.send_waiting()
    before = nav.held()
    forget(lost)
    forget(held)
    following.follow()
    assert (state(lost), state(held)) == (State.WAITING, State.DONE)
    assert Counter(nav.held())[held] == 1, before


def test_annulment_of_a_killed_worker_is_sent_once(books: World, nav: StandInProcess, module_erp: ErpDatabase) -> None:
    number = invoice(customer())
    assert drain() == 0
    key = Invoice.objects.get(number=number).pk
    request_annulment(key, code="ERRATIC_DATA", reason="Wrong buyer", actor=BOOKKEEPER)
    code = "from finance.services.reporting.annulling import send_annulments; print(send_annulments())"
    killed = module_erp.python(code, check=False, ERP_FAULT_POINT="nav:annulment_noted", ERP_NAV_URL=nav.base_url)
    assert killed.returncode == -9
    drain()
    nav.order("annulments", number=number, decision="DONE")
    drain()
    assert state(number) == State.ANNULLED
    assert NavSubmission.objects.get(pk=key).annulments.count() == 1


def annulled(number: str) -> NavAnnulment:
    """A document's annulment, sent and taken in; nobody has decided it."""
    key = Invoice.objects.get(number=number).pk
    made = request_annulment(key, code="ERRATIC_DATA", reason="Wrong buyer", actor=BOOKKEEPER)
    drain()
    return NavAnnulment.objects.select_related("batch").get(pk=made)


@pytest.mark.parametrize("is_held", [True, False])
def test_annulment_that_the_nav_forgot_comes_to_its_end(books: World, nav: StandInProcess, is_held: bool) -> None:
    number = invoice(customer())
    assert drain() == 0
    nav.inject({"kind": "stuck", "times": 1} if is_held else {"kind": "slow", "times": 0})
    found = annulled(number)
    forgotten = found.batch
    assert (found.state, forgotten is not None) == ("sent" if is_held else "pending", True)
    if not is_held:  # decided, and the answer about it is lost
        nav.order("annulments", number=number, decision="DONE")
    lost = {"transaction_id": f"4ANNULMENT{found.pk}", "polls": following.UNKNOWN_AFTER}
    NavBatch.objects.filter(pk=found.batch_id).update(next_at="2026-01-01T00:00:00Z", **lost)
    following.follow()
    found.refresh_from_db()
    assert (found.state, state(number)) == (("waiting", State.DONE) if is_held else ("done", State.ANNULLED))
    if is_held:
        drain()
        nav.order("annulments", number=number, decision="DONE")
        drain()
        found.refresh_from_db()
        assert (found.state, found.batch != forgotten, state(number)) == ("done", True, State.ANNULLED)
    resubmit(found.submission_id, actor=BOOKKEEPER)
    assert drain() == 0
    assert state(number) == State.DONE


def test_annulment_that_nobody_decides_is_an_incident(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    assert drain() == 0
    found = annulled(number)
    watching.tell()
    assert "nav:annulments" not in {alert.key for alert in open_alerts()}
    NavAnnulment.objects.filter(pk=found.pk).update(requested_at="2026-01-01T00:00:00Z")
    watching.tell()
    assert number in {alert.key: alert.message for alert in open_alerts()}["nav:annulments"]
    nav.order("annulments", number=number, decision="REJECTED")
    drain()
    watching.tell()
    assert "nav:annulments" not in {alert.key for alert in open_alerts()}


def test_number_that_the_nav_holds_already_counts_as_reported(books: World, nav: StandInProcess) -> None:
    number = invoice(customer())
    assert drain() == 0
    # As after a restore from a backup that is older than the report.
    NavSubmission.objects.filter(number=number).update(state=State.WAITING, done_at=None)
    assert drain() == 0
    assert state(number) == State.DONE
    assert Counter(nav.held())[number] == 1


def test_stand_in_takes_faults_and_times_as_told(
    books: World, official_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_NAV_STANDIN_FAULTS", '[{"kind": "warn", "code": "AS_SET"}]')
    number = invoice(customer())
    with running(tmp_path / "nav.sqlite3", "--received-s", "600", "--processing-s", "600") as told:
        seen = []
        for advance_s in (0, 700, 700):
            told.order("clock", advance_s=advance_s)
            drain(passes=2)
            item = NavSubmission.objects.get(number=number).item
            assert item is not None
            seen.append(item.status)
        assert seen == ["RECEIVED", "PROCESSING", "DONE"]
        assert told.order("struck") == {"warn": 1}
    assert NavSubmission.objects.get(number=number).messages[0]["code"] == "AS_SET"


def test_two_workers_at_once_send_each_report_once(books: World, nav: StandInProcess, module_erp: ErpDatabase) -> None:
    numbers = [invoice(customer()) for _ in range(12)]
    workers = [module_erp.popen(RUN, ERP_NAV_URL=nav.base_url, ERP_NAV_MAX_BATCH="2") for _ in range(3)]
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors
    assert drain() == 0
    held = Counter(nav.held())
    assert [held[n] for n in numbers] == [1] * 12
