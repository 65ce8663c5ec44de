"""The watchdog: reads PostgreSQL and raises alerts. Needs neither Celery nor Redis, so it sees them die."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import FrameType

import redis
from django.conf import settings
from django.db import Error, connections
from django.utils import timezone

from erp import ownership
from erp.alerting.dispatch import dispatch
from erp.alerts import beat_heart, raise_alert, resolve_alert
from erp.clocks import measure, record
from erp.db import cursor
from erp.deadman import beat_and_workers, nightly
from erp.links import stuck_page
from erp.ownership import MODULE_LABELS, MODULES, PLATFORM
from erp.registry import registry
from erp.replication.positions import PairState, pair_state

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
GRACE_S = 12.0  # less than the shortest window: beat and the first runs come up, a start is no incident
CLOCKS_EVERY_S = 60.0
RELAY_OVERDUE_S = 60.0


def look(now: datetime | None = None) -> list[str]:
    """One look at everything; raises and resolves alerts. Returns the keys of what is wrong now.

    Args:
        now: the time of day for what is due by the clock; default PostgreSQL's.
    """
    wrong = [*_windows(), *_beat(), *_broker(), *_relays(), *_watches(), *_nightly(now or _postgresql_now())]
    beat_heart("watchdog")
    return wrong


def look_at_clocks(clock: Callable[[], float] = time.time) -> list[str]:
    """Measure clock skew; one beyond the limit is a warning. It never changes data: order is by version."""
    readings = measure(clock)
    record(readings)
    wrong: list[str] = []
    for reading in readings:
        repair = f"set the clock of {reading.server} by NTP"
        message = f"the clock of {reading.server} is {reading.skew_s:+.3f} s from the watchdog's; {repair}"
        if reading.is_certain:
            details = {"skew_s": reading.skew_s, "repair": repair}
            raise_alert(f"clock:{reading.server}", message, details, severity="warning")
            wrong.append(f"clock:{reading.server}")
        else:
            resolve_alert(f"clock:{reading.server}")
    return wrong


def _postgresql_now() -> datetime:
    with cursor(PLATFORM) as cur:
        cur.execute("select clock_timestamp()")
        now: datetime = cur.fetchone()[0]
    return now


def _judge(key: str, is_wrong: bool, message: str, details: dict[str, object] | None = None) -> list[str]:
    if is_wrong:
        raise_alert(key, message, details)
        return [key]
    resolve_alert(key)
    return []


def _windows() -> list[str]:
    wrong: list[str] = []
    for entity in ownership.ENTITIES:
        for reader in entity.readers:
            state = pair_state(entity, reader)
            wrong += _detached(state)
            if entity.is_instant:
                continue
            wrong += _judge(
                f"window:{entity.name}:{reader}",
                state.breached,
                f"{MODULE_LABELS[reader]}'s copy of {entity.name} is {state.age_in_words}, its window is "
                f"{entity.window_s} s; if it stays so: manage.py resync {entity.name} {reader}",
                {
                    "age_s": state.age_s, "window_s": entity.window_s, "pending": state.pending,
                    "repair": f"manage.py resync {entity.name} {reader}",
                },
            )  # fmt: skip
    return wrong


def _detached(state: PairState) -> list[str]:
    """A detached copy is a warning until it is attached: nothing compares it meanwhile."""
    key, repair = f"detached:{state.entity}:{state.reader}", f"manage.py resync {state.entity} {state.reader} --attach"
    if state.attached:
        resolve_alert(key)
        return []
    message = (
        f"{MODULE_LABELS[state.reader]} is detached from {state.entity} ({state.detached_reason}): "
        f"its copy is not compared; {repair}"
    )
    raise_alert(key, message, {"repair": repair}, severity="warning")
    return [key]


def _beat() -> list[str]:
    return [key for v in beat_and_workers() for key in _judge(v.key, v.is_wrong, v.message, v.details)]


def _nightly(now: datetime) -> list[str]:
    verdict = nightly(now)
    return _judge(verdict.key, verdict.is_wrong, verdict.message, verdict.details)


def _broker() -> list[str]:
    try:
        client = redis.Redis.from_url(settings.ENVIRONMENT.redis_url, socket_timeout=2, socket_connect_timeout=2)
        client.ping()
        client.close()
        problem = ""
    except (redis.RedisError, OSError) as error:
        problem = type(error).__name__
    repair = "start Redis again: manage.py up does, where it runs the servers; workers and beat go on by themselves"
    message = f"Redis does not answer ({problem}); nothing is lost, copies grow old; {repair}"
    return _judge("broker", bool(problem), message, {"repair": repair})


_RELAY = """
select count(*) filter (where state <> 'stuck' and created_at < clock_timestamp() - make_interval(secs => %s)),
  min(created_at) filter (where state <> 'stuck'), count(*) filter (where state = 'stuck'),
  min(created_at) filter (where state = 'stuck'),
  (array_agg(kind || ' ' || key || ': ' || last_error order by created_at) filter (where state = 'stuck'))[1]
from relay_item where state <> 'done'"""


def _relays() -> list[str]:
    wrong: list[str] = []
    for module in MODULES:
        with cursor(module) as cur:
            cur.execute(_RELAY, [RELAY_OVERDUE_S])
            overdue, since, stuck, stuck_since, first = cur.fetchone()
        label, repair = MODULE_LABELS[module], f"try again at {stuck_page()}"
        wrong += _judge(
            f"relay:{module}",
            overdue > 0,
            f"{overdue} items of {label}'s relay wait since {since}; {repair}",
            {"pending": overdue, "oldest_at": since, "repair": repair},
        )
        wrong += _judge(
            f"stuck:{module}",
            stuck > 0,
            f"{stuck} items of {label}'s relay are stuck, the first since {stuck_since} ({first}); nothing is lost; "
            f"{repair}",
            {"stuck": stuck, "oldest_at": stuck_since, "first": first, "repair": repair},
        )
    return wrong


def _watches() -> list[str]:
    wrong: list[str] = []
    for watch in registry.watches:
        lag_s = watch.value_s()
        wrong += _judge(
            watch.key,
            lag_s > watch.limit_s,
            f"{watch.title}: {lag_s:.0f} s behind, at most {watch.limit_s:.0f} s; {watch.remedy}",
            {"lag_s": lag_s, "limit_s": watch.limit_s, "repair": watch.remedy},
        )
    return wrong


def run() -> None:
    """Look every two seconds and deliver alerts until SIGTERM or SIGINT; a lost database is waited for."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    # Deliveries have a thread of their own: a channel that hangs must not blind the watchdog.
    messenger = threading.Thread(target=_repeat, args=(stop, lambda: dispatch(timezone.now())), name="messenger")
    messenger.start()
    stop.wait(GRACE_S)
    _repeat(stop, _round())
    messenger.join(timeout=30)


def _round() -> Callable[[], object]:
    clocks_at = 0.0

    def do() -> None:
        nonlocal clocks_at
        look()
        if time.monotonic() - clocks_at >= CLOCKS_EVERY_S:
            clocks_at = time.monotonic()
            look_at_clocks()

    return do


def _repeat(stop: threading.Event, do: Callable[[], object]) -> None:
    while not stop.is_set():
        try:
            do()
        except Error as error:
            logger.error("the watchdog cannot use the database: %s", error)  # noqa: TRY400
            connections.close_all()
        except Exception:  # whatever it is, the watchdog goes on watching
            logger.exception("the watchdog stumbled")
        stop.wait(LOOK_EVERY_S)
    connections.close_all()
