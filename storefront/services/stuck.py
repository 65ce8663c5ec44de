"""Orders whose hand-over does not get through or was refused, for the page of stuck documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from erp.actor import Actor
from erp.db import module_transaction, retrying
from erp.errors import NotFound, Refused
from erp.registry import RelayKind, StuckDocument, StuckSource, Watch, registry
from erp.stuck import LATE_S, StillStuck, document_page
from storefront.models import PaymentAttempt, SalesOrder
from storefront.serializers import offer_again, raise_attempts
from storefront.services.cards import stuck as payments
from storefront.services.cards import uncaptured
from storefront.services.handover import Outcome, finish_hand_over, hand_over

REFUSALS_SHOWN_FOR = timedelta(days=14)
HAND_OVER_LIMIT_S = 300.0  # an order that nobody has decided for so long is an incident
OFTEN = 8  # attempts after which a hand-over is called stuck


def _page(order: SalesOrder) -> str:
    return document_page("storefront_salesorder", order.pk)


def find_hand_overs(limit: int) -> list[StuckDocument]:
    """Orders that are offered to Logistics and not decided although that failed, or took too long."""
    late = timezone.now() - timedelta(seconds=LATE_S)
    found = SalesOrder.objects.filter(custody="offered").filter(Q(attempts__gt=0) | Q(offered_at__lt=late))
    return [
        StuckDocument(
            key=str(order.pk), what=f"Hand-over of order {order.number}", since=order.created_at,
            reason=order.last_error or "Nobody has decided it yet; see that Storefront's worker runs",
            attempts=order.attempts, state="stuck" if order.attempts >= OFTEN else "waiting",
            next_at=order.offered_at, url=_page(order),
        )
        for order in found.order_by("created_at", "id")[:limit]
    ]  # fmt: skip


def oldest_hand_over_s() -> float:
    """Age of the oldest order that is offered to Logistics and not decided; 0 without one."""
    first = SalesOrder.objects.filter(custody="offered").order_by("created_at").first()
    return 0.0 if first is None else max(0.0, (timezone.now() - first.created_at).total_seconds())


def find_refusals(limit: int) -> list[StuckDocument]:
    """Orders of integrators that Logistics refused lately; not a shopper's, who has the cart back."""
    recent = SalesOrder.objects.filter(custody="refused", updated_at__gt=timezone.now() - REFUSALS_SHOWN_FOR)
    recent = recent.exclude(channel="web")
    return [
        StuckDocument(
            key=str(order.pk), what=f"Order {order.number} of {order.customer_name}", since=order.updated_at,
            reason=_why_refused(order), attempts=(order.epoch + 1) // 2, state="refused", url=_page(order),
        )
        for order in recent.order_by("updated_at", "id")[:limit]
    ]  # fmt: skip


def _why_refused(order: SalesOrder) -> str:
    refusal = order.refusal or {}
    short = [f"{s['sku']}: {s['requested']} wanted, {s['available']} left" for s in refusal.get("short", ())]
    return "; ".join([*filter(None, [refusal.get("reason")]), *short])


def _order(key: str) -> SalesOrder:
    found = SalesOrder.objects.filter(pk=int(key)).first() if key.isdecimal() else None
    if found is None:
        raise NotFound(f"There is no order {key}")
    return found


def retry_hand_over(key: str, actor: Actor) -> str:
    """Decide one order's hand-over now."""
    order = _order(key)
    try:
        return _told(order.number, finish_hand_over(order.pk))
    except Exception as error:
        with module_transaction("storefront"):
            raise_attempts(order.pk, f"{type(error).__name__}: {error}")
        raise


def retry_refusal(key: str, actor: Actor) -> str:
    """Offer a refused order to Logistics again, under a higher epoch."""
    order = _order(key)
    if order.channel == "web":
        raise Refused(f"Order {order.number}: the shopper has the cart back and orders again, or does not")
    if not retrying("storefront", lambda: offer_again(order.pk, order.epoch, actor=actor)):
        raise Refused(f"Order {order.number} is not refused any more; load the page again")
    return _told(order.number, hand_over(order.pk))


def _told(number: str, outcome: Outcome) -> str:
    if outcome.result == "accepted":
        return f"Order {number} is Logistics' now."
    if outcome.result == "refused":
        raise StillStuck(f"Order {number} is refused: {outcome.reason}")
    if outcome.result == "pending":
        raise StillStuck(f"Order {number} is not decided yet")
    return f"Order {number} is cancelled."


def _order_of(payload: dict[str, Any], key: str) -> tuple[str, str]:
    order = SalesOrder.objects.filter(pk=payload.get("order_id") or payload.get("id") or 0).first()
    return (order.number, _page(order)) if order else (key, "")


def _order_of_payment(payload: dict[str, Any], key: str) -> tuple[str, str]:
    attempt = PaymentAttempt.objects.filter(pk=payload["attempt_id"]).first()
    return _order_of({"order_id": attempt.order_id}, key) if attempt else (key, "")


def _invoice(payload: dict[str, Any], key: str) -> tuple[str, str]:
    return key, document_page("storefront_invoicecopy", payload.get("invoice_id") or payload["id"])


_KINDS = {
    "mail_confirmation": RelayKind("E-mail to confirm an address"),
    "mail_reset": RelayKind("E-mail to set a new password"),
    "mail_order": RelayKind("E-mail about an accepted order", _order_of),
    "mail_payment_failed": RelayKind("E-mail about a card payment without an order", _order_of_payment),
    "mail_shipment": RelayKind("E-mail about a shipment", _order_of),
    "mail_invoice": RelayKind("E-mail with an invoice", _invoice),
    "payment_complete": RelayKind("Order of a card payment", _order_of_payment),
    "payment_void": RelayKind("Release of a card payment", _order_of_payment),
    "payment_booking": RelayKind("Capture or refund for document", _invoice),
}


def register_stuck() -> None:
    """Tell the platform of this module's stuck documents, and what its relay work is called."""
    registry.relay_kinds.update({("storefront", name): kind for name, kind in _KINDS.items()})
    registry.stuck_sources += [
        StuckSource("storefront.hand-overs", "storefront", "Hand-overs to Logistics", find_hand_overs, retry_hand_over),
        StuckSource("storefront.refusals", "storefront", "Refused orders", find_refusals, retry_refusal),
        payments.SOURCE,
        uncaptured.SOURCE,
    ]
    registry.watches.append(
        Watch(
            "hand-overs", "Hand-overs to Logistics", oldest_hand_over_s, HAND_OVER_LIMIT_S,
            "see the page of stuck documents in the admin",
        )
    )  # fmt: skip
