"""What this module registers with the platform."""

from __future__ import annotations

from erp.registry import PeriodicTask, StaffPage, Widget, registry

_PAGES = (
    ("Pick list", "logistics-pick-list"),
    ("Receive goods", "logistics-receive"),
    ("Correct or scrap", "logistics-adjust"),
    ("Count stock", "logistics-count"),
    ("Transfer stock", "logistics-transfer"),
    ("Waiting orders", "logistics-waiting"),
    ("Low stock", "logistics-low-stock"),
    ("Reorder levels", "logistics-reorder-levels"),
)


def register() -> None:
    """Register relays, periodic tasks, checks and the document flow of this module."""
    from logistics.checks import CHECKS
    from logistics.services.closing import unfinished_goods_work
    from logistics.services.document_flow import documents_of
    from logistics.services.relays import register_relays
    from logistics.services.stuck import register_stuck

    registry.periodic_tasks.append(
        PeriodicTask("expire stock holds", "logistics.expire_holds", "logistics", every_s=30)
    )
    registry.periodic_tasks.append(
        PeriodicTask("serve waiting orders", "logistics.serve_waiting_orders", "logistics", every_s=60)
    )
    registry.periodic_tasks.append(
        PeriodicTask("collective invoices", "logistics.collect_invoice_numbers", "logistics", every_s=60)
    )
    register_relays()
    register_stuck()
    registry.closing_checks.append(unfinished_goods_work)
    registry.document_flows.append(documents_of)
    registry.checks.extend(CHECKS)
    registry.staff_pages += [StaffPage("logistics", title, url) for title, url in _PAGES]
    registry.widgets += [
        Widget("logistics", "Shipments to pick", _to_pick, "logistics-pick-list"),
        Widget("logistics", "Orders waiting for goods", _waiting, "logistics-waiting"),
    ]


def _to_pick() -> str:
    from logistics.models import Shipment

    return f"{Shipment.objects.filter(state='planned').count():,}"


def _waiting() -> str:
    from logistics.models import SalesOrder

    return f"{SalesOrder.objects.filter(lifecycle='open', fulfilment='backordered').count():,}"
