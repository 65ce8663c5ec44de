"""Runs the checks: one run at a time, resumable; a crash in a check is a failed check, never a clean one."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import Error, connections
from django.utils import timezone

from erp.db import cursor
from erp.errors import Refused
from erp.models import ScrubRun
from erp.ownership import MODULES, PLATFORM, alias_of
from erp.relay import ring
from erp.scrubber.checks import all_checks
from erp.scrubber.outcome import keep, worst_status
from erp.scrubber.result import CheckResult, CheckSpec, Findings
from erp.scrubber.throttle import Throttle

logger = logging.getLogger(__name__)

RUN_LOCK = 0x45525010  # advisory lock: one run at a time
RESUME_WITHIN = timedelta(hours=6)  # an interrupted run is taken up again within this time
NIGHTLY_HOUR = 3  # UTC
BACKGROUND = ("nightly", "staff", "repair")  # triggers whose runs the workers take up; a command's run is its own

Progress = Callable[[CheckSpec, CheckResult | None], None]
Pause = Callable[[], None]


class ScrubberBusy(Refused):
    """Another scrubber run is under way; wait for it to finish."""

    code = "scrubber-busy"


class LockLost(Refused):
    """The connection that kept other scrubber runs out was lost, and the run stopped; run again."""

    code = "scrubber-lock-lost"


def no_pause() -> None:
    """Do not rest."""


def run_check(spec: CheckSpec, pause: Pause = no_pause) -> CheckResult:
    """Run one check; whatever goes wrong inside makes it ``failed``, never clean."""
    findings = Findings(pause=pause)
    began = time.monotonic()
    try:
        spec.run(findings)
        status, error = _judge(spec, findings), "; ".join(findings.failures)
    except Exception as problem:  # noqa: BLE001  a check that cannot run must not stop the others
        logger.warning("check %s failed: %s", spec.name, problem)
        status, error = "failed", f"{type(problem).__name__}: {problem}\n{traceback.format_exc(limit=-4)}"
    causes = sorted({sample.cause for sample in findings.samples if sample.cause})
    repair = "; ".join(findings.repairs) or (spec.repair if findings.mismatched else "")
    return CheckResult(
        name=spec.name, status=status, compared=findings.compared, mismatched=findings.mismatched,
        drift=findings.drift, amount=findings.amount, samples=findings.samples, cause=", ".join(causes),
        repair=repair, seconds=round(time.monotonic() - began, 3),
        position=findings.position.strip(), error=error, parts=findings.parts,
    )  # fmt: skip


def _judge(spec: CheckSpec, findings: Findings) -> str:
    is_over = findings.drift > settings.SCRUB_THRESHOLDS.get(spec.name, spec.threshold)
    if findings.mismatched and (spec.is_exact or is_over):
        return "alert"
    if findings.failures:
        return "failed"
    return "warning" if findings.mismatched or findings.skipped else "ok"


@contextmanager
def _only_one() -> Iterator[None]:
    with cursor(PLATFORM) as cur:
        cur.execute("select pg_try_advisory_lock(%s)", [RUN_LOCK])
        if not cur.fetchone()[0]:
            raise ScrubberBusy
    try:
        yield
    finally:
        with cursor(PLATFORM) as cur:
            cur.execute("select pg_advisory_unlock(%s)", [RUN_LOCK])


_HELD = """
select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted
  and database = (select oid from pg_database where datname = current_database())
  and classid = 0 and objid = %s and objsubid = 1)"""


def _require_lock() -> None:
    """A session's lock goes with its connection, and Django connects again without it: then the run stops here."""
    try:
        with cursor(PLATFORM) as cur:
            cur.execute(_HELD, [RUN_LOCK])
            is_held = cur.fetchone()[0]
    except Error:
        connections[alias_of(PLATFORM)].close()
        is_held = False
    if not is_held:
        raise LockLost


def run_scrub(
    names: list[str] | None = None, *, trigger: str = "manual", progress: Progress | None = None,
    pause: Pause = no_pause, asked_by: str = "",
) -> ScrubRun:  # fmt: skip
    """Run all checks (or those named) now and keep their results; raises and resolves their alerts.

    Args:
        progress: told before and after every check.
        pause: called between the steps of a check; a throttle.

    Raises:
        ScrubberBusy: another run is under way.
        LockLost: the connection was lost between two checks.
        Refused: an unknown check was named.
    """
    _chosen(names)
    with _only_one():
        _close_dead_runs(timezone.now())
        run = ScrubRun.objects.create(trigger=trigger, names=names or [], asked_by=asked_by)
        _work(run, progress, pause)
    return run


