"""Turns each invoice of a history into the document that is booked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from .codes import JOURNAL_TREATMENTS, treatment_of
from .countries import iso_code
from .documents import (
    Adjustment,
    AdjustmentLine,
    Correction,
    Credit,
    CreditLine,
    Document,
    EntryLine,
    Header,
    Order,
    OrderLine,
    Rejected,
)
from .linking import SaleLinker
from .masters import customer_key
from .rows import Row, round_penny
from .rules import ORDER_KINDS, Invoice, Kind, is_goods


def plan(invoices: Iterable[Invoice], linker: SaleLinker) -> Iterator[Document]:
    """Yield one document per invoice, in the same order.

    Give it every invoice, also those already replayed: the linker must have seen all sales and cancellations
    before the one it links.
    """
    for invoice in invoices:
        yield _document(invoice, linker)


def _document(invoice: Invoice, linker: SaleLinker) -> Document:
    if invoice.kind is Kind.REJECTED:
        return Rejected(invoice.number, invoice.row_count, invoice.problems)
    if invoice.kind in ORDER_KINDS:
        linker.open_sale(invoice)
        return _order(invoice)
    if invoice.kind is Kind.ADJUSTMENT:
        return _adjustment(invoice)
    return _correction(invoice, linker)


def _header(invoice: Invoice) -> Header:
    return Header(
        number=invoice.number,
        kind=invoice.kind,
        at=invoice.invoiced_at,
        customer=customer_key(invoice),
        country=iso_code(invoice.country),
    )


def _order(invoice: Invoice) -> Order:
    lines = (
        OrderLine(
            line_no=line_no,
            code=row.code,
            name=row.description,
            quantity=abs(row.quantity),
            unit_price=row.unit_price if row.quantity > 0 else -row.unit_price,
            treatment=treatment_of(row.code),
        )
        for line_no, row in enumerate(invoice.rows, start=1)
    )
    return Order(_header(invoice), tuple(lines))


def _adjustment(invoice: Invoice) -> Adjustment:
    lines: list[AdjustmentLine] = []
    noted: list[AdjustmentLine] = []
    for line_no, row in enumerate(invoice.rows, start=1):
        line = AdjustmentLine(line_no, row.code, row.quantity, row.description)
        (lines if is_goods(row) else noted).append(line)
    return Adjustment(_header(invoice), tuple(lines), tuple(noted))


def _correction(invoice: Invoice, linker: SaleLinker) -> Correction:
    credited: dict[str | None, list[CreditLine]] = {}
    entries: list[EntryLine] = []
    for line_no, row in enumerate(invoice.rows, start=1):
        if _is_journal(invoice.kind, row):
            entries.append(EntryLine(line_no, row.code, row.description, treatment_of(row.code), row.net))
            continue
        for original, line in _credit_lines(invoice.customer, line_no, row, linker):
            credited.setdefault(original, []).append(line)
    credits = tuple(Credit(original, tuple(lines)) for original, lines in credited.items())
    return Correction(_header(invoice), credits, tuple(entries))


def _is_journal(kind: Kind, row: Row) -> bool:
    """Tell whether a row has no customer's invoice to credit: fees, expenses, and charges on a cancellation."""
    return kind is Kind.BAD_DEBT or treatment_of(row.code) in JOURNAL_TREATMENTS or row.quantity > 0


def _credit_lines(
    customer: str | None, line_no: int, row: Row, linker: SaleLinker
) -> Iterator[tuple[str | None, CreditLine]]:
    """Split a cancelled row over the sales it takes back; what remains has no original."""
    whole = CreditLine(
        line_no=line_no,
        code=row.code,
        name=row.description,
        quantity=-row.quantity,
        unit_price=row.unit_price,
        treatment=treatment_of(row.code),
        original_line_no=None,
        original_unit_price=None,
    )
    rest = whole.quantity
    # A price with fractions of a penny does not split without a difference of rounding: it stays one line.
    owner = customer if row.unit_price == round_penny(row.unit_price) else None
    for link in linker.take_back(owner, row.code, rest):
        rest -= link.pieces
        yield (
            link.number,
            replace(
                whole,
                quantity=link.pieces,
                original_line_no=link.line_no,
                original_unit_price=link.unit_price,
            ),
        )
    if rest:
        yield None, replace(whole, quantity=rest)
