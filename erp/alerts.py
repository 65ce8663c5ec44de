"""Alert events: one incident per key until it is resolved, kept in PostgreSQL whatever else is down."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet

from erp.db import cursor, module_transaction
from erp.fields import dump_json
from erp.models import Alert, ScrubRun
from erp.ownership import PLATFORM

logger = logging.getLogger(__name__)


def raise_alert(key: str, message: str, details: dict[str, Any] | None = None, *, severity: str = "critical") -> bool:
    """Open an incident, or refresh the open one; returns whether it is new.

    Critical ones are told on every channel by the watchdog (erp/alerting); warnings wait for the daily summary.
    """
    with module_transaction(PLATFORM), cursor(PLATFORM) as cur:
        cur.execute(
            """insert into alert (key, severity, message, details) values (%s, %s, %s, %s)
               on conflict (key) where resolved_at is null
               do update set message = excluded.message, details = excluded.details,
                             severity = excluded.severity, last_seen_at = clock_timestamp()
               returning xmax = 0""",
            [key, severity, message, dump_json(details or {})],
        )
        is_new = bool(cur.fetchone()[0])
    if is_new:
        logger.error("ALERT %s: %s", key, message)
    return is_new


def refresh_alert(key: str, message: str, details: dict[str, Any] | None = None) -> bool:
    """Bring the open incident of a key up to date; returns whether there is one. Never opens one."""
    with module_transaction(PLATFORM), cursor(PLATFORM) as cur:
        cur.execute(
            "update alert set message = %s, details = %s, last_seen_at = clock_timestamp() "
            "where key = %s and resolved_at is null",
            [message, dump_json(details or {}), key],
        )
        return bool(cur.rowcount > 0)


def resolve_alert(key: str) -> bool:
    """Close the open incident of a key; returns whether there was one."""
    with module_transaction(PLATFORM), cursor(PLATFORM) as cur:
        cur.execute("update alert set resolved_at = clock_timestamp() where key = %s and resolved_at is null", [key])
        closed = bool(cur.rowcount > 0)
    if closed:
        logger.warning("RESOLVED %s", key)
    return closed


def open_alerts() -> list[Alert]:
    """Incidents that are not resolved, newest first."""
    return list(Alert.objects.filter(resolved_at=None))


def complete_scrubs() -> QuerySet[ScrubRun]:
    """Runs of all checks that did each of them; one that died was closed without, and stands for nothing."""
    done = ScrubRun.objects.filter(names=[], total__gt=0).exclude(finished_at=None)
    return done.annotate(checks_done=Count("results")).filter(checks_done__gte=F("total"))


def last_scrub() -> datetime | None:
    """When a run of all checks was last finished; None before the first."""
    return complete_scrubs().order_by("-id").values_list("finished_at", flat=True).first()


def beat_heart(name: str) -> None:
    """Record that a part of the system lives, by PostgreSQL's clock."""
    with module_transaction(PLATFORM), cursor(PLATFORM) as cur:
        cur.execute(
            "insert into heartbeat (name, at) values (%s, clock_timestamp()) "
            "on conflict (name) do update set at = excluded.at",
            [name],
        )


def silence_s(name: str) -> float | None:
    """Seconds since a part last showed that it lives; None when it never did."""
    with cursor(PLATFORM) as cur:
        cur.execute("select extract(epoch from clock_timestamp() - at)::float8 from heartbeat where name = %s", [name])
        row = cur.fetchone()
    return None if row is None else float(row[0])
