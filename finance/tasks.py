"""Periodic work of Finance; may run twice, late or concurrently."""

from __future__ import annotations

from celery import shared_task

from finance.services.sealing import seal_pending


@shared_task(name="finance.seal")
def seal() -> int:
    """Chain the entries committed since the last run; returns their number."""
    return seal_pending()
