"""Each official InvoiceData sample as a business case of Finance: entered, issued, and compared element by element.

Differences that are allowed, and no other (beside those of ``tests/finance/nav/compare_xml.py``):

1. Numbers of documents: Finance numbers by its own series; they are compared after putting the sample's in place.
2. Addresses: Finance keeps street, kind and number as one text, reported as ``simpleAddress``; same content.
3. Product codes: Finance reports the SKU as the company's OWN code; the samples' goods have their VTSZ number as SKU.
4. ``additionalInvoiceData``, ``ekaerIds``, ``utilitySettlementIndicator``: not made. A document's note may hold
   personal data and is not reported; Finance knows no EKAER numbers and is no utility.
5. ``paymentMethod``, ``paymentDate``, ``lineVatData`` and ``lineGrossAmountData`` are in ours where a sample leaves
   them out.
6. Quantities are whole: what a sample sells as 1.5 kg is sold as 1500 g; quantity times price is the same.
7. The text of an exemption's ``reason`` comes from the table of VAT codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from admin_app import api as admin_api
from finance import api
from finance.models import Invoice
from finance.nav.schema import NavSchema
from finance.services.corrections import correct_invoice
from finance.services.invoicing import create_invoice
from finance.services.reporting.documents import report_xml
from tests.finance.nav.compare_xml import Flat, expected, flat, without_extra_gross
from tests.finance.nav.official import INVOICE_SAMPLES
from tests.finance.world import BOOKKEEPER, World

COMPANY = {
    "name": "Értékesítő Kft", "tax_number": "99999999-2-41", "country": "HU", "postcode": "1234", "city": "Budapest",
    "street": "Hármas utca 1", "bank_account": "12345678-12345678-12345678", "email": "a@example.com",
}  # fmt: skip
BUYER = {
    "vat_status": "domestic", "name": "Beszerző Kft", "tax_number": "99887764-2-02", "country": "HU",
    "postcode": "7600", "city": "Pécs", "street": "Északi sugárút 123",
}  # fmt: skip
PERSON = {**BUYER, "vat_status": "private", "name": "Kiss Anna", "tax_number": ""}
GERMAN = {
    "vat_status": "eu", "name": "Käufer Gmbh", "tax_number": "DE888888888", "country": "DE", "postcode": "81543",
    "city": "München", "street": "North Avenue 123",
}  # fmt: skip
PORK, SALAMI, PATE = "Hűtött házi sertés (fél)", "Érlelt szalámi", "Kenőmájas"


@contextmanager
def company(**changes: Any) -> Iterator[None]:
    """The seller of the samples, on paper."""
    before, appearance = settings.COMPANY, settings.NAV["appearance"]
    settings.COMPANY = {**COMPANY, **changes}
    settings.NAV["appearance"] = "PAPER"
    try:
        yield
    finally:
        settings.COMPANY = before
        settings.NAV["appearance"] = appearance


def line(name: str, quantity: int, price: str, vat: str = "27", sku: str = "", **more: Any) -> dict[str, Any]:
    """A line of an invoice entered by hand."""
    return {"name": name, "quantity": quantity, "unit_price": price, "vat_code": vat, "sku": sku, "unit": "kg", **more}


def sell(*lines: dict[str, Any], buyer: dict[str, str] | None = None, **data: Any) -> str:
    """Issue an invoice; the samples' days unless others are given."""
    customer = admin_api.register_customer({"name": "Vevő", "country": "HU", "currency": "HUF"}, actor=BOOKKEEPER)
    full = {
        "customer_id": customer["id"], "lines": list(lines), "bill_to": buyer or BUYER, "issued_on": date(2021, 5, 15),
        "fulfilled_on": date(2021, 5, 10), "due_on": date(2021, 5, 30), **data,
    }  # fmt: skip
    return str(create_invoice(full, BOOKKEEPER)["number"])


def plain_sale() -> str:
    return sell(
        line(PORK, 1500, "400", "5", "020312340"), line(SALAMI, 1600, "3000", sku="16010091"),
        line("Árengedmény", 1600, "-300"), line(PATE, 40, "800", sku="16010010"), order_number="12345678/2021",
    )  # fmt: skip


