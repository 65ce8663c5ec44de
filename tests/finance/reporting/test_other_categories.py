"""Simplified, aggregate, advance and final documents and their changes: taken in by the stand-in and reconciled."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from finance import api
from finance.errors import GrossPricesNeeded
from finance.models import Invoice, NavSubmission
from finance.nav.schema import NavSchema
from finance.serializers import VatCodeSerializer
from finance.services.corrections import correct_invoice
from finance.services.crediting import issue_credit_note
from finance.services.goods_issues import issue_collective, set_collective
from finance.services.reporting.documents import report_xml
from finance.services.reporting.draining import drain
from finance.services.reporting.reconciling import reconcile
from tests.finance.reporting.stand_in import StandInProcess
from tests.finance.reporting.test_describe_documents import customer, invoice, texts
from tests.finance.world import BOOKKEEPER, DAY, World


def credit(number: str, *pieces: tuple[int, int]) -> str:
    """A credit note over pieces of lines; without any a cancellation."""
    key = Invoice.objects.get(number=number).pk
    lines = [{"line_no": n, "quantity": q} for n, q in pieces] or None
    return str(issue_credit_note(key, actor=BOOKKEEPER, lines=lines, issued_on=DAY)["number"])


def all_done(*numbers: str) -> None:
    """Every one is reported without a warning, and the period ties out."""
    assert drain() == 0
    for found in NavSubmission.objects.filter(number__in=numbers):
        assert (found.number, found.state, found.messages) == (found.number, "done", [])
    assert reconcile(f"{DAY:%Y-%m}").differences == []


def test_simplified_invoice_and_its_change_show_gross_alone(
    books: World, nav: StandInProcess, nav_schema: NavSchema
) -> None:
    lines = ({"unit_price": "1990"}, {"unit_price": "333", "vat_code": "5"}, {"vat_code": "TAM"})
    number = invoice(customer(), *lines, is_simplified=True, price_mode="gross")
    change = credit(number, (1, 1))
    for each, gross in ((number, "5970.00"), (change, "-1990.00")):
        root = etree.fromstring(report_xml(each))
        nav_schema.check(report_xml(each))
        assert texts(root, "invoiceCategory") == ["SIMPLIFIED"]
        assert texts(root, "summarySimplified/vatContentGrossAmountHUF")[0] == gross
        assert texts(root, "summaryNormal") == []
    all_done(number, change)


def test_simplified_invoice_needs_gross_prices(books: World) -> None:
    with pytest.raises(GrossPricesNeeded):
        invoice(customer(), is_simplified=True)


@pytest.mark.parametrize("currency", ["HUF", "EUR"])
def test_collective_invoice_has_each_delivery_with_its_day(
    books: World, nav: StandInProcess, nav_schema: NavSchema, currency: str
) -> None:
    buyer = customer(currency=currency)
    books.receive(books.mug, 10, "600")
    set_collective(buyer, is_collective=True)
    for day in (date(2026, 3, 2), date(2026, 3, 5)):
        line = books.product_line(books.mug, 2, "1000")
        api.invoice_goods_issue(books.issue(line, customer_id=buyer, issued_on=day, currency=currency))
    (made,) = issue_collective(buyer, date(2026, 3, 1), DAY, actor=BOOKKEEPER, issued_on=DAY)
    number = str(made["number"])
    root = etree.fromstring(report_xml(number))
    nav_schema.check(report_xml(number))
    assert texts(root, "invoiceCategory") == ["AGGREGATE"]
    assert texts(root, "lineDeliveryDate") == ["2026-03-02", "2026-03-05"]
    assert len(texts(root, "deliveryNote")) == 2
    assert texts(root, "lineExchangeRate") == (["390", "390"] if currency == "EUR" else [])
    change = credit(number, (1, 1))
    all_done(number, change)


def test_advance_final_and_their_changes_are_reported(books: World, nav: StandInProcess, nav_schema: NavSchema) -> None:
    buyer = customer()
    advance = invoice(buyer, {"name": "Előleg", "quantity": 1, "unit_price": "5000"}, kind="advance")
    key = Invoice.objects.get(number=advance).pk
    api.record_payment({"invoice_id": key, "amount": Decimal(6350), "received_on": DAY}, actor=BOOKKEEPER)
    off = {"name": "Előleg", "quantity": 1, "unit_price": "-2000", "advance_invoice_id": key}
    final = invoice(buyer, {"unit_price": "3000"}, off, kind="final")
    root = etree.fromstring(report_xml(final))
    nav_schema.check(report_xml(final))
    assert texts(root, "advanceOriginalInvoice") == [advance]
    assert texts(root, "advancePaymentDate") == [DAY.isoformat()]
    assert texts(etree.fromstring(report_xml(advance)), "advanceIndicator") == ["true"]
    all_done(advance, final)


def test_corrections_of_every_category_are_reported_and_tie_out(
    books: World, nav: StandInProcess, nav_schema: NavSchema
) -> None:
    """Price up and down, quantity, VAT code, another product: of simplified, collective, advance and euro invoices."""
    buyer = customer()
    books.receive(books.mug, 10, "600")
    set_collective(buyer, is_collective=True)
    for day in (date(2026, 3, 2), date(2026, 3, 5)):
        api.invoice_goods_issue(books.issue(books.product_line(books.mug, 2, "1000"), customer_id=buyer, issued_on=day))
    (collective,) = issue_collective(buyer, date(2026, 3, 1), DAY, actor=BOOKKEEPER, issued_on=DAY)
    advance = {"name": "Előleg", "quantity": 1, "unit_price": "5000"}
    swapped = {"name": "Korsó", "quantity": 3, "unit_price": "1000", "vat_code": "27"}
    prices = ({"unit_price": "1234.56"}, {"unit_price": "990"})
    cases = {
        "SIMPLIFIED": (invoice(buyer, {}, is_simplified=True, price_mode="gross"), (*prices, {"vat_code": "5"})),
        "AGGREGATE": (str(collective["number"]), (*prices, {"quantity": 1})),
        "advance": (invoice(buyer, advance, kind="advance"), prices),
        "gross": (invoice(buyer, {}, price_mode="gross"), (*prices, {"quantity": 5})),
        "NORMAL": (invoice(customer(), {"unit_price": "9.99"}, currency="EUR"), ({"quantity": 4}, {"vat_code": "18"})),
        "zero": (invoice(buyer), ({"quantity": 0, "added": [swapped]},)),
    }
    numbers = []
    for name, (base, changes) in cases.items():
        key = Invoice.objects.get(number=base).pk
        numbers.append(base)
        for change in changes:
            data = {
                "lines": [{"line_no": 1, **change}],
                "added": change.get("added"),
                "reason": "Téves",
                "issued_on": DAY,
            }
            made = str(correct_invoice(key, data, actor=BOOKKEEPER)["number"])
            nav_schema.check(report_xml(made))
            root = etree.fromstring(report_xml(made))
            assert texts(root, "invoiceCategory") == [name if name.isupper() else "NORMAL"]
            assert texts(root, "originalInvoiceNumber") == [base]
            numbers.append(made)
        numbers.append(credit(base))
    all_done(*numbers)
    endings = NavSubmission.objects.filter(number__in=numbers, invoice__kind="cancellation")
    assert {(s.operation, s.state) for s in endings} == {("STORNO", "done")}
    assert len(endings) == len(cases)


@pytest.mark.parametrize("case", ["REFUNDABLE", "NONREFUNDABLE"])
def test_vat_that_does_not_fit_its_base_is_reported_as_mismatch(
    books: World, nav: StandInProcess, nav_schema: NavSchema, case: str
) -> None:
    code = f"ELTER_{case[:3]}"
    row = {
        "code": code, "name": code, "rate": "27", "category": "rate", "nav_element": "vatAmountMismatch",
        "nav_value": f"0.27 {case}", "valid_from": "2020-01-01",
    }  # fmt: skip
    VatCodeSerializer.bulk_save([row], actor=BOOKKEEPER)
    number = invoice(customer(), {"vat_code": code}, {"vat_code": "27"})
    root = etree.fromstring(report_xml(number))
    nav_schema.check(report_xml(number))
    assert texts(root, "summaryByVatRate/vatRate/vatAmountMismatch/case") == [f"{case}_VAT"]
    change = credit(number, (1, 1))
    all_done(number, change)


def test_organisation_without_tax_number_is_reported(books: World, nav: StandInProcess) -> None:
    all_done(invoice(customer(vat_status="organisation", name="Társasház")))


def test_document_discounts_are_reported_per_line(books: World, nav: StandInProcess, nav_schema: NavSchema) -> None:
    lines = ({"discount": "100"}, {"unit_price": "500", "discount_percent": "5"})
    number = invoice(customer(), *lines, discount_percent="10", discount="50")
    root = etree.fromstring(report_xml(number))
    nav_schema.check(report_xml(number))
    off = sum(map(Decimal, texts(root, "discountValue")))
    net = sum(map(Decimal, texts(root, "lineNetAmount")))
    assert off + net == 3000 + 1500
    all_done(number)


def test_return_over_two_invoices_changes_each_by_its_own_document(books: World, nav: StandInProcess) -> None:
    books.receive(books.mug, 10, "600")
    first = books.sell(books.product_line(books.mug, 2, "1000"))
    second = books.sell(books.product_line(books.mug, 3, "1000"), order_id=first["order_id"])
    payload = books.give_back(books.product_line(books.mug, 4, "1000"), order_id=first["order_id"])
    done = api.credit_return(payload)
    assert [Decimal(d["net_total"]) for d in done["documents"]] == [-2000, -2000]
    assert api.credit_return(payload)["documents"] == done["documents"]
    bases = NavSubmission.objects.filter(number__in=[d["number"] for d in done["documents"]]).order_by("pk")
    assert [s.base_id for s in bases] == [first["id"], second["id"]]
    all_done(first["number"], second["number"], *(d["number"] for d in done["documents"]))
