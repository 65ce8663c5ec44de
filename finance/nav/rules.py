"""Rules of the NAV that the XSD cannot express, checked before a document is written as XML.

A document that breaks one would come back ABORTED; here it is refused with all breaches at once.
"""

from collections.abc import Iterator

from finance.nav.document import Category, Document, Line, Operation
from finance.nav.parties import DomesticTaxpayer, EuTaxpayer, PrivatePerson
from finance.nav.transport_means import NEW_TRANSPORT
from finance.nav.vat import EXEMPTION_CASES, MISMATCH_CASES, OUT_OF_SCOPE_CASES, VatElement, VatTreatment
from finance.nav.xml_values import clean_text

_NEEDS_COMMUNITY_NUMBER = frozenset({"KBAET", "EUFAD37"})


class DocumentNotReportable(Exception):
    """An issued document breaks rules of the report; `problems` names each."""

    def __init__(self, number: str, problems: list[str]) -> None:
        super().__init__(f"{number}: {'; '.join(problems)}")
        self.number = number
        self.problems = problems


def check_document(document: Document) -> None:
    """Raise `DocumentNotReportable` with every rule the document breaks."""
    problems = [
        *_number_problems(document),
        *_chain_problems(document),
        *_line_problems(document),
        *_buyer_problems(document),
        *_currency_problems(document),
        *_vat_problems(document),
        *_summary_problems(document),
    ]
    if problems:
        raise DocumentNotReportable(document.number, problems)


def _number_problems(document: Document) -> Iterator[str]:
    if not document.number or document.number != clean_text(document.number, 50):
        yield "the number must have 1 to 50 characters on one line, no blank at an end"
    if not clean_text(document.supplier.name, 512):
        yield "the supplier has no name"


def _chain_problems(document: Document) -> Iterator[str]:
    is_first = document.operation is Operation.CREATE
    if is_first and document.base:
        yield "a CREATE refers to no base"
    if not is_first and not document.base:
        yield f"a {document.operation} needs the document it changes"
    if document.base and document.base.modification_index < 1:
        yield "the modification index starts at 1"
    for line in document.lines:
        if is_first and line.chain_number is not None:
            yield f"line {line.number}: a CREATE has no number in a chain"
        if not is_first and line.chain_number is None:
            yield f"line {line.number}: its number in the chain is missing"
    chain = [line.chain_number for line in document.lines if line.chain_number is not None]
    if len(set(chain)) != len(chain):
        yield "two lines have the same number in the chain"


def _line_problems(document: Document) -> Iterator[str]:
    if not document.lines and document.operation is not Operation.MODIFY:
        yield f"a {document.operation} needs lines"
    if [line.number for line in document.lines] != list(range(1, len(document.lines) + 1)):
        yield "line numbers must run 1, 2, 3, ..."
    for line in document.lines:
        yield from (f"line {line.number}: {problem}" for problem in _amount_problems(line, document))
        if document.category is Category.AGGREGATE and line.aggregate is None:
            yield f"line {line.number}: an aggregate invoice needs the delivery date of each line"
        if line.vat.value == NEW_TRANSPORT and line.new_transport_mean is None:
            yield f"line {line.number}: {NEW_TRANSPORT} needs the new means of transport described"


def _amount_problems(line: Line, document: Document) -> Iterator[str]:
    if document.category is Category.SIMPLIFIED and line.gross is None:
        yield "a simplified invoice needs the gross amount"
    if document.category is not Category.SIMPLIFIED and line.net is None:
        yield "the net amount is missing"
    if line.vat_amount and not line.vat.is_taxed and (line.vat_amount.amount or line.vat_amount.huf):
        yield f"VAT shown under {line.vat.value}"


def _buyer_problems(document: Document) -> Iterator[str]:
    buyer = document.buyer
    keys = {row.vat.value for row in document.summary} | {line.vat.value for line in document.lines}
    elements = {row.vat.element for row in document.summary} | {line.vat.element for line in document.lines}
    if buyer is None:
        if document.operation is Operation.CREATE:
            yield "the buyer is missing"
        return
    if not isinstance(buyer, PrivatePerson) and not clean_text(buyer.name, 512):
        yield "the buyer has no name"
    if VatElement.DOMESTIC_REVERSE_CHARGE in elements and not (
        isinstance(buyer, DomesticTaxpayer) and buyer.tax_number.vat_code and buyer.tax_number.county_code
    ):
        yield "domestic reverse charge needs the buyer's full Hungarian tax number"
    wrong = sorted(keys & _NEEDS_COMMUNITY_NUMBER)
    if wrong and not isinstance(buyer, EuTaxpayer):
        yield f"{', '.join(wrong)} needs the buyer's community VAT number"


def _currency_problems(document: Document) -> Iterator[str]:
    if document.exchange_rate <= 0:
        yield "the exchange rate must be positive"
    if document.currency == "HUF":
        if document.exchange_rate != 1:
            yield "the exchange rate of HUF is 1"
        pairs = [money for row in document.summary for money in (row.net, row.vat_amount, row.gross) if money]
        if any(money.amount != money.huf for money in pairs):
            yield "amounts of a HUF document differ from their HUF amounts"
    elif document.category is Category.AGGREGATE:
        for line in document.lines:
            if line.aggregate and line.aggregate.exchange_rate is None:
                yield f"line {line.number}: an aggregate invoice in {document.currency} needs a rate per line"


def _vat_problems(document: Document) -> Iterator[str]:
    reasons: dict[tuple[VatElement, str], str] = {}
    for vat in [row.vat for row in document.summary] + [line.vat for line in document.lines]:
        yield from _treatment_problems(vat, document.category)
        if reasons.setdefault((vat.element, vat.value), vat.reason) != vat.reason:
            yield f"{vat.value} has two different reasons"


def _treatment_problems(vat: VatTreatment, category: Category) -> Iterator[str]:
    allowed = {VatElement.EXEMPTION: EXEMPTION_CASES, VatElement.OUT_OF_SCOPE: OUT_OF_SCOPE_CASES}
    if vat.element in allowed and vat.value not in allowed[vat.element]:
        yield f"{vat.value} is no case of {vat.element}"
    if vat.element is VatElement.AMOUNT_MISMATCH and vat.case not in MISMATCH_CASES:
        yield f"{vat.case or 'an empty text'} is no case of {vat.element}"
    if category is not Category.SIMPLIFIED and vat.element is VatElement.CONTENT:
        yield "tax content belongs on a simplified invoice only"
    if category is Category.SIMPLIFIED and vat.element is VatElement.PERCENTAGE and not vat.content:
        yield f"rate {vat.value} cannot stand on a simplified invoice"


def _summary_problems(document: Document) -> Iterator[str]:
    keys = [row.vat.key for row in document.summary]
    if not keys:
        yield "the VAT summary is empty"
    if len(set(keys)) != len(keys):
        yield "two summary rows have the same VAT treatment"
    for key in sorted({line.vat.key for line in document.lines} - set(keys)):
        yield f"no summary row for {key[1]}"
    for row in document.summary:
        if document.category is not Category.SIMPLIFIED and (row.net is None or row.vat_amount is None):
            yield f"the summary of {row.vat.value} lacks net or VAT"
        if row.vat_amount and not row.vat.is_taxed and (row.vat_amount.amount or row.vat_amount.huf):
            yield f"VAT summed up under {row.vat.value}"
