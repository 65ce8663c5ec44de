"""Copies that staff asked the workers to rebuild: a row first, the Celery task is only a hint.

A rebuild that a worker began and did not finish begins again: it makes the copy equal to its owner, however often.
"""

from __future__ import annotations

import logging

from django.db import Error, IntegrityError
from django.utils import timezone

from erp.actor import Actor, acting_as
from erp.db import cursor, module_transaction
from erp.errors import ErpError, NotFound, Refused
from erp.models import Rebuild
from erp.ownership import PLATFORM
from erp.relay import ring
from erp.replication.resync import Rebuilt
from erp.scrubber.repair import attach_again, check_again, repair

logger = logging.getLogger(__name__)

REBUILD_LOCK = 0x45525020  # advisory lock: one worker rebuilds at a time
ATTEMPTS = 3  # of a rebuild that failed, or killed its worker, before it is given up
TOLD_EVERY = 10  # ranges of keys between two notes of progress


def request_rebuild(
    entity: str, reader: str, *, actor: Actor, keys: list[int] | None = None, is_attach: bool = False
) -> Rebuild:
    """Ask the workers for a rebuild; the row is what counts, the hint may be lost. A repeat gives the one under way.

    Raises Refused while another rebuild of the copy is under way.
    """
    wanted = {"keys": keys or [], "is_attach": is_attach, "actor_id": actor.id, "actor_name": actor.name}
    try:
        with module_transaction(PLATFORM):
            made = Rebuild.objects.create(entity=entity, reader=reader, **wanted)
    except IntegrityError:
        made = Rebuild.objects.filter(entity=entity, reader=reader).latest("id")
        if (made.keys, made.is_attach) != (wanted["keys"], is_attach):
            raise Refused(
                f"{made.actor_name} asked for another rebuild of {reader}'s copy of {entity}, which is not finished; "
                "ask again when it is"
            ) from None
    from erp.tasks import rebuild_pending

    ring(rebuild_pending, PLATFORM)
    return made


def run_rebuilds() -> list[Rebuild]:
    """Do what is asked for, oldest first; nothing while another worker is at it. Returns what is finished now."""
    done = []
    with cursor(PLATFORM) as cur:
        cur.execute("select pg_try_advisory_lock(%s)", [REBUILD_LOCK])
        if not cur.fetchone()[0]:
            return []
    try:
        for asked in Rebuild.objects.filter(finished_at=None).order_by("id"):
            _run(asked)
            if asked.finished_at:
                done.append(asked)
    finally:
        with cursor(PLATFORM) as cur:
            cur.execute("select pg_advisory_unlock(%s)", [REBUILD_LOCK])
    return done


def _run(asked: Rebuild) -> None:
    """One attempt, counted before it begins: whoever does it may be killed by it."""
    if asked.attempts >= ATTEMPTS:
        _finish(asked, "failed", asked.error or "The workers that rebuilt it died")
        return
    asked.attempts, asked.status = asked.attempts + 1, "running"
    asked.save(update_fields=["attempts", "status"])
    with acting_as(Actor(asked.actor_id, asked.actor_name)):
        try:
            found = _rebuild(asked)
        except (Refused, NotFound) as refusal:
            _finish(asked, "failed", refusal.message)
        except (ErpError, Error) as error:  # busy, or out of reach: the next pass tries again
            logger.warning("rebuild of %s failed: %s", asked, error)
            asked.error = f"{type(error).__name__}: {error}"[:2000]
            asked.save(update_fields=["error"])
            if asked.attempts >= ATTEMPTS:
                _finish(asked, "failed", asked.error)
        else:
            asked.changed, asked.removed = found.changed, found.removed
            _finish(asked, "done", "")
        check_again(asked.entity, in_background=True)


def _rebuild(asked: Rebuild) -> Rebuilt:
    def note(ranges: int) -> None:
        if ranges % TOLD_EVERY == 0:
            Rebuild.objects.filter(pk=asked.pk).update(ranges=ranges)

    if asked.is_attach:
        return attach_again(asked.entity, asked.reader, progress=note)
    return repair(asked.entity, asked.reader, keys=asked.keys or None, progress=note)


def _finish(asked: Rebuild, status: str, error: str) -> None:
    asked.status, asked.error, asked.finished_at = status, error, timezone.now()
    asked.save(update_fields=["status", "error", "finished_at", "changed", "removed"])
