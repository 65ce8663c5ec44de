"""Control totals of what was read, exact to the penny."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypedDict

from .codes import is_unknown, treatment_of
from .countries import ISO_CODES
from .rules import CANCELLATION_KINDS, ORDER_KINDS, Disposition, Invoice, Kind, Problem, disposition_of


class KindCount(TypedDict):
    """Invoices and order lines of one kind."""

    invoices: int
    rows: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """An invoice that is not replayed."""

    number: str
    rows: int
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain data; each problem is a line of text that names the line of the file."""
        problems = [f"line {problem.line}: {problem.reason}" for problem in self.problems]
        return {"invoice": self.number, "rows": self.rows, "problems": problems}


@dataclass(slots=True)
class Totals:
    """Counts and sums over the invoices seen so far; every row is in exactly one disposition."""

    rows: int = 0
    invoices: int = 0
    quantity: int = 0  # pieces over all readable rows, with their signs
    net_total: Decimal = Decimal("0.00")  # each row rounded to the penny, rejected rows included
    cancelled_net: Decimal = Decimal("0.00")  # of it on cancellations, negative
    rejected_net: Decimal = Decimal("0.00")  # of it not replayed
    by_disposition: Counter[Disposition] = field(default_factory=Counter)
    by_treatment: Counter[str] = field(default_factory=Counter)  # "sale shipping": rows
    invoices_by_kind: Counter[Kind] = field(default_factory=Counter)
    rows_by_kind: Counter[Kind] = field(default_factory=Counter)
    unknown_codes: Counter[str] = field(default_factory=Counter)
    unknown_countries: Counter[str] = field(default_factory=Counter)
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def orders(self) -> int:
        """Invoices that become a sales order."""
        return sum(self.invoices_by_kind[kind] for kind in ORDER_KINDS)

    @property
    def rejected(self) -> int:
        """Rows that are not replayed."""
        return self.by_disposition[Disposition.REJECTED]

    def add(self, invoice: Invoice) -> None:
        """Count one invoice."""
        net = sum((row.net for row in invoice.rows), invoice.unreadable_net)
        self.invoices += 1
        self.rows += invoice.row_count
        self.net_total += net
        self.invoices_by_kind[invoice.kind] += 1
        self.rows_by_kind[invoice.kind] += invoice.row_count
        if invoice.kind is Kind.REJECTED:
            self.rejected_net += net
            self.by_disposition[Disposition.REJECTED] += invoice.row_count
            self.rejections.append(Rejection(invoice.number, invoice.row_count, invoice.problems))
            return
        if invoice.kind in CANCELLATION_KINDS:
            self.cancelled_net += net
        if invoice.country not in ISO_CODES:
            self.unknown_countries[invoice.country] += 1
        self._add_rows(invoice)

    def _add_rows(self, invoice: Invoice) -> None:
        for row in invoice.rows:
            disposition = disposition_of(invoice.kind, row)
            self.quantity += row.quantity
            self.by_disposition[disposition] += 1
            self.by_treatment[f"{disposition} {treatment_of(row.code)}"] += 1
            if is_unknown(row.code):
                self.unknown_codes[row.code] += 1

    def by_kind(self) -> dict[str, KindCount]:
        """Invoices and rows of every kind, also of those that did not occur."""
        return {kind.value: {"invoices": self.invoices_by_kind[kind], "rows": self.rows_by_kind[kind]} for kind in Kind}

    def as_json(self) -> dict[str, object]:
        """Return plain data with stable names; sums are strings with two decimals."""
        return {
            "rows": self.rows,
            "by_disposition": {disposition.value: self.by_disposition[disposition] for disposition in Disposition},
            "by_kind": self.by_kind(),
            "by_treatment": dict(sorted(self.by_treatment.items())),
            "rejected": self.rejected,
            "rejections": [rejection.as_json() for rejection in self.rejections],
            "invoices": self.invoices,
            "orders": self.orders,
            "quantity": self.quantity,
            "net_total": str(self.net_total),
            "cancelled_net": str(self.cancelled_net),
            "rejected_net": str(self.rejected_net),
            "unknown_codes": dict(self.unknown_codes),
            "unknown_countries": dict(self.unknown_countries),
        }
