"""Runs the checks: one run at a time, a crash in a check is a failed check, results are kept and alerted."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.utils import timezone

from erp.alerts import raise_alert, resolve_alert
from erp.db import cursor
from erp.errors import Refused
from erp.fields import dump_json, load_json
from erp.models import ScrubResult, ScrubRun
from erp.ownership import PLATFORM
from erp.scrubber.checks import all_checks
from erp.scrubber.result import CheckResult, CheckSpec, Findings

logger = logging.getLogger(__name__)

RUN_LOCK = 0x45525010  # advisory lock: one run at a time
RESUME_WITHIN_S = 6 * 3600  # an interrupted run is taken up again within this time

Progress = Callable[[CheckSpec, CheckResult | None], None]


class ScrubberBusy(Refused):
    """Another scrubber run is under way; wait for it to finish."""

    code = "scrubber-busy"


def run_check(spec: CheckSpec) -> CheckResult:
    """Run one check; whatever goes wrong inside makes it ``failed``, never clean."""
    findings = Findings()
    began = time.monotonic()
    try:
        spec.run(findings)
        status, error = _judge(spec, findings), ""
    except Exception as problem:  # noqa: BLE001  a check that cannot run must not stop the others
        logger.warning("check %s failed: %s", spec.name, problem)
        status, error = "failed", f"{type(problem).__name__}: {problem}\n{traceback.format_exc(limit=-4)}"
    causes = sorted({sample.cause for sample in findings.samples if sample.cause})
    return CheckResult(
        name=spec.name, status=status, compared=findings.compared, mismatched=findings.mismatched,
        drift=findings.drift, amount=findings.amount, samples=findings.samples, cause=", ".join(causes),
        repair="; ".join(findings.repairs), seconds=round(time.monotonic() - began, 3),
        position=findings.position.strip(), error=error,
    )  # fmt: skip


def _judge(spec: CheckSpec, findings: Findings) -> str:
    if not findings.mismatched:
        return "ok"
    if spec.is_exact or findings.drift > spec.threshold:
        return "alert"
    return "warning"


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


def run_scrub(names: list[str] | None = None, *, trigger: str = "manual", progress: Progress | None = None) -> ScrubRun:
    """Run all checks (or those named) and keep their results; raises and resolves their alerts.

    A nightly run that was interrupted is resumed: checks that finished are not run again.

    Raises:
        ScrubberBusy: another run is under way.
        Refused: an unknown check was named.
    """
    specs = _chosen(names)
    with _only_one():
        run = _resumable(trigger) or ScrubRun.objects.create(trigger=trigger)
        done = set(run.results.values_list("name", flat=True))
        for spec in specs:
            if spec.name in done:
                continue
            if progress:
                progress(spec, None)
            result = run_check(spec)
            _keep(run, spec, result)
            if progress:
                progress(spec, result)
        run.status = worst_status(list(run.results.values_list("status", flat=True)))
        run.finished_at = timezone.now()
        run.save(update_fields=["status", "finished_at"])
    return run


def _chosen(names: list[str] | None) -> list[CheckSpec]:
    specs = all_checks()
    if not names:
        return specs
    known = {spec.name: spec for spec in specs}
    for name in names:
        if name not in known:
            raise Refused(f"There is no check {name!r}; the checks are {', '.join(known)}")
    return [known[name] for name in names]


def _resumable(trigger: str) -> ScrubRun | None:
    if trigger != "nightly":
        return None
    run = ScrubRun.objects.filter(trigger=trigger, finished_at=None).order_by("-id").first()
    if run and (timezone.now() - run.started_at).total_seconds() < RESUME_WITHIN_S:
        return run
    return None


def worst_status(statuses: list[str]) -> str:
    """The worst of several: alert, then failed, warning, ok."""
    for status in ("alert", "failed", "warning"):
        if status in statuses:
            return status
    return "ok"


def _keep(run: ScrubRun, spec: CheckSpec, result: CheckResult) -> None:
    ScrubResult.objects.create(
        run=run, name=result.name, status=result.status, compared=result.compared, mismatched=result.mismatched,
        drift=result.drift, amount=result.amount, samples=load_json(dump_json([vars(s) for s in result.samples])),
        cause=result.cause, repair=result.repair, seconds=result.seconds, position=result.position,
        error=result.error,
    )  # fmt: skip
    key = f"scrub:{spec.name}"
    try:
        if result.status in ("alert", "failed"):
            raise_alert(key, alert_text(spec, result), {"samples": [vars(s) for s in result.samples[:5]]})
        else:
            resolve_alert(key)
    except DatabaseError:
        logger.exception("the alert of %s could not be recorded", spec.name)


def alert_text(spec: CheckSpec, result: CheckResult) -> str:
    """What, how much, which rows, which class of cause, and the command that repairs it."""
    if result.status == "failed":
        return f"{spec.title}: the check could not run: {result.error.splitlines()[0]}"
    amount = f", {result.amount} in money" if result.amount else ""
    rows = ", ".join(s.key for s in result.samples[:5])
    repair = f"; repair: {result.repair}" if result.repair else ""
    cause = f"; class of cause: {result.cause}" if result.cause else ""
    return (
        f"{spec.title}: {result.mismatched} of {result.compared} differ ({result.drift:.3%}{amount}): "
        f"{rows}{cause}{repair}"
    )
