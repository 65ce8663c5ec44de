"""Finds the sale that a cancellation line takes back; the history does not name it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal

from .rules import Invoice

Pair = tuple[str, str]  # customer, code


@dataclass(slots=True)
class OpenLine:
    """A sale line of which pieces may still be taken back."""

    number: str
    line_no: int
    unit_price: Decimal
    open_pieces: int


@dataclass(frozen=True, slots=True)
class Link:
    """Pieces of a cancellation line, and the sale line they come from."""

    pieces: int
    number: str
    line_no: int
    unit_price: Decimal  # on the sale


@dataclass(slots=True)
class SaleLinker:
    """Links cancelled pieces to the earliest open sale line of the same customer and product.

    It keeps only sale lines of pairs that are cancelled somewhere in the file, and drops a line when nothing of it
    is open any more. Without a customer nothing is linked: any sale could be the original.
    """

    cancelled: AbstractSet[Pair]
    linked_rows: int = 0
    partly_linked_rows: int = 0
    unlinked_rows: int = 0
    _open: defaultdict[Pair, deque[OpenLine]] = field(default_factory=lambda: defaultdict(deque))

    def open_sale(self, invoice: Invoice) -> None:
        """Make the lines of a sale available; call it in the order in which the invoices are replayed."""
        if invoice.customer is None:
            return
        for line_no, row in enumerate(invoice.rows, start=1):
            pair = (invoice.customer, row.code)
            if pair in self.cancelled and row.quantity > 0:
                self._open[pair].append(OpenLine(invoice.number, line_no, row.unit_price, row.quantity))

    def take_back(self, customer: str | None, code: str, pieces: int) -> list[Link]:
        """Take pieces from the earliest open lines; the links may sum to less, the rest has no original."""
        links: list[Link] = []
        wanted = pieces
        lines = self._open.get((customer, code), deque()) if customer else deque()
        while wanted and lines:
            line = lines[0]
            taken = min(wanted, line.open_pieces)
            links.append(Link(taken, line.number, line.line_no, line.unit_price))
            wanted -= taken
            line.open_pieces -= taken
            if not line.open_pieces:
                lines.popleft()
        self._count(linked=pieces - wanted, rest=wanted)
        return links

    def _count(self, linked: int, rest: int) -> None:
        if not linked:
            self.unlinked_rows += 1
        elif rest:
            self.partly_linked_rows += 1
        else:
            self.linked_rows += 1
