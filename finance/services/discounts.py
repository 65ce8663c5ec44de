"""Discounts: a line's own (amount and percent), then the document's (percent and amount), spread over its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from erp.money import HUNDRED, round_money
from finance.errors import DiscountTooHigh
from finance.services.documents import Line

ZERO = Decimal(0)


def discounted(
    lines: Sequence[Line], currency: str, percent: Decimal = ZERO, amount: Decimal = ZERO
) -> tuple[list[Line], Decimal]:
    """Lines whose ``discount`` is all that is taken off them, and the part of it that the document gave.

    Args:
        lines: ``discount`` and ``discount_percent`` are the line's own.
        percent: off every line, after its own discounts.
        amount: off the document, spread by the lines' amounts; what rounding leaves goes to the largest line.

    Raises:
        DiscountTooHigh: a line or the document would go below zero.
    """
    own = [_own(line, currency) for line in lines]
    left = [_amount(line, currency) - off for line, off in zip(lines, own, strict=True)]
    shares = [round_money(rest * percent / HUNDRED, currency) for rest in left]
    left = [rest - share for rest, share in zip(left, shares, strict=True)]
    for n, share in enumerate(_spread(left, round_money(amount, currency), currency)):
        shares[n] += share
    done = [replace(line, discount=off + share) for line, off, share in zip(lines, own, shares, strict=True)]
    return done, sum(shares, ZERO)


def _amount(line: Line, currency: str) -> Decimal:
    return round_money(line.quantity * line.unit_price, currency)


def _own(line: Line, currency: str) -> Decimal:
    amount = _amount(line, currency)
    off = line.discount + round_money(amount * line.discount_percent / HUNDRED, currency)
    if off and off > amount:
        raise DiscountTooHigh(f"Line {line.name}: a discount of {off} is more than the line's {amount}")
    return off


def _spread(amounts: Sequence[Decimal], discount: Decimal, currency: str) -> list[Decimal]:
    if not discount:
        return [ZERO] * len(amounts)
    total = sum(amounts, ZERO)
    if not ZERO < discount <= total:
        raise DiscountTooHigh(f"A document discount of {discount} does not fit a document of {total}")
    shares = [round_money(discount * amount / total, currency) for amount in amounts]
    shares[max(range(len(shares)), key=lambda n: amounts[n])] += discount - sum(shares, ZERO)
    return shares
