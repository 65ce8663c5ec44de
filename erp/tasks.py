"""Periodic work of the platform; every task may run twice, late or concurrently."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from celery import shared_task
from django.db import DatabaseError

from erp import ownership
from erp.db import cursor, module_transaction


@shared_task(name="erp.copy")
def copy(entity: str, source: str, reader: str) -> int:
    """One run of a windowed copy; returns the number of rows brought."""
    from erp.replication.pull import run_copy

    return run_copy(entity, source, reader).rows


@shared_task(name="erp.relay")
def relay(module: str) -> dict[str, int]:
    """Do what is due in a module's relay."""
    from erp.relay import run_relay

    return run_relay(module)


@shared_task(name="erp.heartbeat")
def heartbeat(queue: str) -> None:
    """Beat sent this and a worker of the queue ran it: the watchdog sees that both live."""
    from erp.alerts import beat_heart

    beat_heart("beat")
    beat_heart(f"worker:{queue}")


@shared_task(name="erp.scrub")
def scrub() -> int:
    """The nightly run, or what is left of it after an interruption."""
    from erp.scrubber.engine import run_nightly

    return len(run_nightly())


@shared_task(name="erp.scrub_pending")
def scrub_pending() -> int:
    """Runs that were asked for or interrupted; nothing while a run is under way."""
    from erp.scrubber.engine import run_pending

    return len(run_pending())


@shared_task(name="erp.rebuild_pending")
def rebuild_pending() -> int:
    """Copies that staff asked to have rebuilt; nothing while another worker is at it."""
    from erp.scrubber.rebuilds import run_rebuilds

    return len(run_rebuilds())


@shared_task(name="erp.housekeeping")
def housekeeping() -> None:
    """Make journal partitions ahead, prune tick logs and answered idempotency keys."""
    from erp.replication.positions import prune_ticks

    failures: list[Exception] = []
    steps: list[Callable[[], None]] = [partial(_tidy, module) for module in ownership.MODULES]
    for step in (*steps, prune_ticks):
        try:
            step()
        except DatabaseError as error:  # trouble in one module leaves the others tidy
            failures.append(error)
    if failures:
        raise failures[0]


def _tidy(module: str) -> None:
    with module_transaction(module), cursor(module) as cur:
        cur.execute("select ensure_journal_partitions(3)")
        cur.execute("delete from idempotency_key where created_at < now() - interval '30 days'")
        cur.execute("delete from relay_item where state = 'done' and done_at < now() - interval '30 days'")
