"""Clock skew between this process, PostgreSQL and Redis: measured and reported, and never used to order data."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import DatabaseError

from erp.db import cursor, module_transaction
from erp.ownership import PLATFORM


@dataclass(frozen=True)
class Skew:
    """A server's clock less ours, known to ± ``error_s`` (half the round trip)."""

    server: str
    skew_s: float
    error_s: float

    @property
    def is_certain(self) -> bool:
        """Whether it is beyond the limit even if the round trip was as unlucky as it can be."""
        return abs(self.skew_s) - self.error_s > settings.CLOCK_SKEW_MAX_S


def measure(clock: Callable[[], float] = time.time) -> list[Skew]:
    """Compare the clocks of PostgreSQL and Redis with ours; a server that does not answer is left out."""
    found = []
    for server, read in (("postgresql", _postgresql), ("redis", _redis)):
        try:
            before = clock()
            theirs = read()
            after = clock()
        except (DatabaseError, redis.RedisError, OSError):
            continue
        found.append(Skew(server, theirs - (before + after) / 2, (after - before) / 2))
    return found


def record(readings: list[Skew]) -> None:
    """Keep the latest reading of each server."""
    with module_transaction(PLATFORM), cursor(PLATFORM) as cur:
        for reading in readings:
            cur.execute(
                "insert into clock_reading (server, skew_s, error_s) values (%s, %s, %s) on conflict (server) "
                "do update set skew_s = excluded.skew_s, error_s = excluded.error_s, at = clock_timestamp()",
                [reading.server, reading.skew_s, reading.error_s],
            )


def _postgresql() -> float:
    with cursor(PLATFORM) as cur:
        cur.execute("select extract(epoch from clock_timestamp())::float8")
        return float(cur.fetchone()[0])


def _redis() -> float:
    with redis.Redis.from_url(settings.ENVIRONMENT.redis_url, socket_timeout=2, socket_connect_timeout=2) as client:
        seconds, microseconds = client.time()
    return float(seconds) + float(microseconds) / 1_000_000
