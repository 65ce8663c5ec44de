"""Money: one rounding policy for basket, order, invoice, ledger and tax report.

Half-up to the currency's minor unit; VAT per rate on the document's total; what rounding leaves over goes to
one defined line. Amounts and prices are Decimal; a price has up to six decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# Decimal places in which documents are drawn up, where they differ from 2. ISO 4217 gives HUF two, but the
# forint has had no smaller coin since 1999 and documents are rounded to whole forints.
_MINOR_UNITS = {"HUF": 0, "JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "VND": 0, "KWD": 3, "BHD": 3, "JOD": 3, "TND": 3}

HUNDRED = Decimal(100)


def minor_units(currency: str) -> int:
    """Decimal places of a currency's amounts (0, 2 or 3)."""
    return _MINOR_UNITS.get(currency, 2)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round half-up (away from zero) to the currency's minor unit."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class LineInput:
    """A document line before totals: ``unit_price`` is net or gross by the document's price mode."""

    quantity: Decimal | int
    unit_price: Decimal
    vat_code: str
    vat_rate: Decimal  # percent
    discount: Decimal = Decimal(0)  # amount taken off the line, in the document's currency


@dataclass(frozen=True)
class LineTotals:
    """Amounts of one line; the lines of a rate sum to the rate's totals exactly."""

    net: Decimal
    vat: Decimal
    gross: Decimal


@dataclass(frozen=True)
class RateTotals:
    """Totals of one VAT code on a document."""

    vat_code: str
    vat_rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal


@dataclass(frozen=True)
class DocumentTotals:
    """Totals of a document; ``lines`` in the order given, ``rates`` by VAT code."""

    lines: tuple[LineTotals, ...]
    rates: tuple[RateTotals, ...]
    net: Decimal
    vat: Decimal
    gross: Decimal


def vat_of(amount: Decimal, rate: Decimal, currency: str, price_mode: str) -> Decimal:
    """VAT contained in (``gross``) or added to (``net``) an amount."""
    if price_mode == "gross":
        return round_money(amount * rate / (HUNDRED + rate), currency)
    return round_money(amount * rate / HUNDRED, currency)


def document_totals(lines: Iterable[LineInput], currency: str, price_mode: str = "net") -> DocumentTotals:
    """Compute lines, VAT summary and totals of a document.

    VAT is computed per VAT code on the sum of its lines, then spread over the lines by their own rounded VAT;
    the residual goes to the line with the largest amount (the first of equals).

    Args:
        price_mode: ``net`` (prices without VAT) or ``gross`` (prices with VAT).
    """
    items = list(lines)
    amounts = [round_money(Decimal(i.quantity) * i.unit_price - i.discount, currency) for i in items]
    vats = [Decimal(0)] * len(items)
    rates = []
    for key in sorted({(i.vat_code, i.vat_rate) for i in items}):
        members = [n for n, i in enumerate(items) if (i.vat_code, i.vat_rate) == key]
        rates.append(_rate_totals(key, members, amounts, vats, currency, price_mode))
    done = tuple(
        LineTotals(a - v, v, a) if price_mode == "gross" else LineTotals(a, v, a + v)
        for a, v in zip(amounts, vats, strict=True)
    )
    zero = round_money(Decimal(0), currency)
    return DocumentTotals(
        lines=done,
        rates=tuple(rates),
        net=sum((r.net for r in rates), zero),
        vat=sum((r.vat for r in rates), zero),
        gross=sum((r.gross for r in rates), zero),
    )


def _rate_totals(
    key: tuple[str, Decimal],
    members: Sequence[int],
    amounts: Sequence[Decimal],
    vats: list[Decimal],
    currency: str,
    price_mode: str,
) -> RateTotals:
    code, rate = key
    total = sum((amounts[n] for n in members), Decimal(0))
    vat = vat_of(total, rate, currency, price_mode)
    for n in members:
        vats[n] = vat_of(amounts[n], rate, currency, price_mode)
    residual = vat - sum((vats[n] for n in members), Decimal(0))
    if residual:
        vats[max(members, key=lambda n: abs(amounts[n]))] += residual
    if price_mode == "gross":
        return RateTotals(code, rate, total - vat, vat, total)
    return RateTotals(code, rate, total, vat, total + vat)
