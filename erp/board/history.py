"""Age and drift of copies over time, from the readers' tick logs and the scrubber's results."""

from __future__ import annotations

from datetime import datetime, timedelta

from erp.db import cursor
from erp.models import ScrubResult
from erp.ownership import Entity

AGE_HOURS = 24
AGE_STEP = "10 minutes"
DRIFT_DAYS = 30

Series = list[tuple[datetime, float]]


def ages(entity: Entity, reader: str) -> Series:
    """Worst age of a windowed copy in each ten minutes of the last day; empty for an instant one."""
    if entity.is_instant:
        return []
    with cursor(reader) as cur:
        cur.execute(
            """select date_bin(%s::interval, applied_at, timestamptz '2000-01-01') as at, max(worst_age_s)::float8
               from copy_tick where entity = %s and applied_at > clock_timestamp() - make_interval(hours => %s)
               group by 1 order by 1""",
            [AGE_STEP, entity.name, AGE_HOURS],
        )
        return [(at, age) for at, age in cur.fetchall()]


def drifts(check: str, now: datetime) -> dict[str, Series]:
    """Drift per copy ("reader/entity") in each run of a check in the last month."""
    found: dict[str, Series] = {}
    results = ScrubResult.objects.filter(name=check, at__gt=now - timedelta(days=DRIFT_DAYS)).order_by("at")
    for at, parts in results.values_list("at", "parts"):
        for part, (compared, mismatched) in parts.items():
            found.setdefault(part, []).append((at, mismatched / compared if compared else float(mismatched > 0)))
    return found
