"""Decides what an invoice of the history is, and gives each of its rows one disposition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from .codes import Treatment, treatment_of
from .rows import BadValue, Row, canonical_number, read_row, readable_net
from .source import Record


class Kind(StrEnum):
    """What a whole invoice is."""

    SALE = "sale"  # not C or A, some line priced
    FREE_GOODS = "free_goods"  # every line at price 0, with a customer
    ADJUSTMENT = "adjustment"  # every line at price 0, no customer
    CANCELLATION = "cancellation"  # C with goods
    MONEY_ONLY_CANCELLATION = "money_only_cancellation"  # C without goods
    BAD_DEBT = "bad_debt"  # A
    REJECTED = "rejected"  # some value is bad


class Disposition(StrEnum):
    """What becomes of a row."""

    SALE = "sale"  # line of an order
    FREE_GOODS = "free_goods"  # line of an order at price 0
    ADJUSTMENT = "adjustment"  # stock moves by the quantity
    ADJUSTMENT_NOTED = "adjustment_noted"  # at price 0 and no goods: nothing to move
    CANCELLATION = "cancellation"  # goods return to stock; credit note
    MONEY_ONLY_CANCELLATION = "money_only_cancellation"  # credit note without goods, or journal entry
    BAD_DEBT = "bad_debt"  # journal entry
    REJECTED = "rejected"  # nothing is written; listed with the reason


ORDER_KINDS = frozenset({Kind.SALE, Kind.FREE_GOODS})
CANCELLATION_KINDS = frozenset({Kind.CANCELLATION, Kind.MONEY_ONLY_CANCELLATION})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an invoice is rejected; several lines of it may have one each."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """A whole invoice of the history; its number is a reference, our documents have their own."""

    number: str
    kind: Kind
    rows: tuple[Row, ...]  # in the order of the file; without the unreadable ones
    row_count: int  # with the unreadable ones
    unreadable_net: Decimal  # what is known of their value
    problems: tuple[Problem, ...]

    @property
    def invoiced_at(self) -> datetime:
        """The first date wins: lines may be a minute apart."""
        return min(row.invoiced_at for row in self.rows)

    @property
    def customer(self) -> str | None:
        """The one customer of all lines."""
        return self.rows[0].customer

    @property
    def country(self) -> str:
        """The one country of all lines."""
        return self.rows[0].country


def read_invoice(records: Sequence[Record]) -> Invoice:
    """Read all lines of one invoice; one bad value rejects the invoice, with the reason of each line."""
    rows: list[Row] = []
    problems: list[Problem] = []
    unreadable_net = Decimal(0)
    for record in records:
        try:
            rows.append(read_row(record))
        except BadValue as bad:
            problems.append(Problem(record.line, str(bad)))
            unreadable_net += readable_net(record)
    kind = Kind.REJECTED if problems else kind_of(rows)
    problems.extend(_contradictions(kind, rows))
    return Invoice(
        number=canonical_number(records[0].invoice_no),
        kind=Kind.REJECTED if problems else kind,
        rows=tuple(rows),
        row_count=len(records),
        unreadable_net=unreadable_net,
        problems=tuple(problems),
    )


def kind_of(rows: Sequence[Row]) -> Kind:
    """Tell what an invoice with these lines is."""
    match rows[0].number[0]:
        case "A":
            return Kind.BAD_DEBT
        case "C":
            return Kind.CANCELLATION if any(is_goods(row) for row in rows) else Kind.MONEY_ONLY_CANCELLATION
        case letter if letter.isalpha():
            return Kind.REJECTED
    if any(row.unit_price for row in rows):
        return Kind.SALE
    return Kind.ADJUSTMENT if rows[0].customer is None else Kind.FREE_GOODS


def is_goods(row: Row) -> bool:
    """Tell whether the row moves stock."""
    return treatment_of(row.code) is Treatment.GOODS


def disposition_of(kind: Kind, row: Row) -> Disposition:
    """Return what becomes of a row in an invoice of this kind."""
    match kind:
        case Kind.SALE | Kind.FREE_GOODS:
            return Disposition.SALE if row.unit_price else Disposition.FREE_GOODS
        case Kind.ADJUSTMENT:
            return Disposition.ADJUSTMENT if is_goods(row) else Disposition.ADJUSTMENT_NOTED
    return Disposition(kind.value)


def _contradictions(kind: Kind, rows: Sequence[Row]) -> list[Problem]:
    """List what the lines say that no document could say."""
    if not rows:
        return []
    problems = []
    first = rows[0]
    if kind is Kind.REJECTED and first.number[0].isalpha() and first.number[0] not in "AC":
        problems.append(Problem(first.line, f"no invoice begins with {first.number[0]!r}"))
    for row in rows:
        if row.customer != first.customer:
            problems.append(Problem(row.line, "a second customer on one invoice"))
        if row.country != first.country:
            problems.append(Problem(row.line, "a second country on one invoice"))
        if reason := _wrong_sign(kind, row):
            problems.append(Problem(row.line, reason))
    return problems


def _wrong_sign(kind: Kind, row: Row) -> str:
    """Say why the signs of quantity and price cannot be; empty when they can."""
    if row.unit_price < 0 and kind is not Kind.BAD_DEBT:
        return "a negative price"
    if is_goods(row) and kind in ORDER_KINDS and row.quantity < 0:
        return "a negative quantity of goods on an invoice that is no cancellation"
    if is_goods(row) and kind in CANCELLATION_KINDS and row.quantity > 0:
        return "a positive quantity of goods on a cancellation"
    return ""
