"""The stand-in without HTTP: one request in, one answer out."""

import sqlite3
from collections.abc import Callable

from lxml import etree

from finance.nav import names
from finance.nav.schema import load_schema_if_there
from finance.nav.standin.config import StandInClock, StandInConfig
from finance.nav.standin.envelope import Caller, check_caller, check_schema, read_request, register_request_id
from finance.nav.standin.faults import FaultPlan
from finance.nav.standin.processing import Processor
from finance.nav.standin.queries import Queries
from finance.nav.standin.refusals import Refusal, Unreadable
from finance.nav.standin.respond import exception_answer, refusal_answer, start_answer
from finance.nav.standin.store import Store
from finance.nav.standin.taking_in import Intake
from finance.nav.xml_values import to_bytes

Handler = Callable[[etree._Element, Caller, etree._Element], None]


class StandInService:
    """Everything the stand-in does; safe to call from several threads."""

    def __init__(self, config: StandInConfig, clock: StandInClock | None = None) -> None:
        self.config = config
        self.clock = clock or StandInClock()
        self.schema = load_schema_if_there(config.schema_dir)
        self.store = Store(config.database)
        self.faults = FaultPlan(config.faults, config.fault_seed)
        self.processor = Processor(config, self.schema, self.store, self.clock, self.faults)
        self.intake = Intake(config, self.store, self.clock, self.faults)
        queries = Queries(config, self.store, self.clock)
        self._handlers: dict[str, Handler] = {
            names.TOKEN_EXCHANGE: self.intake.token_exchange,
            names.MANAGE_INVOICE: self.intake.manage_invoice,
            names.MANAGE_ANNULMENT: self.intake.manage_annulment,
            names.QUERY_TRANSACTION_STATUS: queries.transaction_status,
            names.QUERY_TRANSACTION_LIST: queries.transaction_list,
            names.QUERY_INVOICE_DATA: queries.invoice_data,
            names.QUERY_INVOICE_DIGEST: queries.invoice_digest,
            names.QUERY_TAXPAYER: queries.taxpayer,
            "queryInvoiceCheck": queries.invoice_check,
        }

    def knows(self, operation: str) -> bool:
        """Whether there is such an operation."""
        return operation in self._handlers

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Answer one request: HTTP status and XML. Everything it changes is one transaction."""
        try:
            request = read_request(operation, body)
        except Unreadable as refusal:
            return refusal.status, exception_answer(refusal)
        try:
            return 200, self._accepted(operation, request)
        except Refusal as refusal:
            return refusal.status, refusal_answer(request, refusal, self.clock.now(), self.schema)
        except (LookupError, ValueError) as error:  # only when no schema has kept it out
            broken = Refusal("INVALID_REQUEST", f"{type(error).__name__}: {error}")
            return broken.status, refusal_answer(request, broken, self.clock.now(), self.schema)

    def contents(self) -> list[sqlite3.Row]:
        """Return the documents held as reported: DONE and not annulled, in the order they came."""
        return self.store.rows(
            "SELECT item.tax_number, number, operation, original_number, modification_index, category, vat_huf, digest"
            " FROM item WHERE state = 'DONE' AND is_annulled = 0 AND operation <> 'ANNUL' ORDER BY id"
        )

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _accepted(self, operation: str, request: etree._Element) -> bytes:
        check_schema(request, self.schema)
        caller = check_caller(request, operation, self.config, self.clock)
        if operation.startswith("query"):
            self.processor.process_due()
        answer = start_answer(operation, request, self.clock.now())
        with self.store.transaction():
            register_request_id(self.store, caller)
            self._handlers[operation](request, caller, answer)
        return to_bytes(answer)
