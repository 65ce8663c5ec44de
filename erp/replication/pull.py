"""One run of a windowed copy.

In one snapshot every visible row with ``xid >= lo`` is sent through the reader's door in bounded batches; the
new ``lo`` is the xmin of a snapshot taken no later. Rows that come twice fall to the version guard, so nothing
is skipped and a hot row is never starved. Rows, tick and low mark commit together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from erp import ownership
from erp.db import cursor, module_transaction
from erp.errors import ReaderUnavailable
from erp.ownership import Entity
from erp.publishing import owner_model
from erp.replication import positions, transport

BATCH_ROWS = 2_000


@dataclass(frozen=True)
class Run:
    """What one run did; ``skipped`` says why nothing was done."""

    rows: int
    tick: int
    skipped: str = ""


def run_copy(entity_name: str, source: str, reader: str) -> Run:
    """Bring the rows written since the last run from ``source`` to ``reader``.

    A repeat, a late or a concurrent call is harmless: a run already under way makes this one return at once.
    After the database moved to another cluster (a restore) the copy is rebuilt first: the owner may have gone
    back, so the copy can hold rows and versions that the owner does not have.
    """
    entity = ownership.entity(entity_name)
    if detached := _detached(entity, source, reader):
        return detached
    if _has_moved(entity, source, reader):
        from erp.replication.resync import resync

        resync(entity_name, reader)
    began_at = transport.reader_clock(reader)
    with module_transaction(source), cursor(source) as cur:
        if not _try_lock(cur, entity, source, reader):
            return Run(0, 0, "a run is under way")
        if detached := _detached(entity, source, reader):  # meanwhile: detaching takes the same lock
            return detached
        # A long catch-up is better than none: only the statement that waits for a lock stays bounded.
        cur.execute("set local statement_timeout = 0")
        last = positions.position(entity, source, reader)
        sysid = system_identifier(cur)
        is_full = last is None or last["system_identifier"] != sysid
        lo = None if is_full or last is None else str(last["lo"])
        cur.execute("select pg_snapshot_xmin(pg_current_snapshot())::text")
        new_lo = str(cur.fetchone()[0])
        tick = (last["tick"] if last else 0) + 1
        rows = 0
        for size, batch in changed_rows(cur, entity, source, lo):
            if transport.deliver(cur, entity, reader, tick, batch) != size:
                raise ReaderUnavailable(entity.name, reader, "its door did not take every row")
            rows += size
        transport.advance(
            cur, entity, reader, source=source, tick=tick, lo=new_lo, sysid=sysid, began_at=began_at, rows=rows
        )
    return Run(rows, tick)


def _detached(entity: Entity, source: str, reader: str) -> Run | None:
    attached, reason = positions.attachment(entity, source, reader)
    return None if attached else Run(0, 0, f"{reader} is detached: {reason}")


def _has_moved(entity: Entity, source: str, reader: str) -> bool:
    """Whether the copy's position comes from another cluster; its transaction ids then say nothing."""
    last = positions.position(entity, source, reader)
    if last is None:
        return False
    with cursor(source) as cur:
        return bool(last["system_identifier"] != system_identifier(cur))


def _try_lock(cur: CursorWrapper, entity: Entity, source: str, reader: str) -> bool:
    key = positions.pair_key(entity, source, reader)
    cur.execute("select pg_try_advisory_xact_lock(%s, %s)", [positions.PAIR_LOCK_CLASS, key])
    return bool(cur.fetchone()[0])


def system_identifier(cur: CursorWrapper) -> str:
    """Identifier of the PostgreSQL cluster; stored transaction ids mean nothing in another one."""
    cur.execute("select system_identifier::text from pg_control_system()")
    return str(cur.fetchone()[0])


def changed_rows(cur: CursorWrapper, entity: Entity, source: str, lo: str | None) -> Iterator[tuple[int, str]]:
    """Payloads of rows stamped at or after ``lo`` (None: all) in batches (rows, JSON array), from one snapshot.

    In key order: the runs of two sources of one copy then take its rows in the same order and cannot deadlock.
    """
    model = owner_model(entity.name, source)
    # The upper bound cuts off no row that this snapshot sees, only ids that another cluster gave before a restore.
    condition = "where t.xid >= %s::xid8 and t.xid < pg_snapshot_xmax(pg_current_snapshot())" if lo else ""
    cur.execute("set local cursor_tuple_fraction = 1")  # all rows will be fetched: no plan for the first few
    cur.execute(
        f"declare changed no scroll cursor for select ({model.payload_sql})::text "
        f"from {model._meta.db_table} t {condition} order by t.id",
        [lo] if lo else [],
    )
    while True:
        cur.execute(f"fetch {BATCH_ROWS} from changed")
        batch = [row[0] for row in cur.fetchall()]
        if batch:
            yield len(batch), "[" + ",".join(batch) + "]"
        if len(batch) < BATCH_ROWS:
            break
    cur.execute("close changed")
