"""Each official InvoiceData sample, made from its business case and compared element by element."""

import csv
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from finance.nav.document import AggregateSupply, BaseReference, Category, Line, Money, Operation
from finance.nav.invoice_xml import build_invoice_xml
from finance.nav.parties import (
    Buyer,
    NonTaxableOrganisation,
    PrivatePerson,
    TaxNumber,
    ThirdCountryBuyer,
)
from finance.nav.read_back import read_report
from finance.nav.rules import DocumentNotReportable
from finance.nav.schema import NavSchema
from finance.nav.transport_means import NEW_TRANSPORT, Aircraft, NewTransportMean, Vehicle, Vessel
from finance.nav.vat import VatElement, VatTreatment, treatment_of_code
from tests.finance.nav.compare_xml import KNOWN_SLIPS, expected, flat, without_extra_gross
from tests.finance.nav.make_documents import ADDRESS, DOMESTIC, EU_BUYER, VAT_27, document, line, single_line, summary
from tests.finance.nav.official import INVOICE_SAMPLES, SHARED_NAV
from tests.finance.nav.sample_cases import CASES, base_invoice

VAT_CODES = SHARED_NAV.parent / "data" / "hu" / "vat_codes.csv"


def test_every_official_sample_has_its_case(official_files: Path) -> None:
    assert {path.stem for path in (official_files / "samples").glob("*.xml")} == set(INVOICE_SAMPLES) == set(CASES)


@pytest.mark.parametrize("sample", INVOICE_SAMPLES)
def test_case_equals_official_sample(official_files: Path, nav_schema: NavSchema, sample: str) -> None:
    xml = build_invoice_xml(CASES[sample]())
    nav_schema.check(xml)
    official = expected((official_files / "samples" / f"{sample}.xml").read_bytes(), sample)
    assert without_extra_gross(flat(xml), official) == official


@pytest.mark.parametrize("sample", list(KNOWN_SLIPS))
def test_known_slips_are_still_in_the_sample(official_files: Path, sample: str) -> None:
    raw = (official_files / "samples" / f"{sample}.xml").read_bytes()
    differing = [pair for pair in zip(flat(raw), expected(raw, sample), strict=True) if pair[0] != pair[1]]
    assert len(differing) == len(KNOWN_SLIPS[sample])


@pytest.mark.parametrize("sample", INVOICE_SAMPLES)
def test_gross_of_each_vat_row_is_net_plus_vat(sample: str) -> None:
    for row in read_report(build_invoice_xml(CASES[sample]())).totals:
        assert row.gross is not None
        assert row.net is None or row.vat is None or row.net + row.vat == row.gross


def test_every_vat_code_makes_a_valid_report(official_files: Path, nav_schema: NavSchema) -> None:
    with VAT_CODES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 22
    for row in rows:
        vat = treatment_of_code(row)
        buyer = EU_BUYER if vat.value in ("KBAET", "EUFAD37", "KBAUK") else DOMESTIC
        for category in Category:
            if category is Category.SIMPLIFIED and vat.element is VatElement.PERCENTAGE and not vat.content:
                continue  # farmer compensation has no simplified form
            made = single_line(vat, buyer, category)
            if vat.value == NEW_TRANSPORT:
                with pytest.raises(DocumentNotReportable, match="needs the new means of transport described"):
                    build_invoice_xml(made)
                mean = NewTransportMean(Vessel(Decimal(8), False, Decimal(3)))
                made = replace(made, lines=(replace(made.lines[0], new_transport_mean=mean),))
            xml = build_invoice_xml(made)
            nav_schema.check(xml)
            wanted = vat.simplified() if category is Category.SIMPLIFIED else vat
            assert [total.key for total in read_report(xml).totals] == [wanted.key], row["code"]


def test_amount_mismatch_carries_rate_and_case(nav_schema: NavSchema) -> None:
    vat = VatTreatment(VatElement.AMOUNT_MISMATCH, "0.27", case="REFUNDABLE_VAT")
    xml = build_invoice_xml(single_line(vat, DOMESTIC))
    nav_schema.check(xml)
    assert read_report(xml).totals[0].key == ("vatAmountMismatch", "0.27", "REFUNDABLE_VAT")


