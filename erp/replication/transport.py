"""The one place through which rows reach a reader.

Nothing outside this package may know that all schemas share a cluster: here the owner's connection calls the
reader's doors directly, and an instant write does so inside the writer's transaction (erp/publishing.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from erp.db import cursor
from erp.ownership import Entity


def reader_clock(reader: str) -> datetime:
    """The reader's own clock, now: ages are differences of this clock alone."""
    with cursor(reader) as cur:
        cur.execute("select clock_timestamp()")
        now: datetime = cur.fetchone()[0]
    return now


def deliver(cur: CursorWrapper, entity: Entity, reader: str, tick: int, rows_json: str) -> int:
    """Bring one batch (a JSON array) through the reader's door in ``cur``'s transaction; returns its size."""
    cur.execute(f"select count(*) from {reader}.receive_{entity.name}(%s::jsonb, %s)", [rows_json, tick])
    return int(cur.fetchone()[0])


def advance(  # noqa: PLR0913  the door's own parameters
    cur: CursorWrapper, entity: Entity, reader: str, *, source: str, tick: int, lo: str, sysid: str, began_at: datetime,
    rows: int,
) -> None:  # fmt: skip
    """Move the reader's position in the same transaction that delivered the rows."""
    cur.execute(
        f"select {reader}.advance_{entity.name}(%s, %s, %s, %s, %s, %s)", [source, tick, lo, sysid, began_at, rows]
    )


def rebuild(
    cur: CursorWrapper, entity: Entity, reader: str, lo: int, hi: int, keys: list[int] | None, rows_json: str, tick: int
) -> tuple[int, int]:
    """Make the reader's copy of a key range equal to ``rows_json``; returns (rows changed, rows removed)."""
    arguments: list[Any] = [lo, hi, keys, rows_json]
    extra = ""
    if not entity.is_instant:
        extra = ", %s"
        arguments.append(tick)
    cur.execute(f"select changed, removed from {reader}.rebuild_{entity.name}(%s, %s, %s, %s::jsonb{extra})", arguments)
    changed, removed = cur.fetchone()
    return int(changed), int(removed)
