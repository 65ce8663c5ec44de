"""How much stock must be there before the first invoice so that no sale is short."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from .rules import CANCELLATION_KINDS, ORDER_KINDS, Invoice, Kind, is_goods

STOCK_KINDS = ORDER_KINDS | CANCELLATION_KINDS | {Kind.ADJUSTMENT}


def stock_changes(invoice: Invoice) -> list[tuple[str, int]]:
    """List (code, pieces) by which an invoice moves stock: sold goods leave, cancelled goods come back."""
    if invoice.kind not in STOCK_KINDS:
        return []
    # An adjustment's quantity is the change itself; orders and cancellations say what the customer got.
    sign = 1 if invoice.kind is Kind.ADJUSTMENT else -1
    return [(row.code, sign * row.quantity) for row in invoice.rows if is_goods(row)]


@dataclass(slots=True)
class OpeningStock:
    """Follows the balance of each product and keeps its lowest point; two numbers a product."""

    _balances: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lowest: dict[str, int] = field(default_factory=dict)

    def add(self, invoice: Invoice) -> None:
        """Apply one invoice; call it in the order in which the invoices are replayed."""
        for code, pieces in stock_changes(invoice):
            self._balances[code] += pieces
            if self._balances[code] < self._lowest.get(code, 0):
                self._lowest[code] = self._balances[code]

    def needed(self) -> dict[str, int]:
        """Return the pieces each product needs at the beginning; products that need none are left out."""
        return {code: -lowest for code, lowest in self._lowest.items()}

    def remaining(self) -> dict[str, int]:
        """Return the pieces on hand after the last invoice, when exactly the needed ones were there before."""
        return {code: balance - self._lowest.get(code, 0) for code, balance in self._balances.items()}
