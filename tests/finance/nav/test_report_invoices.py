"""The client against the stand-in over HTTP: what goes in comes back, step by step."""

import base64
import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from finance.nav.annulment_xml import AnnulmentCode, build_annulment_xml
from finance.nav.batches import split_batches
from finance.nav.client import BatchTooLarge, NavClient
from finance.nav.errors import CredentialsRefused, Refused, TokenRefused
from finance.nav.invoice_xml import build_invoice_xml
from finance.nav.messages import DigestQuery, InvoiceOperation
from finance.nav.read_back import read_report
from finance.nav.schema import NavSchema, SchemaViolation
from finance.nav.standin.config import Fault, FaultKind
from finance.nav.standin.server import StandInServer
from tests.finance.nav.sample_cases import base_invoice, plain_sale, wrong_product_corrected
from tests.finance.nav.stand_in_kit import ME, NOW, OTHER, client_of, config, inject, order, running


def sale(number: str) -> InvoiceOperation:
    """A plain sale under this number."""
    return InvoiceOperation("CREATE", build_invoice_xml(replace(plain_sale(), number=number)))


def status_of(client: NavClient, transaction_id: str) -> list[str]:
    """The status of each item of a batch."""
    found = client.query_transaction_status(transaction_id)
    assert found is not None
    return [result.status for result in found.results]


def test_token_opens_and_lasts_five_minutes(client: NavClient) -> None:
    token = client.token_exchange()
    assert len(token.token) == 48
    assert (token.valid_from, token.valid_to) == (NOW, NOW + timedelta(minutes=5))


def test_batch_of_a_hundred_is_reported_and_read_back(client: NavClient) -> None:
    items = [sale(f"A/{n}") for n in range(1, 101)]
    submission = client.manage_invoice(items)
    assert submission.item_count == 100
    assert status_of(client, submission.transaction_id) == ["DONE"] * 100
    held = client.query_invoice_data("A/77")
    assert held is not None
    assert (held.xml, held.index, held.transaction_id) == (items[76].xml, 77, submission.transaction_id)


@pytest.mark.parametrize("compressed", [True, False])
def test_content_is_the_same_packed_or_not(stand_in: StandInServer, nav_schema: NavSchema, compressed: bool) -> None:
    client = client_of(stand_in, nav_schema, is_compressed=compressed)
    submission = client.manage_invoice([sale("A/1")])
    found = client.query_transaction_status(submission.transaction_id, with_original=True)
    assert found is not None
    assert found.results[0].original == sale("A/1").xml
    assert (len(submission.exchange.raw_request) < len(base64.b64encode(sale("A/1").xml))) == compressed


def test_more_than_a_hundred_are_not_sent(client: NavClient) -> None:
    with pytest.raises(BatchTooLarge, match="1 to 100"):
        client.manage_invoice([sale("A/1")] * 101)


def test_batches_are_split_by_count_and_size() -> None:
    items = [sale(f"A/{n}") for n in range(7)]
    assert [len(batch) for batch in split_batches(items, max_count=3)] == [3, 3, 1]
    one = int(len(items[0].xml) * 4 / 3) + 600
    assert [len(batch) for batch in split_batches(items, max_bytes=64 * 1024 + 2 * one)] == [2, 2, 2, 1]
    assert [item for batch in split_batches(items, max_count=3) for item in batch] == items


def test_invalid_document_is_not_sent(stand_in: StandInServer, client: NavClient) -> None:
    with pytest.raises(SchemaViolation):
        client.manage_invoice([InvoiceOperation("CREATE", sale("A/1").xml.replace(b"invoiceSummary", b"summary"))])
    assert stand_in.service.store.rows("SELECT 1 FROM request_id") == []


def test_states_follow_one_another(official_files: Path, nav_schema: NavSchema, tmp_path: Path) -> None:
    times = config(official_files, tmp_path, received_s=10, processing_s=20, saved_s=30)
    with running(times) as server:
        client = client_of(server, nav_schema)
        submission = client.manage_invoice([sale("A/1")])
        seen = []
        for seconds in (0, 10, 20, 29, 1):
            server.service.clock.advance(seconds)
            seen += status_of(client, submission.transaction_id)
            is_visible = client.query_invoice_data("A/1") is not None
            assert is_visible == (seen[-1] == "DONE")
    assert seen == ["RECEIVED", "PROCESSING", "SAVED", "SAVED", "DONE"]


