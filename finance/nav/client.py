"""The client: eight operations of the Online Számla interface, each one call with hard time limits."""

import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from lxml import etree

from finance.nav import answer_reading, answers, messages, names
from finance.nav.answers import DigestPage, ExchangeToken, HeldInvoice, Taxpayer, TransactionPage, TransactionStatus
from finance.nav.credentials import Credentials, Software
from finance.nav.errors import AnswerNotUnderstood, CredentialsRefused, Unavailable
from finance.nav.exchange import Exchange
from finance.nav.failures import answer_root, unclear
from finance.nav.messages import DigestQuery, Envelope, InvoiceOperation, Part
from finance.nav.schema import NavSchema
from finance.nav.signing import TokenUndecipherable, decrypt_token
from finance.nav.transport import NoAnswer, NotSent, Timeouts, Transport, post
from finance.nav.xmlread import ContentTooLarge, NotGzip, required

_HEADERS = {"Content-Type": "application/xml", "Accept": "application/xml"}
_T = TypeVar("_T")


class BatchTooLarge(ValueError):
    """A batch has too many documents or too many bytes; see `batches.split_batches`."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How questions are repeated after `Unavailable`; batches are never repeated here."""

    attempts: int = 3
    first_s: float = 0.5
    longest_s: float = 8.0

    def wait_s(self, attempt: int, retry_after_s: float | None) -> float:
        """Return the wait before the attempt after number `attempt` (from 1), spread over half to full."""
        longest = min(self.first_s * 2.0 ** (attempt - 1), self.longest_s)
        return max(longest * random.uniform(0.5, 1.0), min(retry_after_s or 0.0, self.longest_s))


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A signed batch with its token, ready to go out once; note it down before it is sent."""

    operation: str
    request_id: str
    timestamp: datetime
    item_count: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch that the NAV took in; taken in is not yet reported."""

    transaction_id: str
    request_id: str
    item_count: int
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class NavClient:
    """Speaks for one technical user; safe to share between threads.

    Raises `Refused`, `Unavailable` or `OutcomeUnknown` (see `errors`); a batch is sent once and only
    once per call, questions are repeated by `backoff`.
    """

    base_url: str
    credentials: Credentials
    software: Software
    schema: NavSchema = field(repr=False)
    timeouts: Timeouts = Timeouts()
    backoff: Backoff = Backoff()
    max_batch: int = names.MAX_BATCH
    is_compressed: bool = True
    transport: Transport = field(default=post, repr=False)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def token_exchange(self) -> ExchangeToken:
        """Return a token for one batch, good for about five minutes.

        Raises `CredentialsRefused` when the exchange key does not open it.
        """

        def read(root: etree._Element) -> ExchangeToken:
            encoded = required(root, "{*}encodedExchangeToken")
            try:
                token = decrypt_token(encoded, self.credentials.exchange_key)
            except TokenUndecipherable:
                raise CredentialsRefused(
                    names.TOKEN_EXCHANGE, "TOKEN_UNDECIPHERABLE",
                    "the technical user's exchange key does not open the token: enter the key that the NAV shows",
                    http_status=200,
                ) from None  # fmt: skip
            return ExchangeToken(
                token,
                answer_reading.moment(required(root, "{*}tokenValidityFrom")),
                answer_reading.moment(required(root, "{*}tokenValidityTo")),
            )

        return self._ask(names.TOKEN_EXCHANGE, read)

    def prepare_invoices(self, operations: Sequence[InvoiceOperation], *, are_checked: bool = False) -> PreparedBatch:
        """Check the documents, get a token and return the signed batch.

        `are_checked`: the caller has checked every document against this client's schema.
        Raises `SchemaViolation` before anything is sent, `BatchTooLarge`.
        """
        self._check_batch([item.xml for item in operations], are_checked=are_checked)
        token = self.token_exchange()
        part, hashes = messages.invoice_batch(token.token, operations, compressed=self.is_compressed)
        return self._prepared(names.MANAGE_INVOICE, len(operations), part, hashes)

    def prepare_annulments(self, annulments: Sequence[bytes]) -> PreparedBatch:
        """Like `prepare_invoices`, for InvoiceAnnulment documents."""
        self._check_batch(annulments)
        token = self.token_exchange()
        part, hashes = messages.annulment_batch(token.token, annulments)
        return self._prepared(names.MANAGE_ANNULMENT, len(annulments), part, hashes)

    def send(self, batch: PreparedBatch) -> Submission:
        """Send a prepared batch, once.

        Raises `OutcomeUnknown` when it may have been taken in: see `recovery.find_submission`.
        """
        root, exchange = self._post(batch.operation, batch.request_id, batch.timestamp, batch.body)
        try:
            transaction_id = required(root, "{*}transactionId")
        except LookupError as error:
            raise unclear(batch.operation, "the answer names no transaction", exchange) from error
        return Submission(transaction_id, batch.request_id, batch.item_count, exchange)

    def manage_invoice(self, operations: Sequence[InvoiceOperation]) -> Submission:
        """Prepare and send a batch of invoices in one step."""
        return self.send(self.prepare_invoices(operations))

    def manage_annulment(self, annulments: Sequence[bytes]) -> Submission:
        """Prepare and send a batch of technical annulments in one step."""
        return self.send(self.prepare_annulments(annulments))

    def query_transaction_status(self, transaction_id: str, *, with_original: bool = False) -> TransactionStatus | None:
        """Return the fate of a batch, or None when the NAV does not know it."""
        part = messages.transaction_status(transaction_id, with_original=with_original)
        return self._ask(names.QUERY_TRANSACTION_STATUS, answer_reading.read_transaction_status, part)

    def query_transaction_list(self, since: datetime, until: datetime, page: int = 1) -> TransactionPage:
        """Return one page of the batches taken in from `since` to `until` (aware)."""
        part = messages.transaction_list(page, since, until)
        return self._ask(names.QUERY_TRANSACTION_LIST, answer_reading.read_transaction_page, part)

    def query_invoice_data(
        self, number: str, direction: str = "OUTBOUND", supplier_tax_number: str | None = None
    ) -> HeldInvoice | None:
        """Return a document as the NAV holds it, or None; `direction` is OUTBOUND or INBOUND."""
        part = messages.invoice_data(number, direction, supplier_tax_number)
        return self._ask(names.QUERY_INVOICE_DATA, answer_reading.read_invoice_data, part)

    def query_invoice_digest(self, query: DigestQuery, page: int = 1) -> DigestPage:
        """Return one page of the heads of documents that match `query`."""
        return self._ask(names.QUERY_INVOICE_DIGEST, answer_reading.read_digest_page, query.part(page))

    def query_taxpayer(self, tax_number: str) -> Taxpayer:
        """Return what the NAV says about a tax number (its first 8 digits)."""
        return self._ask(names.QUERY_TAXPAYER, answer_reading.read_taxpayer, messages.taxpayer(tax_number))

    def list_transactions(self, since: datetime, until: datetime) -> Iterator[answers.TransactionSummary]:
        """Yield the batches of all pages."""
        page, pages = 1, 1
        while page <= pages:
            found = self.query_transaction_list(since, until, page)
            pages = found.pages
            yield from found.transactions
            page += 1

    def list_digests(self, query: DigestQuery) -> Iterator[answers.InvoiceDigest]:
        """Yield the digests of all pages."""
        page, pages = 1, 1
        while page <= pages:
            found = self.query_invoice_digest(query, page)
            pages = found.pages
            yield from found.digests
            page += 1

    def _check_batch(self, documents: Sequence[bytes], *, are_checked: bool = False) -> None:
        if not 1 <= len(documents) <= self.max_batch:
            raise BatchTooLarge(f"a batch holds 1 to {self.max_batch} documents, not {len(documents)}")
        for xml in documents:
            if len(xml) > names.MAX_INVOICE_BYTES:
                raise BatchTooLarge(f"a document of {len(xml)} bytes exceeds {names.MAX_INVOICE_BYTES}")
            if not are_checked:
                self.schema.check(xml)

    def _prepared(self, operation: str, count: int, part: Part, hashes: Sequence[str]) -> PreparedBatch:
        request_id, timestamp = _new_request_id(), self.now()
        body = self._envelope().request(operation, request_id, timestamp, part, index_hashes=hashes)
        if len(body) > names.MAX_BODY_BYTES:
            raise BatchTooLarge(f"a request of {len(body)} bytes exceeds {names.MAX_BODY_BYTES}")
        return PreparedBatch(operation, request_id, timestamp, count, body)

    def _envelope(self) -> Envelope:
        return Envelope(self.credentials, self.software)

    def _ask(self, operation: str, read: Callable[[etree._Element], _T], *parts: Part) -> _T:
        attempt = 1
        while True:
            # A new id each time: the one before may have been taken in although no answer came.
            request_id, timestamp = _new_request_id(), self.now()
            body = self._envelope().request(operation, request_id, timestamp, *parts)
            try:
                root, exchange = self._post(operation, request_id, timestamp, body)
                return _read(read, root, exchange)
            except Unavailable as error:
                if attempt >= self.backoff.attempts:
                    raise
                self.sleep(self.backoff.wait_s(attempt, error.retry_after_s))
                attempt += 1

    def _post(
        self, operation: str, request_id: str, timestamp: datetime, body: bytes
    ) -> tuple[etree._Element, Exchange]:
        try:
            answer = self.transport(f"{self.base_url}/{operation}", body, _HEADERS, self.timeouts)
        except NotSent as error:
            exchange = Exchange(operation, request_id, timestamp, None, None, body)
            raise Unavailable(f"{operation}: {error}", exchange=exchange) from error
        except NoAnswer as error:
            exchange = Exchange(operation, request_id, timestamp, None, None, body)
            raise unclear(operation, str(error), exchange) from error
        exchange = Exchange(operation, request_id, timestamp, self.now(), answer.status, body, answer.body)
        return answer_root(operation, answer, exchange), exchange


def _read(read: Callable[[etree._Element], _T], root: etree._Element, exchange: Exchange) -> _T:
    try:
        return read(root)
    except (LookupError, ValueError, NotGzip, ContentTooLarge) as error:
        raise AnswerNotUnderstood(
            f"{exchange.operation}: {type(error).__name__}: {error}", exchange=exchange
        ) from error


def _new_request_id() -> str:
    return f"ERP{uuid.uuid4().hex[:27]}"