def request_scrub(names: list[str] | None = None, *, trigger: str = "staff", asked_by: str = "") -> ScrubRun:
    """Ask the workers for a run; the row is what counts, the hint may be lost. Raises Refused."""
    _chosen(names)
    run = ScrubRun.objects.create(trigger=trigger, names=names or [], asked_by=asked_by, status="requested")
    from erp.tasks import scrub_pending

    ring(scrub_pending, PLATFORM)
    return run


def due_at(now: datetime) -> datetime:
    """When the latest nightly run was due."""
    today = now.astimezone(UTC).replace(hour=NIGHTLY_HOUR, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def run_nightly(now: datetime | None = None, *, pause: Pause | None = None) -> list[ScrubRun]:
    """Make sure that tonight's run exists, then run what is pending; a repeat after it finished does nothing."""
    now = now or timezone.now()
    with cursor(PLATFORM) as cur:  # one statement under a lock of its own: the task may come twice at once
        cur.execute("select pg_advisory_lock(%s)", [RUN_LOCK + 1])
        try:
            if not ScrubRun.objects.filter(trigger="nightly", started_at__gte=due_at(now)).exists():
                ScrubRun.objects.create(trigger="nightly", status="requested", started_at=now)
        finally:
            cur.execute("select pg_advisory_unlock(%s)", [RUN_LOCK + 1])
    return run_pending(now, pause=pause)


def run_pending(now: datetime | None = None, *, pause: Pause | None = None) -> list[ScrubRun]:
    """Run, one after another, what was requested or interrupted; nothing when a run is under way."""
    now, done = now or timezone.now(), []
    try:
        with _only_one(), _gently():
            _close_dead_runs(now)
            while run := _next_pending(now):
                _work(run, None, pause or Throttle(settings.SCRUB_REST))
                done.append(run)
    except ScrubberBusy:
        pass
    except LockLost as error:  # unfinished as it is, the next pass takes it up
        logger.warning("%s", error)
    return done


def _next_pending(now: datetime) -> ScrubRun | None:
    waiting = ScrubRun.objects.filter(trigger__in=BACKGROUND, finished_at=None, started_at__gt=now - RESUME_WITHIN)
    return waiting.order_by("id").first()


def _close_dead_runs(now: datetime) -> None:
    """While we hold the lock no run is alive: those that cannot be resumed are failed."""
    dead = ScrubRun.objects.filter(finished_at=None)
    dead = dead.exclude(trigger__in=BACKGROUND, started_at__gt=now - RESUME_WITHIN)
    dead.update(status="failed", finished_at=now, current="")


@contextmanager
def _gently() -> Iterator[None]:
    """Checks in the background take one core, not all of them."""
    for module in MODULES:
        with cursor(module) as cur:
            cur.execute("set max_parallel_workers_per_gather = 0")
    try:
        yield
    finally:
        for module in MODULES:
            with cursor(module) as cur:
                cur.execute("reset max_parallel_workers_per_gather")


def _work(run: ScrubRun, progress: Progress | None, pause: Pause) -> None:
    """Run the checks of a run that have no result yet."""
    specs = _chosen(run.names)
    done = set(run.results.values_list("name", flat=True))
    run.total, run.status = len(specs), "running"
    run.save(update_fields=["total", "status"])
    for spec in specs:
        if spec.name in done:
            continue
        _require_lock()
        ScrubRun.objects.filter(pk=run.pk).update(current=spec.name)
        if progress:
            progress(spec, None)
        result = run_check(spec, pause)
        keep(run, spec, result)
        if progress:
            progress(spec, result)
    _require_lock()
    run.status = worst_status(list(run.results.values_list("status", flat=True)))
    run.finished_at, run.current = timezone.now(), ""
    run.save(update_fields=["status", "finished_at", "current"])


def _chosen(names: list[str] | None) -> list[CheckSpec]:
    specs = all_checks()
    if not names:
        return specs
    known = {spec.name: spec for spec in specs}
    for name in names:
        if name not in known:
            raise Refused(f"There is no check {name!r}; the checks are {', '.join(known)}")
    return [known[name] for name in names]
