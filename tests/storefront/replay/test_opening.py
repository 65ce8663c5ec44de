"""Opening stock covers every sale and not a piece more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.services.replay.opening import OpeningStock
from storefront.services.replay.rules import Invoice, Kind
from storefront.services.replay.source import Record
from storefront.services.replay.survey import take_survey

from .making import invoice, record

CODES = ("85123A", "22423", "POST")


@st.composite
def histories(draw: st.DrawFn) -> list[Invoice]:
    """Invoices of every kind that moves stock, with lines of the same few codes."""
    invoices = []
    for number in range(536_000, 536_000 + draw(st.integers(0, 12))):
        kind = draw(st.sampled_from([Kind.SALE, Kind.FREE_GOODS, Kind.ADJUSTMENT, Kind.CANCELLATION]))
        lines = draw(st.lists(st.tuples(st.sampled_from(CODES), st.integers(1, 9), st.booleans()), min_size=1))
        invoices.append(invoice(*(_record(kind, number, *line) for line in lines)))
    return invoices


def _record(kind: Kind, number: int, code: str, pieces: int, is_loss: bool) -> Record:
    match kind:
        case Kind.CANCELLATION:
            return record(f"C{number}", code, -pieces)
        case Kind.ADJUSTMENT:
            return record(str(number), code, -pieces if is_loss else pieces, "0", customer_id="")
    return record(str(number), code, pieces, "1" if kind is Kind.SALE else "0")


def balances(invoices: Iterable[Invoice], opening: dict[str, int]) -> list[Counter[str]]:
    """Return the stock before the first row and after each row, by a reading of the rules of its own."""
    stock = Counter(opening)
    found = [stock.copy()]
    for each in invoices:
        for row in each.rows:
            if row.code != "POST":
                stock[row.code] += row.quantity if each.kind is Kind.ADJUSTMENT else -row.quantity
                found.append(stock.copy())
    return found


@settings(deadline=None)
@given(histories())
def test_stock_is_never_negative_and_nothing_is_spare(invoices: list[Invoice]) -> None:
    survey = take_survey(invoices)
    found = balances(invoices, survey.opening_pieces)
    assert all(stock[code] >= 0 for stock in found for code in CODES)
    for code in CODES:
        assert survey.opening_pieces.get(code, 0) == 0 or min(stock[code] for stock in found) == 0
        assert survey.remaining_pieces.get(code, 0) == found[-1][code]


@settings(deadline=None)
@given(histories(), st.integers(0, 12))
def test_rest_of_an_interrupted_run_needs_nothing_new(invoices: list[Invoice], done: int) -> None:
    whole = take_survey(invoices)
    on_hand = balances(invoices[:done], whole.opening_pieces)[-1]
    rest = take_survey(invoices, replayed={each.number for each in invoices[:done]})
    assert all(on_hand[code] >= pieces for code, pieces in rest.opening_pieces.items())


@settings(deadline=None)
@given(histories(), st.integers(0, 12))
def test_whole_history_after_an_excerpt_is_covered_by_the_difference(invoices: list[Invoice], start: int) -> None:
    excerpt = invoices[start:]
    on_hand = balances(excerpt, take_survey(excerpt).opening_pieces)[-1]
    rest = take_survey(invoices, replayed={each.number for each in excerpt})
    stock = {code: max(on_hand[code], rest.opening_pieces.get(code, 0)) for code in CODES}
    assert all(found[code] >= 0 for found in balances(invoices[:start], stock) for code in CODES)


def test_opening_stock_is_the_lowest_point() -> None:
    stock = OpeningStock()
    stock.add(invoice(record("536365", quantity=5)))
    stock.add(invoice(record("C536366", quantity=-5)))
    stock.add(invoice(record("536367", quantity=3), record("536367", quantity=4)))
    stock.add(invoice(record("536368", quantity=20, unit_price="0", customer_id="")))
    assert stock.needed() == {"85123A": 7}
    assert stock.remaining() == {"85123A": 20}


def test_rejected_and_bad_debt_invoices_move_nothing() -> None:
    stock = OpeningStock()
    stock.add(invoice(record(quantity="x"), record()))
    stock.add(invoice(record("A536366")))
    assert stock.needed() == stock.remaining() == {}


def test_opening_stock_is_received_the_day_before() -> None:
    survey = take_survey([invoice(record(invoice_date="2011-01-01 08:00:00"))])
    assert str(survey.opening_on) == "2010-12-31"
