"""An issued document of Finance as it is reported: buyer, VAT, currency, chain, discounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from lxml import etree

from admin_app import api as admin_api
from finance import api
from finance.errors import NotReportable
from finance.models import Invoice, NavSubmission
from finance.nav.schema import NavSchema
from finance.services.corrections import correct_invoice
from finance.services.crediting import issue_credit_note
from finance.services.invoicing import create_invoice
from finance.services.reporting.documents import report_xml
from tests.finance.world import BOOKKEEPER, DAY, World

ADDRESS = {"postcode": "7600", "city": "Pécs", "street": "Északi sugárút 123."}


def customer(**data: Any) -> int:
    """A new customer."""
    full = {"name": "Vevő Kft.", "country": "HU", "currency": "HUF", **ADDRESS, **data}
    return int(admin_api.register_customer(full, actor=BOOKKEEPER)["id"])


def invoice(customer_id: int, *lines: dict[str, Any], **data: Any) -> str:
    """The number of an invoice entered by hand."""
    rows = [{"name": "Bögre", "quantity": 3, "unit_price": "1000", "vat_code": "27", **line} for line in lines or ({},)]
    full = {"customer_id": customer_id, "issued_on": DAY, "currency": "HUF", "lines": rows, **data}
    return str(create_invoice(full, BOOKKEEPER)["number"])


def report(number: str, schema: NavSchema) -> etree._Element:
    """The document's report, valid by the official XSD."""
    xml = report_xml(number)
    schema.check(xml)
    return etree.fromstring(xml)


def texts(root: etree._Element, path: str) -> list[str]:
    """Texts of all elements at a path of local names."""
    return [e.text or "" for e in root.iterfind(".//" + "/".join(f"{{*}}{name}" for name in path.split("/")))]


BUYERS: list[tuple[dict[str, Any], str, dict[str, str]]] = [
    ({}, "PRIVATE_PERSON", {}),
    ({"vat_status": "domestic", "tax_number": "10987656-2-06"}, "DOMESTIC", {"taxpayerId": "10987656"}),
    (
        {"vat_status": "vat_group", "tax_number": "17781774-5-44 / 10987656-4-06", "country": "HU"},
        "DOMESTIC",
        {"customerTaxNumber/taxpayerId": "17781774", "groupMemberTaxNumber/taxpayerId": "10987656"},
    ),
    (
        {"vat_status": "eu", "tax_number": "ATU13585627", "country": "AT"},
        "OTHER", {"communityVatNumber": "ATU13585627"},
    ),
    (
        {"vat_status": "third_country", "tax_number": "CHE-123.456.789", "country": "CH", "postcode": ""},
        "OTHER", {"thirdStateTaxId": "CHE-123.456.789", "postalCode": "0000"},
    ),
    ({"vat_status": "third_country", "country": "CH"}, "OTHER", {}),
    ({"vat_status": "organisation", "name": "Társasház"}, "OTHER", {"customerName": "Társasház"}),
]  # fmt: skip


@pytest.mark.parametrize(("data", "status", "shown"), BUYERS)
def test_buyer_is_reported_with_what_is_allowed(
    books: World, nav_schema: NavSchema, data: dict[str, Any], status: str, shown: dict[str, str]
) -> None:
    number = invoice(customer(**data))
    info = report(number, nav_schema).find(".//{*}customerInfo")
    assert info is not None
    assert texts(info, "customerVatStatus") == [status]
    for path, value in shown.items():
        assert value in texts(info, path)
    assert (len(texts(info, "customerName")), len(texts(info, "customerAddress"))) == (
        (0, 0) if status == "PRIVATE_PERSON" else (1, 1)
    )


def test_buyer_without_address_is_named_as_not_reportable(books: World) -> None:
    number = invoice(customer(vat_status="domestic", tax_number="10987656-2-06", city="", street=""))
    with pytest.raises(NotReportable, match="address of the buyer lacks city, street"):
        report_xml(number)


def test_company_without_seat_at_home_is_not_reported_without_its_representative(
    books: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "COMPANY", {**settings.COMPANY, "country": "CH"})
    number = invoice(customer(), {"vat_code": "27"})
    with pytest.raises(NotReportable, match="seat is in CH: its reports must name a fiscal representative"):
        report_xml(number)


