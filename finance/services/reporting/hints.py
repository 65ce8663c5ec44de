"""Rings the outbox's bell; beat rings it every few seconds anyway, so a lost hint loses nothing."""

from __future__ import annotations

import time

from erp.relay import ring
from erp.schedule import OUTSIDE_QUEUE

AT_MOST_EVERY_S = 0.2

_rung_at = 0.0  # on this process's monotonic clock


def hint() -> None:
    """Tell Celery that a report waits; in a burst of issues one bell is enough for all."""
    global _rung_at  # noqa: PLW0603  what this process did last
    if time.monotonic() - _rung_at < AT_MOST_EVERY_S:
        return
    _rung_at = time.monotonic()
    from finance.tasks import report_to_nav

    ring(report_to_nav, OUTSIDE_QUEUE)
