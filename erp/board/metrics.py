"""The board's figures for Prometheus; docs/alerts.rules.yml has rules for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily

from erp.alerts import last_scrub
from erp.board.state import board_pairs, latest_results
from erp.models import Alert, AlertDelivery, ClockReading, Heartbeat
from erp.registry import registry

COPY = ["entity", "reader"]
STATUSES = ("ok", "warning", "alert", "failed")


def families() -> Iterator[Any]:
    """Everything beyond the ages of copies."""
    yield from _copies()
    yield from _checks()
    yield from _incidents()
    yield from _life()


def _copies() -> Iterator[Any]:
    worst = GaugeMetricFamily("erp_copy_worst_age_today_seconds", "Largest age since midnight UTC", labels=COPY)
    drift = GaugeMetricFamily("erp_copy_drift_ratio", "Rows that differed at the last check", labels=COPY)
    for pair in board_pairs():
        labels = [pair.state.entity, pair.state.reader]
        if pair.worst_today_s is not None:
            worst.add_metric(labels, pair.worst_today_s)
        if pair.scrub and pair.scrub.drift is not None:
            drift.add_metric(labels, pair.scrub.drift)
    yield from (worst, drift)


def _checks() -> Iterator[Any]:
    drift = GaugeMetricFamily("erp_scrub_drift_ratio", "Drift found by a check", labels=["check"])
    rows = GaugeMetricFamily("erp_scrub_mismatched_rows", "Rows that differed", labels=["check"])
    status = GaugeMetricFamily("erp_scrub_status", "1 for the status of a check's last run", labels=["check", "status"])
    at = GaugeMetricFamily("erp_scrub_check_timestamp_seconds", "When a check last ran", labels=["check"])
    for name, result in sorted(latest_results().items()):
        drift.add_metric([name], result.drift)
        rows.add_metric([name], result.mismatched)
        at.add_metric([name], result.at.timestamp())
        for each in STATUSES:
            status.add_metric([name, each], float(result.status == each))
    finished = GaugeMetricFamily("erp_scrub_nightly_timestamp_seconds", "When a run last finished all checks")
    if at_time := last_scrub():
        finished.add_metric([], at_time.timestamp())
    yield from (drift, rows, status, at, finished)


def _incidents() -> Iterator[Any]:
    incidents = GaugeMetricFamily("erp_alerts_open", "Open incidents", labels=["severity"])
    counts = dict(Alert.objects.filter(resolved_at=None).order_by().values_list("severity").annotate(Count("id")))
    for severity in Alert.Severity.values:
        incidents.add_metric([severity], counts.get(severity, 0))
    waiting = GaugeMetricFamily("erp_alert_deliveries_waiting", "Messages a channel has not taken", labels=["channel"])
    rows = AlertDelivery.objects.filter(state="waiting", attempts__gt=0).order_by().values_list("channel")
    for channel, count in rows.annotate(Count("id")):
        waiting.add_metric([channel], count)
    yield from (incidents, waiting)


def _life() -> Iterator[Any]:
    now = timezone.now()
    silence = GaugeMetricFamily("erp_heartbeat_age_seconds", "Since a part last showed that it lives", labels=["name"])
    for heart in Heartbeat.objects.order_by("name"):
        silence.add_metric([heart.name], max((now - heart.at).total_seconds(), 0.0))
    skew = GaugeMetricFamily("erp_clock_skew_seconds", "A server's clock less the watchdog's", labels=["server"])
    for reading in ClockReading.objects.order_by("server"):
        skew.add_metric([reading.server], reading.skew_s)
    lag = GaugeMetricFamily("erp_lag_seconds", "How far background work is behind", labels=["name"])
    limit = GaugeMetricFamily("erp_lag_limit_seconds", "Beyond this it is an incident", labels=["name"])
    for watch in registry.watches:
        lag.add_metric([watch.key], watch.value_s())
        limit.add_metric([watch.key], watch.limit_s)
    yield from (silence, skew, lag, limit)
