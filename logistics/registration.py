"""What this module registers with the platform."""

from __future__ import annotations

from erp.registry import PeriodicTask, registry


def register() -> None:
    """Register relays, periodic tasks, checks and the document flow of this module."""
    from logistics.checks import CHECKS
    from logistics.services.document_flow import documents_of
    from logistics.services.relays import register_relays

    registry.periodic_tasks.append(
        PeriodicTask("expire stock holds", "logistics.expire_holds", "logistics", every_s=30)
    )
    register_relays()
    registry.document_flows.append(documents_of)
    registry.checks.extend(CHECKS)
