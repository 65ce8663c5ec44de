"""One rounding policy: lines sum to their VAT code, codes sum to the document, in every currency and price mode."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from erp.money import (
    DocumentTotals,
    LineInput,
    LineTotals,
    RateTotals,
    document_totals,
    minor_units,
    round_money,
    vat_of,
)

D = Decimal
CURRENCIES = st.sampled_from(["HUF", "EUR", "KWD"])
MODES = st.sampled_from(["net", "gross"])
VAT = st.sampled_from([("27", D(27)), ("18", D(18)), ("5", D(5)), ("AAM", D(0)), ("FR", D("5.5"))])


@st.composite
def document_lines(draw: st.DrawFn) -> list[LineInput]:
    """Lines as orders, invoices and credit notes have them: negative quantities and discounts included."""
    found = []
    for _ in range(draw(st.integers(1, 12))):
        code, rate = draw(VAT)
        price = draw(st.decimals(0, 100_000, places=6))
        discount = draw(st.decimals(0, 50, places=2))
        found.append(LineInput(draw(st.integers(-500, 500)), price, code, rate, discount))
    return found


def has_sums(totals: DocumentTotals, lines: list[LineInput]) -> bool:
    """Whether lines sum to their VAT code and codes to the document, amount by amount."""
    for amount in ("net", "vat", "gross"):
        for rate in totals.rates:
            members = [t for t, i in zip(totals.lines, lines, strict=True) if i.vat_code == rate.vat_code]
            if sum(getattr(t, amount) for t in members) != getattr(rate, amount):
                return False
        if sum(getattr(rate, amount) for rate in totals.rates) != getattr(totals, amount):
            return False
    return True


@given(lines=document_lines(), currency=CURRENCIES, mode=MODES)
@example(lines=[LineInput(1, D("0.5"), "27", D(27))] * 3, currency="HUF", mode="net")
@example(lines=[LineInput(1, D("1.01"), "27", D(27))] * 7, currency="EUR", mode="gross")
def test_amounts_add_up_and_have_no_smaller_unit(lines: list[LineInput], currency: str, mode: str) -> None:
    totals = document_totals(lines, currency, mode)
    assert has_sums(totals, lines)
    places = -minor_units(currency)
    parts: list[LineTotals | RateTotals | DocumentTotals] = [*totals.lines, *totals.rates, totals]
    for part in parts:
        assert part.net + part.vat == part.gross
        for amount in (part.net, part.vat, part.gross):
            assert int(amount.as_tuple().exponent) >= places


@given(lines=document_lines(), currency=CURRENCIES, mode=MODES)
def test_vat_is_that_of_the_codes_total(lines: list[LineInput], currency: str, mode: str) -> None:
    for rate in document_totals(lines, currency, mode).rates:
        base = rate.net if mode == "net" else rate.gross
        assert rate.vat == vat_of(base, rate.vat_rate, currency, mode)


@given(lines=document_lines(), currency=CURRENCIES, mode=MODES)
def test_rounding_moves_a_line_by_less_than_its_share(lines: list[LineInput], currency: str, mode: str) -> None:
    totals = document_totals(lines, currency, mode)
    unit = D(1).scaleb(-minor_units(currency))
    for line, given_line in zip(totals.lines, lines, strict=True):
        own = vat_of(line.net if mode == "net" else line.gross, given_line.vat_rate, currency, mode)
        assert abs(line.vat - own) <= unit * len(lines)


@given(lines=document_lines(), currency=CURRENCIES, mode=MODES)
def test_credit_note_of_everything_is_the_exact_opposite(lines: list[LineInput], currency: str, mode: str) -> None:
    back = [LineInput(-D(i.quantity), i.unit_price, i.vat_code, i.vat_rate, -i.discount) for i in lines]
    there, here = document_totals(lines, currency, mode), document_totals(back, currency, mode)
    assert (here.net, here.vat, here.gross) == (-there.net, -there.vat, -there.gross)
    assert [line.vat for line in here.lines] == [-line.vat for line in there.lines]


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.5", "HUF", "1"), ("-0.5", "HUF", "-1"), ("2.5", "HUF", "3"), ("1.005", "EUR", "1.01"),
        ("-1.005", "EUR", "-1.01"), ("1.0045", "KWD", "1.005"), ("1.00449", "KWD", "1.004"),
    ],
)  # fmt: skip
def test_half_a_unit_is_rounded_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert round_money(D(amount), currency) == D(rounded)


def test_residual_goes_to_the_largest_line() -> None:
    lines = [
        LineInput(1, D("0.05"), "27", D(27)),
        LineInput(1, D("0.06"), "27", D(27)),
        LineInput(1, D("0.05"), "27", D(27)),
    ]
    totals = document_totals(lines, "EUR", "net")
    assert [line.vat for line in totals.lines] == [D("0.01"), D("0.02"), D("0.01")]
    assert totals.vat == D("0.04")


def test_empty_document_is_zero_in_its_currency() -> None:
    totals = document_totals([], "EUR")
    assert (totals.lines, totals.rates, str(totals.gross)) == ((), (), "0.00")
