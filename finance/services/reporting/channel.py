"""The way to an endpoint: left alone for a while after trouble, so that an outage is not made worse."""

from __future__ import annotations

from erp.db import cursor, module_transaction

LONGEST_PAUSE_S = 300.0


def is_paused(endpoint: str) -> bool:
    """Whether the endpoint is left alone now."""
    with cursor("finance") as cur:
        cur.execute("select 1 from nav_channel where endpoint = %s and paused_until > clock_timestamp()", [endpoint])
        return cur.fetchone() is not None


def pause(endpoint: str, reason: str, *, at_least_s: float = 0.0, needs_a_person: bool = False) -> None:
    """Leave the endpoint alone: 1, 2, 4… seconds with every failure in a row, at most five minutes."""
    longest = LONGEST_PAUSE_S if needs_a_person else 0.0
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            """insert into nav_channel as c (endpoint, failures, reason, needs_a_person, paused_until)
               values (%(endpoint)s, 1, %(reason)s, %(person)s,
                 clock_timestamp() + make_interval(secs => %(least)s))
               on conflict (endpoint) do update set failures = c.failures + 1, reason = excluded.reason,
                 needs_a_person = excluded.needs_a_person,
                 paused_until = clock_timestamp() + greatest(make_interval(secs => %(least)s),
                   make_interval(secs => least(%(most)s, power(2, least(c.failures, 10)))))""",
            {
                "endpoint": endpoint, "reason": reason[:2000], "person": needs_a_person, "most": LONGEST_PAUSE_S,
                "least": max(1.0, at_least_s, longest),
            },
        )  # fmt: skip


def is_open(endpoint: str) -> None:
    """The endpoint answered: forget the trouble."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute(
            "update nav_channel set failures = 0, paused_until = null, reason = '', needs_a_person = false "
            "where endpoint = %s and (failures > 0 or paused_until is not null)",
            [endpoint],
        )


def try_now(endpoint: str) -> None:
    """A person wants it tried at once."""
    with module_transaction("finance"), cursor("finance") as cur:
        cur.execute("update nav_channel set paused_until = null where endpoint = %s", [endpoint])
