"""Corrections of a price, line by line: what was charged is taken back, what is right is charged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from erp.errors import NotFound
from finance.errors import NotCreditable
from finance.services.credit_lines import Original, take_pieces
from finance.services.documents import Line, priced


def corrected_lines(
    originals: Sequence[Original], wanted: Sequence[Mapping[str, Any]], currency: str, price_mode: str
) -> list[Line]:
    """Two lines for each that is wanted: the pieces as they were charged, negative, and at their right price.

    Both are linked to the original line, so that it can be credited later at the corrected amount.
    """
    by_no = {o.line_no: o for o in originals}
    lines: list[Line] = []
    for row in wanted:
        original = by_no.get(row["line_no"])
        if original is None:
            raise NotFound(f"the invoice has no line {row['line_no']}")
        lines += _pair(original, int(row["quantity"]), Decimal(row["unit_price"]), currency, price_mode)
    return lines


def _pair(original: Original, pieces: int, price: Decimal, currency: str, price_mode: str) -> list[Line]:
    back = take_pieces(original, pieces, currency, price_mode)
    (right,) = priced(
        [replace(back, quantity=pieces, unit_price=price, discount=Decimal(0), base_net=None, base_vat=None)],
        currency, price_mode,
    )  # fmt: skip
    if right.gross >= -back.gross:
        raise NotCreditable(
            f"Line {original.line_no} ({original.name}): {right.gross} is not less than the {-back.gross} charged; "
            "a higher price is charged by another invoice"
        )
    original.credited_quantity -= pieces
    original.credited_net -= right.net
    original.credited_vat -= right.vat
    return [back, right]
