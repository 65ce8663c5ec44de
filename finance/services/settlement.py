"""What is open of a document: the arithmetic that payments and credit notes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from erp.money import round_money
from finance.models import InvoiceSettlement
from finance.services import accounts

State = InvoiceSettlement.State


@dataclass
class Settlement:
    """A locked settlement row with what postings need of its document."""

    invoice_id: int
    number: str
    kind: str
    customer_id: int
    currency: str
    country: str
    issued_on: date
    gross_total: Decimal
    base_gross_total: Decimal
    paid_total: Decimal
    offset_total: Decimal
    written_off_total: Decimal
    credited_total: Decimal

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Settlement:
        """From a row of ``lock_settlements``."""
        values: dict[str, Any] = {name: row[name] for name in cls.__annotations__}
        return cls(**{**values, "country": row["country"] or ""})

    @property
    def open_total(self) -> Decimal:
        """Still to be paid; negative: to be paid back."""
        return self.gross_total - self.settled

    @property
    def settled(self) -> Decimal:
        """Paid, netted and written off."""
        return self.paid_total + self.offset_total + self.written_off_total

    @property
    def base_written_off(self) -> Decimal:
        """All that was written off, in base currency at the document's own rate."""
        return self._base_of(self.written_off_total)

    @property
    def account(self) -> str:
        """Receivables account the document was posted to."""
        return accounts.receivables(self.country, self.currency)

    def settle(self, amount: Decimal, by: Literal["payment", "document", "write_off"]) -> Decimal:
        """Settle part of the document; returns the part in base currency at the document's own rate.

        The parts of a document settled in full add up to its base gross total exactly.
        """
        before = self._base_of(self.settled)
        if by == "document":
            self.offset_total += amount
        elif by == "write_off":
            self.written_off_total += amount
        else:
            self.paid_total += amount
        return self._base_of(self.settled) - before

    def _base_of(self, settled: Decimal) -> Decimal:
        if not self.gross_total:
            return Decimal(0)
        return round_money(self.base_gross_total * settled / self.gross_total, accounts.base_currency())

    @property
    def state(self) -> str:
        """Payment state that follows from the totals."""
        if self.gross_total < 0:
            return self._credit_state()
        if self.gross_total and self.credited_total >= self.gross_total:
            return State.CREDITED
        if self.open_total <= 0:
            return State.PAID if self.paid_total or not self.written_off_total else State.WRITTEN_OFF
        return State.PARTLY_PAID if self.open_total < self.gross_total else State.OPEN

    def _credit_state(self) -> str:
        if self.open_total == 0:
            return State.REFUNDED if self.paid_total else State.CREDITED
        return State.PARTLY_PAID if self.open_total != self.gross_total else State.OPEN

    def as_row(self) -> dict[str, Any]:
        """Row for ``write_settlements``."""
        names = ("invoice_id", "paid_total", "offset_total", "written_off_total", "credited_total")
        return {**{name: getattr(self, name) for name in names}, "state": self.state}
