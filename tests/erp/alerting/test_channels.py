"""Incidents reach PagerDuty, Slack and e-mail in this order, once, and are resolved there; failures are retried."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erp.alerting.dispatch import FIRST_WAIT_S, LONGEST_WAIT_S, dispatch
from erp.alerting.message import ChannelError, of_alert
from erp.alerting.pagerduty import send as send_to_pagerduty
from erp.alerts import open_alerts, raise_alert, resolve_alert
from erp.models import Alert, AlertDelivery
from tests.databases import ErpDatabase
from tests.erp.alerting.receivers import ROUTING_KEY, Receivers

pytestmark = pytest.mark.usefixtures("erp")

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # before the summary's time
DETAILS: dict[str, Any] = {
    "compared": 15000, "mismatched": 500, "drift": 500 / 15000, "amount": None, "last_clean_at": NOW,
    "rows": ["finance/customer 17", "finance/customer 27"], "cause": "rogue write",
    "repair": "manage.py resync customer finance", "secret": "never told",
}  # fmt: skip


def raise_one(key: str = "scrub:customers", **details: Any) -> Alert:
    raise_alert(key, "Customer master: 500 of 15000 differ <b> & more", {**DETAILS, **details})
    return Alert.objects.get(key=key, resolved_at=None)


def deliveries() -> list[tuple[str, str, str]]:
    """(channel, action, state) of every delivery."""
    return [(d.channel, d.action, d.state) for d in AlertDelivery.objects.order_by("id")]


def test_incident_arrives_in_order_and_once(receivers: Receivers) -> None:
    raise_one()
    assert dispatch(NOW) == 3
    assert [channel for channel, _ in receivers.arrived] == ["pagerduty", "slack", "email"]
    raise_one()  # seen again: the same incident
    assert dispatch(NOW + timedelta(hours=1)) == 0
    assert (len(receivers.arrived), receivers.refused) == (3, [])
    assert {(d.state, d.attempts) for d in AlertDelivery.objects.all()} == {("sent", 1)}


def test_pagerduty_event_says_everything(receivers: Receivers) -> None:
    alert = raise_one()
    dispatch(NOW)
    event = receivers.of("pagerduty")[0]
    assert (event["routing_key"], event["event_action"]) == (ROUTING_KEY, "trigger")
    assert event["dedup_key"] == f"erp:scrub:customers:{alert.pk}"
    payload = event["payload"]
    assert payload["summary"] == alert.message
    assert (payload["severity"], payload["class"]) == ("critical", "rogue write")
    assert datetime.fromisoformat(payload["timestamp"]) == alert.opened_at
    details = payload["custom_details"]
    assert (details["mismatched"], details["repair"]) == (500, "manage.py resync customer finance")
    assert details["rows"] == ["finance/customer 17", "finance/customer 27"]
    assert "secret" not in details


def test_slack_message_is_escaped_and_names_the_repair(receivers: Receivers) -> None:
    raise_one()
    dispatch(NOW)
    message = receivers.of("slack")[0]
    assert "&lt;b&gt; &amp; more" in message["blocks"][1]["text"]["text"]
    assert "Repair: manage.py resync customer finance" in message["blocks"][2]["text"]["text"]
    assert "Drift: 3.333%" in message["blocks"][2]["text"]["text"]


def test_email_goes_to_everyone_and_its_resolution_is_in_the_thread(receivers: Receivers) -> None:
    raise_one()
    dispatch(NOW)
    recipients, mail = receivers.of("email")[0]
    assert recipients == ["ops@example.com", "boss@example.com"]
    assert mail["Subject"].startswith("[ERP] Critical: scrub:customers")
    text = mail.get_content()
    for fact in ("Class of cause: rogue write", "Rows: finance/customer 17, finance/customer 27", "Since: "):
        assert fact in text
    resolve_alert("scrub:customers")
    dispatch(NOW)
    assert receivers.of("email")[1][1]["In-Reply-To"] == mail["Message-ID"]


def test_clean_run_resolves_with_the_same_key_on_every_channel(receivers: Receivers) -> None:
    raise_one()
    dispatch(NOW)
    resolve_alert("scrub:customers")
    assert dispatch(NOW) == 3
    assert [channel for channel, _ in receivers.arrived[3:]] == ["pagerduty", "slack", "email"]
    first, second = receivers.of("pagerduty")
    assert second == {"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": first["dedup_key"]}
    assert dispatch(NOW) == 0


def test_next_incident_of_a_check_has_its_own_key(receivers: Receivers) -> None:
    for _ in range(2):
        raise_one()
        dispatch(NOW)
        resolve_alert("scrub:customers")
        dispatch(NOW)
    keys = [event["dedup_key"] for event in receivers.of("pagerduty")]
    assert (keys[0], keys[2]) == (keys[1], keys[3])
    assert keys[0] != keys[2]


@pytest.mark.parametrize("broken", ["pagerduty", "slack", "email"])
def test_failing_channel_does_not_stop_the_others(receivers: Receivers, broken: str) -> None:
    receivers.broken[broken] = 451 if broken == "email" else 500
    raise_one()
    raise_one("beat")
    assert dispatch(NOW) == 4
    failed = AlertDelivery.objects.get(channel=broken, attempts=1)
    assert (failed.state, failed.sent_at) == ("waiting", None)
    assert "broken" in failed.last_error
    receivers.broken.clear()
    assert dispatch(NOW + timedelta(seconds=60)) == 2
    assert len(receivers.of(broken)) == 2


def test_retries_wait_longer_and_longer(receivers: Receivers) -> None:
    receivers.broken["pagerduty"] = 429
    raise_one()
    now, waits = NOW, []
    for _ in range(12):
        dispatch(now)
        then = AlertDelivery.objects.get(channel="pagerduty").next_at
        waits.append((then - now).total_seconds())
        assert dispatch(then - timedelta(seconds=1)) == 0
        now = then
    assert waits[:3] == [FIRST_WAIT_S, FIRST_WAIT_S * 2, FIRST_WAIT_S * 4]
    assert waits[-1] == LONGEST_WAIT_S
    assert AlertDelivery.objects.get(channel="pagerduty").attempts == 12
    warning = Alert.objects.get(key="channel:pagerduty")
    assert (warning.severity, warning.resolved_at) == ("warning", None)
    receivers.broken.clear()
    assert dispatch(now) == 1
    assert [a.key for a in open_alerts()] == ["scrub:customers"]


def test_incident_that_is_over_before_it_was_told_is_not_told(receivers: Receivers) -> None:
    receivers.broken["slack"] = 500
    raise_one()
    dispatch(NOW)
    resolve_alert("scrub:customers")
    receivers.broken.clear()
    later = NOW + timedelta(hours=1)
    dispatch(later)
    # Slack may have taken the message whose answer was an error, so it is told the end; never a late beginning.
    assert ("slack", "trigger", "dropped") in deliveries()
    assert [m["blocks"][0]["text"]["text"][2:10] for m in receivers.of("slack")] == ["Resolved"]
    raise_one("beat")
    resolve_alert("beat")
    assert dispatch(later) == 0


def test_warning_calls_nobody_until_it_is_critical(receivers: Receivers) -> None:
    raise_alert("clock:redis", "2 s", severity="warning")
    assert dispatch(NOW) == 0
    raise_alert("clock:redis", "2 s", severity="critical")
    assert dispatch(NOW) == 3


def test_channel_configured_later_is_told_what_is_still_open(receivers: Receivers, settings: Any) -> None:
    there = settings.ALERTING
    settings.ALERTING = {**there, "slack_webhook_url": ""}
    raise_one()
    assert dispatch(NOW) == 2
    settings.ALERTING = there
    assert dispatch(NOW) == 1
    assert len(receivers.of("slack")) == 1


def test_nothing_configured_keeps_incidents_without_deliveries(settings: Any) -> None:
    settings.ALERTING = {k: [] if k == "email_to" else "" for k in settings.ALERTING}
    raise_one()
    assert (dispatch(NOW), deliveries()) == (0, [])


def test_longest_texts_stay_within_the_services_limits(receivers: Receivers) -> None:
    raise_alert("x" * 120, "é<&>" * 2000, {**DETAILS, "rows": [f"finance/customer {n} <&>" for n in range(2000)]})
    assert dispatch(NOW) == 3
    assert receivers.refused == []


def test_process_that_died_while_sending_sends_again(receivers: Receivers) -> None:
    raise_one()
    dispatch(NOW)
    AlertDelivery.objects.filter(channel="pagerduty").update(state="waiting")  # sent, but never recorded
    dispatch(NOW + timedelta(minutes=1))
    first, second = receivers.of("pagerduty")
    assert first == second


def test_refused_event_is_kept_with_the_services_words(receivers: Receivers, settings: Any) -> None:
    settings.ALERTING = {**settings.ALERTING, "pagerduty_routing_key": "too short"}
    raise_one()
    assert dispatch(NOW) == 2
    assert "should be 32 characters" in AlertDelivery.objects.get(channel="pagerduty").last_error


def test_plain_http_is_for_this_machine_only(settings: Any, erp: ErpDatabase) -> None:
    settings.ALERTING = {**settings.ALERTING, "pagerduty_url": "http://example.com", "pagerduty_routing_key": "k"}
    message = replace(of_alert(raise_one(), "trigger"), source="here")
    with pytest.raises(ChannelError, match="https"):
        send_to_pagerduty(message)


def test_service_that_is_not_there_is_tried_again(receivers: Receivers, settings: Any) -> None:
    settings.ALERTING = {
        **settings.ALERTING, "pagerduty_url": "http://127.0.0.1:9", "slack_webhook_url": "http://127.0.0.1:9/x"
    }  # fmt: skip
    raise_one()
    assert dispatch(NOW) == 1
    waiting = AlertDelivery.objects.filter(state="waiting")
    assert {d.channel for d in waiting} == {"pagerduty", "slack"}
    assert all(d.last_error for d in waiting)
