"""Faults of the service and of the wire: what the client says, and that nothing is sent twice or lost."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from finance.nav.client import Backoff, NavClient
from finance.nav.errors import NavError, OutcomeUnknown, Refused, Unavailable
from finance.nav.exchange import redact
from finance.nav.messages import InvoiceOperation
from finance.nav.recovery import RecoveryOutcome, find_submission
from finance.nav.schema import NavSchema, SchemaFolderMissing, load_schema, load_schema_if_there
from finance.nav.standin.config import Fault, FaultKind
from finance.nav.standin.server import StandInServer
from finance.nav.transport import Answer, NoAnswer, NotSent, Timeouts, post
from tests.finance.nav.stand_in_kit import ME, NOW, client_of, config, inject, order, running
from tests.finance.nav.test_report_invoices import sale, status_of

SHORT = Timeouts(connect_s=2, read_s=0.3, total_s=0.6)
BEFORE_OF_A_BATCH = {
    FaultKind.MAINTENANCE: Unavailable,
    FaultKind.BARE_503: OutcomeUnknown,
    FaultKind.OPERATION_FAILED: OutcomeUnknown,
    FaultKind.LOST_REQUEST: OutcomeUnknown,
}
AFTER = (
    FaultKind.LOST_ANSWER,
    FaultKind.TIMEOUT_AFTER_ACCEPT,
    FaultKind.BARE_504_AFTER_ACCEPT,
    FaultKind.BROKEN_ANSWER,
)


def held(server: StandInServer) -> list[str]:
    """The numbers the stand-in holds as reported."""
    return [row["number"] for row in order(server, "contents")]


@pytest.mark.parametrize("kind", list(BEFORE_OF_A_BATCH))
def test_question_is_repeated_after_a_failure(stand_in: StandInServer, client: NavClient, kind: FaultKind) -> None:
    inject(stand_in, Fault(kind, times=2))
    assert len(client.token_exchange().token) == 48
    assert order(stand_in, "struck") == {kind: 2}


@pytest.mark.parametrize("kind", AFTER)
def test_question_without_answer_is_repeated(stand_in: StandInServer, nav_schema: NavSchema, kind: FaultKind) -> None:
    inject(stand_in, Fault(kind, times=2))
    client = client_of(stand_in, nav_schema, timeouts=SHORT)
    assert client.query_taxpayer("99887764").is_valid


def test_question_gives_up_after_its_attempts(stand_in: StandInServer, nav_schema: NavSchema) -> None:
    inject(stand_in, Fault(FaultKind.MAINTENANCE))
    waits: list[float] = []
    backoff = Backoff(attempts=4, first_s=1.0, longest_s=3.0)
    client = client_of(stand_in, nav_schema, backoff=backoff, sleep=waits.append)
    with pytest.raises(Unavailable) as caught:
        client.query_taxpayer("99887764")
    assert caught.value.code == "MAINTENANCE_MODE"
    assert order(stand_in, "struck") == {"maintenance": 4}
    assert [low <= wait <= 2 * low for low, wait in zip((0.5, 1.0, 1.5), waits, strict=True)] == [True] * 3


@pytest.mark.parametrize("kind", list(BEFORE_OF_A_BATCH))
def test_batch_is_sent_once_whatever_happens(stand_in: StandInServer, client: NavClient, kind: FaultKind) -> None:
    inject(stand_in, Fault(kind, operation="manageInvoice"))
    with pytest.raises(BEFORE_OF_A_BATCH[kind]):
        client.manage_invoice([sale("A/1")])
    assert order(stand_in, "struck") == {kind: 1}
    assert held(stand_in) == []


@pytest.mark.parametrize("kind", AFTER)
def test_batch_without_answer_is_found_again(stand_in: StandInServer, nav_schema: NavSchema, kind: FaultKind) -> None:
    inject(stand_in, Fault(kind, operation="manageInvoice", times=1))
    client = client_of(stand_in, nav_schema, timeouts=SHORT)
    prepared = client.prepare_invoices([sale("A/1"), sale("A/2")])
    with pytest.raises(OutcomeUnknown):
        client.send(prepared)
    documents = [sale("A/1").xml, sale("A/2").xml]
    assert find_submission(client, documents, NOW).outcome is RecoveryOutcome.TOO_EARLY
    stand_in.service.clock.advance(300)
    found = find_submission(client, documents, NOW)
    assert found.outcome is RecoveryOutcome.TAKEN_IN
    assert status_of(client, found.transaction_id) == ["DONE", "DONE"]
    assert held(stand_in) == ["A/1", "A/2"]


def test_batch_that_did_not_arrive_may_be_sent_again(stand_in: StandInServer, client: NavClient) -> None:
    inject(stand_in, Fault(FaultKind.LOST_REQUEST, operation="manageInvoice", times=1))
    with pytest.raises(OutcomeUnknown):
        client.manage_invoice([sale("A/1")])
    stand_in.service.clock.advance(300)
    assert find_submission(client, [sale("A/1").xml], NOW).outcome is RecoveryOutcome.NOT_TAKEN_IN
    client.manage_invoice([sale("A/1")])
    assert held(stand_in) == ["A/1"]


def test_other_batches_are_not_mistaken_for_ours(stand_in: StandInServer, client: NavClient) -> None:
    known = client.manage_invoice([sale("A/1")]).transaction_id
    client.manage_invoice([sale("A/2")])
    client.manage_invoice([sale("A/3"), sale("A/1")])
    stand_in.service.clock.advance(300)
    documents = [sale("A/1").xml]
    assert find_submission(client, documents, NOW).transaction_id == known
    assert find_submission(client, documents, NOW, {known}).outcome is RecoveryOutcome.NOT_TAKEN_IN


def test_every_fault_at_once_loses_and_doubles_nothing(
    official_files: Path, nav_schema: NavSchema, tmp_path: Path
) -> None:
    kinds = (*BEFORE_OF_A_BATCH, FaultKind.LOST_ANSWER, FaultKind.BARE_504_AFTER_ACCEPT, FaultKind.BROKEN_ANSWER)
    faults = (
        *(Fault(kind, probability=0.08) for kind in kinds),
        *(Fault(kind, probability=0.2) for kind in (FaultKind.ABORT, FaultKind.WARN)),
    )
    numbers = [f"A/{n}" for n in range(40)]
    with running(config(official_files, tmp_path, faults=faults, fault_seed=7)) as server:
        client = client_of(server, nav_schema, backoff=Backoff(attempts=50))
        open_numbers = list(numbers)
        while open_numbers:
            open_numbers = [number for number in open_numbers if not _report(server, client, number)]
        struck = order(server, "struck")
        assert sorted(held(server)) == sorted(numbers)
        assert set(struck) >= {kind.value for kind in (*kinds, FaultKind.ABORT, FaultKind.WARN)}


def _report(server: StandInServer, client: NavClient, number: str) -> bool:
    """Report one document by the book; returns whether it is DONE."""
    sent_at = client.now()
    try:
        transaction_id = client.manage_invoice([sale(number)]).transaction_id
    except Unavailable:
        return False
    except OutcomeUnknown:
        server.service.clock.advance(300)
        known = _matched(server, number)
        transaction_id = find_submission(client, [sale(number).xml], sent_at, known).transaction_id
        if not transaction_id:
            return False
    return status_of(client, transaction_id) == ["DONE"]


def _matched(server: StandInServer, number: str) -> set[str]:
    rows = server.service.store.rows(
        "SELECT transaction_id FROM item JOIN batch USING (seq) WHERE number = ? AND state = 'ABORTED'", number
    )
    return {row["transaction_id"] for row in rows}


@contextmanager
def _trickle(stop: threading.Event) -> Iterator[str]:
    """A server that sends one byte at a time and never comes to an end."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            while not stop.wait(0.05):
                self.wfile.write(b" ")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay silent."""

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """The client hung up, as it should."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/x"
        finally:
            stop.set()
            server.shutdown()
            thread.join()