def sale_to_private_person() -> str:
    return sell(
        line(PORK, 1500, "0.4", "5", "02031110", unit="g"), line(SALAMI, 1600, "3", sku="16010091", unit="g"),
        line("Árengedmény", 1600, "-0.3", unit="g"), line(PATE, 40, "0.8", sku="16010010", unit="g"), buyer=PERSON,
    )  # fmt: skip


def sale_with_line_discount() -> str:
    return sell(
        line(PORK, 1500, "400", "5", "020312340"), line(SALAMI, 1600, "3000", sku="16010091", discount="480000"),
        line(PATE, 40, "800", sku="16010010"),
    )  # fmt: skip


def in_euro(codes: tuple[str, str, str], buyer: dict[str, str]) -> str:
    lines = (
        line(PORK, 1500, "2", codes[0], "020312340"), line(SALAMI, 1600, "10", codes[1], "16010091"),
        line(PATE, 4000, "0.03", codes[2], "16010010", unit="dkg"),
    )  # fmt: skip
    return sell(*lines, buyer=buyer, currency="EUR")


def simplified_sale() -> str:
    rent = "Ingatlan bérbeadás (Adómentes ÁFA tv. 86.§ (1) l))"
    return sell(
        line("A termék", 10, "1000", sku="99999999", unit="pcs"), line("B termék", 20, "200", "5", "222222"),
        line("C termék", 7, "2000", sku="333333", unit="m"),
        line(rent, 1, "5000", "TAM", unit="h", product_class="service"),
        is_simplified=True, price_mode="gross", payment_method="card", fulfilled_on=date(2021, 5, 15),
    )  # fmt: skip


def advance_invoice() -> str:
    return sell(
        line("konyhabútor előleg", 1, "500000", unit="pcs"), kind="advance", fulfilled_on=date(2021, 5, 15),
        due_on=date(2021, 5, 10),
    )  # fmt: skip


def final_invoice() -> str:
    advance = Invoice.objects.get(number=advance_invoice())
    paid = {"invoice_id": advance.pk, "amount": Decimal(635000), "received_on": date(2021, 5, 10)}
    api.record_payment(paid, actor=BOOKKEEPER)
    deduction = line("Előleg (AAA000567 számla)", 1, "-500000", advance_invoice_id=advance.pk)
    return sell(
        line("konyhabútor", 1, "600000", sku="112166", unit="pcs"), deduction, customer_id=advance.customer_id,
        kind="final", issued_on=date(2021, 6, 1), fulfilled_on=date(2021, 6, 1), due_on=date(2021, 6, 9),
    )  # fmt: skip


def base_invoice() -> str:
    goods = (("A", "10452408"), ("B", "22222222"), ("C", "99887764"), ("D", "44444444"), ("E", "55555555"))
    return sell(
        *(line(f"{x} termék", n, f"{n}00000", sku=sku, unit="pcs") for n, (x, sku) in enumerate(goods, start=1))
    )


def wrong_product_corrected() -> str:
    key = Invoice.objects.get(number=base_invoice()).pk
    correction = {
        "lines": [{"line_no": 4, "quantity": 0}], "added": [line("F termék", 1, "600000", sku="66666666", unit="pcs")],
        "issued_on": date(2021, 5, 20), "due_on": date(2021, 5, 30),
    }  # fmt: skip
    return str(correct_invoice(key, correction, actor=BOOKKEEPER)["number"])


