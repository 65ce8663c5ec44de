"""Hand-over of a frozen order to Logistics: one owner at any moment, whatever crashes.

The order itself is the outbox: while its custody is ``offered`` somebody must still find out what Logistics
decided. The request that placed it does so at once; after a crash the periodic relay does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError

from erp.db import cursor, module_transaction, retrying
from erp.errors import ErpError, Refused
from erp.faultpoints import fault_point
from erp.relay import hint_after_commit
from logistics import api as logistics
from storefront.models import SalesOrder
from storefront.serializers import (
    NewOrder,
    note_attempt,
    raise_epoch,
    record_handed_over,
    record_refused,
    record_withdrawn,
)
from storefront.services import carts_after
from storefront.services.cards import ending

logger = logging.getLogger(__name__)

GRACE_S = 10  # how long a hand-over is left to the request that began it
MAX_BACKOFF_S = 300

_HEADER = (
    "number", "epoch", "customer_id", "customer_name", "email", "currency", "price_mode", "country", "language",
    "ship_to", "bill_to", "shipping_method", "payment_method", "placed_at", "ordered_on", "net_total", "vat_total",
    "gross_total", "external_ref", "channel", "note", "payment",
)  # fmt: skip
_LINE = (
    "line_no", "product_id", "sku", "name", "unit", "product_class", "quantity", "unit_price", "discount", "vat_code",
    "vat_rate", "net", "vat", "gross", "is_stocked",
)  # fmt: skip


class OutOfStock(Refused):
    """Some of it is not available any more."""

    code = "out-of-stock"


@dataclass(frozen=True)
class Outcome:
    """Where an order stands after an attempt to hand it over."""

    order_id: int
    number: str
    result: str  # accepted | refused | pending (decided by the relay) | cancelled
    short: tuple[dict[str, Any], ...] = ()  # {line_no, product_id, sku, requested, available} of a refusal
    reason: str = ""  # of a refusal


def build_offer(order: SalesOrder) -> dict[str, Any]:
    """What Logistics is offered: the frozen order as plain data."""
    offer = {name: getattr(order, name) for name in _HEADER}
    lines = [{name: getattr(line, name) for name in _LINE} for line in order.lines.all()]
    return {"order_id": order.pk, "id": order.pk, **offer, "owner_key": order.hold_key, "lines": lines}


def offer_of(order: NewOrder, order_id: int, number: str) -> dict[str, Any]:
    """The first offer of an order that was frozen just now; equal to what :func:`build_offer` reads back."""
    header = {name: getattr(order, name) for name in _HEADER if name not in {"number", "epoch"}}
    lines = [{name: getattr(line, name) for name in _LINE} for line in order.lines]
    own = {"order_id": order_id, "id": order_id, "number": number, "epoch": 1, "owner_key": order.hold_key}
    return {**header, **own, "lines": lines}


def hand_over(order_id: int, fresh: dict[str, Any] | None = None) -> Outcome:
    """Offer the order to Logistics and record the answer; a repeat finds what was decided.

    Three steps: read the frozen order; Logistics accepts or refuses in a transaction of its own; Storefront
    records that in another. No Storefront transaction is open while Logistics works.

    Args:
        fresh: the offer of an order that was frozen just now, to save reading it back.
    """
    offer = fresh
    if offer is None:
        order = SalesOrder.objects.prefetch_related("lines").get(pk=order_id)
        if order.custody != SalesOrder.Custody.OFFERED:
            return outcome_of(order)
        offer = build_offer(order)
    fault_point("handover:after_freeze")
    answer = logistics.accept_order(offer)
    fault_point(f"handover:after_{answer['outcome']}")
    return record_answer(offer, answer)


def try_hand_over(order_id: int, fresh: dict[str, Any] | None = None) -> Outcome:
    """Like :func:`hand_over`; trouble on the way leaves the order to the relay and answers ``pending``."""
    try:
        return hand_over(order_id, fresh)
    except (ErpError, DatabaseError) as error:
        logger.warning("hand-over of order %s is left to the relay: %s", order_id, error)
        return outcome_of(SalesOrder.objects.get(pk=order_id))


def record_answer(offer: Mapping[str, Any], answer: Mapping[str, Any]) -> Outcome:
    """Record what Logistics answered to an offer, in one Storefront transaction.

    An acceptance counts whatever epoch is offered by now: the order is Logistics' own. A refusal counts only
    for the offer it was given to.

    Args:
        offer: ``order_id``, ``number``, ``epoch``, ``channel`` and ``email`` of :func:`build_offer`.
    """
    order_id = int(offer["order_id"])
    decided = _decision(order_id, offer["epoch"], answer)
    is_news = decided is not None and retrying("storefront", lambda: _record(offer, decided))
    if not is_news or decided is None:
        return outcome_of(SalesOrder.objects.get(pk=order_id))
    result = decided.outcome if decided.outcome in {"accepted", "refused"} else "cancelled"
    return Outcome(order_id, offer["number"], result, decided.short, decided.reason)


def _record(offer: Mapping[str, Any], decided: _Decision) -> bool:
    """Write a decision with what follows from it for the cart; False when it was no news."""
    order_id = int(offer["order_id"])
    if decided.outcome == "accepted":
        is_news = record_handed_over(order_id, decided.fulfilment, beside=carts_after.ORDER_ACCEPTED)
        if is_news and offer["channel"] == "web":
            hint_after_commit("storefront")
            if offer["payment_method"] == "card":
                ending.order_accepted(order_id)
    elif decided.outcome == "refused":
        is_news = record_refused(order_id, decided.epoch, {"reason": decided.reason, "short": decided.short})
    else:
        is_news = record_withdrawn(order_id, decided.epoch)
    if is_news and decided.outcome != "accepted" and offer["channel"] == "web":
        carts_after.order_refused(order_id, decided.short)
        if offer["payment_method"] == "card":
            ending.order_ended(order_id, ending.Reason.NO_STOCK if decided.short else ending.Reason.REFUSED)
    fault_point("handover:before_record_commit")
    return is_news


@dataclass(frozen=True)
class _Decision:
    """What Logistics decided: accepted, refused or withdrawn, to the offer of which epoch."""

    outcome: str
    epoch: int  # of the offer
    fulfilment: str = "allocated"
    reason: str = ""
    short: tuple[dict[str, Any], ...] = ()


def _decision(order_id: int, epoch: int, answer: Mapping[str, Any]) -> _Decision | None:
    """The decision behind an answer; of an offer that was seen before, the one made then."""
    outcome, given = answer["outcome"], answer
    if outcome == "seen":
        seen = logistics.find_offer(order_id)
        if seen is None:
            return None
        outcome, epoch, given = seen["outcome"], seen["epoch"], seen["answer"] or {}
    lines = given.get("lines") or ()
    fulfilment = "allocated" if any(line["reserved"] for line in lines) else "none"
    if any(line["backordered"] for line in lines):
        fulfilment = "backordered"
    return _Decision(outcome, epoch, fulfilment, given.get("reason", ""), tuple(given.get("short") or ()))


def outcome_of(order: SalesOrder) -> Outcome:
    """Outcome as the order's row tells it."""
    result = {
        SalesOrder.Custody.HANDED_OVER: "accepted",
        SalesOrder.Custody.REFUSED: "refused",
        SalesOrder.Custody.OFFERED: "pending",
    }.get(SalesOrder.Custody(order.custody), "cancelled")
    refusal = order.refusal or {}
    return Outcome(order.pk, order.number, result, tuple(refusal.get("short", ())), refusal.get("reason", ""))


