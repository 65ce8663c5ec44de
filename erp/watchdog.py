"""The watchdog: reads PostgreSQL and raises alerts. Needs neither Celery nor Redis, so it sees them die."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

import redis
from django.conf import settings
from django.db import Error, connections

from erp import ownership
from erp.alerts import beat_heart, raise_alert, resolve_alert, silence_s
from erp.db import cursor
from erp.ownership import MODULE_LABELS, MODULES
from erp.replication.positions import pair_state

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
GRACE_S = 12.0  # less than the shortest window
BEAT_SILENCE_S = 30.0  # beat proves itself every few seconds through the heartbeat task
RELAY_OVERDUE_S = 60.0


def look() -> list[str]:
    """One look at everything; raises and resolves alerts. Returns the keys of what is wrong now."""
    wrong = [*_windows(), *_beat(), *_broker(), *_relays()]
    beat_heart("watchdog")
    return wrong


def _judge(key: str, is_wrong: bool, message: str, details: dict[str, object] | None = None) -> list[str]:
    if is_wrong:
        raise_alert(key, message, details)
        return [key]
    resolve_alert(key)
    return []


def _windows() -> list[str]:
    wrong: list[str] = []
    for entity in ownership.ENTITIES:
        if entity.is_instant:
            continue
        for reader in entity.readers:
            state = pair_state(entity, reader)
            age = "never filled" if state.age_s is None else f"{state.age_s:.1f} s old"
            wrong += _judge(
                f"window:{entity.name}:{reader}",
                state.breached,
                f"{MODULE_LABELS[reader]}'s copy of {entity.name} is {age}, its window is {entity.window_s} s; "
                f"if it stays so: manage.py resync {entity.name} {reader}",
                {"age_s": state.age_s, "pending": state.pending},
            )
    return wrong


def _beat() -> list[str]:
    silence = silence_s("beat")
    return _judge(
        "beat",
        silence is None or silence > BEAT_SILENCE_S,
        "Celery beat or its workers gave no sign of life "
        + ("yet" if silence is None else f"for {silence:.0f} s")
        + "; look at the logs of beat and worker",
    )


def _broker() -> list[str]:
    try:
        client = redis.Redis.from_url(settings.ENVIRONMENT.redis_url, socket_timeout=2, socket_connect_timeout=2)
        client.ping()
        client.close()
        problem = ""
    except (redis.RedisError, OSError) as error:
        problem = type(error).__name__
    return _judge("broker", bool(problem), f"Redis does not answer ({problem}); nothing is lost, copies grow old")


def _relays() -> list[str]:
    wrong: list[str] = []
    for module in MODULES:
        with cursor(module) as cur:
            cur.execute(
                "select count(*), min(created_at) from relay_item "
                "where state <> 'done' and created_at < clock_timestamp() - make_interval(secs => %s)",
                [RELAY_OVERDUE_S],
            )
            overdue, since = cur.fetchone()
        wrong += _judge(
            f"relay:{module}",
            overdue > 0,
            f"{overdue} items of {MODULE_LABELS[module]}'s relay wait since {since}; see stuck documents in the admin",
        )
    return wrong


def run() -> None:
    """Look every two seconds until SIGTERM or SIGINT; a lost database is waited for."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    stop.wait(GRACE_S)  # beat and the first runs come up: a start is no incident
    while not stop.is_set():
        try:
            look()
        except Error as error:
            logger.error("the watchdog cannot read the database: %s", error)  # noqa: TRY400
            connections.close_all()
        stop.wait(LOOK_EVERY_S)
