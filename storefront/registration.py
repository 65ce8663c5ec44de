"""What this module registers with the platform."""

from __future__ import annotations

from erp.registry import FlowDocument, PeriodicTask, Widget, registry
from erp.schedule import OUTSIDE_QUEUE


def register() -> None:
    """Register relays, widgets, the document flow and periodic tasks of this module."""
    from storefront.checks import CHECKS
    from storefront.services import mails  # noqa: F401  (registers its relay handlers)
    from storefront.services.cards import completing, settling  # noqa: F401  (register their relay handlers)
    from storefront.services.stuck import register_stuck

    register_stuck()
    registry.checks.extend(CHECKS)
    registry.periodic_tasks.append(PeriodicTask("hand-overs", "storefront.finish_hand_overs", "storefront", every_s=5))
    registry.periodic_tasks.append(
        PeriodicTask("payments of orders", "storefront.tell_payments", "storefront", every_s=10)
    )
    registry.periodic_tasks.append(
        PeriodicTask("words of the search", "storefront.index_words", "storefront", every_s=10)
    )
    registry.periodic_tasks.append(
        PeriodicTask("words of the search, anew", "storefront.index_words_anew", "storefront", crontab=("40", "2"))
    )
    registry.periodic_tasks += [
        PeriodicTask("undecided card payments", "storefront.look_after_payments", OUTSIDE_QUEUE, every_s=5),
        PeriodicTask("captures and refunds", "storefront.settle_payments", OUTSIDE_QUEUE, every_s=5),
    ]
    registry.periodic_tasks.append(
        PeriodicTask("e-mails of documents", "storefront.tell_shoppers", "storefront", every_s=10)
    )
    registry.periodic_tasks.append(
        PeriodicTask("what is kept of erased customers", "storefront.forget_erased", "storefront", every_s=60)
    )
    registry.periodic_tasks.append(
        PeriodicTask("old attempts", "storefront.prune_attempts", "storefront", crontab=("45", "2"))
    )
    registry.document_flows.append(order_documents)
    registry.widgets.append(Widget("storefront", "Orders today", orders_today, "/admin/storefront/salesorder/"))
    registry.widgets.append(
        Widget("storefront", "Hand-overs open", open_hand_overs, "/admin/storefront/salesorder/?custody=offered")
    )


def order_documents(order_id: int) -> list[FlowDocument]:
    """The order as Storefront has it."""
    from storefront.models import SalesOrder

    return [
        FlowDocument(
            "storefront", "sales order", order.number, f"{order.lifecycle} ({order.get_custody_display()})",
            order.placed_at, f"/admin/storefront/salesorder/{order.pk}/change/",
        )
        for order in SalesOrder.objects.filter(pk=order_id)
    ]  # fmt: skip


def orders_today() -> str:
    """Number of orders placed today."""
    from django.utils import timezone

    from storefront.models import SalesOrder

    return str(SalesOrder.objects.filter(ordered_on=timezone.localdate()).count())


def open_hand_overs() -> str:
    """Number of orders that are offered to Logistics and not decided yet."""
    from storefront.models import SalesOrder

    return str(SalesOrder.objects.filter(custody="offered").count())