SMALL = {"is_small_business": True}
CASES: dict[str, tuple[Callable[[], str], dict[str, Any]]] = {
    "Belfoldi_devizas_szamla": (lambda: in_euro(("5", "27", "27"), BUYER), {}),
    "Belfoldi_egyszerusitett_szamla": (simplified_sale, {"is_cash_accounting": True}),
    "Belfoldi_elolegszamla": (advance_invoice, SMALL),
    "Belfoldi_termekertekesites": (plain_sale, {}),
    "Belfoldi_termekertekesites_maganszemelynek": (sale_to_private_person, {}),
    "Belfoldi_termekertekesites_tetelbol_adott_engedmennyel": (sale_with_line_discount, {}),
    "Belfoldi_vegszamla": (final_invoice, SMALL),
    "Eredeti_szamla_modositasokhoz": (base_invoice, {}),
    "Tagorszagi_devizas_szamla": (
        lambda: in_euro(("KBAET",) * 3, GERMAN),
        {"bank_account": "HU12123456781234567812345678"},
    ),
    "Teves_termek_helyesbitese": (wrong_product_corrected, {}),
}

NOT_MADE = ("additionalInvoiceData", "ekaerIds", "utilitySettlementIndicator")
ALSO_OURS = ("paymentMethod", "lineVatData", "lineGrossAmountData", "paymentDate")
NUMBERS = ("invoiceNumber", "originalInvoiceNumber", "advanceOriginalInvoice")
MEASURES = ("quantity", "unitOfMeasure", "unitOfMeasureOwn", "unitPrice", "unitPriceHUF")
TEXTS_OF_THE_TABLE = ("reason", "productCodeCategory")


@pytest.fixture(scope="module")
def priced_euro(books: World) -> World:
    api.save_exchange_rates([{"currency": "EUR", "rate_on": date(2021, 1, 1), "rate": "310", "source": "sample"}])
    return books


def test_every_official_sample_has_its_case() -> None:
    assert set(CASES) == set(INVOICE_SAMPLES)


@pytest.mark.parametrize("sample", INVOICE_SAMPLES)
def test_case_of_finance_equals_official_sample(
    priced_euro: World, official_files: Path, nav_schema: NavSchema, sample: str
) -> None:
    make, changes = CASES[sample]
    with company(**changes):
        xml = report_xml(make())
    nav_schema.check(xml)
    official = expected((official_files / "samples" / f"{sample}.xml").read_bytes(), sample)
    ours = without_extra_gross(flat(xml), official)
    assert reduced(ours, official, sample) == reduced(official, ours, sample)


def reduced(mine: Flat, other: Flat, sample: str) -> Flat:
    """The elements that must be equal, with the allowed differences taken away."""
    there = {path for path, _ in other}
    kept: Flat = []
    street: list[str] = []
    for path, value in mine:
        name = path.rsplit(":", 1)[-1].split("[", maxsplit=1)[0]
        parts = {part.split("[", maxsplit=1)[0].split(":")[-1] for part in path.split("/")}
        if parts & set(NOT_MADE) or (parts & set(ALSO_OURS) and path not in there):
            continue
        if name in ("streetName", "publicPlaceCategory", "number"):
            street.append(value)
            continue
        if street:
            kept.append(("street", " ".join(street)))
            street = []
        kept.append(_plain(path, name, value, sample))
    return [row for row in kept if row[0] != ""]


def _plain(path: str, name: str, value: str, sample: str) -> tuple[str, str]:
    if name == "additionalAddressDetail":
        return "street", value
    if name in NUMBERS:
        return path, "a number"
    if name in TEXTS_OF_THE_TABLE:
        return path, "as the table says"
    if sample.endswith("maganszemelynek") and name in MEASURES:
        return "", ""
    return re.sub(r"(detailed|simple)Address", "address", path), value


def test_quantities_in_grams_sell_the_same(priced_euro: World, official_files: Path) -> None:
    with company():
        ours = dict(flat(report_xml(sale_to_private_person())))
    sample = "Belfoldi_termekertekesites_maganszemelynek"
    theirs = dict(expected((official_files / "samples" / f"{sample}.xml").read_bytes(), sample))
    paths = [path for path in theirs if path.endswith(":quantity[1]")]
    assert len(paths) == 4
    for path in paths:
        price = path.replace(":quantity", ":unitPrice")
        assert Decimal(ours[path]) * Decimal(ours[price]) == Decimal(theirs[path]) * Decimal(theirs[price])
