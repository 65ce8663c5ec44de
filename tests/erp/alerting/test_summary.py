"""The daily summary: once a day by e-mail, with the warnings that call nobody at night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from erp.alerting.dispatch import dispatch
from erp.alerts import raise_alert
from erp.models import AlertDelivery, ScrubResult, ScrubRun
from tests.erp.alerting.receivers import Receivers

pytestmark = pytest.mark.usefixtures("erp")

DAWN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def nightly_run(at: datetime, **result: object) -> None:
    run = ScrubRun.objects.create(
        trigger="nightly", started_at=at, finished_at=at + timedelta(minutes=9), status="warning", total=11
    )
    values = {"compared": 30000, "mismatched": 2, "drift": 2 / 30000, "seconds": 1.0, "status": "warning", "at": at}
    ScrubResult.objects.create(run=run, name="customers", **{**values, "repair": "manage.py resync …", **result})


def test_summary_comes_once_a_day_with_the_warnings(receivers: Receivers) -> None:
    nightly_run(DAWN - timedelta(hours=3))
    raise_alert("clock:redis", "the clock of redis is +2.000 s", severity="warning")
    assert dispatch(DAWN - timedelta(seconds=1)) == 0
    assert dispatch(DAWN) == 1
    assert dispatch(DAWN + timedelta(hours=17)) == 0
    assert dispatch(DAWN + timedelta(days=1)) == 1
    text = receivers.of("email")[0][1].get_content()
    assert "warning customers: 2 of 30000 differ (0.007%); repair: manage.py resync" in text
    assert "warning clock:redis" in text
    assert "2026-11-24 03:00:00 to 03:09:00: warning, 1 of 11 checks" in text
    assert "something to look at" in receivers.of("email")[0][1]["Subject"]
    assert receivers.of("pagerduty") == receivers.of("slack") == []


def test_quiet_day_is_said_to_be_clean(receivers: Receivers) -> None:
    nightly_run(DAWN - timedelta(hours=3), status="ok", mismatched=0)
    dispatch(DAWN)
    assert "all clean" in receivers.of("email")[0][1]["Subject"]


def test_summary_is_retried_like_any_message(receivers: Receivers) -> None:
    receivers.broken["email"] = 451
    assert dispatch(DAWN) == 0
    assert AlertDelivery.objects.get().attempts == 1
    receivers.broken.clear()
    assert dispatch(DAWN + timedelta(minutes=1)) == 1
    assert AlertDelivery.objects.get().state == "sent"
