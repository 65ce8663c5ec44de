"""Repairing a copy: rebuilt from its owner alone, audited, and checked again by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from erp import ownership
from erp.actor import Actor, current_actor, request_id
from erp.db import cursor, module_transaction
from erp.fields import dump_json
from erp.models import ScrubRun
from erp.replication.resync import Rebuilt, attach, resync
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import ScrubberBusy, request_scrub, run_scrub

LOOK_EVERY_S = 1.0  # whether the run that is under way has ended


def repair(
    entity_name: str, reader: str, *, keys: list[int] | None = None, dry_run: bool = False,
    progress: Callable[[int], None] | None = None, actor: Actor | None = None,
) -> Rebuilt:  # fmt: skip
    """Make ``reader``'s copy equal to its owner's rows and write who did it into the owner's change journal.

    Owner data is never changed. Arguments as for :func:`erp.replication.resync.resync`.
    """
    done = resync(entity_name, reader, keys=keys, dry_run=dry_run, progress=progress)
    if not dry_run:
        _audit(done, actor or current_actor())
    return done


def attach_again(
    entity_name: str, reader: str, *, progress: Callable[[int], None] | None = None, actor: Actor | None = None
) -> Rebuilt:
    """Rebuild a detached copy, compare it and let it count again; written down as :func:`repair` does.

    Raises Refused when the copy still differs from its owner.
    """
    done = attach(entity_name, reader, actor=actor, progress=progress)
    _audit(done, actor or current_actor())
    return done


def check_again(entity_name: str, *, in_background: bool = False, wait_s: float = 0) -> ScrubRun | None:
    """Run the checks of an entity's copies, as :func:`run_again`; None when it has none."""
    names = [spec.name for spec in all_checks() if spec.entity == entity_name]
    return run_again(names, in_background=in_background, wait_s=wait_s) if names else None


def run_again(names: list[str], *, in_background: bool = False, wait_s: float = 0) -> ScrubRun:
    """Run checks after a repair.

    While another run is under way for longer than ``wait_s``, or ``in_background``, the run is requested, and the
    workers do it: it is then not finished.
    """
    actor = current_actor().name
    if in_background:
        return request_scrub(names, trigger="repair", asked_by=actor)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return run_scrub(names, trigger="repair", asked_by=actor)
        except ScrubberBusy:
            if time.monotonic() >= deadline:
                return request_scrub(names, trigger="repair", asked_by=actor)
        time.sleep(min(LOOK_EVERY_S, max(deadline - time.monotonic(), 0)))


def _audit(done: Rebuilt, actor: Actor) -> None:
    owner = ownership.entity(done.entity).owner
    note = {"entity": done.entity, "reader": done.reader, "changed": done.changed, "removed": done.removed}
    with module_transaction(owner), cursor(owner) as cur:
        cur.execute(
            "insert into change_journal (entity, key, version, actor_id, actor_name, request_id, payload) "
            "values ('resync', 0, 0, %s, %s, %s, %s)",
            [actor.id, actor.name, request_id(), dump_json({**note, "keys": done.keys})],
        )
