"""Each invoice becomes the document that books it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from storefront.services.replay.codes import Treatment
from storefront.services.replay.documents import (
    Adjustment,
    AdjustmentLine,
    Correction,
    CreditLine,
    Document,
    EntryLine,
    Order,
    OrderLine,
    Rejected,
)
from storefront.services.replay.history import open_history
from storefront.services.replay.linking import SaleLinker
from storefront.services.replay.planning import plan
from storefront.services.replay.rows import round_penny
from storefront.services.replay.rules import Invoice, Problem
from storefront.services.replay.survey import take_survey

from .making import EXCERPT, invoice, record


def documents(*invoices: Invoice) -> list[Document]:
    return list(plan(invoices, SaleLinker(take_survey(invoices).cancelled_pairs)))


def document_of(*invoices: Invoice) -> Document:
    return documents(*invoices)[-1]


def net_of(document: Document) -> Decimal:
    """Add up what a document books in money."""
    match document:
        case Order():
            return sum((round_penny(line.quantity * line.unit_price) for line in document.lines), Decimal(0))
        case Correction():
            credited = (line for credit in document.credits for line in credit.lines)
            back = sum((round_penny(line.quantity * line.unit_price) for line in credited), Decimal(0))
            return sum((line.amount for line in document.entries), -back)
    return Decimal(0)


def test_sale_is_an_order_with_every_line() -> None:
    order = document_of(
        invoice(record(), record(stock_code="POST", description="POSTAGE", quantity=1, unit_price="18"), record())
    )
    assert isinstance(order, Order)
    assert order.header.customer == "17850"
    assert order.header.country == "GB"
    assert [(line.line_no, line.code, line.treatment) for line in order.lines] == [
        (1, "85123A", Treatment.GOODS),
        (2, "POST", Treatment.SHIPPING),
        (3, "85123A", Treatment.GOODS),
    ]


def test_discount_on_a_sale_has_a_negative_price() -> None:
    order = document_of(invoice(record(), record(stock_code="D", description="Discount", quantity=-1)))
    assert isinstance(order, Order)
    assert order.lines[1] == OrderLine(2, "D", "Discount", 1, Decimal("-2.55"), Treatment.DISCOUNT)


def test_adjustment_moves_goods_and_notes_the_rest() -> None:
    line = {"unit_price": "0", "customer_id": ""}
    adjustment = document_of(
        invoice(
            record(quantity=-43, description="damages", **line),  # type: ignore[arg-type]
            record(stock_code="DOT", quantity=1, description="", **line),  # type: ignore[arg-type]
        )
    )
    assert isinstance(adjustment, Adjustment)
    assert adjustment.lines == (AdjustmentLine(1, "85123A", -43, "damages"),)
    assert adjustment.noted == (AdjustmentLine(2, "DOT", 1, ""),)


def test_cancellation_has_one_credit_per_sale_and_entries() -> None:
    correction = document_of(
        invoice(record("536365", unit_price="2.10")),
        invoice(record("536366", "22423", 1, "10.95")),
        invoice(
            record("C536367", "22423", -1, "10.95"),
            record("C536367", quantity=-2),
            record("C536367", "POST", -1, "18", description="POSTAGE"),
            record("C536367", "S", -1, "12.95", description="SAMPLES"),
        ),
    )
    assert isinstance(correction, Correction)
    assert [credit.original for credit in correction.credits] == ["536366", "536365", None]
    assert correction.credits[1].lines == (
        CreditLine(2, "85123A", record().description, 2, Decimal("2.55"), Treatment.GOODS, 1, Decimal("2.10")),
    )
    assert correction.credits[2].lines == (
        CreditLine(3, "POST", "POSTAGE", 1, Decimal(18), Treatment.SHIPPING, None, None),
    )
    assert correction.entries == (EntryLine(4, "S", "SAMPLES", Treatment.SAMPLES, Decimal("-12.95")),)


def test_fee_without_customer_is_an_entry_alone() -> None:
    fee = document_of(invoice(record("C537600", "AMAZONFEE", -1, "1.0", customer_id="", description="AMAZON FEE")))
    assert isinstance(fee, Correction)
    assert fee.credits == ()
    assert fee.entries == (EntryLine(1, "AMAZONFEE", "AMAZON FEE", Treatment.FEE, Decimal("-1.00")),)


def test_bad_debt_is_an_entry_alone() -> None:
    debt = document_of(invoice(record("A563186", "B", 1, "-11062.06", customer_id="", description="Adjust bad debt")))
    assert isinstance(debt, Correction)
    assert debt.credits == ()
    assert debt.entries == (EntryLine(1, "B", "Adjust bad debt", Treatment.BAD_DEBT, Decimal("-11062.06")),)


def test_charge_on_a_cancellation_is_an_entry() -> None:
    charge = document_of(invoice(record("C496350", "M", 1, "373.57", description="Manual")))
    assert isinstance(charge, Correction)
    assert charge.entries == (EntryLine(1, "M", "Manual", Treatment.SERVICE, Decimal("373.57")),)


def test_rejected_invoice_names_its_problems() -> None:
    rejected = document_of(invoice(record(), record(line=3, quantity="x")))
    assert rejected == Rejected("536365", 2, (Problem(3, "Quantity 'x' is not a whole number"),))


def test_rejected_sale_cannot_be_taken_back() -> None:
    correction = document_of(
        invoice(record("536365"), record("536365", quantity="x")), invoice(record("C536366", quantity=-1))
    )
    assert isinstance(correction, Correction)
    assert [credit.original for credit in correction.credits] == [None]


def test_documents_book_every_row_and_the_whole_value(tmp_path: Path) -> None:
    with open_history(str(EXCERPT), tmp_path) as history:
        survey = take_survey(history)
        made = list(plan(history, SaleLinker(survey.cancelled_pairs)))
    assert len(made) == survey.totals.invoices == 105
    assert sum(net_of(document) for document in made) == survey.totals.net_total
    assert sum(len(_lines_of(document)) for document in made) == survey.totals.rows


def _lines_of(document: Document) -> set[int]:
    """Return the places of the rows that occur anywhere in a document."""
    match document:
        case Order():
            return {line.line_no for line in document.lines}
        case Adjustment():
            return {line.line_no for line in document.lines + document.noted}
        case Correction():
            credited = {line.line_no for credit in document.credits for line in credit.lines}
            return credited | {line.line_no for line in document.entries}
    return set()
