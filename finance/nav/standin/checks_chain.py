"""Checks of a document against what the taxpayer reported before: numbers, bases, lines of the chain."""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal

from finance.nav.standin.facts import DocumentFacts, Finding
from finance.nav.standin.store import Store

_ALIVE = "state = 'DONE' AND is_annulled = 0 AND operation <> 'ANNUL'"


def check_lines(facts: DocumentFacts, operation: str) -> Iterator[Finding]:
    """Find gaps in line numbers and line references that do not fit the operation."""
    if not facts.lines and operation != "MODIFY":
        yield Finding("ERROR", "INVOICE_LINE_MISSING", "the document has no lines", "invoiceLines")
    if [line.number for line in facts.lines] != list(range(1, len(facts.lines) + 1)):
        yield Finding("ERROR", "LINE_NUMBER_NOT_SEQUENTIAL", "line numbers must run 1, 2, 3, ...", "lineNumber")
    seen: set[int] = set()
    for line in facts.lines:
        chain = line.chain_number
        if operation == "CREATE":
            if chain is not None:
                yield _line_error("LINE_MODIFICATION_NOT_EXPECTED", "a first report has no chain", line.number)
            continue
        if chain is None:
            yield _line_error("LINE_MODIFICATION_EXPECTED", "the number in the chain is missing", line.number)
            continue
        if line.line_operation == "MODIFY":
            yield _line_error("INVALID_LINE_OPERATION", "only CREATE is accepted", line.number)
        if chain in seen:
            yield _line_error("LINE_NUMBER_REFERENCE_NOT_UNIQUE", f"{chain} is used twice", line.number)
        seen.add(chain)


class ChainChecks:
    """Checks that need the taxpayer's earlier reports."""

    def __init__(self, store: Store, tax_number: str, candidate_result: str) -> None:
        self._store = store
        self._tax_number = tax_number
        self._candidate_result = candidate_result

    def check(self, facts: DocumentFacts, operation: str) -> Iterator[Finding]:
        """Find numbers used before, unknown bases, indices and lines used before."""
        if self._alive(facts.number) is not None:
            yield Finding("ERROR", "INVOICE_NUMBER_NOT_UNIQUE", "reported before", "invoiceNumber", None, facts.number)
        if self._is_annulment_pending(facts.number):
            yield Finding("ERROR", "ANNULMENT_IN_PROGRESS", "an annulment of this number is pending", "invoiceNumber")
        if operation == "CREATE":
            if facts.original_number is not None:
                yield Finding(
                    "ERROR", "INVOICE_REFERENCE_NOT_EXPECTED", "a first report has no base", "invoiceReference"
                )
        elif facts.original_number is None:
            yield Finding("ERROR", "INVOICE_REFERENCE_EXPECTED", "the base is not named", "invoiceReference")
        else:
            yield from self._check_base(facts, facts.original_number)

    def check_zero_after_storno(self, facts: DocumentFacts) -> Iterator[Finding]:
        """Warn when the chain's VAT is not zero once this STORNO is added."""
        base = facts.original_number
        rows = self._store.rows(
            f"SELECT vat_huf FROM item WHERE tax_number = ? AND (number = ? OR original_number = ?) AND {_ALIVE}",
            *(self._tax_number, base, base),
        )
        total = sum((Decimal(row["vat_huf"]) for row in rows), facts.amount("invoiceVatAmountHUF"))
        if rows and abs(total) >= 1:
            code = "INCONSISTENT_MODIFICATION_DATA_VATAMOUNT_NOT_ZERO"
            yield Finding("WARN", code, f"the chain's VAT is {total}", "invoiceVatAmountHUF", None, str(total))

    def _check_base(self, facts: DocumentFacts, number: str) -> Iterator[Finding]:
        base = self._alive(number)
        if base is not None and base["operation"] != "CREATE":
            yield Finding("ERROR", "INVALID_INVOICE_REFERENCE", "the base is itself a change", "originalInvoiceNumber")
            return
        if base is None and not facts.without_master:
            yield Finding(
                "ERROR", "INVALID_INVOICE_REFERENCE", "the base is not known", "originalInvoiceNumber", None, number
            )
        if base is not None and facts.without_master:
            yield Finding("ERROR", "MODIFY_WITHOUT_MASTER_MISMATCH", "the base is known", "modifyWithoutMaster")
        if base is not None and base["category"] != facts.category:
            yield Finding("ERROR", "INVOICE_TYPE_MISMATCH", f"the base is {base['category']}", "invoiceCategory")
        if self._is_annulment_pending(number):
            yield Finding(
                "ERROR", "ANNULMENT_IN_PROGRESS", "an annulment of the base is pending", "originalInvoiceNumber"
            )
        yield from self._check_place_in_chain(facts, number, base)

    def _check_place_in_chain(self, facts: DocumentFacts, number: str, base: sqlite3.Row | None) -> Iterator[Finding]:
        changes = self._store.rows(
            f"SELECT operation, modification_index, max_line FROM item"
            f" WHERE tax_number = ? AND original_number = ? AND {_ALIVE}",
            *(self._tax_number, number),
        )
        if facts.modification_index in {row["modification_index"] for row in changes}:
            value = str(facts.modification_index)
            yield Finding("ERROR", "MODIFICATION_INDEX_NOT_UNIQUE", "used before", "modificationIndex", None, value)
        if any(row["operation"] == "STORNO" for row in changes):
            yield Finding(
                self._candidate_result, "CANDIDATE_1140", "the chain was ended by a STORNO", "invoiceReference"
            )
        highest = max([row["max_line"] for row in changes] + ([base["max_line"]] if base else []), default=0)
        for line in facts.lines:
            if line.chain_number is not None and line.chain_number <= highest:
                yield _line_error("INVOICE_LINE_ALREADY_EXISTS", f"the chain has {highest} lines", line.number)

    def _alive(self, number: str) -> sqlite3.Row | None:
        return self._store.first(
            f"SELECT * FROM item WHERE tax_number = ? AND number = ? AND {_ALIVE}", self._tax_number, number
        )

    def _is_annulment_pending(self, number: str) -> bool:
        found = self._store.first(
            "SELECT 1 FROM item JOIN batch USING (seq) WHERE item.tax_number = ? AND number = ? AND operation = 'ANNUL'"
            " AND state = 'DONE' AND annulment = 'VERIFICATION_PENDING'",
            *(self._tax_number, number),
        )
        return found is not None


def _line_error(code: str, message: str, line: int) -> Finding:
    return Finding("ERROR", code, message, "lineModificationReference", line)