def test_worker_finishes_without_being_asked(official_files: Path, nav_schema: NavSchema, tmp_path: Path) -> None:
    with running(config(official_files, tmp_path, has_worker=True)) as server:
        finished = threading.Event()
        process_due = server.service.processor.process_due

        def noted() -> int:
            count = process_due()
            if count:
                finished.set()
            return count

        server.service.processor.process_due = noted  # type: ignore[method-assign]
        client_of(server, nav_schema).manage_invoice([sale("A/1")])
        assert finished.wait(10)
        assert [row["number"] for row in server.service.contents()] == ["A/1"]


def test_batch_is_not_taken_in_a_second_time(stand_in: StandInServer, client: NavClient) -> None:
    prepared = client.prepare_invoices([sale("A/1")])
    client.send(prepared)
    with pytest.raises(Refused) as caught:
        client.send(prepared)
    assert caught.value.code == "REQUEST_ID_NOT_UNIQUE"
    assert len(stand_in.service.store.rows("SELECT 1 FROM batch")) == 1


def test_late_batch_needs_a_new_token(stand_in: StandInServer, client: NavClient) -> None:
    prepared = client.prepare_invoices([sale("A/1")])
    stand_in.service.clock.advance(301)
    with pytest.raises(TokenRefused):
        client.send(prepared)
    client.manage_invoice([sale("A/1")])
    assert [row["number"] for row in order(stand_in, "contents")] == ["A/1"]


def test_digest_pages_are_walked(official_files: Path, nav_schema: NavSchema, tmp_path: Path) -> None:
    with running(config(official_files, tmp_path, page_size=2)) as server:
        client = client_of(server, nav_schema)
        client.manage_invoice([sale(f"A/{n}") for n in range(5)])
        query = DigestQuery(issued=(date(2021, 5, 1), date(2021, 5, 31)))
        digests = list(client.list_digests(query))
        assert client.query_invoice_digest(query).pages == 3
        assert list(client.list_digests(DigestQuery(issued=(date(2021, 6, 1), date(2021, 6, 30))))) == []
        transactions = list(client.list_transactions(NOW - timedelta(minutes=1), NOW))
    assert [digest.number for digest in digests] == [f"A/{n}" for n in range(5)]
    assert {digest.vat_huf for digest in digests} == {1205040}
    assert [transaction.item_count for transaction in transactions] == [5]


def test_chain_is_found_by_its_base(client: NavClient) -> None:
    for document in (base_invoice(), wrong_product_corrected()):
        client.manage_invoice([InvoiceOperation(document.operation, build_invoice_xml(document))])
        client.query_transaction_list(NOW, NOW)
    found = list(client.list_digests(DigestQuery(original_number="ZZZ000001")))
    assert [(digest.number, digest.modification_index) for digest in found] == [("ZZZ000002", 1)]


def test_buyer_sees_the_document_inbound(stand_in: StandInServer, client: NavClient, nav_schema: NavSchema) -> None:
    client.manage_invoice([sale("A/1")])
    buyer = client_of(stand_in, nav_schema, OTHER)
    assert buyer.query_invoice_data("A/1") is None
    held = buyer.query_invoice_data("A/1", "INBOUND", ME.tax_number)
    assert held is not None
    assert read_report(held.xml).number == "A/1"


def test_nothing_found_is_no_error(client: NavClient) -> None:
    assert client.query_transaction_status("NOSUCH") is None
    assert client.query_invoice_data("NOSUCH") is None
    assert client.query_taxpayer("12312312").is_valid is False


def test_taxpayer_is_described(client: NavClient) -> None:
    found = client.query_taxpayer("99887764-2-02")
    assert (found.is_valid, found.name, found.taxpayer_id) == (True, "Beszerző Kft", "99887764")
    assert (found.vat_code, found.county_code, found.vat_group) == ("2", "02", "17777777")


