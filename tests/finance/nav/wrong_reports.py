"""Wrong reports, each with the steps that lead to it and the code it must get."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from finance.nav.annulment_xml import AnnulmentCode, build_annulment_xml
from finance.nav.answers import ProcessingResult
from finance.nav.client import NavClient, Submission
from finance.nav.document import BaseReference, Category, Document, Operation
from finance.nav.invoice_xml import build_invoice_xml
from finance.nav.messages import InvoiceOperation
from finance.nav.parties import PrivatePerson
from finance.nav.vat import VatElement, VatTreatment
from tests.finance.nav.make_documents import DOMESTIC, EU_BUYER, KBAET, VAT_27, single_line
from tests.finance.nav.sample_cases import base_invoice, intra_community_sale, plain_sale, wrong_product_corrected
from tests.finance.nav.stand_in_kit import NOW


@dataclass(frozen=True)
class Reporter:
    """Reports documents and tells what became of them."""

    client: NavClient

    def send(self, *items: tuple[str, bytes]) -> list[ProcessingResult]:
        """Report one batch of (operation, XML)."""
        return self.fate(self.client.manage_invoice([InvoiceOperation(*item) for item in items]))

    def annul(self, number: str) -> list[ProcessingResult]:
        """Ask for the annulment of a report."""
        xml = build_annulment_xml(number, AnnulmentCode.DATA, "wrong", NOW)
        return self.fate(self.client.manage_annulment([xml]))

    def fate(self, submission: Submission) -> list[ProcessingResult]:
        """Return the results of a batch."""
        status = self.client.query_transaction_status(submission.transaction_id)
        assert status is not None
        return list(status.results)


def create(document: Document, *changes: tuple[str, str]) -> tuple[str, bytes]:
    """A document with some of its XML replaced, to be reported under its own operation."""
    xml = build_invoice_xml(document).decode()
    for old, new in changes:
        assert old in xml, old
        xml = xml.replace(old, new)
    return document.operation, xml.encode()


Steps = Callable[[Reporter], list[ProcessingResult]]

SALE, BASE, CHANGE = plain_sale(), base_invoice(), wrong_product_corrected()
EUR_SALE = intra_community_sale()
SECOND_CHANGE = replace(
    CHANGE,
    number="ZZZ000003",
    base=BaseReference("ZZZ000001", 2),
    lines=tuple(replace(line, chain_number=7 + line.number) for line in CHANGE.lines),
)
REFERENCE = (
    "<invoiceReference><originalInvoiceNumber>ZZZ000001</originalInvoiceNumber>"
    "<modifyWithoutMaster>false</modifyWithoutMaster><modificationIndex>1</modificationIndex></invoiceReference>"
)
CHAIN_6 = (
    "<lineModificationReference><lineNumberReference>6</lineNumberReference>"
    "<lineOperation>CREATE</lineOperation></lineModificationReference>"
)
PRIVATE = replace(SALE, buyer=PrivatePerson())
VAT_DATA = (
    "<customerVatData><customerTaxNumber><base:taxpayerId>99887764</base:taxpayerId><base:vatCode>2</base:vatCode>"
    "<base:countyCode>02</base:countyCode></customerTaxNumber></customerVatData>"
)
REVERSE = single_line(VatTreatment(VatElement.DOMESTIC_REVERSE_CHARGE, "true"), DOMESTIC)
MISMATCH = single_line(VatTreatment(VatElement.AMOUNT_MISMATCH, "0.27", case="REFUNDABLE_VAT"), DOMESTIC)
EXEMPT = single_line(KBAET, EU_BUYER)
OUTSIDE = single_line(VatTreatment(VatElement.OUT_OF_SCOPE, "ATK", "Áfa tv. 2-3. §"), DOMESTIC)
SIMPLE = single_line(VAT_27, DOMESTIC, Category.SIMPLIFIED)
NORMAL = single_line(VAT_27, DOMESTIC)
STATUS = "<customerVatStatus>PRIVATE_PERSON</customerVatStatus>"
LINE_SIMPLIFIED = (
    "<lineAmountsSimplified><lineVatRate><vatContent>0.2126</vatContent></lineVatRate>"
    "<lineGrossAmountSimplified>1270</lineGrossAmountSimplified>"
    "<lineGrossAmountSimplifiedHUF>1270</lineGrossAmountSimplifiedHUF></lineAmountsSimplified>"
)


def alone(*items: tuple[str, bytes]) -> Steps:
    """Report these and nothing before."""
    return lambda reporter: reporter.send(*items)


def after(*earlier: Document) -> Callable[..., Steps]:
    """Report others first, each accepted, then the wrong one."""

    def then(*items: tuple[str, bytes]) -> Steps:
        def run(reporter: Reporter) -> list[ProcessingResult]:
            for document in earlier:
                assert [result.status for result in reporter.send(create(document))] == ["DONE"]
            return reporter.send(*items)

        return run

    return then


def storno(document: Document, **changes: object) -> tuple[str, bytes]:
    """The change, reported as a STORNO."""
    made = replace(document, operation=Operation.STORNO, **changes)  # type: ignore[arg-type]
    return create(made)


def _annulment_pending(reporter: Reporter) -> list[ProcessingResult]:
    reporter.send(create(BASE))
    reporter.annul(BASE.number)
    return reporter.send(create(CHANGE))


def _second_annulment(reporter: Reporter) -> list[ProcessingResult]:
    reporter.send(create(BASE))
    reporter.annul(BASE.number)
    return reporter.annul(BASE.number)


def _without_lines(operation: str) -> tuple[str, bytes]:
    xml = create(SALE)[1].decode()
    return operation, re.sub("<invoiceLines>.*</invoiceLines>", "", xml, flags=re.DOTALL).encode()


def _as_normal_summary() -> tuple[str, bytes]:
    xml = create(SIMPLE)[1].decode()
    normal = re.search("<summaryNormal>.*</summaryNormal>", create(NORMAL)[1].decode(), re.DOTALL)
    assert normal is not None
    return "CREATE", re.sub("<summarySimplified>.*</summarySimplified>", normal[0], xml, flags=re.DOTALL).encode()


def _simplified_line() -> tuple[str, bytes]:
    xml = create(NORMAL)[1].decode()
    pattern = "<lineAmountsNormal>.*</lineAmountsNormal>"
    return "CREATE", re.sub(pattern, LINE_SIMPLIFIED, xml, flags=re.DOTALL).encode()


def _gone(*parts: str) -> tuple[tuple[str, str], ...]:
    return tuple((part, "") for part in parts)


NAME = "<customerName>Beszerző Kft</customerName>"
TABLE: list[tuple[str, str, Steps]] = [
    ("not valid", "SCHEMA_VIOLATION", alone(create(SALE, ("<invoiceHead>", "<invoiceHead><more/>")))),
    ("twice in a request", "DUPLICATE_IN_REQUEST", alone(create(SALE), create(SALE))),
    ("another seller", "SUPPLIER_TAX_NUMBER_MISMATCH", alone(create(SALE, ("99999999</base", "99999998</base")))),
    ("number used", "INVOICE_NUMBER_NOT_UNIQUE", after(SALE)(create(SALE))),
    (
        "line number with a gap",
        "LINE_NUMBER_NOT_SEQUENTIAL",
        alone(create(SALE, ("Number>4</lineN", "Number>5</lineN"))),
    ),
    ("line number repeated", "LINE_NUMBER_NOT_SEQUENTIAL", alone(create(SALE, (">4</lineNum", ">3</lineNum")))),
    ("no lines", "INVOICE_LINE_MISSING", alone(_without_lines("CREATE"))),
    ("STORNO without lines", "INVOICE_LINE_MISSING", alone(_without_lines("STORNO"))),
    ("base unknown", "INVALID_INVOICE_REFERENCE", alone(create(CHANGE))),
    (
        "base is a change",
        "INVALID_INVOICE_REFERENCE",
        after(BASE, CHANGE)(create(replace(SECOND_CHANGE, base=BaseReference("ZZZ000002", 1)))),
    ),
    (
        "base known, flag says no",
        "MODIFY_WITHOUT_MASTER_MISMATCH",
        after(BASE)(create(replace(CHANGE, base=BaseReference("ZZZ000001", 1, is_base_unreported=True)))),
    ),
    (
        "index used",
        "MODIFICATION_INDEX_NOT_UNIQUE",
        after(BASE, CHANGE)(create(replace(SECOND_CHANGE, base=BaseReference("ZZZ000001", 1)))),
    ),
    (
        "other category",
        "INVOICE_TYPE_MISMATCH",
        after(BASE)(create(CHANGE, (">NORMAL</invoiceCategory>", ">AGGREGATE</invoiceCategory>"))),
    ),
    ("change names no base", "INVOICE_REFERENCE_EXPECTED", alone(create(CHANGE, (REFERENCE, "")))),
    (
        "first names a base",
        "INVOICE_REFERENCE_NOT_EXPECTED",
        alone(create(SALE, ("<invoice>", f"<invoice>{REFERENCE}"))),
    ),
    ("line without its place", "LINE_MODIFICATION_EXPECTED", after(BASE)(create(CHANGE, (CHAIN_6, "")))),
    (
        "line of a first report with a place",
        "LINE_MODIFICATION_NOT_EXPECTED",
        alone(create(SALE, ("<lineNumber>1</lineNumber>", f"<lineNumber>1</lineNumber>{CHAIN_6}"))),
    ),
    (
        "line is modified",
        "INVALID_LINE_OPERATION",
        after(BASE)(create(CHANGE, ("<lineOperation>CREATE", "<lineOperation>MODIFY"))),
    ),
    ("place in chain taken", "INVOICE_LINE_ALREADY_EXISTS", after(BASE)(create(CHANGE, ("ence>6<", "ence>5<")))),
    ("place given twice", "LINE_NUMBER_REFERENCE_NOT_UNIQUE", after(BASE)(create(CHANGE, ("ence>7<", "ence>6<")))),
    ("private person's name", "CUSTOMER_DATA_NOT_EXPECTED", alone(create(PRIVATE, (STATUS, f"{STATUS}{NAME}")))),
    ("company without name", "CUSTOMER_DATA_EXPECTED", alone(create(SALE, (NAME, "")))),
    ("no buyer", "CUSTOMER_INFO_MISSING", alone(create(PRIVATE, (f"<customerInfo>{STATUS}</customerInfo>", "")))),
    ("domestic without number", "MISSING_CUSTOMER_DOMESTIC_TAXNUMBER", alone(create(SALE, (VAT_DATA, "")))),
    (
        "domestic with EU number",
        "CUSTOMER_COMMUNITY_TAXNUMBER_NOT_EXPECTED",
        alone(create(EUR_SALE, (">OTHER<", ">DOMESTIC<"))),
    ),
    (
        "reverse charge without number",
        "DOMESTIC_TAXNUMBER_EXPECTED_REVERSE_CHARGE",
        alone(create(REVERSE, (VAT_DATA, ""), (">DOMESTIC<", ">OTHER<"))),
    ),
    ("rate of no table", "INVALID_VAT_DATA", alone(create(NORMAL, ("<vatPercentage>0.27", "<vatPercentage>0.26")))),
    ("old rate", "INVALID_VAT_DATA", alone(create(NORMAL, ("<vatPercentage>0.27", "<vatPercentage>0.25")))),
    (
        "mismatch of no case",
        "INVALID_VAT_DATA",
        alone(create(MISMATCH, ("<case>REFUNDABLE_VAT<", "<case>SOME_VAT<"))),
    ),
    (
        "unknown exemption on a line",
        "INVALID_LINE_VAT_EXEMPTION_CODE",
        alone(create(EXEMPT, ("<lineVatRate><vatExemption><case>KBAET", "<lineVatRate><vatExemption><case>XXX"))),
    ),
    (
        "unknown exemption in the summary",
        "INVALID_SUMMARY_VAT_EXEMPTION_CODE",
        alone(create(EXEMPT, ("<vatRate><vatExemption><case>KBAET", "<vatRate><vatExemption><case>UNKNOWN"))),
    ),
    (
        "unknown out of scope on a line",
        "INVALID_LINE_VAT_OUT_OF_SCOPE_CODE",
        alone(create(OUTSIDE, ("<lineVatRate><vatOutOfScope><case>ATK", "<lineVatRate><vatOutOfScope><case>UNKNOWN"))),
    ),
    (
        "unknown out of scope in the summary",
        "INVALID_SUMMARY_VAT_OUT_OF_SCOPE_CODE",
        alone(create(OUTSIDE, ("<vatRate><vatOutOfScope><case>ATK", "<vatRate><vatOutOfScope><case>XXX"))),
    ),
    (
        "tax content on a normal invoice",
        "INVALID_LINE_VAT_RATE_NORMAL",
        alone(create(NORMAL, ("<vatPercentage>0.27</vatPercentage>", "<vatContent>0.2126</vatContent>"))),
    ),
    (
        "percentage on a simplified invoice",
        "INVALID_LINE_VAT_RATE_SIMPLIFIED",
        alone(create(SIMPLE, ("<vatContent>0.2126</vatContent>", "<vatPercentage>0.27</vatPercentage>"))),
    ),
    ("simplified line on a normal invoice", "LINE_SUMMARY_TYPE_MISMATCH_NORMAL", alone(_simplified_line())),
    ("normal summary, simplified invoice", "LINE_SUMMARY_TYPE_MISMATCH_SIMPLIFIED", alone(_as_normal_summary())),
    ("annulment of the base pending", "ANNULMENT_IN_PROGRESS", _annulment_pending),
    ("second annulment", "ANNULMENT_IN_PROGRESS", _second_annulment),
    ("annulment of nothing", "INVALID_ANNULMENT_REFERENCE", lambda reporter: reporter.annul("NOTHING")),
    ("issued in the far future", "INVOICE_ISSUE_DATE_LATE", alone(create(replace(SALE, issued_on=date(2022, 6, 4))))),
    (
        "delivered in the far future",
        "INVOICE_DELIVERY_DATE_LATE",
        alone(create(replace(SALE, delivered_on=date(2026, 6, 1)))),
    ),
    ("blank at an end", "INVALID_INVOICE_NUMBER", alone(create(SALE, ("2021/000123<", "2021/000123 <")))),
]

WARNINGS: list[tuple[str, str, Steps]] = [
    (
        "total is not the sum",
        "INCORRECT_SUMMARY_CALCULATION_INVOICE_NET_AMOUNT",
        alone(create(SALE, ("<invoiceNetAmount>4952000<", "<invoiceNetAmount>5952000<"))),
    ),
    (
        "VAT total is not the sum",
        "INCORRECT_SUMMARY_CALCULATION_INVOICE_VAT_AMOUNT",
        alone(create(SALE, ("<invoiceVatAmount>1205040<", "<invoiceVatAmount>1505040<"))),
    ),
    (
        "rate's VAT is not its product",
        "INCORRECT_SUMMARY_CALCULATION_VAT_RATE_VAT_AMOUNT",
        alone(create(SALE, ("<vatRateVatAmount>1175040<", "<vatRateVatAmount>1275040<"))),
    ),
    (
        "rate's net is not its lines",
        "INCORRECT_SUMMARY_CALCULATION_VAT_RATE_NET_AMOUNT",
        alone(create(SALE, ("<vatRateNetAmount>600000<", "<vatRateNetAmount>700000<"))),
    ),
    (
        "line is not quantity times price",
        "INCORRECT_LINE_CALCULATION_LINE_NET_AMOUNT",
        alone(create(SALE, ("<unitPrice>800<", "<unitPrice>900<"))),
    ),
    (
        "line's gross is not net plus VAT",
        "INCORRECT_LINE_CALCULATION_LINE_GROSS_AMOUNT_NORMAL",
        alone(create(SALE, ("<lineGrossAmountNormal>40640<", "<lineGrossAmountNormal>50640<"))),
    ),
    (
        "STORNO leaves something",
        "INCONSISTENT_MODIFICATION_DATA_VATAMOUNT_NOT_ZERO",
        after(BASE)(storno(CHANGE)),
    ),
]
