"""The first look at a history: what must exist before its first invoice is replayed, and its control totals."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from .linking import Pair
from .masters import Customer, Masters, Product
from .opening import OpeningStock
from .rules import CANCELLATION_KINDS, Invoice, Kind
from .totals import Totals


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the invoices tells."""

    totals: Totals
    products: list[Product]
    customers: list[Customer]
    opening_pieces: dict[str, int]  # per stock code: what must be on hand before the first open invoice
    remaining_pieces: dict[str, int]  # per stock code: on hand after the last one
    opening_on: date | None  # the day before the history begins; None when it has no invoice
    cancelled_pairs: frozenset[Pair]  # customer and code of every cancelled row


def take_survey(invoices: Iterable[Invoice], replayed: Container[str] = ()) -> Survey:
    """Go through the invoices once.

    `replayed` holds the numbers of invoices that an earlier run has already booked. Their stock has moved, so only
    the others count for the opening stock: what is on hand now is compared with what the rest needs.
    """
    totals, masters, opening = Totals(), Masters(), OpeningStock()
    pairs: set[Pair] = set()
    begins_on: date | None = None
    for invoice in invoices:
        totals.add(invoice)
        if invoice.kind is Kind.REJECTED:
            continue
        masters.add(invoice)
        begins_on = begins_on or invoice.invoiced_at.date()
        if invoice.number not in replayed:
            opening.add(invoice)
        if invoice.kind in CANCELLATION_KINDS and invoice.customer:
            pairs.update((invoice.customer, row.code) for row in invoice.rows)
    return Survey(
        totals=totals,
        products=masters.products(),
        customers=masters.customers(),
        opening_pieces=opening.needed(),
        remaining_pieces=opening.remaining(),
        opening_on=begins_on - timedelta(days=1) if begins_on else None,
        cancelled_pairs=frozenset(pairs),
    )
