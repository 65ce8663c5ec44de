"""Announcing a return: the order is Logistics' own by then, so Logistics notes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp.actor import Actor
from erp.errors import Refused
from logistics import api as logistics
from storefront.models import SalesOrder
from storefront.services.copy_hints import hint_copy


class NotReturnable(Refused):
    """Nothing of this order can be returned yet."""

    code = "not-returnable"


def announce_return(order: SalesOrder, lines: Sequence[dict[str, Any]], reason: str, *, key: str, actor: Actor) -> str:
    """Note that pieces of an order come back; returns the number of the return.

    Args:
        lines: ``[{"line_no", "quantity"}]``.
        key: a repeat with the same key notes nothing new.

    Raises:
        Refused: more is announced than was shipped and has not come back.
    """
    if order.custody != SalesOrder.Custody.HANDED_OVER:
        raise NotReturnable
    found = logistics.request_return(
        order.pk, lines, actor=actor, key=f"{order.number} {key}" if key else None, reason=reason
    )
    hint_copy("sales_order", "logistics")
    return str(found["number"])
