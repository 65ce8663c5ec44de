"""Every row has one disposition; a bad value rejects its whole invoice with the reason."""

from __future__ import annotations

from decimal import Decimal

import pytest

from storefront.services.replay.codes import Treatment, is_unknown, treatment_of
from storefront.services.replay.countries import ISO_CODES, iso_code
from storefront.services.replay.rows import BadValue, read_row
from storefront.services.replay.rules import Disposition, Invoice, Kind, disposition_of
from storefront.services.replay.source import Record

from .making import invoice, record

FREE = "0.0"


def dispositions(found: Invoice) -> list[Disposition]:
    return [disposition_of(found.kind, row) for row in found.rows]


@pytest.mark.parametrize(
    ("records", "kind", "expected"),
    [
        ([record(), record(stock_code="POST")], Kind.SALE, [Disposition.SALE, Disposition.SALE]),
        ([record(), record(unit_price=FREE)], Kind.SALE, [Disposition.SALE, Disposition.FREE_GOODS]),
        ([record(customer_id="")], Kind.SALE, [Disposition.SALE]),
        ([record(stock_code="AMAZONFEE", customer_id="")], Kind.SALE, [Disposition.SALE]),
        ([record(unit_price=FREE)], Kind.FREE_GOODS, [Disposition.FREE_GOODS]),
        ([record(unit_price=FREE, customer_id="", quantity=53)], Kind.ADJUSTMENT, [Disposition.ADJUSTMENT]),
        (
            [record(unit_price="0", customer_id="", quantity=-43), record("536365", "DOT", 1, "0", customer_id="")],
            Kind.ADJUSTMENT,
            [Disposition.ADJUSTMENT, Disposition.ADJUSTMENT_NOTED],
        ),
        (
            [record("C536379", quantity=-1), record("C536379", "POST", -1)],
            Kind.CANCELLATION,
            [Disposition.CANCELLATION] * 2,
        ),
        ([record("C536379", "D", -1)], Kind.MONEY_ONLY_CANCELLATION, [Disposition.MONEY_ONLY_CANCELLATION]),
        ([record("C536379", "BANK CHARGES", -1)], Kind.MONEY_ONLY_CANCELLATION, [Disposition.MONEY_ONLY_CANCELLATION]),
        ([record("C536379", "M", 1)], Kind.MONEY_ONLY_CANCELLATION, [Disposition.MONEY_ONLY_CANCELLATION]),
        ([record("A563186", "B", 1, "-11062.06", customer_id="")], Kind.BAD_DEBT, [Disposition.BAD_DEBT]),
    ],
)
def test_rows_are_told_apart(records: list[Record], kind: Kind, expected: list[Disposition]) -> None:
    found = invoice(*records)
    assert found.kind is kind
    assert found.problems == ()
    assert dispositions(found) == expected


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(""), "InvoiceNo '' is not 6 digits"),
        (record("536 365"), "InvoiceNo '536 365' is not 6 digits"),
        (record(stock_code="  "), "StockCode '  ' is empty"),
        (record(stock_code="X" * 41), "is empty or longer than 40 characters"),
        (record(quantity="six"), "Quantity 'six' is not a whole number"),
        (record(quantity="6.5"), "Quantity '6.5' is not a whole number"),
        (record(quantity=""), "Quantity '' is not a whole number"),
        (record(quantity="٦"), "Quantity '٦' is not a whole number"),
        (record(quantity=0), "Quantity is 0"),
        (record(unit_price="2,55"), "UnitPrice '2,55' is not a number"),
        (record(unit_price="NaN"), "UnitPrice 'NaN' is not a number"),
        (record(unit_price="1E5"), "UnitPrice '1E5' is not a number"),
        (record(unit_price="0.0000001"), "UnitPrice '0.0000001' is not a number with up to six decimals"),
        (record(quantity=99_999_999, unit_price="99999999"), "more than the books can hold"),
        (record(invoice_date="12/1/2010 8:26"), "InvoiceDate '12/1/2010 8:26' is not a date"),
        (record(invoice_date="2010-13-01 08:26:00"), "is not a date"),
        (record(invoice_date="0001-01-01 08:26:00"), "is not a date"),
        (record(customer_id="1785"), "CustomerID '1785' is not five digits"),
        (record(country=" "), "Country is empty"),
        (record(description="NUL\0"), "a value contains a NUL character"),
    ],
)
def test_bad_value_is_named(bad: Record, reason: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_row(bad)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("records", "line", "reason"),
    [
        ([record(), record(line=3, quantity="x")], 3, "Quantity 'x' is not a whole number"),
        ([record(), record(line=3, customer_id="17851")], 3, "a second customer on one invoice"),
        ([record(), record(line=3, customer_id="")], 3, "a second customer on one invoice"),
        ([record(), record(line=3, country="EIRE")], 3, "a second country on one invoice"),
        ([record(), record(line=3, quantity=-1)], 3, "a negative quantity of goods"),
        ([record(), record(line=3, unit_price="-1")], 3, "a negative price"),
        ([record("C536379", quantity=1, line=7)], 7, "a positive quantity of goods on a cancellation"),
        ([record("X536379", line=7)], 7, "no invoice begins with 'X'"),
    ],
)
def test_one_bad_line_rejects_the_invoice(records: list[Record], line: int, reason: str) -> None:
    found = invoice(*records)
    assert found.kind is Kind.REJECTED
    assert found.row_count == len(records)
    assert [problem.line for problem in found.problems] == [line]
    assert reason in found.problems[0].reason


