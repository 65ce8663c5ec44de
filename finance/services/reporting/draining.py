"""Works the outbox off at once, past waits and failures, for runs that must tie out at their end."""

from __future__ import annotations

from erp.db import cursor, module_transaction
from finance.nav.client import NavClient
from finance.services.reporting import annulling, channel, following, outbox
from finance.services.reporting.connection import connect, endpoint

_OPEN = """
select (select count(*) from nav_submission where state in ('waiting', 'sending', 'sent'))
  + (select count(*) from nav_annulment where state in ('waiting', 'sending', 'sent'))"""

_DUE = (
    "update nav_submission set next_at = clock_timestamp() "
    "where state = 'waiting' and claim is null and next_at > clock_timestamp()",
    "update nav_batch set next_at = clock_timestamp() "
    "where state in ('prepared', 'unknown', 'taken_in') and next_at > clock_timestamp()",
)


def drain(client: NavClient | None = None, *, passes: int = 100) -> int:
    """Send and follow until nothing moves any more; returns how many reports are still under way.

    Waits between attempts are skipped, except the one after a lost answer.
    """
    ours = client or connect()
    for _ in range(passes):
        channel.try_now(endpoint())
        _make_due()
        outbox.send_waiting(ours)
        channel.try_now(endpoint())
        annulling.send_annulments(ours)
        following.follow(ours)
        if not open_reports():
            break
    return open_reports()


def open_reports() -> int:
    """Reports and annulments that wait or are under way by themselves."""
    with cursor("finance") as cur:
        cur.execute(_OPEN)
        return int(cur.fetchone()[0])


def _make_due() -> None:
    with module_transaction("finance"), cursor("finance") as cur:
        for statement in _DUE:
            cur.execute(statement)
