"""Goods that come back: the cost of sales is reversed at what the pieces were issued at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.money import round_money
from finance.models import ValuedMove
from finance.services.accounts import base_currency
from finance.services.valuation import Move, post_valued, stock_entry, value_moves


@dataclass(frozen=True)
class Pieces:
    """Pieces of one goods issue: how many had come back before this return, and how many have after it."""

    move_id: int | None
    before: int
    after: int


Taken = Mapping[int, Sequence[Pieces]]
"""Move of a return → what it took of which goods issue."""


def post_return(data: Mapping[str, Any], returned_on: date, taken: Taken) -> None:
    """Value the return's moves: at original cost where the line has originals, else at the present average.

    Args:
        taken: the return's own move → pieces of goods issues that came back with it.
    """
    moves = [
        Move(
            move_id=line["move_id"],
            product_id=line["product_id"],
            move_seq=line["move_seq"],
            kind="return",
            quantity=int(line.get("moved_quantity") or line["quantity"]),
            moved_on=returned_on,
            document_kind="return",
            document_id=data["return_id"],
            document_number=data.get("return_number") or "",
            text=line["name"],
            original_value=_original_value(line, taken.get(line["move_id"])),
        )
        for line in data["lines"]
        if line.get("move_id")
    ]
    valued = value_moves(moves)
    posted = [v for v in valued if v.value]
    entries = [(stock_entry(posted, f"return:{data['return_id']}", data["customer_id"]), posted)] if posted else []
    post_valued(valued, entries)


def _original_value(line: Mapping[str, Any], taken: Sequence[Pieces] | None) -> Decimal | None:
    """What the pieces were issued at; None when that is not known of all of them, so that the average stands in."""
    if taken is None:
        return None
    left = int(line.get("moved_quantity") or line["quantity"])
    issued = {v.move_id: v for v in ValuedMove.objects.filter(move_id__in=[p.move_id for p in taken if p.move_id])}
    value = Decimal(0)
    for part in taken:
        pieces = min(left, part.after - part.before)
        if not pieces:
            continue
        move = issued.get(part.move_id or 0)
        if move is None or not move.quantity:
            return None
        value += _share(move, part.before + pieces) - _share(move, part.before)
        left -= pieces
    return None if left else value


def _share(move: ValuedMove, pieces: int) -> Decimal:
    """Value of the first pieces of a goods issue, so that parts add up to the whole."""
    return round_money(move.value * pieces / move.quantity, base_currency())
