"""Stock that changes without a supplier or a customer: counts, corrections, scrap, transfers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.errors import Refused
from erp.relay import enqueue
from logistics.models import StockMove, Warehouse
from logistics.serializers import Move, post_moves, take_locks
from logistics.services.differences import lock_counted, post_differences
from logistics.services.documents import get_warehouse, next_numbers, today, whole_number, with_key
from logistics.services.receiving import ask_for_backorders, require_stocked
from logistics.services.relays import settle


def adjust_stock(
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    key: str | None,
    kind: str = "adjustment",
    warehouse: str | None = None,
    adjusted_on: date | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """Change what is on hand by signed quantities (found, damaged, scrapped).

    Args:
        rows: ``[{"product_id", "quantity" (signed, not 0), "reason" (optional), "unit_cost" (optional)}]``.
        kind: ``adjustment``, or ``scrap`` (quantities must be negative, a reason is required).

    Returns:
        ``{"number", "warehouse", "lines", "pieces"}``.

    Raises:
        InsufficientStock: what is left would be less than what is reserved; nothing has changed.
    """
    request = {"rows": list(rows), "kind": kind, "warehouse": warehouse, "on": adjusted_on, "reason": reason}
    return _settled(
        with_key(
            key, "adjust_stock", request, actor,
            lambda: _adjust(rows, actor, kind, get_warehouse(warehouse), adjusted_on or today(), reason),
        )
    )  # fmt: skip


def _settled(answer: dict[str, Any]) -> dict[str, Any]:
    """Have Finance value the document's moves now; what fails is repeated by the relay."""
    settle("value_moves", [answer["number"]])
    settle("allocate_backorders", [answer["number"]])
    return answer


def scrap_stock(
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    key: str | None,
    reason: str,
    warehouse: str | None = None,
    scrapped_on: date | None = None,
) -> dict[str, Any]:
    """Take spoilt goods off the shelf; ``quantity`` of each row is positive here."""
    negative = [{**row, "quantity": -whole_number(row["quantity"], "Scrap")} for row in rows]
    return adjust_stock(
        negative, actor=actor, key=key, kind="scrap", warehouse=warehouse, adjusted_on=scrapped_on, reason=reason
    )


def _adjust(
    rows: Sequence[Mapping[str, Any]], actor: Actor, kind: str, place: Warehouse, on: date, reason: str
) -> dict[str, Any]:
    if kind not in {StockMove.Kind.ADJUSTMENT, StockMove.Kind.SCRAP}:
        raise Refused(f"{kind!r} is not a kind of adjustment")
    for row in rows:
        if not isinstance(row["quantity"], int) or not row["quantity"]:
            raise Refused("The change must be a whole number other than 0")
        if kind == StockMove.Kind.SCRAP and (row["quantity"] > 0 or not (row.get("reason") or reason)):
            raise Refused("Scrapping takes goods away and needs a reason")
    if not rows:
        raise Refused("There is nothing to adjust")
    take_locks(("stock",))
    require_stocked({row["product_id"] for row in rows})
    number = next_numbers("SD")[0]
    moves = [
        Move(
            place.pk, row["product_id"], kind, row["quantity"], row.get("moved_on") or on, kind, number,
            unit_cost=None if row.get("unit_cost") is None else Decimal(row["unit_cost"]),
            reason=(row.get("reason") or reason)[:200],
        )
        for row in rows
    ]  # fmt: skip
    return _record(moves, actor, number, place.code)


def _record(moves: Sequence[Move], actor: Actor, number: str, code: str) -> dict[str, Any]:
    posted = post_moves(moves, actor=actor)
    enqueue("logistics", "value_moves", number, {"moves": posted})
    gained = {m.product_id for m in moves if m.quantity > 0}
    if gained:
        ask_for_backorders(number, gained)
    return {
        "number": number, "warehouse": code, "lines": len(posted), "pieces": sum(m["quantity"] for m in posted),
    }  # fmt: skip


def count_stock(
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    key: str | None,
    warehouse: str | None = None,
    counted_on: date | None = None,
) -> dict[str, Any]:
    """Count and post at once, for those who know what lies there now (see ``counting`` for sheets).

    Args:
        rows: ``[{"product_id", "counted"}]``, pieces found on the shelf, reserved ones included.

    Returns:
        As :func:`adjust_stock`, with ``differences``: ``[{"product_id", "expected", "counted"}]``; without any
        difference nothing is posted and ``number`` is empty. ``waiting``: numbers of orders whose reserved goods
        were not there.
    """
    counted = {row["product_id"]: whole_number(row["counted"], "Stock count", minimum=0) for row in rows}
    if len(counted) != len(rows):
        raise Refused("A stock count names each product once")

    def run() -> dict[str, Any]:
        take_locks(("stock", "sales_order"))
        require_stocked(set(counted))
        place = get_warehouse(warehouse)
        orders = lock_counted(place.pk, counted)
        number = next_numbers("SC")[0]
        done = post_differences(counted, place, actor, counted_on or today(), orders=orders, number=number)
        found = len(done["differences"])
        return {"number": number if found else "", "warehouse": place.code, "lines": found, **done}

    request = {"rows": list(rows), "warehouse": warehouse, "on": counted_on}
    return _settled(with_key(key, "count_stock", request, actor, run))


def transfer_stock(
    rows: Sequence[Mapping[str, Any]],
    *,
    source: str,
    target: str,
    actor: Actor,
    key: str | None,
    moved_on: date | None = None,
) -> dict[str, Any]:
    """Move goods between two warehouses: two moves per product, out and in, under one document number.

    Args:
        rows: ``[{"product_id", "quantity"}]``; only what is not reserved can be moved.
        source: code of the warehouse that gives.
        target: code of the warehouse that gets.
    """

    def run() -> dict[str, Any]:
        take_locks(("stock",))
        giver, getter = get_warehouse(source), get_warehouse(target)
        if giver == getter:
            raise Refused("A transfer needs two different warehouses")
        if not rows:
            raise Refused("There is nothing to transfer")
        require_stocked({row["product_id"] for row in rows})
        number, on, moves = next_numbers("SD")[0], moved_on or today(), []
        for row in rows:
            quantity = whole_number(row["quantity"], "Transfer")
            for place, signed in ((giver, -quantity), (getter, quantity)):
                moves.append(Move(place.pk, row["product_id"], "transfer", signed, on, "transfer", number))
        return _record(moves, actor, number, f"{giver.code} → {getter.code}")

    request = {"rows": list(rows), "source": source, "target": target, "on": moved_on}
    return _settled(with_key(key, "transfer_stock", request, actor, run))
