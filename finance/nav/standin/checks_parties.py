"""Checks of supplier and buyer, numbers and dates."""

from collections.abc import Iterator
from datetime import date, timedelta

from finance.nav.standin.facts import CustomerFacts, DocumentFacts, Finding

_YEAR = timedelta(days=365)


def check_head(facts: DocumentFacts, tax_number: str, submitted_on: date) -> Iterator[Finding]:
    """Find what is wrong with number, dates and supplier."""
    if facts.supplier_id != tax_number:
        yield _error("SUPPLIER_TAX_NUMBER_MISMATCH", "the seller is not the taxpayer that reports", "supplierTaxNumber")
    if facts.number != facts.number.strip():
        yield _error("INVALID_INVOICE_NUMBER", "a blank at an end of the number", "invoiceNumber")
    if facts.issued_on > submitted_on + _YEAR:
        yield _error("INVOICE_ISSUE_DATE_LATE", "issued more than a year after the report", "invoiceIssueDate")
    if facts.delivered_on > facts.issued_on + 5 * _YEAR + timedelta(days=1):
        yield _error("INVOICE_DELIVERY_DATE_LATE", "delivered more than 5 years after issue", "invoiceDeliveryDate")


def check_customer(facts: DocumentFacts, operation: str) -> Iterator[Finding]:
    """Find what is wrong with the buyer's data."""
    customer = facts.customer
    if customer is None:
        if operation == "CREATE":
            yield _error("CUSTOMER_INFO_MISSING", "a first report names its buyer", "customerInfo")
        return
    if customer.status == "PRIVATE_PERSON":
        if customer.has_vat_data or customer.has_name or customer.has_address:
            yield _error("CUSTOMER_DATA_NOT_EXPECTED", "no data of a private person", "customerInfo")
    elif not (customer.has_name and customer.has_address):
        yield _error("CUSTOMER_DATA_EXPECTED", "name and address are missing", "customerInfo")
    if customer.status == "DOMESTIC":
        yield from _check_domestic(customer)
    yield from _check_reverse_charge(facts, customer)


def check_vat_against_customer(facts: DocumentFacts, result: str) -> Iterator[Finding]:
    """Find VAT cases that do not fit the buyer's status (announced as checks 581, 583)."""
    customer = facts.customer
    for case, check in (("KBAET", "CANDIDATE_581"), ("EUFAD37", "CANDIDATE_583")):
        uses = any(row.vat[1] == case for row in facts.summary)
        if uses and customer is not None and not (customer.status == "OTHER" and customer.community_number):
            yield Finding(result, check, f"{case} without a community VAT number", "customerInfo")


def _check_domestic(customer: CustomerFacts) -> Iterator[Finding]:
    if customer.community_number:
        yield _error(
            "CUSTOMER_COMMUNITY_TAXNUMBER_NOT_EXPECTED", "community number of a domestic buyer", "customerInfo"
        )
    elif customer.tax_number is None:
        yield _error("MISSING_CUSTOMER_DOMESTIC_TAXNUMBER", "a domestic buyer has a tax number", "customerInfo")


def _check_reverse_charge(facts: DocumentFacts, customer: CustomerFacts) -> Iterator[Finding]:
    for line in facts.lines:
        if line.vat and line.vat[0] == "vatDomesticReverseCharge" and not customer.has_full_tax_number:
            yield Finding(
                "ERROR",
                "DOMESTIC_TAXNUMBER_EXPECTED_REVERSE_CHARGE",
                "reverse charge without the buyer's Hungarian tax number",
                "vatDomesticReverseCharge",
                line.number,
            )


def _error(code: str, message: str, tag: str) -> Finding:
    return Finding("ERROR", code, message, tag)
