"""Bad requests and the code each must get at once; the list of codes is that of the facts page."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from finance.nav import messages, names
from finance.nav.credentials import Credentials
from finance.nav.invoice_xml import build_invoice_xml
from finance.nav.messages import DigestQuery, Envelope, InvoiceOperation
from finance.nav.schema import NavSchema
from finance.nav.signing import index_hash
from finance.nav.standin.config import Fault, FaultKind
from finance.nav.standin.server import StandInServer
from tests.finance.nav.make_documents import SUPPLIER
from tests.finance.nav.sample_cases import plain_sale
from tests.finance.nav.stand_in_kit import ME, NOW, OTHER, READER, SOFTWARE, SUSPENDED, TWIN, client_of, inject, user


@dataclass(frozen=True)
class Sent:
    """What came back."""

    status: int
    body: bytes

    def text(self, tag: str) -> str:
        """Return the text of the first element `tag`, or empty."""
        return etree.fromstring(self.body).findtext(f".//{{*}}{tag}") or ""


def post(server: StandInServer, operation: str, body: bytes, method: str = "POST", url: str = "") -> Sent:
    """Send a raw request; an error is an answer like another."""
    raw = urllib.request.Request(url or f"{server.base_url}/{operation}", body, method=method)
    try:
        with urllib.request.urlopen(raw, timeout=10) as answer:
            return Sent(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Sent(error.code, error.read())


def request(
    operation: str = names.TOKEN_EXCHANGE,
    *parts: messages.Part,
    by: Credentials = ME,
    request_id: str = "RID1",
    at: datetime = NOW,
    index_hashes: tuple[str, ...] = (),
) -> bytes:
    """A signed request."""
    return Envelope(by, SOFTWARE).request(operation, request_id, at, *parts, index_hashes=index_hashes)


def batch(token: str, indices: tuple[int, ...] = (1,), request_id: str = "RID1") -> bytes:
    """A signed manageInvoice whose items have these indices."""
    items = [InvoiceOperation("CREATE", build_invoice_xml(plain_sale())) for _ in indices]
    part, _ = messages.invoice_batch(token, items, compressed=False)

    def renumbered(root: etree._Element) -> None:
        part(root)
        for element, index in zip(root.iterfind(".//{*}invoiceOperation/{*}index"), indices, strict=True):
            element.text = str(index)

    hashes = tuple(index_hash("CREATE", item.base64_text(compressed=False)) for item in items)
    return request(names.MANAGE_INVOICE, renumbered, request_id=request_id, index_hashes=hashes)


def digest(first: date, last: date) -> bytes:
    """A digest query over an interval of issue dates."""
    return request(names.QUERY_INVOICE_DIGEST, DigestQuery(issued=(first, last)).part(1))


def fresh_token(server: StandInServer) -> str:
    """A token known to the stand-in."""
    server.service.intake.add_token("T" * 48, ME.tax_number)
    return "T" * 48


def _repeated_id(server: StandInServer) -> Sent:
    assert post(server, names.TOKEN_EXCHANGE, request()).status == 200
    return post(server, names.TOKEN_EXCHANGE, request())


def _used_token(server: StandInServer) -> Sent:
    token = fresh_token(server)
    assert post(server, names.MANAGE_INVOICE, batch(token)).status == 200
    return post(server, names.MANAGE_INVOICE, batch(token, request_id="RID2"))


def _indices(*indices: int) -> Callable[[StandInServer], Sent]:
    return lambda server: post(server, names.MANAGE_INVOICE, batch(fresh_token(server), indices))


def _old_token(server: StandInServer) -> Sent:
    token = fresh_token(server)
    server.service.clock.advance(301)
    return post(server, names.MANAGE_INVOICE, batch(token))


def _same_number_of_two_suppliers(server: StandInServer) -> Sent:
    schema = server.service.schema
    for credentials in (ME, TWIN):
        supplier = replace(SUPPLIER, tax_number=replace(SUPPLIER.tax_number, taxpayer_id=credentials.tax_number))
        xml = build_invoice_xml(replace(plain_sale(), supplier=supplier))
        client_of(server, schema, credentials).manage_invoice([InvoiceOperation("CREATE", xml)])
    part = messages.invoice_data("2021/000123", "INBOUND", None)
    return post(server, names.QUERY_INVOICE_DATA, request(names.QUERY_INVOICE_DATA, part, by=OTHER))


def _with_fault(kind: FaultKind) -> Callable[[StandInServer], Sent]:
    def run(server: StandInServer) -> Sent:
        inject(server, Fault(kind))
        return post(server, names.TOKEN_EXCHANGE, request())

    return run


def _plain(body: bytes, operation: str = names.TOKEN_EXCHANGE) -> Callable[[StandInServer], Sent]:
    return lambda server: post(server, operation, body)


def _changed(old: bytes, new: bytes) -> Callable[[StandInServer], Sent]:
    body = request()
    assert old in body
    return _plain(body.replace(old, new))


WRONG_PASSWORD = replace(ME, password_hash="0" * 128)
OTHER_KEY = replace(ME, sign_key="another")
DAY = timedelta(days=1)

TABLE: list[tuple[str, str, int, Callable[[StandInServer], Sent]]] = [
    ("software left out", "INVALID_REQUEST", 400, _changed(b"<softwareName>ERP</softwareName>", b"")),
    ("element of no schema", "INVALID_REQUEST", 400, _changed(b"</software>", b"</software><more/>")),
    ("not well formed", "INVALID_REQUEST", 400, _plain(b"<TokenExchangeRequest")),
    ("wrong namespace", "INVALID_REQUEST", 400, _changed(b"OSA/3.0/api", b"OSA/2.0/api")),
    ("request of another path", "INVALID_REQUEST", 400, _plain(request(), names.QUERY_TAXPAYER)),
    ("unknown operation", "INVALID_REQUEST", 400, _plain(request(), "queryNothing")),
    ("document type", "INVALID_REQUEST", 400, _plain(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")),
    ("id used before", "REQUEST_ID_NOT_UNIQUE", 400, _repeated_id),
    ("other signing key", "INVALID_REQUEST_SIGNATURE", 400, _plain(request(by=OTHER_KEY))),
    ("signed for another id", "INVALID_REQUEST_SIGNATURE", 400, _changed(b"RID1", b"RID2")),
    ("index starts at 2", "INDEX_NOT_SEQUENTIAL", 400, _indices(2)),
    (
        "index with a gap",
        "INDEX_NOT_SEQUENTIAL",
        400,
        _indices(1, 3),
    ),
    ("invented token", "INVALID_EXCHANGE_TOKEN", 400, lambda s: post(s, "manageInvoice", batch("X" * 48))),
    ("token used before", "INVALID_EXCHANGE_TOKEN", 400, _used_token),
    ("token too old", "INVALID_EXCHANGE_TOKEN", 400, _old_token),
    ("sent a day ago", "INVALID_TIMESTAMP", 400, _plain(request(at=NOW - DAY - timedelta(seconds=1)))),
    ("sent tomorrow", "INVALID_TIMESTAMP", 400, _plain(request(at=NOW + DAY + timedelta(seconds=1)))),
    ("version 2.0", "INVALID_REQUEST_VERSION", 400, _changed(b"Version>3.0<", b"Version>2.0<")),
    ("header version 2.0", "INVALID_HEADER_VERSION", 400, _changed(b"headerVersion>1.0", b"headerVersion>2.0")),
    ("SHA-256 password", "INVALID_PASSWORD_HASH_CRYPTO", 400, _changed(b'"SHA-512"', b'"SHA-256"')),
    ("SHA-512 signature", "INVALID_REQUEST_SIGNATURE_HASH_CRYPTO", 400, _changed(b'"SHA3-512"', b'"SHA-512"')),
    ("two suppliers, one number", "MULTIPLE_QUERY_RESULT_FOUND", 400, _same_number_of_two_suppliers),
    (
        "36 days",
        "BAD_QUERY_PARAM_RANGE_EXCEEDED",
        400,
        _plain(digest(date(2021, 1, 1), date(2021, 2, 6)), names.QUERY_INVOICE_DIGEST),
    ),
    (
        "ends before it begins",
        "BAD_QUERY_PARAM_OVERLAP",
        400,
        _plain(digest(date(2021, 1, 2), date(2021, 1, 1)), names.QUERY_INVOICE_DIGEST),
    ),
    ("wrong password", "INVALID_SECURITY_USER", 401, _plain(request(by=WRONG_PASSWORD))),
    ("unknown login", "INVALID_SECURITY_USER", 401, _plain(request(by=user("99999999", "nobody00000001")))),
    ("unknown taxpayer", "NOT_REGISTERED_CUSTOMER", 500, _plain(request(by=replace(ME, tax_number="12345678")))),
    ("suspended taxpayer", "INVALID_CUSTOMER", 500, _plain(request(by=SUSPENDED))),
    ("another taxpayer", "INVALID_USER_RELATION", 500, _plain(request(by=replace(ME, tax_number=OTHER.tax_number)))),
    ("no right", "FORBIDDEN", 500, _plain(request(by=READER))),
    ("failing", "OPERATION_FAILED", 500, _with_fault(FaultKind.OPERATION_FAILED)),
    ("GET", "NOT_ALLOWED_EXCEPTION", 500, lambda s: post(s, names.TOKEN_EXCHANGE, b"", "GET")),
    ("maintenance", "MAINTENANCE_MODE", 503, _with_fault(FaultKind.MAINTENANCE)),
]


@pytest.mark.parametrize(("what", "code", "status", "send"), TABLE, ids=[row[0] for row in TABLE])
def test_bad_request_gets_its_code(
    stand_in: StandInServer,
    nav_schema: NavSchema,
    what: str,
    code: str,
    status: int,
    send: Callable[[StandInServer], Sent],
) -> None:
    answer = send(stand_in)
    assert (answer.text("errorCode"), answer.status) == (code, status), what
    nav_schema.check(answer.body)


def test_table_covers_every_synchronous_code(official_files: Path) -> None:
    text = (official_files / "README.md").read_text(encoding="utf-8")
    section = text.split("## Synchronous errors")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if re.match(r"\| \d{3} \|", line)]
    codes = {(code, int(line[2:5])) for line in rows for code in re.findall(r"\b[A-Z][A-Z0-9_]{5,}", line)}
    assert codes == {(code, status) for _, code, status, _ in TABLE}


def test_schema_breaches_are_listed_one_by_one(stand_in: StandInServer) -> None:
    body = request().replace(b"<softwareName>ERP</softwareName>", b"").replace(b"<common:login>", b"<common:login>?")
    breaches = etree.fromstring(post(stand_in, names.TOKEN_EXCHANGE, body).body).findall(
        ".//{*}technicalValidationMessages"
    )
    assert len(breaches) >= 2


def test_id_of_a_refused_request_may_be_used_again(stand_in: StandInServer) -> None:
    assert post(stand_in, names.TOKEN_EXCHANGE, request(by=OTHER_KEY)).status == 400
    assert post(stand_in, names.TOKEN_EXCHANGE, request()).status == 200


def test_address_outside_the_service_is_a_bare_404(stand_in: StandInServer) -> None:
    answer = post(stand_in, "", request(), url=f"{stand_in.root_url}/elsewhere")
    assert (answer.status, answer.body) == (404, b"")


def test_stand_in_refuses_to_listen_to_the_world(stand_in: StandInServer) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        StandInServer(replace(stand_in.service.config, host="0.0.0.0"))  # noqa: S104


def test_time_of_the_answer_is_the_stand_ins(stand_in: StandInServer) -> None:
    sent = post(stand_in, names.TOKEN_EXCHANGE, request())
    assert sent.text("timestamp") == "2021-06-02T12:00:00.000Z"
    assert datetime.fromisoformat(sent.text("tokenValidityTo").replace("Z", "+00:00")) == NOW.astimezone(
        UTC
    ) + timedelta(minutes=5)