def test_total_time_is_a_hard_limit() -> None:
    with _trickle(threading.Event()) as url, pytest.raises(NoAnswer, match=r"no answer within 0.4 s"):
        post(url, b"x", {}, Timeouts(connect_s=2, read_s=2, total_s=0.4))


def test_refused_connection_is_known_as_not_sent() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(NotSent):
            post(f"http://127.0.0.1:{port}/x", b"x", {}, Timeouts())


def test_plain_http_stays_on_this_machine() -> None:
    for url in ("http://example.com/x", "ftp://127.0.0.1/x", "nonsense"):
        with pytest.raises(ValueError, match="http"):
            post(url, b"x", {}, Timeouts())


def test_no_connection_leaves_a_batch_certainly_unsent(stand_in: StandInServer, client: NavClient) -> None:
    prepared = client.prepare_invoices([sale("A/1")])
    stand_in.stop()
    with pytest.raises(Unavailable):
        client.send(prepared)


@pytest.mark.parametrize("status", [302, 400, 404])
def test_bare_refusal_is_not_repeated(stand_in: StandInServer, nav_schema: NavSchema, status: int) -> None:
    calls: list[str] = []

    def transport(url: str, *_: object) -> Answer:
        calls.append(url)
        return Answer(status, b"")

    with pytest.raises(Refused, match=f"HTTP_{status}"):
        client_of(stand_in, nav_schema, transport=transport).query_taxpayer("99887764")
    assert len(calls) == 1


