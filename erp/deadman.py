"""Dead-man switches: what should have happened by now and did not. Asked by the watchdog, which gives the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from erp.alerts import complete_scrubs, silence_s
from erp.db import cursor
from erp.models import ScrubRun
from erp.ownership import PLATFORM
from erp.schedule import QUEUES
from erp.scrubber.engine import due_at

START_WITHIN = timedelta(minutes=10)
BEAT_SILENCE_S = 30.0  # beat proves itself every few seconds through the heartbeat tasks
WORKER_SILENCE_S = 120.0  # a busy worker answers late; a dead one not at all
NEVER = "has not shown that it lives yet"


@dataclass(frozen=True)
class Verdict:
    """Whether one switch is tripped, and what to say then."""

    key: str
    is_wrong: bool
    message: str = ""
    details: dict[str, object] = field(default_factory=dict)


def nightly(now: datetime) -> Verdict:
    """The nightly run started in time and finished within its bound; a later full run of any kind stands for it.

    Until tonight's run has ended, what was wrong with last night's still is.
    """
    due = due_at(now)
    tonight, is_complete = _night(due, now)
    if tonight.is_wrong or is_complete:
        return tonight
    return _night(due - timedelta(days=1), now)[0]


def _night(due: datetime, now: datetime) -> tuple[Verdict, bool]:
    """The verdict on the run that was due then, and whether a full run has ended since."""
    key = "nightly"
    since = ScrubRun.objects.filter(started_at__gte=due, started_at__lte=now).order_by("id")
    if complete_scrubs().filter(started_at__gte=due, started_at__lte=now).exists():
        return Verdict(key, False), True
    run = since.filter(trigger="nightly", started_at__lt=due + timedelta(days=1)).first()
    bound = timedelta(seconds=settings.SCRUB_BOUND_S)
    details: dict[str, object] = {"repair": "manage.py scrub", "oldest_at": due}
    if run is None or run.status == "requested":
        late = now >= due + START_WITHIN and _installed_at() < due
        message = f"the nightly scrub of {due:%Y-%m-%d %H:%M} UTC has not started; look at beat and worker"
        return Verdict(key, late, message, details), False
    if run.finished_at is None:
        message = (
            f"the nightly scrub of {run.started_at:%Y-%m-%d %H:%M} UTC is not finished after "
            f"{settings.SCRUB_BOUND_S} s: {run.results.count()} of {run.total} checks are done"
            f"{f', at {run.current}' if run.current else ''}"
        )
        return Verdict(key, now > run.started_at + bound, message, details), False
    message = (
        f"the nightly scrub of {run.started_at:%Y-%m-%d %H:%M} UTC was given up after {run.results.count()} of "
        f"{run.total} checks; run manage.py scrub and look at the logs of the worker"
    )
    return Verdict(key, True, message, details), False


def beat_and_workers() -> Iterator[Verdict]:
    """Beat sends and every queue has a worker. When nothing is heard at all, beat is named and no single queue."""
    silence = silence_s("beat")
    is_silent = silence is None or silence > BEAT_SILENCE_S
    words = "yet" if silence is None else f"for {silence:.0f} s"
    repair: dict[str, object] = {"repair": "restart beat and worker; nothing is lost"}
    yield Verdict(
        "beat",
        is_silent,
        f"Celery beat or its workers gave no sign of life {words}; look at the logs of beat and worker",
        repair,
    )
    if is_silent:
        return
    for queue in QUEUES:
        quiet = silence_s(f"worker:{queue}")
        since = NEVER if quiet is None else f"gave no sign of life for {quiet:.0f} s"
        yield Verdict(
            f"worker:{queue}",
            quiet is None or quiet > WORKER_SILENCE_S,
            f"no worker serves the queue {queue}: it {since}",
            repair,
        )


def _installed_at() -> datetime:
    """When this installation was first migrated: before that nothing was due."""
    with cursor(PLATFORM) as cur:
        cur.execute("select min(applied) from django_migrations")
        found: datetime = cur.fetchone()[0]
    return found
