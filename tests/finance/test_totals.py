"""Whatever is invoiced: lines, rates and document add up, in net and gross prices, with 0, 2 and 3 decimals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.money import minor_units, round_money
from finance.services.documents import Document, Line, priced, totals_of
from finance.services.rates import Rate
from finance.services.sales_posting import sales_entry

RATES = [("27", Decimal(27)), ("18", Decimal(18)), ("5", Decimal(5)), ("AAM", Decimal(0))]

lines = st.lists(
    st.builds(
        lambda quantity, cents, vat: Line(
            name="x", quantity=quantity, unit_price=Decimal(cents) / 1000, vat_code=vat[0], vat_rate=vat[1]
        ),
        st.integers(1, 500),
        st.integers(-50_000, 3_000_000),
        st.sampled_from(RATES),
    ),
    min_size=1,
    max_size=25,
)
currencies = st.sampled_from(["HUF", "EUR", "KWD"])
modes = st.sampled_from(["net", "gross"])
exchange = st.decimals("0.002", "1300", places=4)


def total(amounts: object) -> Decimal:
    return sum(amounts, Decimal(0))  # type: ignore[call-overload, no-any-return]


@settings(max_examples=300, deadline=None)
@given(lines, currencies, modes, exchange)
def test_lines_rates_and_document_add_up(given_lines: list[Line], currency: str, mode: str, fx: Decimal) -> None:
    rate = Rate(fx, date(2026, 1, 1), "test")
    done = priced(given_lines, currency, mode)
    sums = totals_of(done, rate)
    for name in ("net", "vat", "gross"):
        of_document = getattr(sums, name)
        assert total(getattr(x, name) for x in done) == total(getattr(r, name) for r in sums.rates) == of_document
        assert of_document == round_money(of_document, currency)
    assert sums.net + sums.vat == sums.gross
    for r in sums.rates:
        base = r.gross * r.vat_rate / (100 + r.vat_rate) if mode == "gross" else r.net * r.vat_rate / 100
        assert r.vat == round_money(base, currency)  # VAT is computed per rate on the document's total
    assert total(sums.base_nets) == sums.base_net


@settings(max_examples=200, deadline=None)
@given(lines, currencies, modes, exchange)
def test_every_document_posts_a_balanced_entry(
    given_lines: list[Line], currency: str, mode: str, fx: Decimal
) -> None:
    rate = Rate(fx, date(2026, 1, 1), "test")
    document = Document(
        kind="invoice", series="INV", customer_id=1, customer={"country": "HU"}, issued_on=date(2026, 1, 1),
        due_on=date(2026, 1, 9), currency=currency, price_mode=mode, rate=rate,
        lines=priced(given_lines, currency, mode),
    )  # fmt: skip
    sums = totals_of(document.lines, rate)
    entry = sales_entry(document, sums, 1)
    assert total(x.amount for x in entry.lines) == 0
    assert total(x.document_amount for x in entry.lines) == 0
    vat = {x.vat_code: -x.amount for x in entry.lines if x.account == "467"}
    assert vat == {r.vat_code: r.base_vat for r in sums.rates if r.vat or r.base_vat}


@pytest.mark.parametrize(("currency", "decimals"), [("HUF", 0), ("EUR", 2), ("KWD", 3)])
def test_currencies_have_their_own_decimals(currency: str, decimals: int) -> None:
    assert minor_units(currency) == decimals
    (line,) = priced([Line("x", 1, Decimal("1.0005"), "27", Decimal(27))], currency, "net")
    assert line.net == round(Decimal("1.0005") + Decimal("0.0000001"), decimals)
