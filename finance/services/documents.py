"""An invoice or credit note before it is issued: its lines, totals, VAT summary and amounts in base currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from erp.money import LineInput, document_totals, round_money
from finance.errors import EmptyDocument
from finance.models import SALES_KINDS
from finance.services.accounts import base_currency
from finance.services.rates import Rate

ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    """One line with its amounts (negative on a credit note)."""

    name: str
    quantity: int
    unit_price: Decimal
    vat_code: str
    vat_rate: Decimal  # percent
    net: Decimal = ZERO
    vat: Decimal = ZERO
    gross: Decimal = ZERO
    product_id: int | None = None
    product_class: str = "goods"
    sku: str = ""
    unit: str = "pcs"
    discount: Decimal = ZERO
    discount_percent: Decimal = ZERO
    vat_override_reason: str = ""
    order_line_no: int | None = None
    original_line_id: int | None = None
    move_id: int | None = None
    delivered_on: date | None = None
    order_id: int | None = None
    order_number: str = ""
    shipment_id: int | None = None
    shipment_number: str = ""
    advance_invoice_id: int | None = None
    # Given where the line keeps the base amounts of another document (an advance that is taken off), else computed.
    base_net: Decimal | None = None
    base_vat: Decimal | None = None


@dataclass(frozen=True)
class Document:
    """All that a document is, but its number. ``header`` holds further columns of the invoice."""

    kind: str
    series: str
    customer_id: int
    customer: Mapping[str, Any]  # as it will be frozen
    issued_on: date
    due_on: date
    currency: str
    price_mode: str
    rate: Rate
    lines: Sequence[Line]
    header: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fulfilled_on(self) -> date:
        """The day of the supply; of an advance, of the payment."""
        return self.header.get("fulfilled_on") or self.issued_on

    @property
    def tax_on(self) -> date:
        """The day whose VAT period the document belongs to; PostgreSQL's ``tax_day`` says the same."""
        if self.kind in SALES_KINDS:
            return self.fulfilled_on
        vat, gross = sum_of(line.vat for line in self.lines), sum_of(line.gross for line in self.lines)
        lowers = vat < 0 or (not vat and gross <= 0)
        return self.issued_on if lowers else self.fulfilled_on

    @property
    def country(self) -> str:
        """The customer's country."""
        return str(self.customer.get("country") or "")


@dataclass(frozen=True)
class RateSums:
    """One VAT code on a document, in the document's and in base currency."""

    vat_code: str
    vat_rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    base_net: Decimal
    base_vat: Decimal


@dataclass(frozen=True)
class Totals:
    """Totals of a document; ``base_nets`` and ``base_vats`` are each line's, adding up to the rates' base amounts."""

    rates: tuple[RateSums, ...]
    base_nets: tuple[Decimal, ...]
    base_vats: tuple[Decimal, ...]
    net: Decimal
    vat: Decimal
    gross: Decimal
    base_net: Decimal
    base_vat: Decimal

    @property
    def base_gross(self) -> Decimal:
        """Gross total in base currency: what is posted to receivables."""
        return self.base_net + self.base_vat


def priced(lines: Sequence[Line], currency: str, price_mode: str) -> list[Line]:
    """The lines with their amounts, by the one rounding policy. Raises EmptyDocument."""
    if not lines:
        raise EmptyDocument
    totals = document_totals(
        [LineInput(x.quantity, x.unit_price, x.vat_code, x.vat_rate, x.discount) for x in lines], currency, price_mode
    )
    return [replace(line, net=t.net, vat=t.vat, gross=t.gross) for line, t in zip(lines, totals.lines, strict=True)]


def totals_of(lines: Sequence[Line], rate: Rate) -> Totals:
    """Sums of priced lines: per VAT code, and of the document, in both currencies."""
    rates = []
    base_nets = [x.base_net for x in lines]
    base_vats = [x.base_vat for x in lines]
    for code, percent in sorted({(x.vat_code, x.vat_rate) for x in lines}):
        members = [n for n, x in enumerate(lines) if (x.vat_code, x.vat_rate) == (code, percent)]
        net, vat = sum_of(lines[n].net for n in members), sum_of(lines[n].vat for n in members)
        own = [n for n in members if lines[n].base_net is None]
        base_net = _in_base([lines[n].net for n in own], own, base_nets, rate) + _kept(members, own, base_nets)
        base_vat = _in_base([lines[n].vat for n in own], own, base_vats, rate) + _kept(members, own, base_vats)
        rates.append(RateSums(code, percent, net, vat, net + vat, base_net, base_vat))
    return Totals(
        rates=tuple(rates),
        base_nets=tuple(x or ZERO for x in base_nets),
        base_vats=tuple(x or ZERO for x in base_vats),
        net=sum_of(r.net for r in rates),
        vat=sum_of(r.vat for r in rates),
        gross=sum_of(r.gross for r in rates),
        base_net=sum_of(r.base_net for r in rates),
        base_vat=sum_of(r.base_vat for r in rates),
    )


def to_base(amount: Decimal, rate: Rate) -> Decimal:
    """An amount in base currency, rounded to its minor unit."""
    return round_money(amount * rate.rate, base_currency())


def sum_of(amounts: Any) -> Decimal:
    """Sum of decimals, zero for none."""
    return sum(amounts, ZERO)


def _in_base(amounts: Sequence[Decimal], members: Sequence[int], found: list[Decimal | None], rate: Rate) -> Decimal:
    """Total of a rate in base currency, spread over its lines; what rounding leaves goes to the largest (the first)."""
    total = to_base(sum_of(amounts), rate)
    each = [to_base(amount, rate) for amount in amounts]
    residual = total - sum_of(each)
    if residual:
        each[max(range(len(each)), key=lambda k: abs(amounts[k]))] += residual
    for n, amount in zip(members, each, strict=True):
        found[n] = amount
    return total


def _kept(members: Sequence[int], own: Sequence[int], found: Sequence[Decimal | None]) -> Decimal:
    """What lines bring along from another document."""
    return sum_of(found[n] or ZERO for n in members if n not in own)
