"""tokenExchange, manageInvoice and manageAnnulment: what is answered at once."""

import secrets
import uuid
from datetime import timedelta

from lxml import etree

from finance.nav.messages import timestamp_text
from finance.nav.signing import encrypt_token
from finance.nav.standin.config import FaultKind, StandInClock, StandInConfig
from finance.nav.standin.envelope import Caller
from finance.nav.standin.faults import FaultPlan
from finance.nav.standin.refusals import Refusal
from finance.nav.standin.respond import api
from finance.nav.standin.store import Store
from finance.nav.xmlread import required

NEVER_DUE = 1e18
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Intake:
    """Issues tokens and takes batches in; looks into no document."""

    def __init__(self, config: StandInConfig, store: Store, clock: StandInClock, faults: FaultPlan) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._faults = faults

    def token_exchange(self, _: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Issue a token for one batch."""
        token = str(uuid.uuid4()) + "".join(secrets.choice(_ALPHABET) for _ in range(12))
        now = self._clock.now()
        valid_to = now + timedelta(seconds=self._config.token_validity_s)
        self.add_token(token, caller.tax_number)
        api(answer, "encodedExchangeToken", encrypt_token(token, caller.user.credentials.exchange_key))
        api(answer, "tokenValidityFrom", timestamp_text(now))
        api(answer, "tokenValidityTo", timestamp_text(valid_to))

    def add_token(self, token: str, tax_number: str) -> None:
        """Make a token known as just issued."""
        valid_to = self._clock.now().timestamp() + self._config.token_validity_s
        self._store.run("INSERT INTO token (token, tax_number, valid_to) VALUES (?, ?, ?)", token, tax_number, valid_to)

    def manage_invoice(self, request: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Take a batch of documents into the queue."""
        batch = request.find("{*}invoiceOperations")
        assert batch is not None
        items = [
            (
                int(required(item, "{*}index")),
                required(item, "{*}invoiceOperation"),
                required(item, "{*}invoiceData"),
                item.findtext("{*}electronicInvoiceHash") or "",
            )
            for item in batch.iterfind("{*}invoiceOperation")
        ]
        compressed = required(batch, "{*}compressedContent") in ("true", "1")
        self._take_in(request, caller, answer, items, is_annulment=False, is_compressed=compressed)

    def manage_annulment(self, request: etree._Element, caller: Caller, answer: etree._Element) -> None:
        """Take a batch of technical annulments into the queue."""
        items = [
            (int(required(item, "{*}index")), "ANNUL", required(item, "{*}invoiceAnnulment"), "")
            for item in request.iterfind("{*}annulmentOperations/{*}annulmentOperation")
        ]
        self._take_in(request, caller, answer, items, is_annulment=True, is_compressed=False)

    def _take_in(
        self,
        request: etree._Element,
        caller: Caller,
        answer: etree._Element,
        items: list[tuple[int, str, str, str]],
        *,
        is_annulment: bool,
        is_compressed: bool,
    ) -> None:
        if [item[0] for item in items] != list(range(1, len(items) + 1)):
            raise Refusal("INDEX_NOT_SEQUENTIAL", "indices must run 1, 2, 3, ...")
        if len(items) > self._config.max_batch:
            raise Refusal("INVALID_REQUEST", f"more than {self._config.max_batch} items")
        self._use_token(required(request, "{*}exchangeToken"), caller)
        transaction_id = secrets.token_hex(8).upper()
        now = self._clock.now().timestamp()
        due_at = now + self._config.received_s + self._config.processing_s
        if self._faults.strike(frozenset({FaultKind.STUCK}), ""):
            due_at = NEVER_DUE
        row = self._store.rows(
            "INSERT INTO batch (transaction_id, tax_number, login, taken_in_at, due_at, is_annulment, is_compressed,"
            " item_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
            *(transaction_id, caller.tax_number, caller.login, now, due_at, is_annulment, is_compressed, len(items)),
        )[0]
        self._store.run_many(
            "INSERT INTO item (seq, tax_number, idx, operation, content, hash) VALUES (?, ?, ?, ?, ?, ?)",
            [(row["seq"], caller.tax_number, *item) for item in items],
        )
        api(answer, "transactionId", transaction_id)

    def _use_token(self, token: str, caller: Caller) -> None:
        changed = self._store.run(
            "UPDATE token SET used = 1 WHERE token = ? AND tax_number = ? AND used = 0 AND valid_to >= ?",
            *(token, caller.tax_number, self._clock.now().timestamp()),
        )
        if not changed:
            raise Refusal("INVALID_EXCHANGE_TOKEN", "the token is unknown, used or too old")
