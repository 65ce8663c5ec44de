"""What becomes of a check's result: it is kept, and its incident is opened, refreshed or resolved."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from erp.alerts import raise_alert, refresh_alert, resolve_alert
from erp.fields import dump_json, load_json
from erp.models import ScrubResult, ScrubRun
from erp.scrubber.result import CheckResult, CheckSpec

logger = logging.getLogger(__name__)

ROWS_NAMED = 20
EXIT_CODES = {"alert": 1, "failed": 2, "warning": 0, "ok": 0}  # of commands that run checks, by the run's status


def worst_status(statuses: list[str]) -> str:
    """The worst of several: alert, then failed, warning, ok."""
    for status in ("alert", "failed", "warning"):
        if status in statuses:
            return status
    return "ok"


def keep(run: ScrubRun, spec: CheckSpec, result: CheckResult) -> None:
    """Keep the result, then raise the check's alert, or resolve it when the check is clean.

    A warning opens no incident and ends none: what an open one tells is brought up to date.
    """
    ScrubResult.objects.create(
        run=run, name=result.name, status=result.status, compared=result.compared, mismatched=result.mismatched,
        drift=result.drift, amount=result.amount, samples=load_json(dump_json([vars(s) for s in result.samples])),
        cause=result.cause, repair=result.repair, seconds=result.seconds, position=result.position,
        error=result.error, parts=result.parts,
    )  # fmt: skip
    key = f"scrub:{spec.name}"
    try:
        if result.status in ("alert", "failed"):
            raise_alert(key, alert_text(spec, result), alert_details(spec, result))
        elif result.status == "ok":
            resolve_alert(key)
        else:
            refresh_alert(key, alert_text(spec, result), alert_details(spec, result))
    except DatabaseError:
        logger.exception("the alert of %s could not be recorded", spec.name)


def alert_text(spec: CheckSpec, result: CheckResult) -> str:
    """What, how much, which rows, which class of cause, and the command that repairs it."""
    clean = last_clean_at(spec.name)
    since = f"; clean last at {clean:%Y-%m-%d %H:%M} UTC" if clean else "; never clean yet"
    if result.status == "failed":
        repair = f"; repair: {result.repair}" if result.repair else ""
        return (
            f"{spec.title}: the check could not run: {result.error.splitlines()[0]}{since}{repair}; "
            f"once that is mended: manage.py scrub --check {spec.name}"
        )
    amount = f", {result.amount} in money" if result.amount else ""
    rows = ", ".join(s.key for s in result.samples[:5])
    repair = f"; repair: {result.repair}" if result.repair else ""
    cause = f"; class of cause: {result.cause}" if result.cause else ""
    note = f"; {result.position}" if "detached" in result.position else ""
    note += f"; {result.error}" if result.error else ""
    return (
        f"{spec.title}: {result.mismatched} of {result.compared} differ ({result.drift:.3%}{amount}): "
        f"{rows}{since}{cause}{note}{repair}"
    )


def alert_details(spec: CheckSpec, result: CheckResult) -> dict[str, Any]:
    """The same as data. Rows are named, never shown: values stay on the board, behind its login."""
    return {
        "check": spec.name,
        "compared": result.compared,
        "mismatched": result.mismatched,
        "drift": result.drift,
        "amount": result.amount,
        "last_clean_at": last_clean_at(spec.name),
        "rows": [s.key for s in result.samples[:ROWS_NAMED]],
        "cause": result.cause,
        "repair": result.repair or f"manage.py scrub --check {spec.name}",
    }


def last_clean_at(name: str) -> datetime | None:
    """When the check was last clean; None before that."""
    return ScrubResult.objects.filter(name=name, status="ok").order_by("-id").values_list("at", flat=True).first()
