"""Placing an order, however it came in: freeze it under an idempotency key, then hand it over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from erp import freshness
from erp.actor import Actor, acting_as, request_id
from erp.errors import CopyTooOld, Refused
from erp.faultpoints import fault_point
from erp.idempotency import once
from erp.reading import Columns
from storefront.models import CustomerCopy
from storefront.serializers import NewOrder, freeze_order
from storefront.services.handover import Outcome, hand_over, offer_of, try_hand_over


class CustomerRefused(Refused):
    """This customer cannot place orders."""

    code = "customer-refused"


_CUSTOMER = Columns(CustomerCopy, "c")
_GET_CUSTOMER = f"select {_CUSTOMER.sql} from customer_copy c where c.id = %s::bigint"


def get_customer(customer_id: int) -> CustomerCopy:
    """The customer who orders. Raises CustomerRefused when unknown, retired or blocked."""
    found = _CUSTOMER.fetch(_GET_CUSTOMER, [customer_id])
    if not found:
        raise CustomerRefused(f"There is no customer {customer_id}", customer_id=customer_id)
    return require_welcome(found[0])


def require_welcome(customer: CustomerCopy) -> CustomerCopy:
    """The customer, if orders are taken from him. Raises CustomerRefused when retired or blocked."""
    if customer.retired_at is not None or customer.is_blocked:
        raise CustomerRefused(f"Customer {customer.number} cannot place orders", customer_id=customer.pk)
    return customer


MASTERS = ("customer", "product", "vat_code")


def detached_masters() -> list[str]:
    """Masters from whose writes Storefront is detached: its copies may be out of date."""
    return freshness.detached(MASTERS, "storefront")


def _require_masters() -> None:
    detached = detached_masters()
    if detached:
        raise CopyTooOld(
            f"Prices and customer data are being updated ({', '.join(detached)}); no order can be placed until then"
        )


def place(
    prepare: Callable[[], tuple[NewOrder, Callable[[int], None]] | int],
    *,
    key: str,
    scope: str,
    request_hash: str,
    actor: Actor,
    wait_for_logistics: bool = False,
) -> Outcome:
    """Freeze an order in one Storefront transaction, then offer it to Logistics outside of it.

    Args:
        prepare: runs inside the freezing transaction; returns the order and what else to write once it has an
            id, or the id of an order that this very request already made in another way.
        wait_for_logistics: raise when Logistics cannot be reached, instead of leaving the order to the relay.

    A repeat with the same key freezes nothing: it finds what became of the order.
    """
    fresh: list[dict[str, Any]] = []

    def freeze() -> dict[str, int]:
        fresh.clear()  # a repeat after a deadlock begins anew
        _require_masters()
        prepared = prepare()
        if isinstance(prepared, int):
            return {"order_id": prepared}
        order, also = prepared
        # Stored in milliseconds; the offer must say what the row says.
        at = order.placed_at
        order = replace(order, placed_at=at.replace(microsecond=at.microsecond // 1000 * 1000))
        order_id, number = freeze_order(order, actor=actor)
        also(order_id)
        fresh.append(offer_of(order, order_id, number))
        fault_point("handover:before_freeze_commit")
        return {"order_id": order_id}

    with acting_as(actor, request_id()):
        answer: dict[str, Any]
        answer, _ = once("storefront", key, scope, request_hash, freeze)
        fault_point("handover:answer_lost")
        offer = hand_over if wait_for_logistics else try_hand_over
        return offer(int(answer["order_id"]), fresh[0] if fresh else None)
