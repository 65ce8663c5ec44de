"""Customers and products that must exist before the first order, chosen from what the lines say of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from .codes import Treatment, treatment_of
from .countries import iso_code
from .rules import CANCELLATION_KINDS, ORDER_KINDS, Invoice, Kind

T = TypeVar("T")
CUSTOMER_KINDS = ORDER_KINDS | CANCELLATION_KINDS | {Kind.BAD_DEBT}


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the master."""

    code: str  # canonical stock code
    name: str  # the most frequent description, else the code
    base_price: Decimal  # the most frequent positive price, else 0
    treatment: Treatment
    is_sellable: bool  # goods that were priced and described at least once


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the master; sales without a customer go to the cash customer of the country."""

    key: str  # "17850", or "cash-GB"
    name: str
    country: str  # ISO code; the first one seen, the order has its own
    is_cash: bool


def customer_key(invoice: Invoice) -> str:
    """Return the key of the customer an invoice is booked to."""
    return invoice.customer or f"cash-{iso_code(invoice.country)}"


@dataclass(slots=True)
class Masters:
    """Collects what the rows say; ties go to what was seen first, so a repeated run chooses the same."""

    _names: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _prices: defaultdict[str, Counter[Decimal]] = field(default_factory=lambda: defaultdict(Counter))
    _codes: dict[str, None] = field(default_factory=dict)  # an ordered set
    _customers: dict[str, Customer] = field(default_factory=dict)

    def add(self, invoice: Invoice) -> None:
        """Take note of one invoice that is replayed."""
        for row in invoice.rows:
            self._codes.setdefault(row.code)
            if row.description:
                self._names[row.code][row.description] += 1
            if row.unit_price > 0:
                self._prices[row.code][row.unit_price] += 1
        key = customer_key(invoice)
        if invoice.kind in CUSTOMER_KINDS and key not in self._customers:
            country = iso_code(invoice.country)
            name = f"Customer {key}" if invoice.customer else f"Cash customer {country}"
            self._customers[key] = Customer(key, name, country, is_cash=invoice.customer is None)

    def products(self) -> list[Product]:
        """Return every product, in the order of first appearance."""
        return [self._product(code) for code in self._codes]

    def customers(self) -> list[Customer]:
        """Return every customer, in the order of first appearance."""
        return list(self._customers.values())

    def _product(self, code: str) -> Product:
        names, prices = self._names.get(code), self._prices.get(code)
        treatment = treatment_of(code)
        return Product(
            code=code,
            name=_most_frequent(names) if names else code,
            base_price=_most_frequent(prices) if prices else Decimal(0),
            treatment=treatment,
            is_sellable=treatment is Treatment.GOODS and bool(names) and bool(prices),
        )


def _most_frequent(counts: Counter[T]) -> T:
    return max(counts, key=counts.__getitem__)
