"""Rebuilding a copy from its owner, while the system runs; and detaching and attaching readers.

A rebuild never touches owner data. Per key range it takes the entity's write lock alone (writers share it), so
that what it reads and what it writes belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db.backends.utils import CursorWrapper

from erp import ownership
from erp.actor import Actor, current_actor, request_id
from erp.db import cursor, module_transaction, retrying
from erp.errors import NotFound, Refused
from erp.fields import dump_json
from erp.ownership import Entity
from erp.publishing import ADVISORY_CLASS, entity_lock, owner_model
from erp.reader_errors import reader_errors
from erp.replication import positions, pull, transport

RANGE_ROWS = 1_000
MAX_KEY = 2**63 - 1
LOCK_WAIT = "10s"  # a repair waits for writers longer than writers wait for each other


@dataclass
class Rebuilt:
    """What a resync did or, as a dry run, would do."""

    entity: str
    reader: str
    dry_run: bool
    ranges: int = 0
    changed: int = 0  # missing or different rows, now as the owner has them
    removed: int = 0  # rows the owner does not have
    keys: list[int] = field(default_factory=list)


class _DryRun(Exception):
    """Ends a dry run's transaction."""


def resync(
    entity_name: str, reader: str, *, keys: list[int] | None = None, dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Rebuilt:  # fmt: skip
    """Make ``reader``'s copy equal to its owner's rows, at any version; extra rows are removed.

    Args:
        keys: only these keys; default all.
        dry_run: count what would change and write nothing.
        progress: called with the number of ranges done.
    """
    entity = ownership.entity(entity_name)
    if reader not in entity.readers:
        raise NotFound(f"{reader} holds no copy of {entity_name}; its readers are {', '.join(entity.readers)}")
    done = Rebuilt(entity_name, reader, dry_run, keys=sorted(keys or []))
    for lo, hi in _ranges(entity, reader, done.keys):
        changed, removed = _rebuild_range(entity, reader, lo, hi, done.keys or None, dry_run)
        done.ranges, done.changed, done.removed = done.ranges + 1, done.changed + changed, done.removed + removed
        if progress:
            progress(done.ranges)
    return done


def _ranges(entity: Entity, reader: str, keys: list[int]) -> Iterator[tuple[int, int]]:
    if keys:
        for at in range(0, len(keys), RANGE_ROWS):
            part = keys[at : at + RANGE_ROWS]
            yield part[0], part[-1]
        return
    source = entity.sources_of(reader)[0]
    table = owner_model(entity.name, source)._meta.db_table
    lo = -MAX_KEY
    while True:
        with cursor(source) as cur:
            cur.execute(
                f"select max(id) from (select id from {table} where id >= %s order by id limit %s) x", [lo, RANGE_ROWS]
            )
            hi = cur.fetchone()[0]
        if hi is None:
            yield lo, MAX_KEY
            return
        yield lo, hi
        lo = hi + 1


def _rebuild_range(
    entity: Entity, reader: str, lo: int, hi: int, keys: list[int] | None, dry_run: bool
) -> tuple[int, int]:
    source = entity.sources_of(reader)[0]
    found = (0, 0)

    def run() -> tuple[int, int]:
        nonlocal found
        with reader_errors(entity.name), cursor(source) as cur:
            _lock_out_writers(cur, entity, reader)
            rows: dict[int, _Row] = {}
            for each in entity.sources_of(reader):
                _collect(entity, each, lo, hi, keys, rows)
            at = positions.position(entity, source, reader) if not entity.is_instant else None
            payload = "[" + ",".join(rows[key].payload for key in sorted(rows)) + "]"
            # What a repair brings belongs to the next position: reports at the present one stay as they were.
            tick = at["tick"] + 1 if at else 0
            found = transport.rebuild(cur, entity, reader, lo, hi, keys, payload, tick)
            if dry_run:
                raise _DryRun
            return found

    try:
        return retrying(source, run)
    except _DryRun:
        return found


def _lock_out_writers(cur: CursorWrapper, entity: Entity, reader: str) -> None:
    """Instant: writers share the entity's lock. Windowed: the copy is written by its runs, which hold pair locks."""
    cur.execute("select set_config('lock_timeout', %s, true)", [LOCK_WAIT])
    if entity.is_instant:
        cur.execute("select pg_advisory_xact_lock(%s, %s)", [ADVISORY_CLASS, entity_lock(entity.name)])
        return
    for source in entity.sources_of(reader):
        key = positions.pair_key(entity, source, reader)
        cur.execute("select pg_advisory_xact_lock(%s, %s)", [positions.PAIR_LOCK_CLASS, key])


@dataclass(frozen=True)
class _Row:
    order: tuple[int, int]  # (epoch, version)
    payload: str


def _collect(entity: Entity, source: str, lo: int, hi: int, keys: list[int] | None, rows: dict[int, _Row]) -> None:
    model = owner_model(entity.name, source)
    epoch = "t.epoch" if entity.custodians else "0"
    condition, arguments = "t.id between %s and %s", [lo, hi]
    if keys is not None:
        condition += " and t.id = any(%s)"
        arguments.append(keys)  # type: ignore[arg-type]
    if model.travels_sql:
        condition += f" and ({model.travels_sql})"
    with cursor(source) as cur:
        cur.execute(
            f"select t.id, {epoch}, t.version, ({model.payload_sql})::text "
            f"from {model._meta.db_table} t where {condition}",
            arguments,
        )
        for key, row_epoch, version, payload in cur.fetchall():
            row = _Row((row_epoch, version), payload)
            if key not in rows or row.order > rows[key].order:
                rows[key] = row


def detach(entity_name: str, reader: str, reason: str, *, actor: Actor | None = None) -> None:
    """Take a reader out of the entity's writes; it is shown as detached until it is attached again."""
    if not reason.strip():
        raise Refused("Give a reason for detaching a reader")
    _set_attached(entity_name, reader, False, reason, actor)


def attach(
    entity_name: str, reader: str, *, actor: Actor | None = None, progress: Callable[[int], None] | None = None
) -> Rebuilt:
    """Rebuild a detached copy, compare it with its owner, and let it count again.

    Writers of an instant entity wait only while the rows that were written meanwhile are rebuilt. Raises Refused
    when the copy still differs.
    """
    from erp.scrubber.copies import compare_copy

    entity = ownership.entity(entity_name)
    since = _mark(entity) if entity.is_instant else 0
    rebuilt = resync(entity_name, reader, progress=progress)
    if not entity.is_instant:
        _set_attached(entity_name, reader, True, "", actor)
        _run_and_compare(entity, reader, actor)
        return rebuilt
    differing = set(compare_copy(entity, reader).differing)
    with module_transaction(entity.owner), reader_errors(entity_name), cursor(entity.owner) as cur:
        _lock_out_writers(cur, entity, reader)
        written = _written_since(cur, entity, since)
        _require_clean(entity, reader, differing - written)
        if written:
            again = resync(entity_name, reader, keys=sorted(written))
            rebuilt.changed, rebuilt.removed = rebuilt.changed + again.changed, rebuilt.removed + again.removed
        _set_attached(entity_name, reader, True, "", actor)
    return rebuilt


def _run_and_compare(entity: Entity, reader: str, actor: Actor | None) -> None:
    """Let a windowed copy run once and compare it; a difference that no window explains detaches it again."""
    from erp.scrubber.copies import compare_copy

    for source in entity.sources_of(reader):
        pull.run_copy(entity.name, source, reader)
    differing = set(compare_copy(entity, reader).differing)
    if differing:
        _set_attached(entity.name, reader, False, "still differs from its owner", actor)
    _require_clean(entity, reader, differing)


def _require_clean(entity: Entity, reader: str, differing: set[int]) -> None:
    if differing:
        raise Refused(f"{reader}'s copy of {entity.name} still differs in {len(differing)} rows")


_JOURNAL_SEQUENCE = "pg_sequence_last_value(pg_get_serial_sequence('change_journal', 'seq')::regclass)"


def _mark(entity: Entity) -> int:
    """Journal number up to which every write of the entity has committed: nobody writes while it is read."""
    with module_transaction(entity.owner), reader_errors(entity.name), cursor(entity.owner) as cur:
        _lock_out_writers(cur, entity, "")
        cur.execute(f"select coalesce({_JOURNAL_SEQUENCE}, 0)")
        return int(cur.fetchone()[0])


def _written_since(cur: CursorWrapper, entity: Entity, mark: int) -> set[int]:
    # The day only spares a look at old partitions; what counts is the number.
    cur.execute(
        "select distinct key from change_journal where entity = %s and seq > %s and at > now() - interval '1 day'",
        [entity.name, mark],
    )
    return {key for (key,) in cur.fetchall()}


def _set_attached(entity_name: str, reader: str, attached: bool, reason: str, actor: Actor | None) -> None:
    entity = ownership.entity(entity_name)
    if reader not in entity.readers:
        raise NotFound(f"{reader} holds no copy of {entity_name}")
    who = actor or current_actor()
    note = dump_json({"entity": entity.name, "reader": reader, "attached": attached, "reason": reason})
    for source in entity.sources_of(reader):
        with module_transaction(source), reader_errors(entity_name), cursor(source) as cur:
            _lock_out_writers(cur, entity, reader)  # no write and no run may straddle the change
            cur.execute(
                "update reader_state set attached = %s, reason = %s, changed_at = clock_timestamp(), changed_by = %s "
                "where entity = %s and reader = %s",
                [attached, reason, who.name, entity_name, reader],
            )
            cur.execute(
                "insert into change_journal (entity, key, version, actor_id, actor_name, request_id, payload) "
                "values ('reader_state', 0, 0, %s, %s, %s, %s)",
                [who.id, who.name, request_id(), note],
            )
