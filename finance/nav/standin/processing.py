"""Works through batches in the order they came: decides DONE or ABORTED for each item."""

import base64
import binascii
import json
import sqlite3
import threading
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain

from lxml import etree

from finance.nav.schema import NavSchema
from finance.nav.standin.annulments import check_annulment
from finance.nav.standin.checks_amounts import check_amounts
from finance.nav.standin.checks_chain import ChainChecks, check_lines
from finance.nav.standin.checks_parties import check_customer, check_head, check_vat_against_customer
from finance.nav.standin.checks_vat import check_kinds, check_vat
from finance.nav.standin.config import FaultKind, StandInClock, StandInConfig
from finance.nav.standin.digest import digest_of
from finance.nav.standin.facts import DocumentFacts, Finding, read_facts
from finance.nav.standin.faults import FaultPlan
from finance.nav.standin.store import Store
from finance.nav.xmlread import ContentTooLarge, NotGzip, NotXml, parse_xml, required, unpack

Opened = etree._Element | list[str]
"""A schema-valid document's root, or the reasons why it is none."""

Read = DocumentFacts | tuple[str, list[str]]
"""What is known of a document, or the code and reasons for which it is refused."""


class Processor:
    """Turns what was taken in into results."""

    def __init__(
        self, config: StandInConfig, schema: NavSchema, store: Store, clock: StandInClock, faults: FaultPlan
    ) -> None:
        self._config = config
        self._schema = schema
        self._store = store
        self._clock = clock
        self._faults = faults
        self._one_batch_at_a_time = threading.Lock()

    def process_due(self) -> int:
        """Work through every batch whose time has come; returns how many."""
        count = 0
        while self._process_next():
            count += 1
        return count

    def _process_next(self) -> bool:
        # Reading a batch takes most of the time and happens before the store is held: others go on meanwhile.
        with self._one_batch_at_a_time:
            batch = self._store.first(
                "SELECT * FROM batch WHERE is_processed = 0 AND due_at <= ? ORDER BY seq LIMIT 1",
                self._clock.now().timestamp(),
            )
            if batch is None:
                return False
            items = self._store.rows("SELECT * FROM item WHERE seq = ? ORDER BY idx", batch["seq"])
            opened = [self._open(item["content"], is_compressed=bool(batch["is_compressed"])) for item in items]
            documents = [] if batch["is_annulment"] else [_read(found) for found in opened]
            with self._store.transaction():
                if batch["is_annulment"]:
                    self._process_annulments(batch, items, opened)
                else:
                    self._process_documents(batch, items, documents)
                self._store.run("UPDATE batch SET is_processed = 1 WHERE seq = ?", batch["seq"])
            return True

    def _process_documents(self, batch: sqlite3.Row, items: list[sqlite3.Row], documents: list[Read]) -> None:
        numbers = Counter(facts.number for facts in documents if isinstance(facts, DocumentFacts))
        for item, facts in zip(items, documents, strict=True):
            if not isinstance(facts, DocumentFacts):
                self._abort_technically(item, *facts)
            elif numbers[facts.number] > 1:
                self._abort_technically(item, "DUPLICATE_IN_REQUEST", ["the number stands twice in the request"])
            else:
                self._process_document(batch, item, facts)

    def _open(self, content: str, *, is_compressed: bool) -> Opened:
        """Return the document's root, or what keeps it from being one."""
        try:
            raw = base64.b64decode(content)
            root = parse_xml(unpack(raw) if is_compressed else raw)
        except (binascii.Error, NotGzip, NotXml, ContentTooLarge) as error:
            return [f"{type(error).__name__}: {error}"]
        return self._schema.errors(root) or root

    def _process_document(self, batch: sqlite3.Row, item: sqlite3.Row, facts: DocumentFacts) -> None:
        submitted_on = datetime.fromtimestamp(batch["taken_in_at"], UTC)
        findings = self._findings(facts, item["operation"], batch["tax_number"], submitted_on)
        findings += self._injected(facts.number)
        state = "ABORTED" if any(finding.result == "ERROR" for finding in findings) else "DONE"
        self._keep(item, facts, state, findings, submitted_on)

    def _findings(self, facts: DocumentFacts, operation: str, tax_number: str, submitted_on: datetime) -> list[Finding]:
        candidate = "ERROR" if self._config.candidates_block else "WARN"
        chains = ChainChecks(self._store, tax_number, candidate)
        return list(
            chain(
                check_head(facts, tax_number, submitted_on.date()),
                chains.check(facts, operation),
                check_lines(facts, operation),
                check_customer(facts, operation),
                check_vat(facts, operation),
                check_kinds(facts),
                check_vat_against_customer(facts, candidate),
                check_amounts(facts),
                chains.check_zero_after_storno(facts) if operation == "STORNO" else (),
            )
        )

    def _injected(self, number: str) -> list[Finding]:
        made = []
        for fault in self._faults.strike_document(number):
            is_abort = fault.kind is FaultKind.ABORT
            code = fault.code or ("STANDIN_ABORTED" if is_abort else "STANDIN_WARNING")
            made.append(Finding("ERROR" if is_abort else "WARN", code, "injected by the stand-in", "invoiceNumber"))
        return made

    def _keep(
        self, item: sqlite3.Row, facts: DocumentFacts, state: str, findings: list[Finding], submitted_on: datetime
    ) -> None:
        customer = facts.customer
        chain_numbers = [line.chain_number or line.number for line in facts.lines]
        vat_huf = sum((row.tax_huf for row in facts.summary), Decimal(0))
        self._store.run(
            "UPDATE item SET state = ?, business = ?, number = ?, original_number = ?, modification_index = ?,"
            " category = ?, issued_on = ?, customer_tax_number = ?, max_line = ?, vat_huf = ?, is_complete = ?,"
            " digest = ? WHERE id = ?",
            *(state, json.dumps([asdict(finding) for finding in findings]), facts.number, facts.original_number or ""),
            *(facts.modification_index, facts.category, facts.issued_on.isoformat()),
            *(customer.taxpayer_id if customer else "", max(chain_numbers, default=0), str(vat_huf)),
            *(facts.is_complete, json.dumps(digest_of(facts, submitted_on)), item["id"]),
        )

    def _process_annulments(self, batch: sqlite3.Row, items: list[sqlite3.Row], opened: list[Opened]) -> None:
        verdict = "VERIFICATION_PENDING"
        for item, tree in zip(items, opened, strict=True):
            if not isinstance(tree, etree._Element):
                self._abort_technically(item, "SCHEMA_VIOLATION", tree)
                verdict = "NOT_VERIFIABLE"
                continue
            number = required(tree, "{*}annulmentReference")
            findings = check_annulment(self._store, batch["tax_number"], number)
            if findings:
                verdict = "NOT_VERIFIABLE"
            self._store.run(
                "UPDATE item SET state = ?, business = ?, number = ? WHERE id = ?",
                *("ABORTED" if findings else "DONE", json.dumps([asdict(finding) for finding in findings])),
                *(number, item["id"]),
            )
        self._store.run("UPDATE batch SET annulment = ? WHERE seq = ?", verdict, batch["seq"])

    def _abort_technically(self, item: sqlite3.Row, code: str, messages: list[str]) -> None:
        technical = json.dumps([(code, message) for message in messages])
        self._store.run("UPDATE item SET state = 'ABORTED', technical = ? WHERE id = ?", technical, item["id"])


def _read(opened: Opened) -> Read:
    if not isinstance(opened, etree._Element):
        return "SCHEMA_VIOLATION", opened
    return read_facts(opened) or ("STANDIN_LIMIT", ["the stand-in knows no batch invoices"])
