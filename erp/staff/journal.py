"""The change journal as staff read it: per version, who wrote it and which fields it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.fields import load_json

_NOT_SHOWN = frozenset({"version", "updated_at", "created_at", "id", "xid"})


@dataclass(frozen=True)
class FieldChange:
    """One field's value before and after a write."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class JournalEntry:
    """One write of one row."""

    at: datetime
    version: int
    actor: str
    request_id: str
    changes: list[FieldChange]


def journal_entries(module: str, entity: str, key: int, limit: int = 200) -> list[JournalEntry]:
    """The latest writes of a row, newest first, each compared with the version before it."""
    with cursor(module) as cur:
        cur.execute(
            "select at, version, actor_name, request_id, payload::text from change_journal "
            "where entity = %s and key = %s order by version desc limit %s",
            [entity, key, limit + 1],
        )
        rows = rows_as_dicts(cur)
    for row in rows:
        row["payload"] = load_json(row["payload"])
    entries = []
    for row, before in zip(rows, [*rows[1:], None], strict=True):
        old = before["payload"] if before else {}
        changes = [
            FieldChange(name, old.get(name), value)
            for name, value in row["payload"].items()
            if name not in _NOT_SHOWN and old.get(name) != value and (before or value not in (None, "", [], {}))
        ]
        entries.append(JournalEntry(row["at"], row["version"], row["actor_name"], row["request_id"], changes))
    return entries[:limit]
