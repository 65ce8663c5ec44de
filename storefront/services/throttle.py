"""Throttling by counts in PostgreSQL: the same for every web process, and there when Redis is not."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.utils.translation import ngettext

from erp.db import cursor, module_transaction
from erp.errors import Refused

_COUNT = """
insert into attempt_count as c (kind, who, attempts, began_at) values (%s, %s, 1, clock_timestamp())
on conflict (kind, who) do update set
  attempts = case when c.began_at < clock_timestamp() - make_interval(secs => %s) then 1 else c.attempts + 1 end,
  began_at = case when c.began_at < clock_timestamp() - make_interval(secs => %s) then clock_timestamp()
                  else c.began_at end
returning attempts, extract(epoch from began_at + make_interval(secs => %s) - clock_timestamp())"""


@dataclass(frozen=True)
class Limit:
    """So many attempts within a time; ``name`` is the kind of attempt."""

    name: str
    attempts: int
    within_s: int = 900


LOG_IN_ACCOUNT = Limit("log-in account", 10)
LOG_IN_ADDRESS = Limit("log-in address", 60)
RESET_ACCOUNT = Limit("reset account", 3, 3600)
RESET_ADDRESS = Limit("reset address", 20, 3600)
REGISTER_ADDRESS = Limit("register address", 20, 3600)
LOOK_UP_ADDRESS = Limit("look-up address", 20)


class TooManyAttempts(Refused):
    """Too many attempts; please try again later."""

    code = "too-many-attempts"
    status = 429

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        minutes = ceil(retry_after_s / 60)
        super().__init__(
            ngettext(
                "Too many attempts. Please try again in %(n)d minute.",
                "Too many attempts. Please try again in %(n)d minutes.",
                minutes,
            )
            % {"n": minutes}
        )


def count_attempts(*limits: tuple[Limit, str]) -> None:
    """Count one attempt against each (limit, who) before it is made, so that parallel ones count, too.

    Raises:
        TooManyAttempts: one of the limits is passed; ``retry_after_s`` says when it ends.
    """
    waits = []
    with module_transaction("storefront"), cursor("storefront") as cur:
        for limit, who in sorted(limits, key=lambda pair: (pair[0].name, _hash(pair[1]))):
            cur.execute(_COUNT, [limit.name, _hash(who), *[limit.within_s] * 3])
            attempts, left_s = cur.fetchone()
            if attempts > limit.attempts:
                waits.append(max(1, ceil(left_s)))
    if waits:
        raise TooManyAttempts(max(waits))


def forget_attempts(limit: Limit, who: str) -> None:
    """Start counting anew, e.g. after a log-in that succeeded."""
    with module_transaction("storefront"), cursor("storefront") as cur:
        cur.execute("delete from attempt_count where kind = %s and who = %s", [limit.name, _hash(who)])


def prune_attempts() -> int:
    """Delete counts that are over; returns their number."""
    with module_transaction("storefront"), cursor("storefront") as cur:
        cur.execute("delete from attempt_count where began_at < clock_timestamp() - interval '1 day'")
        return int(cur.rowcount)


def _hash(who: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), who.strip().lower().encode(), hashlib.sha256).hexdigest()
