"""Goods that come back: the cost of sales is reversed at what the pieces were issued at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from finance.services.credit_lines import Original
from finance.services.valuation import Move, original_values, post_valued, stock_entry, value_moves


def post_return(data: Mapping[str, Any], returned_on: date, originals: Mapping[int, Original]) -> None:
    """Value the return's moves: at original cost where the line has originals, else at the present average."""
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
            original_value=_original_value(data, line, originals),
        )
        for line in data["lines"]
        if line.get("move_id")
    ]
    valued = value_moves(moves)
    posted = [v for v in valued if v.value]
    entries = [(stock_entry(posted, f"return:{data['return_id']}", data["customer_id"]), posted)] if posted else []
    post_valued(valued, entries)


def _original_value(
    data: Mapping[str, Any], line: Mapping[str, Any], originals: Mapping[int, Original]
) -> Decimal | None:
    if line.get("order_line_no") is None:
        return None
    order_id = line.get("order_id") or data.get("order_id")
    left = int(line.get("moved_quantity") or line["quantity"])
    pieces: dict[int, int] = {}
    for o in originals.values():
        if (o.order_id, o.order_line_no) == (order_id, line["order_line_no"]) and o.move_id and left:
            pieces[o.move_id] = min(left, o.quantity)
            left -= pieces[o.move_id]
    values = original_values(pieces)
    if left or len(values) < len(pieces):
        return None  # some pieces were issued before costs were kept: the average stands in
    return sum(values.values(), Decimal(0))
