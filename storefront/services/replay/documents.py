"""The documents that a replay makes of the invoices of a history; plain data, one class per way of booking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .codes import Treatment
from .rules import Kind, Problem


@dataclass(frozen=True, slots=True)
class Header:
    """What every document has from its invoice."""

    number: str  # InvoiceNo: the key under which a repeated run finds the document
    kind: Kind
    at: datetime  # UK time, aware; its date is the date of every posting
    customer: str  # key of the customer master, see masters.customer_key
    country: str  # ISO code; belongs to the order, the customer's may differ


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order. Quantity is positive; a line that takes off has a negative price."""

    line_no: int  # place in the invoice, from 1
    code: str
    name: str  # as the row has it, may be empty
    quantity: int
    unit_price: Decimal
    treatment: Treatment


@dataclass(frozen=True, slots=True)
class Order:
    """A sale: order, reservation, shipment, invoice."""

    header: Header
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class AdjustmentLine:
    """A change of stock, or a note that there is nothing to change."""

    line_no: int
    code: str
    pieces: int  # the change itself
    reason: str  # `damages`, `Found`…, may be empty


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Stock written off or found."""

    header: Header
    lines: tuple[AdjustmentLine, ...]
    noted: tuple[AdjustmentLine, ...]  # codes that are no goods


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line of a credit note."""

    line_no: int  # place in the cancellation; several lines share it when several sales are taken back
    code: str
    name: str
    quantity: int  # positive: what is taken back
    unit_price: Decimal  # of the cancellation; may differ from the sale's, also upwards
    treatment: Treatment  # goods return to stock
    original_line_no: int | None  # on the sale
    original_unit_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Credit:
    """One return with its credit note. The original is the InvoiceNo of a sale, None when there is none."""

    original: str | None
    lines: tuple[CreditLine, ...]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A line of a journal entry. The amount is the row's: negative when it costs us."""

    line_no: int
    code: str
    text: str
    treatment: Treatment
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Correction:
    """A cancellation: one credit per sale it takes back, at most one without original, and journal entries.

    A bad debt (`A…`) has journal entries only.
    """

    header: Header
    credits: tuple[Credit, ...]
    entries: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """An invoice of which nothing is booked."""

    number: str
    rows: int
    problems: tuple[Problem, ...]


Document = Order | Adjustment | Correction | Rejected
