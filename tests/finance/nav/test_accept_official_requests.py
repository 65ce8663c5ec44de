"""The official request samples, each with its own key and at its own time, are accepted by the stand-in."""

from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

from finance.nav.credentials import Credentials
from finance.nav.schema import NavSchema
from finance.nav.standin.config import StandInConfig, StandInUser
from tests.finance.nav.official import REQUEST_SAMPLES, RequestSample, request_sample
from tests.finance.nav.stand_in_kit import running
from tests.finance.nav.test_refuse_requests import post


def _config(official_files: Path, folder: Path, sample: RequestSample) -> StandInConfig:
    credentials = Credentials(
        tax_number=sample.text("taxNumber"),
        login=sample.text("login"),
        password_hash=sample.text("passwordHash"),
        sign_key=sample.sign_key,
        exchange_key="0123456789ABCDEF",
    )
    return StandInConfig(official_files / "xsd", folder / "nav.sqlite3", (StandInUser(credentials),), has_worker=False)


@pytest.mark.parametrize("operation", REQUEST_SAMPLES)
def test_official_request_is_accepted(
    official_files: Path, nav_schema: NavSchema, tmp_path: Path, operation: str
) -> None:
    sample = request_sample(official_files, operation)
    sent_at = datetime.fromisoformat(sample.text("timestamp").replace("Z", "+00:00"))
    with running(_config(official_files, tmp_path, sample), sent_at) as server:
        if operation == "manageAnnulment":
            server.service.intake.add_token(sample.text("exchangeToken"), sample.text("taxNumber"))
        answer = post(server, operation, sample.body)
    assert (answer.status, answer.text("funcCode")) == (200, "OK")
    assert answer.text("requestId") == sample.text("requestId")
    nav_schema.check(answer.body)


def test_official_annulment_of_nothing_is_aborted(official_files: Path, tmp_path: Path) -> None:
    sample = request_sample(official_files, "manageAnnulment")
    sent_at = datetime.fromisoformat(sample.text("timestamp").replace("Z", "+00:00"))
    with running(_config(official_files, tmp_path, sample), sent_at) as server:
        server.service.intake.add_token(sample.text("exchangeToken"), sample.text("taxNumber"))
        post(server, "manageAnnulment", sample.body)
        server.service.processor.process_due()
        row = server.service.store.first("SELECT state, business, annulment FROM item JOIN batch USING (seq)")
    assert row is not None
    assert (row["state"], row["annulment"]) == ("ABORTED", "NOT_VERIFIABLE")
    assert "INVALID_ANNULMENT_REFERENCE" in row["business"]


@pytest.mark.parametrize("operation", REQUEST_SAMPLES)
def test_official_request_with_another_key_is_refused(official_files: Path, tmp_path: Path, operation: str) -> None:
    sample = request_sample(official_files, operation)
    sent_at = datetime.fromisoformat(sample.text("timestamp").replace("Z", "+00:00"))
    wrong = RequestSample(sample.operation, sample.body, sample.sign_key[::-1])
    with running(_config(official_files, tmp_path, wrong), sent_at) as server:
        assert post(server, operation, sample.body).text("errorCode") == "INVALID_REQUEST_SIGNATURE"


def test_official_samples_do_not_depend_on_their_comments(official_files: Path) -> None:
    for operation in REQUEST_SAMPLES:
        assert etree.fromstring(request_sample(official_files, operation).body).find(".//{*}signKey") is None
