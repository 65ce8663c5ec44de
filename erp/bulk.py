"""Set-based form of the owner's write: many rows, one transaction, a handful of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections
from rest_framework.exceptions import ValidationError

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from erp.fields import dump_json
from erp.ownership import alias_of
from erp.permit import write_permit
from erp.publishing import entity_lock, publish, share_entity_lock
from erp.reader_errors import reader_errors

if TYPE_CHECKING:
    from erp.serializers import OwnerSerializer

BATCH_LOCK_CLASS = 0x45525002  # advisory lock: one batch of an entity at a time
QUEUE_WAIT = "20s"


def write_batch(
    serializer: type[OwnerSerializer[Any]], rows: Sequence[Mapping[str, Any]], actor: Actor | None
) -> list[dict[str, Any]]:
    """Create or update ``rows`` by the serializer's natural key, inside an open transaction.

    Batches of one entity queue behind each other, and rows that exist are locked in key order before any is
    written, so that overlapping batches never deadlock.
    """
    key = serializer.natural_key
    model, module = serializer.model(), serializer.module()
    entity = serializer.entity().name
    names = [f.name for f in model._meta.concrete_fields if f.name in rows[0] and not f.primary_key]
    _require_uniform(rows, key, names, {f.name for f in model._meta.concrete_fields if not f.primary_key})
    with write_permit(entity), reader_errors(entity):
        _queue(module, entity)  # first, so that only the batch whose turn it is holds the entity's lock
        share_entity_lock(module, entity)
        by_key: dict[Any, dict[str, Any]] = {}
        while left := [row for row in rows if row[key] not in by_key]:
            existing = _lock_existing(module, model._meta.db_table, key, [row[key] for row in left])
            old = [row for row in left if row[key] in existing]
            new = [row for row in left if row[key] not in existing]
            by_key |= {row[key]: {**row, "created": False} for row in _update(serializer, old, names)}
            # A key that somebody else inserted meanwhile is left out and taken as existing in the next round.
            by_key |= {row[key]: {**row, "created": True} for row in _insert(serializer, new, names)}
        publish(entity, [row["id"] for row in by_key.values()], module=module, actor=actor)
    return [by_key[row[key]] for row in rows]


def _queue(module: str, entity: str) -> None:
    """Wait for the batches before this one: longer than for a single row, whose lock_timeout is put back after."""
    with cursor(module) as cur:
        cur.execute("select current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", [QUEUE_WAIT])
        usual = cur.fetchone()[0]
        cur.execute("select pg_advisory_xact_lock(%s, %s)", [BATCH_LOCK_CLASS, entity_lock(entity)])
        cur.execute("select set_config('lock_timeout', %s, true)", [usual])


def _require_uniform(rows: Sequence[Mapping[str, Any]], key: str, names: list[str], known: set[str]) -> None:
    seen: set[Any] = set()
    problems: list[dict[str, list[str]]] = []
    for row in rows:
        problem: dict[str, list[str]] = {}
        if not row.get(key):
            problem[key] = ["This field is required."]
        elif row[key] in seen:
            problem[key] = [f"{row[key]!r} occurs twice in this batch."]
        elif set(names) != known & set(row):
            problem["non_field_errors"] = ["Every row of a batch must give the same fields."]
        seen.add(row.get(key))
        problems.append(problem)
    if any(problems):
        raise ValidationError(problems)


def _lock_existing(module: str, table: str, key: str, values: list[Any]) -> dict[Any, int]:
    with cursor(module) as cur:
        cur.execute(
            f'select "{key}" k, version from "{table}" where "{key}" = any(%s) order by id for update', [values]
        )
        return {row["k"]: row["version"] for row in rows_as_dicts(cur)}


def _json_rows(serializer: type[OwnerSerializer[Any]], rows: Sequence[Mapping[str, Any]], names: list[str]) -> str:
    model = serializer.model()
    connection = connections[alias_of(serializer.module())]
    fields = {name: model._meta.get_field(name) for name in names}
    prepared = []
    for row in rows:
        values = {}
        for name, field in fields.items():
            value = row[name]
            is_json = field.get_internal_type() == "JSONField"
            values[field.column] = value if is_json else field.get_db_prep_save(value, connection)
        prepared.append(values)
    return dump_json(prepared)


def _update(
    serializer: type[OwnerSerializer[Any]], rows: Sequence[Mapping[str, Any]], names: list[str]
) -> list[dict[str, Any]]:
    if not rows:
        return []
    key, table = serializer.natural_key, serializer.model()._meta.db_table
    columns = [serializer.model()._meta.get_field(n).column for n in names if n != key]
    assignments = "".join(f'"{c}" = r."{c}", ' for c in columns)
    statement = f"""
        update "{table}" t set {assignments}version = t.version + 1, updated_at = clock_timestamp()
        from jsonb_populate_recordset(null::"{table}", %s::jsonb) r
        where t."{key}" = r."{key}" returning t.id, t."{key}", t.version"""
    with cursor(serializer.module()) as cur:
        cur.execute(statement, [_json_rows(serializer, rows, names)])
        return rows_as_dicts(cur)


def _insert(
    serializer: type[OwnerSerializer[Any]], rows: Sequence[Mapping[str, Any]], names: list[str]
) -> list[dict[str, Any]]:
    if not rows:
        return []
    key, table = serializer.natural_key, serializer.model()._meta.db_table
    full = serializer.complete_new(rows)
    all_names = [f.name for f in serializer.model()._meta.concrete_fields if f.name in full[0] and not f.primary_key]
    columns = ", ".join(f'"{serializer.model()._meta.get_field(n).column}"' for n in all_names)
    statement = f"""
        insert into "{table}" ({columns})
        select {columns} from jsonb_populate_recordset(null::"{table}", %s::jsonb) r order by r."{key}"
        on conflict ("{key}") do nothing returning id, "{key}", version"""
    with cursor(serializer.module()) as cur:
        cur.execute(statement, [_json_rows(serializer, full, all_names)])
        return rows_as_dicts(cur)
