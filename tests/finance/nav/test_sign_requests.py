"""Hashes, signatures and tokens against the facts page's worked example and the official requests."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.nav.signing import (
    TokenUndecipherable,
    decrypt_token,
    encrypt_token,
    index_hash,
    password_hash,
    request_signature,
)
from tests.finance.nav.official import REQUEST_SAMPLES, request_sample

SENT_AT = datetime(2026, 1, 5, 9, 30, 15, 250_000, tzinfo=UTC)
SIGN_KEY = "11-aa22-bb33cc44dd55ee66ff77GH88"
EXCHANGE_KEY = "0123456789ABCDEF"
TOKEN = "5f3c1a77-9b02-4e1d-8a66-0c2d4b9e7f10AB12CD34EF56"
ENCODED_TOKEN = "Xazp2QYvM1ER8P1t2fwcMopPk0F/o+Hl/H/+c48btNLc5ecm9n8El6lZtwb6VNXMNK8zbJ8DGzVWc4xj5h6i9g=="
ITEMS = (
    ("CREATE", "PEludm9pY2VEYXRhPm9uZTwvSW52b2ljZURhdGE+"),
    ("STORNO", "PEludm9pY2VEYXRhPnR3bzwvSW52b2ljZURhdGE+"),
)


def test_password_hash_of_worked_example() -> None:
    assert password_hash("Titkos-Jelszo1") == (
        "337EDCECACECBCBDC265668EA5B92CBED6C48F42FB0A0C5A7CB6027CDFFB4AD6"
        "43424BE54F6714875D551618844063D613C56916840698496AADC2997BB0DC14"
    )


def test_query_signature_of_worked_example() -> None:
    assert request_signature("ERP20260105000001", SENT_AT, SIGN_KEY) == (
        "EBFA92BA2186029D75A2E9E4D16010FD96528026C3DF741858B530F4A546DE76"
        "364B6860161B273C8A11F53ED3E7AC3DD179876A23D9E00376A045E07B3167E4"
    )


def test_batch_signature_of_worked_example() -> None:
    hashes = [index_hash(*item) for item in ITEMS]
    assert hashes == [
        "E5567C0CB0F16C2E6EFDF13499DBC71F274C475E94A3354C"
        "1A6E9CA7BF23B1ED030ABCF9C29E315E255716553B62ABFD066A5AC1D651CD1B7B41B78B187ED0B0",
        "A42A0C322E26157DD811A5AFB5F9957509526AB5FFF2ED7C"
        "4471AE2AAB3D298E3A557E8FE859D32C9644528DB25A6336828EFD9B987D5DD0CF7036E42EADEF4B",
    ]
    assert request_signature("ERP20260105000001", SENT_AT, SIGN_KEY, hashes) == (
        "6C6307E1B591EA9ACB57F002F71B798AC0F1FCEA7498D69DAF784313CD563819"
        "A9F0C0EB612AE37A0550A7F6F25CFF3D1C83CD77D6EAA871E914CFC9DBAA321E"
    )


def test_token_of_worked_example_opens_and_closes() -> None:
    assert decrypt_token(ENCODED_TOKEN, EXCHANGE_KEY) == TOKEN
    assert encrypt_token(TOKEN, EXCHANGE_KEY) == ENCODED_TOKEN


@pytest.mark.parametrize("operation", REQUEST_SAMPLES)
def test_signature_of_official_request_is_ours(official_files: Path, operation: str) -> None:
    sample = request_sample(official_files, operation)
    hashes = [index_hash("ANNUL", sample.text("invoiceAnnulment"))] if operation == "manageAnnulment" else []
    sent_at = datetime.fromisoformat(sample.text("timestamp").replace("Z", "+00:00"))
    assert request_signature(sample.text("requestId"), sent_at, sample.sign_key, hashes) == sample.text(
        "requestSignature"
    )


def test_signature_uses_utc_whatever_the_zone() -> None:
    elsewhere = SENT_AT.astimezone(timezone(timedelta(hours=2)))
    assert request_signature("A", elsewhere, SIGN_KEY) == request_signature("A", SENT_AT, SIGN_KEY)


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        (ENCODED_TOKEN, "another-key-1234"),
        (ENCODED_TOKEN[:-8], EXCHANGE_KEY),
        ("not base64 !", EXCHANGE_KEY),
        (ENCODED_TOKEN, "short"),
    ],
)
def test_wrong_token_or_key_is_named_without_secrets(encoded: str, key: str) -> None:
    with pytest.raises(TokenUndecipherable) as caught:
        decrypt_token(encoded, key)
    assert key not in str(caught.value)
    assert caught.value.__cause__ is None


@given(
    token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=50),
    key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=16),
)
def test_any_token_survives_the_round_trip(token: str, key: str) -> None:
    assert decrypt_token(encrypt_token(token, key), key) == token


@given(
    request_id=st.from_regex(r"[+a-zA-Z0-9_]{1,30}", fullmatch=True),
    sent_at=st.datetimes(datetime(2019, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    contents=st.lists(st.binary(max_size=80), max_size=4),
)
def test_signature_covers_every_item_in_order(request_id: str, sent_at: datetime, contents: list[bytes]) -> None:
    texts = [base64.b64encode(content).decode() for content in contents]
    hashes = [hashlib.sha3_512(f"CREATE{text}".encode()).hexdigest().upper() for text in texts]
    plain = request_id + sent_at.strftime("%Y%m%d%H%M%S") + SIGN_KEY + "".join(hashes)
    expected = hashlib.sha3_512(plain.encode()).hexdigest().upper()
    assert request_signature(request_id, sent_at, SIGN_KEY, [index_hash("CREATE", text) for text in texts]) == expected
