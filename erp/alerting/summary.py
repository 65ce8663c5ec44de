"""The day's summary: warnings as well, which call nobody at night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from erp.alerting.message import Message, shortened
from erp.alerts import open_alerts
from erp.models import Alert, AlertDelivery, ScrubResult, ScrubRun
from erp.replication.positions import PairState, all_pairs

DAY = timedelta(days=1)


def daily_summary(now: datetime) -> Message:
    """What the last 24 hours brought: the nightly run, warnings, incidents, ages of copies, failed deliveries."""
    sections = {
        "Nightly run": list(_nightly(now)),
        "Warnings and alerts of the checks": list(_results(now)),
        "Open incidents": [f"{a.severity} {a.key} since {a.opened_at:%m-%d %H:%M}: {a.message}" for a in open_alerts()],
        "Incidents of the day": list(_incidents(now)),
        "Copies": [_pair(pair) for pair in all_pairs() if not pair.attached or pair.window_s],
        "Messages not delivered": list(_undelivered()),
    }
    lines: list[str] = []
    for title, entries in sections.items():
        lines += [title, *(f"  {shortened(entry, 500)}" for entry in entries or ["none"]), ""]
    is_clean = not sections["Warnings and alerts of the checks"] and not sections["Open incidents"]
    return Message(
        action="summary",
        key="summary",
        dedup_key=f"erp:summary:{now:%Y-%m-%d}",
        severity="warning",
        title=f"Summary of {now:%Y-%m-%d}: {'all clean' if is_clean else 'something to look at'}",
        since=now - DAY,
        body="\n".join([*lines, f"Board: {settings.SHOP_URL}/admin/ownership/"]),
    )


def _nightly(now: datetime) -> Iterator[str]:
    for run in ScrubRun.objects.filter(trigger="nightly", started_at__gt=now - DAY, started_at__lte=now):
        end = f"{run.finished_at:%H:%M:%S}" if run.finished_at else "not finished"
        yield f"{run.started_at:%Y-%m-%d %H:%M:%S} to {end}: {run.status}, {run.results.count()} of {run.total} checks"


def _results(now: datetime) -> Iterator[str]:
    found = ScrubResult.objects.exclude(status="ok").filter(at__gt=now - DAY, at__lte=now).order_by("name", "-id")
    for r in found.distinct("name"):
        repair = f"; repair: {r.repair}" if r.repair else ""
        what = r.error.splitlines()[0] if r.error else f"{r.mismatched} of {r.compared} differ ({r.drift:.3%})"
        yield f"{r.status} {r.name}: {what}{repair}"


def _incidents(now: datetime) -> Iterator[str]:
    recent = Q(opened_at__gt=now - DAY) | Q(resolved_at__gt=now - DAY)
    for alert in Alert.objects.filter(recent).order_by("opened_at")[:200]:
        end = f"resolved {alert.resolved_at:%H:%M:%S}" if alert.resolved_at else "open"
        yield f"{alert.opened_at:%Y-%m-%d %H:%M:%S} {alert.severity} {alert.key}, {end}"


def _pair(pair: PairState) -> str:
    state = "" if pair.attached else f", DETACHED: {pair.detached_reason}"
    worst = "" if pair.worst_age_s is None else f", worst of the last hour {pair.worst_age_s:.1f} s"
    return f"{pair.entity} at {pair.reader}: {pair.age_in_words}, window {pair.window_s} s{worst}{state}"


def _undelivered() -> Iterator[str]:
    for d in AlertDelivery.objects.filter(state="waiting", attempts__gt=0).select_related("alert").order_by("id")[:50]:
        yield f"{d.channel} {d.action} of {d.alert.key if d.alert else d.day}: {d.attempts} attempts: {d.last_error}"
