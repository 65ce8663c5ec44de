"""Prometheus sees the board's figures, and every rule that we ship speaks of figures that exist."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from erp.alerts import beat_heart, raise_alert
from erp.models import ScrubRun
from erp.watchdog import look_at_clocks
from tests.environment import PROJECT_DIR

RULES = PROJECT_DIR / "docs" / "alerts.rules.yml"


@pytest.fixture
def metrics(staff: Client) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Name → (labels, value) of everything at /metrics."""
    raise_alert("clock:redis", "2 s", severity="warning")
    beat_heart("beat")
    look_at_clocks()
    families = text_string_to_metric_families(Client().get("/metrics").content.decode())
    return {f.name: [(s.labels, s.value) for s in f.samples] for f in families}


def test_metrics_have_the_boards_figures(metrics: dict[str, Any]) -> None:
    assert ({"entity": "customer", "reader": "finance"}, 0.0005) in metrics["erp_copy_drift_ratio"]
    assert ({"check": "customers"}, 1.0) in metrics["erp_scrub_mismatched_rows"]
    assert ({"check": "customers", "status": "warning"}, 1.0) in metrics["erp_scrub_status"]
    assert {labels["server"] for labels, _ in metrics["erp_clock_skew_seconds"]} == {"postgresql", "redis"}
    assert any(labels == {"name": "beat"} for labels, _ in metrics["erp_heartbeat_age_seconds"])
    assert {labels["reader"] for labels, _ in metrics["erp_copy_worst_age_today_seconds"]} >= {
        "admin_app",
        "storefront",
    }


def test_run_that_was_given_up_is_no_nightly_run(scrubbed: dict[str, Any], staff: Client) -> None:
    given_up = ScrubRun.objects.create(trigger="nightly", status="failed", total=11, finished_at=timezone.now())
    families = text_string_to_metric_families(Client().get("/metrics").content.decode())
    (at,) = next(f.samples for f in families if f.name == "erp_scrub_nightly_timestamp_seconds")
    given_up.delete()
    scrubbed["clean"].refresh_from_db()
    assert at.value == pytest.approx(scrubbed["clean"].finished_at.timestamp())


def test_every_rule_speaks_of_figures_that_exist(metrics: dict[str, Any]) -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert len(rules) >= 8
    for rule in rules:
        named = set(re.findall(r"\berp_[a-z_]+", rule["expr"]))
        assert named, rule
        assert named <= set(metrics), rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert "manage.py" in rule["annotations"]["runbook"] or "docs/" in rule["annotations"]["runbook"]
