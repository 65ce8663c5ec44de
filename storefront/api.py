"""What may be called of Storefront: placing and reading sales orders. Plain data in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp.actor import Actor
from storefront.services import integration

__all__ = ["get_order", "place_order"]


def place_order(data: Mapping[str, Any], *, actor: Actor, idempotency_key: str) -> dict[str, Any]:
    """Place an order and hand it over to Logistics; returns once Logistics has accepted it.

    Args:
        data: ``customer_id``; ``lines``: ``[{"product_id" or "sku", "quantity", "unit_price"?, "vat_code"?,
            "name"?, "discount"?}]`` (what is left out comes from the product; the discount is an amount);
            optionally ``price_mode`` (``net``), ``currency``, ``country``, ``external_ref``, ``ordered_on``,
            ``placed_at``, ``channel`` (``api``), ``email``, ``ship_to``, ``bill_to``, ``shipping_method``,
            ``payment_method``, ``note``.
        actor: who orders, for the change journal.
        idempotency_key: a repeat with the same key and data gives the outcome of the one order.

    Returns:
        ``{"order_id", "id", "number", "outcome", "epoch", "version", "custody", "lifecycle", "currency",
        "net_total", "vat_total", "gross_total", "external_ref"}``; ``outcome`` is ``accepted``, or ``pending``
        while the hand-over is being decided elsewhere, or ``cancelled`` for one that was cancelled since.

    Raises:
        OutOfStock: with ``short`` = ``[{"line_no", "sku", "requested", "available"}]``; the order is cancelled.
        ReferenceTaken, CustomerRefused, NotForSale, NoVatRate, OrderInvalid: nothing was ordered.
        OwnerBusy and database errors: the order may be frozen; repeat with the same key.
    """
    return integration.place_order(data, actor=actor, idempotency_key=idempotency_key)


def get_order(order_id: int) -> dict[str, Any]:
    """An order as Storefront has it, with ``lines``. Raises NotFound."""
    return integration.get_order(order_id)