def test_secrets_show_nowhere(stand_in: StandInServer, client: NavClient) -> None:
    inject(stand_in, Fault(FaultKind.LOST_ANSWER, operation="manageInvoice"))
    secrets = [ME.login, ME.password_hash, ME.sign_key, ME.exchange_key]
    prepared = client.prepare_invoices([sale("A/1")])
    with pytest.raises(OutcomeUnknown) as caught:
        client.send(prepared)
    exchange = caught.value.exchange
    assert exchange is not None
    shown = [repr(client), str(client), repr(prepared), repr(caught.value), repr(exchange), exchange.request.decode()]
    assert [secret for secret in secrets for text in shown if secret in text] == []
    token = prepared.body.split(b"<exchangeToken>")[1][:48]
    assert token not in exchange.request
    assert b"A/1" not in redact(b"<login>x</login>A")
    assert exchange.request.count(b"***") == 4


def test_submission_keeps_both_sides_for_the_archive(client: NavClient) -> None:
    exchange = client.manage_invoice([sale("A/1")]).exchange
    assert (exchange.http_status, exchange.operation) == (200, "manageInvoice")
    assert b"transactionId" in exchange.response
    assert exchange.sent_at == NOW
    assert exchange.answered_at == NOW


def test_missing_schema_folder_says_what_to_do(tmp_path: Path) -> None:
    for folder, what in ((None, "no folder is set"), (tmp_path, "lacks common.xsd")):
        with pytest.raises(SchemaFolderMissing, match=what) as caught:
            load_schema(folder)
        assert "docs/nav.md" in str(caught.value)


def test_schema_works_without_the_wrapper_file(official_files: Path, tmp_path: Path) -> None:
    for path in (official_files / "xsd").glob("*.xsd"):
        if path.name != "all.xsd":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    load_schema(tmp_path).check(sale("A/1").xml)


def test_without_schemas_both_sides_work_and_say_so(official_files: Path, tmp_path: Path) -> None:
    unchecked = load_schema_if_there(tmp_path)
    assert "NOT checked against the schema" in unchecked.why_unchecked
    assert not unchecked.is_checked
    with running(replace(config(official_files, tmp_path), schema_dir=None)) as server:
        assert "NOT checked against the schema" in server.service.schema.why_unchecked
        client = client_of(server, unchecked)
        done = client.query_transaction_status(client.manage_invoice([sale("A/1")]).transaction_id)
        assert done is not None
        assert [result.status for result in done.results] == ["DONE"]


def test_unclear_answer_of_a_batch_stays_open(stand_in: StandInServer, nav_schema: NavSchema) -> None:
    good = client_of(stand_in, nav_schema)
    prepared = good.prepare_invoices([sale("A/1")])
    for answer in (Answer(200, b"<html/>"), Answer(200, b""), Answer(500, b"<a><errorCode>NEW_CODE</errorCode></a>")):
        client = client_of(stand_in, nav_schema, transport=lambda *_, answer=answer: answer)
        with pytest.raises(OutcomeUnknown):
            client.send(prepared)


def test_failures_form_one_family_without_content() -> None:
    assert {Refused, Unavailable, OutcomeUnknown} <= set(NavError.__subclasses__())
    assert "secret" not in repr(InvoiceOperation("CREATE", b"secret"))
