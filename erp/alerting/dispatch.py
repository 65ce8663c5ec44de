"""Deliveries: rows first, then one attempt at a time; a channel that fails never stops the others.

Only the watchdog delivers. A process that dies between sending and recording sends once more: every message
about one incident has the same key, so a repeat opens no second one.
"""

from __future__ import annotations

import logging
from datetime import datetime, time
from typing import Any

from erp.alerting.channels import Channel, configured
from erp.alerting.message import ChannelError, of_alert
from erp.alerting.summary import daily_summary
from erp.alerts import raise_alert, resolve_alert
from erp.db import cursor, module_transaction
from erp.models import AlertDelivery
from erp.ownership import PLATFORM

logger = logging.getLogger(__name__)

FIRST_WAIT_S = 15
LONGEST_WAIT_S = 1800
FAILING_AFTER = 3  # attempts in vain after which the channel itself is a warning
SUMMARY_AT = time(6, 0)  # UTC: after the nightly run

_TRIGGERS = """
insert into alert_delivery (alert_id, channel, action, next_at)
select a.id, c.name, 'trigger', %(now)s from alert a cross join unnest(%(channels)s::text[]) with ordinality c(name, n)
where a.resolved_at is null and a.severity = 'critical' and not exists
  (select 1 from alert_delivery d where d.alert_id = a.id and d.channel = c.name and d.action = 'trigger')
order by a.id, c.n on conflict do nothing"""

_DROP = """
update alert_delivery d set state = 'dropped' from alert a
where a.id = d.alert_id and a.resolved_at is not null and d.action = 'trigger' and d.state = 'waiting'"""

# An attempt that seemed to fail may have arrived, so whatever was tried is resolved too.
_RESOLVES = """
insert into alert_delivery (alert_id, channel, action, next_at)
select d.alert_id, d.channel, 'resolve', %(now)s from alert_delivery d join alert a on a.id = d.alert_id
where a.resolved_at is not null and d.action = 'trigger' and d.attempts > 0 and not exists
  (select 1 from alert_delivery r where r.alert_id = d.alert_id and r.channel = d.channel and r.action = 'resolve')
order by d.id on conflict do nothing"""

_SUMMARY = """
insert into alert_delivery (day, channel, action, next_at) select %(day)s, 'email', 'summary', %(now)s
where not exists (select 1 from alert_delivery where day = %(day)s and channel = 'email') on conflict do nothing"""

_CLAIM = """
update alert_delivery set attempts = attempts + 1,
  next_at = %(now)s::timestamptz + make_interval(secs => least(%(first)s * 2 ^ least(attempts, 20), %(longest)s))
where id = (select id from alert_delivery
            where state = 'waiting' and next_at <= %(now)s and channel = any(%(channels)s)
            order by alert_id nulls last, array_position(%(channels)s::text[], channel::text), id
            for update skip locked limit 1)
returning id"""


def dispatch(now: datetime) -> int:
    """Plan what is to be said and say what is due; returns the number of messages that arrived.

    Args:
        now: the caller's clock; deliveries are timed by it alone.
    """
    channels = configured()
    if not channels:
        return 0
    plan(now, channels)
    sent = deliver_due(now, channels)
    _watch_channels(channels)
    return sent


def plan(now: datetime, channels: list[Channel]) -> None:
    """Make the rows of what is to be said: incidents opened and resolved, the day's summary."""
    names = [channel.name for channel in channels]
    with module_transaction(PLATFORM), cursor(PLATFORM) as cur:
        cur.execute(_DROP)
        cur.execute(_RESOLVES, {"now": now})
        cur.execute(_TRIGGERS, {"now": now, "channels": names})
        if "email" in names and now.timetz().replace(tzinfo=None) >= SUMMARY_AT:
            cur.execute(_SUMMARY, {"now": now, "day": now.date()})


def deliver_due(now: datetime, channels: list[Channel]) -> int:
    """Send what is due, incident by incident, in the channels' order; one failure rests its channel for this round."""
    by_name = {channel.name: channel for channel in channels}
    sent = 0
    while by_name:
        delivery = _claim(now, list(by_name))
        if delivery is None:
            break
        if _attempt(delivery, by_name[delivery.channel], now):
            sent += 1
        else:
            del by_name[delivery.channel]
    return sent


def _claim(now: datetime, channels: list[str]) -> AlertDelivery | None:
    values: dict[str, Any] = {
        "now": now, "channels": channels, "first": FIRST_WAIT_S, "longest": LONGEST_WAIT_S
    }  # fmt: skip
    with module_transaction(PLATFORM), cursor(PLATFORM) as cur:
        cur.execute(_CLAIM, values)
        row = cur.fetchone()
    return AlertDelivery.objects.select_related("alert").get(pk=row[0]) if row else None


def _attempt(delivery: AlertDelivery, channel: Channel, now: datetime) -> bool:
    try:
        if delivery.alert is None:
            channel.send(daily_summary(now))
        else:
            channel.send(of_alert(delivery.alert, delivery.action))
    except ChannelError as error:
        delivery.last_error = str(error)[:2000]
    except Exception as error:  # an unforeseen failure of one channel must not stop the others  # noqa: BLE001
        delivery.last_error = f"{type(error).__name__}: {error}"[:2000]
    else:
        AlertDelivery.objects.filter(pk=delivery.pk).update(state="sent", sent_at=now, last_error="")
        return True
    logger.error("%s not delivered, attempt %s: %s", delivery, delivery.attempts, delivery.last_error)
    AlertDelivery.objects.filter(pk=delivery.pk).update(last_error=delivery.last_error)
    return False


def _watch_channels(channels: list[Channel]) -> None:
    """A channel that keeps failing is a warning: on the board, in the metrics and in the summary."""
    waiting = AlertDelivery.objects.filter(state="waiting", attempts__gte=FAILING_AFTER).order_by("id")
    failing = {d.channel: d for d in waiting}
    for channel in channels:
        if delivery := failing.get(channel.name):
            repair = f"mend the settings or the account of {channel.name}; its messages wait and are sent then"
            raise_alert(
                f"channel:{channel.name}",
                f"{channel.name} has not taken a message in {delivery.attempts} attempts: {delivery.last_error}; "
                f"{repair}",
                {"repair": repair},
                severity="warning",
            )
        else:
            resolve_alert(f"channel:{channel.name}")
