"""Documents that break a rule are refused before any XML is written, with every breach named."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from finance.nav.document import BaseReference, Category, Document, Money
from finance.nav.invoice_xml import build_invoice_xml
from finance.nav.rules import DocumentNotReportable
from finance.nav.schema import NavSchema
from finance.nav.vat import VatElement, VatTreatment
from finance.nav.xml_values import InexactValue, clean_text, money_text
from tests.finance.nav.make_documents import DOMESTIC, EU_BUYER, KBAET, VAT_27, single_line, summary
from tests.finance.nav.sample_cases import plain_sale, simplified_sale, wrong_product_corrected


def _with_lines(document: Document, **changes: object) -> Document:
    return replace(document, lines=tuple(replace(line, **changes) for line in document.lines))  # type: ignore[arg-type]


def _off_by_one() -> Document:
    first, second = plain_sale().summary
    return replace(plain_sale(), summary=(first, replace(second, gross=Money.of(5527040, 5527041))))


def _with_second_reason() -> Document:
    document = single_line(KBAET, EU_BUYER)
    other = replace(document.lines[0], vat=replace(KBAET, reason="Another"))
    return replace(document, lines=(other,))


KOMP_12 = VatTreatment(VatElement.PERCENTAGE, "0.12")
CONTENT = VatTreatment(VatElement.CONTENT, "0.2126")
REVERSE_CHARGE = VatTreatment(VatElement.DOMESTIC_REVERSE_CHARGE, "true")
UNKNOWN_CASE = VatTreatment(VatElement.EXEMPTION, "XXX", "?")
UNKNOWN_MISMATCH = VatTreatment(VatElement.AMOUNT_MISMATCH, "0.27", case="SOMETHING")

REFUSED: list[tuple[str, Document]] = [
    ("refers to no base", replace(plain_sale(), base=BaseReference("X", 1))),
    ("needs the document it changes", replace(wrong_product_corrected(), base=None)),
    ("modification index", replace(wrong_product_corrected(), base=BaseReference("ZZZ000001", 0))),
    ("number in the chain is missing", replace(wrong_product_corrected(), lines=plain_sale().lines)),
    ("same number in the chain", _with_lines(wrong_product_corrected(), chain_number=6)),
    ("has no number in a chain", _with_lines(plain_sale(), chain_number=9)),
    ("needs lines", replace(plain_sale(), lines=())),
    ("line numbers must run", replace(plain_sale(), lines=plain_sale().lines[1:])),
    ("delivery date of each line", replace(plain_sale(), category=Category.AGGREGATE)),
    ("needs the gross amount", _with_lines(simplified_sale(), gross=None)),
    ("the net amount is missing", _with_lines(plain_sale(), net=None)),
    ("VAT shown under", _with_lines(single_line(KBAET, EU_BUYER), vat_amount=Money.of(1))),
    ("the buyer is missing", replace(plain_sale(), buyer=None)),
    ("the buyer has no name", replace(plain_sale(), buyer=replace(DOMESTIC, name=" \n "))),
    ("the supplier has no name", replace(plain_sale(), supplier=replace(plain_sale().supplier, name=""))),
    ("full Hungarian tax number", single_line(REVERSE_CHARGE, EU_BUYER)),
    ("community VAT number", single_line(KBAET, DOMESTIC)),
    ("exchange rate of HUF", replace(plain_sale(), exchange_rate=Decimal(2))),
    ("exchange rate must be positive", replace(plain_sale(), exchange_rate=Decimal(0))),
    ("differ from their HUF", _off_by_one()),
    ("two different reasons", _with_second_reason()),
    ("is no case of", single_line(UNKNOWN_CASE, DOMESTIC)),
    ("is no case of", single_line(UNKNOWN_MISMATCH, DOMESTIC)),
    ("cannot stand on a simplified", single_line(KOMP_12, DOMESTIC, Category.SIMPLIFIED)),
    ("simplified invoice only", single_line(CONTENT, DOMESTIC)),
    ("summary is empty", replace(plain_sale(), summary=())),
    ("VAT summed up under", replace(single_line(KBAET, EU_BUYER), summary=(summary(KBAET, "1000", "1", "1001"),))),
    ("lacks net or VAT", replace(plain_sale(), summary=tuple(replace(row, net=None) for row in plain_sale().summary))),
    ("same VAT treatment", replace(plain_sale(), summary=plain_sale().summary * 2)),
    ("no summary row for", replace(plain_sale(), summary=plain_sale().summary[:1])),
    ("1 to 50 characters", replace(plain_sale(), number=" A1")),
]


@pytest.mark.parametrize(("problem", "document"), REFUSED, ids=[problem for problem, _ in REFUSED])
def test_breach_of_a_rule_is_named(problem: str, document: Document) -> None:
    with pytest.raises(DocumentNotReportable, match=problem):
        build_invoice_xml(document)


def test_all_breaches_are_named_at_once() -> None:
    document = replace(plain_sale(), buyer=None, exchange_rate=Decimal(2), number="")
    with pytest.raises(DocumentNotReportable) as caught:
        build_invoice_xml(document)
    assert len(caught.value.problems) == 3


def test_unrounded_amount_is_refused_not_rounded() -> None:
    with pytest.raises(InexactValue, match="1000.005"):
        build_invoice_xml(_with_lines(single_line(VAT_27, DOMESTIC), net=Money.of("1000.005")))


def test_trailing_zeros_beyond_two_decimals_are_exact() -> None:
    assert money_text(Decimal("12.3400")) == "12.34"
    assert money_text(Decimal("1E+3")) == "1000"
    assert money_text(Decimal("-0.5000")) == "-0.50"


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=600))
def test_any_text_makes_a_valid_report_and_reads_back(nav_schema: NavSchema, text: str) -> None:
    document = single_line(VAT_27, DOMESTIC)
    xml = build_invoice_xml(_with_lines(document, description=text))
    nav_schema.check(xml)
    assert (etree.fromstring(xml).findtext(".//{*}lineDescription") or "") == clean_text(text, 512)


@settings(max_examples=60, deadline=None)
@given(name=st.text("<>&\"'áéű]\x00\u2028 a", min_size=1, max_size=40))
def test_markup_in_a_name_stays_text(nav_schema: NavSchema, name: str) -> None:
    document = replace(single_line(VAT_27, DOMESTIC), buyer=replace(DOMESTIC, name=f"X{name}"))
    xml = build_invoice_xml(document)
    nav_schema.check(xml)
    assert etree.fromstring(xml).findtext(".//{*}customerName") == clean_text(f"X{name}", 512)


def test_same_document_gives_same_bytes() -> None:
    assert build_invoice_xml(plain_sale()) == build_invoice_xml(replace(plain_sale(), issued_on=date(2021, 5, 15)))
