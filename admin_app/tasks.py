"""Periodic work of Admin; may run twice, late or concurrently."""

from __future__ import annotations

import time

from celery import shared_task

from admin_app.services.pictures import sweep


@shared_task(name="admin_app.sweep_pictures")
def sweep_pictures_task() -> int:
    """Delete files of pictures that no product shows."""
    return sweep(time.time())
