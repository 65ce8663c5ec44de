"""The change journal as staff read it: per version, who wrote it and which fields it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from erp.db import cursor, rows_as_dicts
from erp.fields import load_json
from erp.models import OwnedModel

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


class JournalHistory:
    """Mixin of admin pages: the history of an owned row is the change journal, not the admin's own log."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Who wrote which version, and what it changed."""
        page: Any = self
        context = dict(extra_context or {})
        if issubclass(page.model, OwnedModel):
            page.object_history_template = "erp/admin/journal.html"
            known = object_id.isdecimal()
            context["journal"] = (
                journal_entries(page.opts.app_label, page.model.entity, int(object_id)) if known else []
            )
        return super().history_view(request, object_id, context)  # type: ignore[misc]
