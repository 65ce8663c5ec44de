"""The relay: work that must follow a commit is a row in the module's schema first, a Celery task is only a hint.

A handler may run twice, late or concurrently; it calls another module's api.py with the item's own payload
and a key, so that a repeat has one effect.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings

from erp.db import after_commit, cursor, fetch_prepared, fetch_prepared_dicts, module_transaction
from erp.errors import ErpError
from erp.fields import dump_json, load_json
from erp.registry import registry

logger = logging.getLogger(__name__)

Handler = TypeVar("Handler", bound=Callable[..., Any])

LEASE_S = 120  # how long a claimed item is left alone before another worker may try it
STUCK_AFTER = 8  # attempts after which an item is stuck: an incident is opened; it is still retried, slowly
MAX_BACKOFF_S = 300
HINT_PAUSE_S = 30.0  # after a hint that could not be given: a broker that hangs must not hold up every request

_no_hints_until = 0.0  # on this process's monotonic clock


def relay_handler(module: str, kind: str) -> Callable[[Handler], Handler]:
    """Register ``handler(payload, key) -> result`` for items of ``kind`` in ``module``'s relay."""

    def register(handler: Handler) -> Handler:
        registry.relay_handlers[module, kind] = handler
        return handler

    return register


_ENQUEUE = """
insert into relay_item (kind, key, payload) values (%s::text, %s::text, %s::jsonb) on conflict (kind, key) do nothing"""


def enqueue(module: str, kind: str, key: str, payload: Any) -> None:
    """Add an item inside the module's open transaction; the same (kind, key) again changes nothing."""
    fetch_prepared(module, _ENQUEUE, [kind, key, dump_json(payload)])
    hint_after_commit(module)


def hint_after_commit(module: str) -> None:
    """Give the hint once the open transaction, which added an item, has committed."""
    after_commit(module, lambda: hint(module))


def hint(module: str) -> None:
    """Tell Celery that the module's relay has work."""
    from erp.tasks import relay

    ring(relay, module, module)


def ring(task: Any, queue: str, *args: Any) -> None:
    """Send a task that would come by itself a little later; one that cannot be sent is lost without harm."""
    global _no_hints_until  # noqa: PLW0603  what this process knows about its broker
    if not settings.ERP_SEND_HINTS or time.monotonic() < _no_hints_until:
        return
    try:
        task.apply_async(args=args, queue=queue, expires=60, ignore_result=True)
    except Exception as error:  # noqa: BLE001  any broker trouble: the periodic run does the work
        _no_hints_until = time.monotonic() + HINT_PAUSE_S
        logger.warning("%s hint for %s not given: %s", task.name.removeprefix("erp."), queue, error)


def run_relay(module: str, limit: int = 100) -> dict[str, int]:
    """Do the items that are due, oldest first; returns counts ``{"done", "failed"}``."""
    counts = {"done": 0, "failed": 0}
    for _ in range(limit):
        item = _claim(module)
        if item is None:
            break
        counts["done" if _work(module, item) else "failed"] += 1
    return counts


# Whoever claims an item may be killed by it, so the claim itself counts, and marks what was claimed too often. The item
# of a worker that died is tried again after its lease, and later and later once it is stuck.
_CLAIM = """
update relay_item set attempts = attempts + 1,
  next_at = clock_timestamp()
    + case when attempts >= %(often)s::int then %(slow)s::int else %(lease)s::int end * interval '1 s',
  state = case when attempts >= %(often)s::int then 'stuck' else state end,
  last_error = case when attempts > 0 and last_error = '' then %(died)s::text else last_error end
where id = (select id from relay_item where state <> 'done' and next_at <= clock_timestamp() and {condition}
            order by next_at, id for update skip locked limit 1)
returning id, kind, key, payload::text, attempts"""
_DONE = """
update relay_item set state = 'done', done_at = clock_timestamp(), last_error = '', result = %s::jsonb
where id = %s::bigint"""
_DIED = "No answer: the worker that had it died, or works longer than its lease"


def _claim(module: str, condition: str = "true", **values: Any) -> dict[str, Any] | None:
    parameters = {"often": STUCK_AFTER, "slow": MAX_BACKOFF_S, "lease": LEASE_S, "died": _DIED, **values}
    rows = fetch_prepared_dicts(module, _CLAIM.format(condition=condition), parameters)
    return rows[0] if rows else None


def _work(module: str, item: dict[str, Any]) -> bool:
    handler = registry.relay_handlers.get((module, item["kind"]))
    try:
        if handler is None:
            raise ErpError(f"{module} has no relay handler for {item['kind']!r}")
        result = dump_json(handler(load_json(item["payload"]), item["key"]))
    except Exception as error:  # noqa: BLE001  whatever it is, the item stays and is tried again
        logger.warning("relay %s %s %s failed: %s", module, item["kind"], item["key"], error)
        _record_failure(module, item, error)
        return False
    fetch_prepared(module, _DONE, [result, item["id"]])
    return True


def _record_failure(module: str, item: dict[str, Any], error: Exception) -> None:
    wait = str(timedelta(seconds=min(MAX_BACKOFF_S, 2 ** min(item["attempts"], 10))))
    state = "stuck" if item["attempts"] >= STUCK_AFTER else "waiting"
    # Only the latest claim counts: a worker that outlived its lease must not reopen what another one did.
    with module_transaction(module), cursor(module) as cur:
        cur.execute(
            "update relay_item set state = %s, last_error = %s, next_at = clock_timestamp() + %s::interval "
            "where id = %s and attempts = %s and state <> 'done'",
            [state, f"{type(error).__name__}: {error}"[:2000], wait, item["id"], item["attempts"]],
        )


def retry_now(module: str, item_id: int) -> None:
    """Make a waiting or stuck item due at once."""
    with module_transaction(module), cursor(module) as cur:
        cur.execute(
            "update relay_item set state = 'waiting', next_at = clock_timestamp() where id = %s and state <> 'done'",
            [item_id],
        )
    hint(module)


def run_now(module: str, kind: str, key: str) -> bool:
    """Do one item right after the commit that made it, unless it is done or somebody else is at it.

    Returns whether it is done now. A failure is recorded on the item, which stays for the periodic relay.
    """
    item = _claim(module, "kind = %(kind)s::text and key = %(key)s::text", kind=kind, key=key)
    return _work(module, item) if item else False


def drain(module: str, passes: int = 20) -> int:
    """Do everything in a module's relay now, past failures and leases included; returns how many items are left.

    For runs that must tie out at their end; one pass can make the next one possible (work in sequence). Who holds a
    lease may be dead or at work: handlers may run twice at the same time, so its item is done here as well.
    """
    for _ in range(passes):
        with module_transaction(module), cursor(module) as cur:
            cur.execute(
                "update relay_item set next_at = clock_timestamp() "
                "where state <> 'done' and next_at > clock_timestamp()"
            )
        counts = run_relay(module, limit=1_000_000)
        if not counts["done"]:
            break
    with cursor(module) as cur:
        cur.execute("select count(*) from relay_item where state <> 'done'")
        return int(cur.fetchone()[0])
