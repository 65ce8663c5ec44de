"""What this module registers with the platform."""

from __future__ import annotations

from erp.registry import PeriodicTask, registry


def register() -> None:
    """Register relays, periodic tasks, checks and the document flow of this module."""
    from logistics.checks import CHECKS
    from logistics.services import relays
    from logistics.services.document_flow import documents_of

    assert relays.invoice_issue  # importing it has registered the handlers
    registry.periodic_tasks.append(
        PeriodicTask("expire stock holds", "logistics.expire_holds", "logistics", every_s=30)
    )
    registry.document_flows.append(documents_of)
    registry.checks.extend(CHECKS)
