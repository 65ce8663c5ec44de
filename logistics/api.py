"""What other modules may ask of Logistics: plain data in and out, every effect safe to repeat.

Calls with a ``key`` store their answer under it in the effect's own transaction; the others are idempotent by
nature (an epoch, a hold's owner, a state that is reached already).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from erp.actor import Actor
from erp.db import cursor, retrying
from erp.errors import NotFound, Refused
from erp.fields import load_json
from logistics.checks import check_fulfilment
from logistics.models import SalesOrder, Warehouse
from logistics.serializers import lock_order, take_locks
from logistics.serializers import set_payment as _write_payment
from logistics.services.acceptance import accept_order, find_offer, withdraw_offer
from logistics.services.adjusting import adjust_stock, count_stock, scrap_stock, transfer_stock
from logistics.services.backorders import allocate_backorders
from logistics.services.balance import oversold_pieces, stock_difference
from logistics.services.cancelling import cancel_order, cancel_rest
from logistics.services.custody import find_custody, list_custody
from logistics.services.demo import load_demo
from logistics.services.fulfilment import create_shipments, issue_shipment, pack_shipment, pick_shipment, ship
from logistics.services.holds import available, expire_holds, hold_stock, release_hold
from logistics.services.receiving import receive_goods
from logistics.services.relays import list_stuck
from logistics.services.returns import inspect_return, list_returnable, receive_parcel, receive_return, request_return

__all__ = [
    "accept_order",
    "adjust_stock",
    "allocate_backorders",
    "available",
    "cancel_order",
    "cancel_rest",
    "check_fulfilment",
    "count_stock",
    "create_shipments",
    "expire_holds",
    "find_custody",
    "find_offer",
    "get_order",
    "hold_stock",
    "inspect_return",
    "issue_shipment",
    "list_custody",
    "list_returnable",
    "list_stuck",
    "list_warehouses",
    "load_demo",
    "oversold_pieces",
    "pack_shipment",
    "pick_shipment",
    "receive_goods",
    "receive_parcel",
    "receive_return",
    "release_hold",
    "request_return",
    "save_warehouse",
    "scrap_stock",
    "set_payment",
    "ship",
    "stock_difference",
    "transfer_stock",
    "withdraw_offer",
]


def get_order(order_id: int) -> dict[str, Any]:
    """An order in Logistics' custody as readers get it: header, four states, ``lines``, ``shipments``, ``returns``.

    Amounts are Decimal, dates are ISO strings. Raises NotFound.
    """
    with cursor("logistics") as cur:
        cur.execute(f"select ({SalesOrder.payload_sql})::text from sales_order t where t.id = %s", [order_id])
        row = cur.fetchone()
    if row is None:
        raise NotFound(f"Logistics has no sales order {order_id}")
    found: dict[str, Any] = load_json(row[0])
    return found


def set_payment(order_id: int, payment: str, *, actor: Actor) -> bool:
    """Record what is known of an order's payment (``authorised``, ``paid``…); returns whether that was news."""
    if payment not in SalesOrder.Payment.values:
        raise Refused(f"{payment!r} is not a state of payment")

    def run() -> bool:
        take_locks(("sales_order",))
        lock_order(order_id)
        return _write_payment(order_id, payment, actor=actor)

    return retrying("logistics", run)


def save_warehouse(data: Mapping[str, Any]) -> dict[str, Any]:
    """Create a warehouse, or change the one with this code.

    Args:
        data: ``code`` and any of ``name``, ``priority``, ``is_active`` and the address.

    Returns:
        ``{"id", "code"}``.
    """
    values = {k: v for k, v in data.items() if k != "code"}
    found = retrying("logistics", lambda: Warehouse.objects.update_or_create(code=data["code"], defaults=values)[0])
    return {"id": found.pk, "code": found.code}


def list_warehouses() -> Sequence[dict[str, Any]]:
    """Warehouses in the order in which they serve orders: ``{"id", "code", "name", "priority", "is_active"}``."""
    return [dict(row) for row in Warehouse.objects.values("id", "code", "name", "priority", "is_active")]
