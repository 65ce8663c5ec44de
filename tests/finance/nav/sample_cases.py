"""The business case behind each official InvoiceData sample, as Finance would describe it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from finance.nav.document import (
    AdditionalData,
    Advance,
    AdvancePayment,
    BaseReference,
    Category,
    Discount,
    Document,
    Line,
    LineNature,
    Operation,
    PaymentMethod,
    ProductCode,
    References,
    VatSummary,
)
from finance.nav.parties import (
    PrivatePerson,
)
from finance.nav.vat import VatTreatment
from tests.finance.nav.make_documents import (
    EU_BUYER,
    KBAET,
    PATE,
    PORK,
    SALAMI,
    SUPPLIER,
    TAM,
    VAT_5,
    VAT_27,
    document,
    line,
    money,
    summary,
)


def plain_sale() -> Document:
    """Belfoldi_termekertekesites: 27 % and 5 %, the discount a line of its own."""
    lines = (
        line(1, PORK, "1500", "KILOGRAM", "400", ("600000", "30000", "630000"), vat=VAT_5, code=("VTSZ", "020312340")),
        line(2, SALAMI, "1600", "KILOGRAM", "3000", ("4800000", "1296000", "6096000"), code=("VTSZ", "16010091")),
        line(3, "Árengedmény", "1600", "KILOGRAM", "-300", ("-480000", "-129600", "-609600")),
        line(4, PATE, "40", "KILOGRAM", "800", ("32000", "8640", "40640"), code=("VTSZ", "16010010")),
    )
    totals = (
        summary(VAT_5, "600000", "30000", "630000"),
        summary(VAT_27, "4352000", "1175040", "5527040"),
    )
    return replace(
        document("2021/000123", lines, totals),
        is_utility_settlement=False,
        references=References(order_numbers=("12345678/2021",), ekaer_ids=("E123456A1B2C3D4",)),
        additional=(
            AdditionalData("X00001_MJ", "MRSZ", "Késedelmes fizetés esetén napi 1% késedelmi pótlékot számítunk fel"),
        ),
    )


def sale_to_private_person() -> Document:
    """Belfoldi_termekertekesites_maganszemelynek: small amounts rounded to forints, no buyer data."""
    lines = (
        line(1, PORK, "1.5", "KILOGRAM", "400", ("600", "30", "630"), vat=VAT_5, code=("VTSZ", "02031110")),
        line(2, SALAMI, "1.6", "KILOGRAM", "3000", ("4800", "1296", "6096"), code=("VTSZ", "16010091")),
        line(3, "Árengedmény", "1.6", "KILOGRAM", "-300", ("-480", "-130", "-610")),
        line(4, PATE, "0.04", "KILOGRAM", "800", ("32", "9", "41"), code=("VTSZ", "16010010")),
    )
    totals = (summary(VAT_5, "600", "30", "630"), summary(VAT_27, "4352", "1175", "5527"))
    return replace(
        document("2021/000123", lines, totals),
        buyer=PrivatePerson(),
        is_utility_settlement=False,
        additional=(AdditionalData("X00001_MRSZ", "MRSZ", "Megrendelés szám: 12345678/2021"),),
    )


def sale_with_line_discount() -> Document:
    """Belfoldi_termekertekesites_tetelbol_adott_engedmennyel: the discount taken off a line."""
    salami = line(2, SALAMI, "1600", "KILOGRAM", "3000", ("4320000", "1166400", "5486400"), code=("VTSZ", "16010091"))
    lines = (
        line(1, PORK, "1500", "KILOGRAM", "400", ("600000", "30000", "630000"), vat=VAT_5, code=("VTSZ", "020312340")),
        replace(salami, discount=Discount("Árengedmény", Decimal("480000"))),
        line(3, PATE, "40", "KILOGRAM", "800", ("32000", "8640", "40640"), code=("VTSZ", "16010010")),
    )
    totals = (
        summary(VAT_5, "600000", "30000", "630000"),
        summary(VAT_27, "4352000", "1175040", "5527040"),
    )
    return replace(
        document("2021/000123", lines, totals),
        additional=(AdditionalData("X00001_MRSZ", "MRSZ", "Megrendelés szám: 12345678/2020"),),
    )


def _foreign_lines(vat: VatTreatment | None, amounts: tuple[tuple[str, str, str], ...]) -> tuple[Line, ...]:
    codes = ("020312340", "16010091", "16010010")
    goods = (
        (PORK, "1500", "KILOGRAM", "2.00"),
        (SALAMI, "1600", "KILOGRAM", "10.00"),
        (PATE, "4000", "dkg", "0.03"),
    )
    rates = (vat or VAT_5, vat or VAT_27, vat or VAT_27)
    return tuple(
        line(n, name, quantity, unit, price, amounts[n - 1], vat=rates[n - 1], code=("VTSZ", codes[n - 1]), rate="310")
        for n, (name, quantity, unit, price) in enumerate(goods, start=1)
    )


def domestic_sale_in_euro() -> Document:
    """Belfoldi_devizas_szamla: every amount in EUR and in HUF."""
    lines = _foreign_lines(None, (("3000", "150", "3150"), ("16000", "4320", "20320"), ("120", "32.40", "152.40")))
    totals = (
        summary(VAT_5, "3000", "150", "3150", "310"),
        summary(VAT_27, "16120", "4352.40", "20472.40", "310"),
    )
    return replace(
        document("2021/00345", lines, totals),
        currency="EUR",
        exchange_rate=Decimal("310.00"),
        payment_method=PaymentMethod.TRANSFER,
    )


def intra_community_sale() -> Document:
    """Tagorszagi_devizas_szamla: exempt (KBAET) in EUR to a German company."""
    lines = _foreign_lines(KBAET, (("3000", "0", "3000"), ("16000", "0", "16000"), ("120", "0", "120")))
    return replace(
        document("2021/00345", lines, (summary(KBAET, "19120", "0", "19120", "310"),)),
        supplier=replace(SUPPLIER, community_vat_number="HU99999999", bank_account="HU12123456781234567812345678"),
        buyer=EU_BUYER,
        currency="EUR",
        exchange_rate=Decimal("310.00"),
        payment_method=PaymentMethod.TRANSFER,
    )


def _simplified_line(
    number: int, description: str, quantity: str, unit: str, price: str, gross: str, vat: VatTreatment, code: str
) -> Line:
    return Line(
        number,
        description,
        vat,
        gross=money(gross),
        quantity=Decimal(quantity),
        unit=unit,
        unit_price=money(price),
        nature=LineNature.PRODUCT if code else LineNature.SERVICE,
        product_codes=(ProductCode("OWN", code),) if code else (),
    )


def simplified_sale() -> Document:
    """Belfoldi_egyszerusitett_szamla: tax inside the gross amounts, one exempt line, cash accounting."""
    rent = "Ingatlan bérbeadás (Adómentes ÁFA tv. 86.§ (1) l))"
    lines = (
        _simplified_line(1, "A termék", "10", "PIECE", "1000", "10000", VAT_27, "99999999"),
        _simplified_line(2, "B termék", "20", "KILOGRAM", "200", "4000", VAT_5, "222222"),
        _simplified_line(3, "C termék", "7", "METER", "2000", "14000", VAT_27, "333333"),
        _simplified_line(4, rent, "1", "HOUR", "5000", "5000", TAM, ""),
    )
    totals = (VatSummary(VAT_27, money("24000")), VatSummary(VAT_5, money("4000")), VatSummary(TAM, money("5000")))
    return replace(
        document("EGY0001", lines, totals),
        category=Category.SIMPLIFIED,
        delivered_on=date(2021, 5, 15),
        due_on=None,
        payment_method=PaymentMethod.CARD,
        is_cash_accounting=True,
    )


def advance_invoice() -> Document:
    """Belfoldi_elolegszamla: an advance, VAT in the summary only."""
    advance = line(1, "konyhabútor előleg", "1", "PIECE", "500000", ("500000", "0", "0"))
    return replace(
        document(
            "AAA000567",
            (replace(advance, vat_amount=None, gross=None, advance=Advance()),),
            (summary(VAT_27, "500000", "135000", "635000"),),
        ),
        delivered_on=date(2021, 5, 15),
        due_on=date(2021, 5, 10),
        payment_method=PaymentMethod.TRANSFER,
        is_small_business=True,
    )


def final_invoice() -> Document:
    """Belfoldi_vegszamla: the final invoice that deducts the advance."""
    kitchen = line(1, "konyhabútor", "1", "PIECE", "600000", ("600000", "0", "0"), code=("OWN", "112166"))
    deduction = Line(
        2,
        "Előleg (AAA000567 számla)",
        VAT_27,
        money("-500000"),
        nature=None,
        is_measurable=False,
        advance=Advance(AdvancePayment("AAA000567", date(2021, 5, 10))),
    )
    return replace(
        document(
            "AAA000568",
            (replace(kitchen, vat_amount=None, gross=None), deduction),
            (summary(VAT_27, "100000", "27000", "127000"),),
            issued_on=date(2021, 6, 1),
        ),
        delivered_on=date(2021, 6, 1),
        due_on=date(2021, 6, 9),
        payment_method=PaymentMethod.TRANSFER,
        is_small_business=True,
    )


def base_invoice() -> Document:
    """Eredeti_szamla_modositasokhoz: five lines, to be modified."""
    goods = (
        ("A termék", "1", "100000", "10452408", ("100000", "27000", "127000")),
        ("B termék", "2", "200000", "22222222", ("400000", "108000", "508000")),
        ("C termék", "3", "300000", "99887764", ("900000", "243000", "1143000")),
        ("D termék", "4", "400000", "44444444", ("1600000", "432000", "2032000")),
        ("E termék", "5", "500000", "55555555", ("2500000", "675000", "3175000")),
    )
    lines = tuple(
        line(n, name, quantity, "PIECE", price, amounts, code=("OWN", code))
        for n, (name, quantity, price, code, amounts) in enumerate(goods, start=1)
    )
    totals = (summary(VAT_27, "5500000", "1485000", "6985000"),)
    return replace(document("ZZZ000001", lines, totals), payment_method=PaymentMethod.TRANSFER)


def wrong_product_corrected() -> Document:
    """Teves_termek_helyesbitese: MODIFY, line D taken back and line F sold instead."""
    back = line(1, "D termék", "-4", "PIECE", "400000", ("-1600000", "-432000", "-2032000"), code=("OWN", "44444444"))
    sold = line(2, "F termék", "1", "PIECE", "600000", ("600000", "162000", "762000"), code=("OWN", "66666666"))
    return replace(
        document(
            "ZZZ000002",
            (replace(back, chain_number=6), replace(sold, chain_number=7)),
            (summary(VAT_27, "-1000000", "-270000", "-1270000"),),
            issued_on=date(2021, 5, 20),
        ),
        operation=Operation.MODIFY,
        base=BaseReference("ZZZ000001", 1),
        payment_method=PaymentMethod.TRANSFER,
    )


CASES: dict[str, Callable[[], Document]] = {
    "Belfoldi_devizas_szamla": domestic_sale_in_euro,
    "Belfoldi_egyszerusitett_szamla": simplified_sale,
    "Belfoldi_elolegszamla": advance_invoice,
    "Belfoldi_termekertekesites": plain_sale,
    "Belfoldi_termekertekesites_maganszemelynek": sale_to_private_person,
    "Belfoldi_termekertekesites_tetelbol_adott_engedmennyel": sale_with_line_discount,
    "Belfoldi_vegszamla": final_invoice,
    "Eredeti_szamla_modositasokhoz": base_invoice,
    "Tagorszagi_devizas_szamla": intra_community_sale,
    "Teves_termek_helyesbitese": wrong_product_corrected,
}
