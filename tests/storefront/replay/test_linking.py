"""A cancellation takes back the earliest open sale of the same customer and product, never more than was sold."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.services.replay.documents import Correction, Order
from storefront.services.replay.linking import SaleLinker
from storefront.services.replay.planning import plan
from storefront.services.replay.rules import Invoice
from storefront.services.replay.source import Record
from storefront.services.replay.survey import take_survey

from .making import invoice, record

Credited = tuple[str | None, int | None, int]  # original, line on it, pieces


def linked(*invoices: Invoice) -> list[Credited]:
    """Return what each credit line of the history takes back."""
    linker = SaleLinker(take_survey(invoices).cancelled_pairs)
    return [
        (credit.original, line.original_line_no, line.quantity)
        for document in plan(invoices, linker)
        if isinstance(document, Correction)
        for credit in document.credits
        for line in credit.lines
    ]


def test_earliest_open_sale_is_taken_first() -> None:
    sales = [invoice(record("536365", quantity=6)), invoice(record("536366", quantity=6))]
    assert linked(*sales, invoice(record("C536367", quantity=-2))) == [("536365", 1, 2)]


def test_row_may_take_back_several_sales() -> None:
    sales = [invoice(record("536365", "22423"), record("536365", quantity=6)), invoice(record("536366", quantity=6))]
    taken = linked(*sales, invoice(record("C536367", quantity=-8)), invoice(record("C536368", quantity=-1)))
    assert taken == [("536365", 2, 6), ("536366", 1, 2), ("536366", 1, 1)]


def test_rest_has_no_original() -> None:
    taken = linked(invoice(record("536365", quantity=6)), invoice(record("C536366", quantity=-10)))
    assert taken == [("536365", 1, 6), (None, None, 4)]


def test_spellings_of_a_code_are_linked() -> None:
    taken = linked(invoice(record("536365", "85123a")), invoice(record("C536366", "85123A", -1)))
    assert taken == [("536365", 1, 1)]


def test_other_customer_or_product_is_not_linked() -> None:
    sale = invoice(record("536365", customer_id="17850"))
    assert linked(sale, invoice(record("C536366", quantity=-1, customer_id="17851"))) == [(None, None, 1)]
    assert linked(sale, invoice(record("C536366", "22423", -1))) == [(None, None, 1)]


def test_later_sale_is_not_linked() -> None:
    assert linked(invoice(record("C536365", quantity=-1)), invoice(record("536366"))) == [(None, None, 1)]


def test_row_without_customer_is_not_linked() -> None:
    sale, back = record("536365", customer_id=""), record("C536366", quantity=-1, customer_id="")
    assert linked(invoice(sale), invoice(back)) == [(None, None, 1)]


def test_price_with_fractions_of_a_penny_is_not_split() -> None:
    sale, back = record("536365", unit_price="0.001"), record("C536366", quantity=-8, unit_price="0.001")
    assert linked(invoice(sale), invoice(back)) == [(None, None, 8)]


def test_rows_are_counted_by_how_far_they_link() -> None:
    history = [
        invoice(record("536365", quantity=6)),
        invoice(record("C536366", quantity=-5), record("C536366", quantity=-5), record("C536366", quantity=-5)),
    ]
    linker = SaleLinker(take_survey(history).cancelled_pairs)
    list(plan(history, linker))
    assert (linker.linked_rows, linker.partly_linked_rows, linker.unlinked_rows) == (1, 1, 1)


@st.composite
def histories(draw: st.DrawFn) -> list[Invoice]:
    """Sales and cancellations of two customers and two products."""
    lines = st.tuples(st.sampled_from(["85123A", "22423"]), st.integers(1, 9))
    invoices = []
    for number in range(536_000, 536_000 + draw(st.integers(0, 12))):
        customer, is_sale = draw(st.sampled_from(["17850", "17851"])), draw(st.booleans())
        drawn = draw(st.lists(lines, min_size=1, max_size=4))
        invoices.append(invoice(*(_record(number, customer, is_sale, *line) for line in drawn)))
    return invoices


def _record(number: int, customer: str, is_sale: bool, code: str, pieces: int) -> Record:
    return record(str(number) if is_sale else f"C{number}", code, pieces if is_sale else -pieces, customer_id=customer)


@settings(deadline=None)
@given(histories())
def test_no_sale_line_gives_back_more_than_it_sold(invoices: list[Invoice]) -> None:
    sold: dict[tuple[str, int | None], tuple[str, str, int]] = {}
    taken: Counter[tuple[str, int | None]] = Counter()
    for document in plan(invoices, SaleLinker(take_survey(invoices).cancelled_pairs)):
        if isinstance(document, Order):
            for line in document.lines:
                key = (document.header.number, line.line_no)
                sold[key] = (document.header.customer, line.code, line.quantity)
        if isinstance(document, Correction):
            for credit in document.credits:
                for back in credit.lines:
                    if credit.original:  # a KeyError here is a link to a sale that has not happened
                        origin = (credit.original, back.original_line_no)
                        taken[origin] += back.quantity
                        assert sold[origin][:2] == (document.header.customer, back.code)
                        assert taken[origin] <= sold[origin][2]


@settings(deadline=None)
@given(histories())
def test_every_cancelled_piece_is_credited_once(invoices: list[Invoice]) -> None:
    cancelled = sum(-row.quantity for each in invoices for row in each.rows if row.quantity < 0)
    assert sum(pieces for _original, _line_no, pieces in linked(*invoices)) == cancelled


@settings(deadline=None)
@given(histories())
def test_nothing_without_original_while_a_sale_is_open(invoices: list[Invoice]) -> None:
    open_pieces: Counter[tuple[str, str]] = Counter()
    for document in plan(invoices, SaleLinker(take_survey(invoices).cancelled_pairs)):
        if isinstance(document, Order):
            for line in document.lines:
                open_pieces[document.header.customer, line.code] += line.quantity
        if isinstance(document, Correction):
            for credit in document.credits:
                for back in credit.lines:
                    pair = (document.header.customer, back.code)
                    open_pieces[pair] -= back.quantity if credit.original else 0
            without = {line.code for credit in document.credits if credit.original is None for line in credit.lines}
            assert all(open_pieces[document.header.customer, code] == 0 for code in without)
