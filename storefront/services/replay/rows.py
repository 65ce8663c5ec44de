"""Reads the values of one order line, or says which of them is bad."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from .source import Record

UK = ZoneInfo("Europe/London")
PENNY = Decimal("0.01")
# Amount columns hold 15 digits before the point; an invoice has many lines.
LARGEST_AMOUNT = Decimal(10) ** 12
LONGEST_CODE = 40
EARLIEST_YEAR, LATEST_YEAR = 1970, 2099

_NUMBER = re.compile(r"[A-Z]?\d{5,7}", re.ASCII)
_QUANTITY = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_PRICE = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", re.ASCII)
_CUSTOMER = re.compile(r"(\d{5})(\.0)?", re.ASCII)


class BadValue(Exception):
    """A value of an order line cannot be what its column says."""


@dataclass(frozen=True, slots=True)
class Row:
    """One order line with its values read."""

    line: int  # in the file, the header is 1
    number: str  # InvoiceNo, upper case without surrounding blanks
    code: str  # StockCode, likewise
    description: str  # without surrounding blanks, may be empty
    quantity: int  # pieces, negative on cancellations and write-offs, never 0
    unit_price: Decimal  # pounds per piece, taken as net
    invoiced_at: datetime  # UK time, aware
    customer: str | None  # five digits; None = not known
    country: str  # the name in the file

    @property
    def net(self) -> Decimal:
        """Quantity times price, rounded half up to the penny."""
        return round_penny(self.quantity * self.unit_price)


def round_penny(amount: Decimal) -> Decimal:
    """Round half up to two decimals."""
    return amount.quantize(PENNY, ROUND_HALF_UP)


def canonical_number(text: str) -> str:
    """Return an InvoiceNo in the form under which its lines belong together."""
    return text.strip().upper()


def canonical_code(text: str) -> str:
    """Return a StockCode in the one form for its spellings (`85123a`, `85123A `)."""
    return text.strip().upper()


def read_row(record: Record) -> Row:
    """Read the values of a line. Raises BadValue with the column and what is wrong with it."""
    if any("\0" in field for field in record[1:]):
        raise BadValue("a value contains a NUL character")
    row = Row(
        line=record.line,
        number=_number(record.invoice_no),
        code=_code(record.stock_code),
        description=record.description.strip(),
        quantity=_quantity(record.quantity),
        unit_price=_unit_price(record.unit_price),
        invoiced_at=_invoiced_at(record.invoice_date),
        customer=_customer(record.customer_id),
        country=_country(record.country),
    )
    if abs(row.quantity * row.unit_price) >= LARGEST_AMOUNT:
        raise BadValue(f"Quantity {row.quantity} at UnitPrice {row.unit_price} is more than the books can hold")
    return row


def readable_net(record: Record) -> Decimal:
    """Return the rounded value of a line that may have bad values elsewhere; 0 when it cannot be known."""
    try:
        return round_penny(_quantity(record.quantity) * _unit_price(record.unit_price))
    except BadValue:
        return Decimal(0)


def _number(text: str) -> str:
    number = canonical_number(text)
    if not _NUMBER.fullmatch(number):
        raise BadValue(f"InvoiceNo {text!r} is not 6 digits, with or without a letter before them")
    return number


def _code(text: str) -> str:
    code = canonical_code(text)
    if not code or len(code) > LONGEST_CODE:
        raise BadValue(f"StockCode {text[:60]!r} is empty or longer than {LONGEST_CODE} characters")
    return code


def _quantity(text: str) -> int:
    if not _QUANTITY.fullmatch(text.strip()):
        raise BadValue(f"Quantity {text!r} is not a whole number")
    quantity = int(text)
    if quantity == 0:
        raise BadValue("Quantity is 0")
    return quantity


@lru_cache(maxsize=8192)
def _unit_price(text: str) -> Decimal:
    if not _PRICE.fullmatch(text.strip()):
        raise BadValue(f"UnitPrice {text!r} is not a number with up to six decimals")
    return Decimal(text.strip())


def _invoiced_at(text: str) -> datetime:
    at = invoiced_at_or_none(text)
    if at is None:
        raise BadValue(f"InvoiceDate {text!r} is not a date and time (YYYY-MM-DD HH:MM:SS) of our days")
    return at


@lru_cache(maxsize=1024)
def invoiced_at_or_none(text: str) -> datetime | None:
    """Return the UK time that the text says, None when it says none."""
    if not _DATE.fullmatch(text.strip()):
        return None
    try:
        at = datetime.fromisoformat(text.strip()).replace(tzinfo=UK)
    except ValueError:
        return None
    return at if EARLIEST_YEAR <= at.year <= LATEST_YEAR else None


@lru_cache(maxsize=8192)
def _customer(text: str) -> str | None:
    if not text.strip():
        return None
    match = _CUSTOMER.fullmatch(text.strip())
    if not match:
        raise BadValue(f"CustomerID {text!r} is not five digits")
    return match[1]


@lru_cache(maxsize=256)
def _country(text: str) -> str:
    if not text.strip():
        raise BadValue("Country is empty")
    return text.strip()
