"""Cancelling an order: whoever owns it decides. After the hand-over that is Logistics."""

from __future__ import annotations

from erp.actor import Actor
from erp.db import retrying
from erp.errors import NotFound
from logistics import api as logistics
from storefront.models import SalesOrder
from storefront.serializers import record_cancelled
from storefront.services.copy_hints import hint_copy
from storefront.services.handover import build_offer, record_answer


def cancel_order(order_id: int, *, actor: Actor, reason: str) -> None:
    """Cancel an order wherever it lives; cancelling it again changes nothing.

    Raises:
        Refused: Logistics refuses, e.g. because picking has begun.
    """
    retrying("storefront", lambda: record_cancelled(order_id, actor=actor))
    custody = SalesOrder.objects.values_list("custody", flat=True).filter(pk=order_id).first()
    if custody is None:
        raise NotFound(f"Storefront has no sales order {order_id}")
    if custody == SalesOrder.Custody.OFFERED:
        custody = _withdraw(order_id)
    if custody == SalesOrder.Custody.HANDED_OVER:
        logistics.cancel_order(order_id, actor=actor, reason=reason)
        hint_copy("sales_order", "logistics")


def _withdraw(order_id: int) -> str:
    """Take an offer back that Logistics has not seen; returns the custody after that."""
    order = SalesOrder.objects.prefetch_related("lines").get(pk=order_id)
    logistics.withdraw_offer(order_id, order.epoch)
    record_answer(build_offer(order), {"outcome": "seen"})
    return SalesOrder.objects.values_list("custody", flat=True).get(pk=order_id)