def finish_hand_overs(grace_s: float = GRACE_S, limit: int = 200) -> dict[str, int]:
    """The relay: decide every order whose hand-over was left unfinished for ``grace_s`` seconds.

    Idempotent; several may run at once. Returns counts ``{"done", "failed"}``.
    """
    counts = {"done": 0, "failed": 0}
    for order_id in _unfinished(grace_s, limit):
        trouble = "Logistics has not decided yet"
        try:
            settled = finish_hand_over(order_id).result != "pending"
        except Exception as error:  # noqa: BLE001  one order's trouble must not stop the others
            logger.warning("hand-over of order %s failed: %s", order_id, error)
            settled, trouble = False, f"{type(error).__name__}: {error}"
        counts["done" if settled else "failed"] += 1
        if not settled:
            attempts = SalesOrder.objects.values_list("attempts", flat=True).get(pk=order_id)
            with module_transaction("storefront"):
                note_attempt(order_id, min(MAX_BACKOFF_S, 2 ** min(attempts, 9)), trouble)
    return counts


def _unfinished(grace_s: float, limit: int) -> list[int]:
    with cursor("storefront") as cur:
        cur.execute(
            "select id from sales_order where custody = 'offered' "
            "and offered_at <= clock_timestamp() - make_interval(secs => %s) order by offered_at limit %s",
            [grace_s, limit],
        )
        return [order_id for (order_id,) in cur.fetchall()]


def finish_hand_over(order_id: int) -> Outcome:
    """Ask Logistics what became of the offer; offer again under a higher epoch when it never arrived."""
    order = SalesOrder.objects.get(pk=order_id)
    seen = logistics.find_offer(order_id)
    if seen is not None and (seen["outcome"] == "accepted" or seen["epoch"] >= order.epoch):
        return record_answer(build_offer(order), {"outcome": "seen"})
    fault_point("handover:before_reoffer")

    retrying("storefront", lambda: raise_epoch(order_id, order.epoch))
    return hand_over(order_id)
