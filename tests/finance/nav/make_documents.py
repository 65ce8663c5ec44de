"""Short ways to describe documents, and the parties and VAT treatments of the official samples."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from finance.nav.document import (
    AggregateSupply,
    Appearance,
    Category,
    Document,
    Line,
    Money,
    Operation,
    ProductCode,
    VatSummary,
)
from finance.nav.parties import (
    Buyer,
    DetailedAddress,
    DomesticTaxpayer,
    EuTaxpayer,
    SimpleAddress,
    Supplier,
    TaxNumber,
)
from finance.nav.vat import VatElement, VatTreatment

VAT_27 = VatTreatment(VatElement.PERCENTAGE, "0.27", content="0.2126")
VAT_5 = VatTreatment(VatElement.PERCENTAGE, "0.05", content="0.0476")
KBAET = VatTreatment(VatElement.EXEMPTION, "KBAET", "Áfa tv. 89. §")
TAM = VatTreatment(VatElement.EXEMPTION, "TAM", "Adómentes ÁFA tv. 86.§ (1)")

SUPPLIER = Supplier(
    tax_number=TaxNumber.parse("99999999-2-41"),
    name="Értékesítő Kft",
    address=DetailedAddress("HU", "1234", "Budapest", "Hármas", "utca", "1"),
    bank_account="12345678-12345678-12345678",
)
DOMESTIC_BUYER = DomesticTaxpayer(
    tax_number=TaxNumber.parse("99887764-2-02"),
    name="Beszerző Kft",
    address=DetailedAddress("HU", "7600", "Pécs", "Északi", "sugárút", "123"),
)
EU_BUYER = EuTaxpayer(
    community_vat_number="DE888888888",
    name="Käufer Gmbh",
    address=DetailedAddress("DE", "81543", "München", "North", "Avenue", "123"),
)

ADDRESS = SimpleAddress("CH", "8001", "Zürich", "Bahnhofstrasse 1")
DOMESTIC = DomesticTaxpayer(TaxNumber.parse("99887764-2-02"), "Vevő Kft", ADDRESS)

PORK, SALAMI, PATE = "Hűtött házi sertés (fél)", "Érlelt szalámi", "Kenőmájas"


def line(
    number: int,
    description: str,
    quantity: str,
    unit: str,
    price: str,
    amounts: tuple[str, str, str],
    *,
    vat: VatTreatment = VAT_27,
    code: tuple[str, str] | None = None,
    rate: str = "1",
) -> Line:
    """A line of a NORMAL document; `amounts` are net, VAT and gross in its currency."""
    net, tax, gross = (money(amount, rate) for amount in amounts)
    return Line(
        number,
        description,
        vat,
        net,
        tax,
        gross,
        Decimal(quantity),
        unit,
        money(price, rate),
        product_codes=(ProductCode(*code),) if code else (),
    )


def money(amount: str, rate: str = "1") -> Money:
    """An amount with its HUF value at `rate`."""
    return Money(Decimal(amount), Decimal(amount) * Decimal(rate))


def summary(vat: VatTreatment, net: str, tax: str, gross: str, rate: str = "1") -> VatSummary:
    """A summary row of a NORMAL document."""
    return VatSummary(vat, money(gross, rate), money(net, rate), money(tax, rate))


def document(
    number: str, lines: tuple[Line, ...], totals: tuple[VatSummary, ...], issued_on: date = date(2021, 5, 15)
) -> Document:
    """A plain HUF invoice to the domestic buyer."""
    return Document(
        number=number,
        operation=Operation.CREATE,
        category=Category.NORMAL,
        issued_on=issued_on,
        delivered_on=date(2021, 5, 10),
        supplier=SUPPLIER,
        buyer=DOMESTIC_BUYER,
        currency="HUF",
        exchange_rate=Decimal(1),
        lines=lines,
        summary=totals,
        due_on=date(2021, 5, 30),
        appearance=Appearance.PAPER,
    )


def single_line(vat: VatTreatment, buyer: Buyer, category: Category = Category.NORMAL) -> Document:
    """One line of 1000 under `vat`; 27 % and the like get their VAT, everything else none."""
    tax = str(1000 * Decimal(vat.value)) if vat.element is VatElement.PERCENTAGE else "0"
    gross = str(1000 + Decimal(tax))
    goods = line(1, "Áru", "1", "PIECE", "1000", ("1000", tax, gross), vat=vat)
    made = replace(document("A/1", (goods,), (summary(vat, "1000", tax, gross),)), buyer=buyer, category=category)
    if category is Category.AGGREGATE:
        return replace(made, lines=(replace(goods, aggregate=AggregateSupply(date(2021, 5, 3))),))
    return made