def test_every_vat_code_of_finance_becomes_its_element(books: World, nav_schema: NavSchema) -> None:
    buyer = customer(vat_status="domestic", tax_number="10987656-2-06")
    abroad = customer(vat_status="eu", tax_number="ATU13585627", country="AT")
    for code in api.list_vat_codes(DAY):
        if code["code"] == "KBAUK":  # needs a description, see test_staff_reports
            continue
        number = invoice(abroad if code["code"] in {"KBAET", "EUFAD37"} else buyer, {"vat_code": code["code"]})
        rate = report(number, nav_schema).find(".//{*}vatRate")
        assert rate is not None
        assert etree.QName(rate[0]).localname != ""
        tax = Decimal(texts(report(number, nav_schema), "invoiceVatAmountHUF")[0])
        assert tax == 3000 * code["rate"] / 100


def test_foreign_currency_has_every_amount_in_forints_as_posted(books: World, nav_schema: NavSchema) -> None:
    lines = [{"unit_price": "0.33", "vat_code": "27"}, {"unit_price": "10.01", "vat_code": "27"}, {"vat_code": "5"}]
    number = invoice(customer(), *lines, currency="EUR")
    root, issued = report(number, nav_schema), Invoice.objects.get(number=number)
    assert Decimal(texts(root, "exchangeRate")[0]) == 390
    assert Decimal(texts(root, "invoiceVatAmountHUF")[0]) == issued.base_vat_total
    assert sum(map(Decimal, texts(root, "lineNetAmountHUF"))) == issued.base_net_total
    assert sum(map(Decimal, texts(root, "lineVatAmountHUF"))) == issued.base_vat_total
    assert sum(map(Decimal, texts(root, "lineGrossAmountNormal"))) == issued.gross_total


@pytest.mark.parametrize("discount", ["0", "100"])
def test_gross_prices_are_reported_as_net(books: World, nav_schema: NavSchema, discount: str) -> None:
    number = invoice(customer(), {"unit_price": "999", "discount": discount}, price_mode="gross")
    root = report(number, nav_schema)
    price, net = Decimal(texts(root, "unitPrice")[0]), Decimal(texts(root, "lineNetAmount")[0])
    less = sum(map(Decimal, texts(root, "discountValue")), Decimal(0))
    assert abs(price * 3 - less - net) < 1
    assert Decimal(texts(root, "invoiceGrossAmount")[0]) == 2997 - Decimal(discount)


@pytest.mark.parametrize("price_mode", ["net", "gross"])
def test_what_is_left_after_a_correction_is_cancelled_at_its_price(
    books: World, nav_schema: NavSchema, price_mode: str
) -> None:
    base = invoice(customer(), {"quantity": 4, "discount": "80"}, price_mode=price_mode)
    key = Invoice.objects.get(number=base).pk
    right = {"lines": [{"line_no": 1, "unit_price": Decimal("950")}], "issued_on": DAY}
    correct_invoice(key, right, actor=BOOKKEEPER)
    root = report(issue_credit_note(key, actor=BOOKKEEPER, issued_on=DAY)["number"], nav_schema)
    (quantity,), (price,), (net,) = (
        [Decimal(t) for t in texts(root, path)]
        for path in ("line/quantity", "line/unitPrice", "line/lineAmountsNormal/lineNetAmountData/lineNetAmount")
    )
    assert quantity == -4
    assert abs(quantity * price - net) < Decimal("0.01")
    assert texts(root, "discountValue") == []


def test_credit_notes_and_cancellation_form_one_chain(books: World, nav_schema: NavSchema) -> None:
    base = invoice(customer(), {"quantity": 5}, {"name": "Tea", "vat_code": "5", "discount": "90"})
    key = Invoice.objects.get(number=base).pk
    first = issue_credit_note(key, actor=BOOKKEEPER, lines=[{"line_no": 1, "quantity": 2}], issued_on=DAY)["number"]
    last = issue_credit_note(key, actor=BOOKKEEPER, issued_on=DAY)["number"]
    chain = {s.number: (s.operation, s.modification_index) for s in NavSubmission.objects.filter(base_id=key)}
    assert chain == {first: ("MODIFY", 1), last: ("STORNO", 2)}
    total = Decimal(0)
    for number, references in ((base, []), (first, ["3"]), (last, ["4", "5"])):
        root = report(number, nav_schema)
        assert texts(root, "lineNumberReference") == references
        assert texts(root, "lineOperation") == ["CREATE"] * len(references)
        total += Decimal(texts(root, "invoiceVatAmountHUF")[0])
        if number != base:
            assert texts(root, "originalInvoiceNumber") == [base]
    assert total == 0
