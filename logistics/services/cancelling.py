"""Cancelling an order, or what is left of it, before the goods have left."""

from __future__ import annotations

from typing import Any

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from logistics.models import Reservation, Shipment
from logistics.serializers import cancel_lines, lock_order, refresh_orders, release_reservations, take_locks
from logistics.services.documents import with_key
from logistics.services.fulfilment import drop_plans
from logistics.services.planning import WrongState
from logistics.services.receiving import ask_for_backorders

State = Shipment.State


def cancel_order(order_id: int, *, actor: Actor, reason: str = "") -> dict[str, Any]:
    """Cancel an order of which nothing has been picked yet; its reservations are released.

    Returns:
        ``{"order_id", "number", "lifecycle": "cancelled"}``; a repeat gives the same.

    Raises:
        NotFound: Logistics does not have the order.
        WrongState: something is picked, packed or has left.
    """
    return with_key(None, "", None, actor, lambda: _cancel(order_id, actor, reason))  # type: ignore[no-any-return]


def _look(order_id: int) -> dict[str, Any]:
    lock_order(order_id)
    with cursor("logistics") as cur:
        cur.execute(
            "select o.id as order_id, o.number, o.lifecycle, o.fulfilment, "
            "(select coalesce(sum(l.issued), 0) from sales_order_line l where l.order_id = o.id) as issued, "
            "(select coalesce(sum(l.quantity - l.issued - l.cancelled), 0) from sales_order_line l "
            " where l.order_id = o.id) as missing from sales_order o where o.id = %s",
            [order_id],
        )
        return rows_as_dicts(cur)[0]


def _drop_planned(order: dict[str, Any]) -> None:
    shipments = Shipment.objects.filter(order_id=order["order_id"])
    busy = shipments.filter(state__in=[State.PICKED, State.PACKED]).first()
    if busy:
        raise WrongState(
            f"Order {order['number']} cannot be cancelled: shipment {busy.number} is {busy.state}; "
            f"take the shipment back first"
        )
    drop_plans(list(shipments.filter(state=State.PLANNED).values_list("pk", flat=True)))


def _release(order_id: int, actor: Actor) -> None:
    live = Reservation.objects.filter(order_id=order_id, state=Reservation.State.ALLOCATED)
    products = set(live.values_list("product_id", flat=True))
    release_reservations("r.order_id = %(order_id)s and r.state = 'allocated'", order_id=order_id, actor=actor)
    if products:
        ask_for_backorders(f"released:{order_id}", products)


def _cancel(order_id: int, actor: Actor, reason: str) -> dict[str, Any]:
    take_locks(("stock", "sales_order"))
    order = _look(order_id)
    answer = {"order_id": order_id, "number": order["number"], "lifecycle": "cancelled"}
    if order["lifecycle"] == "cancelled":
        return answer
    if order["issued"]:
        raise WrongState(
            f"Order {order['number']} is {order['fulfilment'].replace('_', ' ')}; what has left comes back as a "
            f"return, the rest can be cancelled on its own"
        )
    _drop_planned(order)
    _release(order_id, actor)
    cancel_lines(order_id, lifecycle="cancelled", fulfilment="none", reason=reason, actor=actor)
    return answer


def cancel_rest(order_id: int, *, actor: Actor, reason: str = "") -> dict[str, Any]:
    """Cancel what has not left of a partly shipped order; the order is then as good as shipped.

    Returns:
        ``{"order_id", "number", "cancelled"}`` with the number of pieces; a repeat cancels 0.
    """

    def run() -> dict[str, Any]:
        take_locks(("stock", "sales_order"))
        order = _look(order_id)
        if not order["issued"]:
            raise WrongState(f"Nothing of order {order['number']} has left yet; cancel the order itself")
        answer = {"order_id": order_id, "number": order["number"], "cancelled": int(order["missing"])}
        if order["missing"]:
            _drop_planned(order)
            _release(order_id, actor)
            cancel_lines(order_id, lifecycle="open", fulfilment=order["fulfilment"], reason=reason, actor=actor)
            refresh_orders([order_id], actor=actor)
        return answer

    return with_key(None, "", None, actor, run)  # type: ignore[no-any-return]