def test_exactly_one_question_per_digest(client: NavClient) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        client.query_invoice_digest(DigestQuery())


@pytest.mark.parametrize(("decision", "fate"), [("DONE", "VERIFICATION_DONE"), ("REJECTED", "VERIFICATION_REJECTED")])
def test_annulment_waits_for_a_person(stand_in: StandInServer, client: NavClient, decision: str, fate: str) -> None:
    for document in (base_invoice(), wrong_product_corrected()):
        client.manage_invoice([InvoiceOperation(document.operation, build_invoice_xml(document))])
    xml = build_annulment_xml("ZZZ000001", AnnulmentCode.DATA, "rossz adat", NOW)
    submission = client.manage_annulment([xml])
    pending = client.query_transaction_status(submission.transaction_id)
    assert pending is not None
    assert ([result.status for result in pending.results], pending.annulment) == (["DONE"], "VERIFICATION_PENDING")
    assert order(stand_in, "annulments", number="ZZZ000001", decision=decision) == {"decided": 1}
    decided = client.query_transaction_status(submission.transaction_id)
    assert decided is not None
    assert decided.annulment == fate
    held = [row["number"] for row in order(stand_in, "contents")]
    assert held == ([] if decision == "DONE" else ["ZZZ000001", "ZZZ000002"])
    again = client.manage_invoice([InvoiceOperation("CREATE", build_invoice_xml(base_invoice()))])
    assert status_of(client, again.transaction_id) == ["DONE" if decision == "DONE" else "ABORTED"]


def test_stuck_batch_goes_on_when_released(stand_in: StandInServer, client: NavClient) -> None:
    inject(stand_in, Fault(FaultKind.STUCK, times=1))
    submission = client.manage_invoice([sale("A/1")])
    stand_in.service.clock.advance(86_400)
    assert status_of(client, submission.transaction_id) == ["PROCESSING"]
    assert order(stand_in, "release") == {"released": 1, "processed": 1}
    assert status_of(client, submission.transaction_id) == ["DONE"]


def test_document_is_aborted_then_taken_when_repaired(stand_in: StandInServer, client: NavClient) -> None:
    order(stand_in, "faults", faults=[{"kind": "abort", "number": "A/2", "times": 1, "code": "INVALID_VAT_DATA"}])
    first = client.manage_invoice([sale("A/1"), sale("A/2")])
    assert status_of(client, first.transaction_id) == ["DONE", "ABORTED"]
    second = client.manage_invoice([sale("A/2")])
    assert status_of(client, second.transaction_id) == ["DONE"]
    assert order(stand_in, "struck") == {"abort": 1}


def test_memory_survives_a_restart(official_files: Path, nav_schema: NavSchema, tmp_path: Path) -> None:
    slow = config(official_files, tmp_path, processing_s=60)
    with running(slow) as server:
        client = client_of(server, nav_schema)
        done = client.manage_invoice([sale("A/1")]).transaction_id
        server.service.clock.advance(61)
        assert status_of(client, done) == ["DONE"]
        waiting = client.manage_invoice([sale("A/2")]).transaction_id
        prepared = client.prepare_invoices([sale("A/3")])
    with running(slow, NOW + timedelta(seconds=70)) as server:
        client = client_of(server, nav_schema)
        assert (status_of(client, done), status_of(client, waiting)) == (["DONE"], ["PROCESSING"])
        late = client.send(prepared).transaction_id
        server.service.clock.advance(61)
        repeated = client.manage_invoice([sale("A/1")]).transaction_id
        server.service.clock.advance(61)
        assert [status_of(client, one) for one in (waiting, late, repeated)] == [["DONE"], ["DONE"], ["ABORTED"]]


def test_wrong_credentials_stop_at_once(stand_in: StandInServer, nav_schema: NavSchema) -> None:
    waits: list[float] = []
    client = client_of(stand_in, nav_schema, replace(ME, password_hash="0" * 128), sleep=waits.append)
    with pytest.raises(CredentialsRefused) as caught:
        client.token_exchange()
    assert (caught.value.code, caught.value.http_status, waits) == ("INVALID_SECURITY_USER", 401, [])