def test_value_of_an_unreadable_row_is_kept_when_it_can_be_known() -> None:
    found = invoice(record(), record(customer_id="?", quantity=2, unit_price="0.125"), record(quantity="x"))
    assert found.unreadable_net == Decimal("0.25")
    assert len(found.rows) == 1


@pytest.mark.parametrize(
    ("quantity", "price", "net"),
    [(1, "0.001", "0.00"), (5, "0.001", "0.01"), (1, "0.125", "0.13"), (-1, "0.125", "-0.13"), (3, "2.55", "7.65")],
)
def test_row_rounds_half_up_to_the_penny(quantity: int, price: str, net: str) -> None:
    assert read_row(record("C536379", quantity=quantity, unit_price=price)).net == Decimal(net)


def test_spellings_of_a_code_are_one_code() -> None:
    assert {read_row(record(stock_code=text)).code for text in ("85123a", "85123A", " 85123A ")} == {"85123A"}


@pytest.mark.parametrize(
    ("code", "treatment"),
    [
        ("22423", Treatment.GOODS),
        ("85123A", Treatment.GOODS),
        ("15056BL", Treatment.GOODS),
        ("DCGSSBOY", Treatment.GOODS),
        ("DCGS0066P", Treatment.GOODS),
        ("POST", Treatment.SHIPPING),
        ("DOT", Treatment.SHIPPING),
        ("C2", Treatment.SHIPPING),
        ("M", Treatment.SERVICE),
        ("PADS", Treatment.SERVICE),
        ("D", Treatment.DISCOUNT),
        ("S", Treatment.SAMPLES),
        ("AMAZONFEE", Treatment.FEE),
        ("BANK CHARGES", Treatment.FEE),
        ("CRUK", Treatment.FEE),
        ("B", Treatment.BAD_DEBT),
        ("GIFT_0001_40", Treatment.VOUCHER),
        ("TEST001", Treatment.SERVICE),
    ],
)
def test_code_has_its_treatment(code: str, treatment: Treatment) -> None:
    assert treatment_of(code) is treatment
    assert is_unknown(code) == (code == "TEST001")


def test_countries_have_iso_codes() -> None:
    assert iso_code("EIRE") == "IE"
    assert iso_code("Unspecified") == iso_code("Atlantis") == "ZZ"
    assert all(len(code) == 2 and code.isupper() for code in ISO_CODES.values())
