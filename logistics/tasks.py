"""Periodic work of Logistics; may run twice, late or concurrently."""

from __future__ import annotations

from celery import shared_task

from logistics.services.holds import expire_holds


@shared_task(name="logistics.expire_holds")
def release_expired_holds() -> int:
    """Give back holds past their time; returns the number of pieces."""
    return expire_holds()