@pytest.mark.parametrize(
    ("buyer", "status", "numbers", "is_named"),
    [
        (PrivatePerson(), "PRIVATE_PERSON", [], False),
        (DOMESTIC, "DOMESTIC", ["customerTaxNumber"], True),
        (
            replace(
                DOMESTIC,
                tax_number=TaxNumber.parse("17777777-5-42"),
                group_member_tax_number=TaxNumber.parse("99887764-4-02"),
            ),
            "DOMESTIC",
            ["customerTaxNumber", "groupMemberTaxNumber"],
            True,
        ),
        (EU_BUYER, "OTHER", ["communityVatNumber"], True),
        (ThirdCountryBuyer("Käufer AG", ADDRESS, "CHE-123.456.789"), "OTHER", ["thirdStateTaxId"], True),
        (ThirdCountryBuyer("Käufer AG", ADDRESS), "OTHER", [], True),
        (NonTaxableOrganisation("Társasház", ADDRESS), "OTHER", [], True),
    ],
)
def test_buyer_gets_exactly_the_data_allowed(
    nav_schema: NavSchema, buyer: Buyer, status: str, numbers: list[str], is_named: bool
) -> None:
    xml = build_invoice_xml(single_line(VAT_27, buyer))
    nav_schema.check(xml)
    info = etree.fromstring(xml).find(".//{*}customerInfo")
    assert info is not None
    names = [etree.QName(element).localname for element in info.iter()]
    kinds = ("customerTaxNumber", "groupMemberTaxNumber", "communityVatNumber", "thirdStateTaxId")
    assert info.findtext("{*}customerVatStatus") == status
    assert [name for name in names if name in kinds] == numbers
    assert ("customerName" in names, "customerAddress" in names) == (is_named, is_named)


def test_storno_brings_the_chain_to_zero(nav_schema: NavSchema) -> None:
    base = base_invoice()
    back = tuple(_reversed(goods, goods.number + 5) for goods in base.lines)
    totals = (summary(VAT_27, "-5500000", "-1485000", "-6985000"),)
    storno = replace(
        base,
        number="ZZZ000003",
        operation=Operation.STORNO,
        base=BaseReference("ZZZ000001", 1),
        lines=back,
        summary=totals,
    )
    xml = build_invoice_xml(storno)
    nav_schema.check(xml)
    total = read_report(xml).totals[0]
    assert (total.net, total.vat) == (Money.of(-5500000), Money.of(-1485000))
    assert read_report(xml).original_number == "ZZZ000001"


def _reversed(goods: Line, chain_number: int) -> Line:
    assert goods.net is not None
    assert goods.quantity is not None
    net = Money(-goods.net.amount, -goods.net.huf)
    return replace(goods, net=net, quantity=-goods.quantity, vat_amount=None, gross=None, chain_number=chain_number)


def test_aggregate_in_foreign_currency_has_a_rate_per_line(nav_schema: NavSchema) -> None:
    goods = line(1, "Áru", "1", "PIECE", "100", ("100", "27", "127"), rate="400")
    made = replace(
        document(
            "A/1",
            (replace(goods, aggregate=AggregateSupply(date(2021, 5, 3), Decimal("400"))),),
            (summary(VAT_27, "100", "27", "127", "400"),),
        ),
        category=Category.AGGREGATE,
        currency="EUR",
        exchange_rate=Decimal("400"),
    )
    xml = build_invoice_xml(made)
    nav_schema.check(xml)
    assert etree.fromstring(xml).findtext(".//{*}lineExchangeRate") == "400"
    bare = replace(made, lines=(replace(goods, aggregate=AggregateSupply(date(2021, 5, 3))),))
    with pytest.raises(DocumentNotReportable, match="needs a rate per line"):
        build_invoice_xml(bare)


@pytest.mark.parametrize(
    "kind",
    [
        Vehicle(Decimal(1600), Decimal(80), Decimal(12)),
        Vessel(Decimal("7.5"), False, Decimal(3)),
        Aircraft(Decimal(1200), True, Decimal(9)),
    ],
)
def test_new_transport_mean_is_described(nav_schema: NavSchema, kind: Vehicle | Vessel | Aircraft) -> None:
    made = single_line(VatTreatment(VatElement.EXEMPTION, "KBAUK", "Áfa tv. 89. § (2)"), EU_BUYER)
    mean = NewTransportMean(kind, "Brand", "SER-1", "ENG-1", date(2021, 5, 1))
    nav_schema.check(build_invoice_xml(replace(made, lines=(replace(made.lines[0], new_transport_mean=mean),))))
