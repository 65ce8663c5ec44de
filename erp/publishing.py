"""How a written row leaves its owner: journal row and readers' doors, in the writer's own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps

from erp import ownership
from erp.actor import Actor, current_actor, request_id
from erp.db import cursor, fetch_prepared, in_transaction
from erp.errors import OwnershipError
from erp.models import CopyModel, OwnedModel
from erp.ownership import Entity
from erp.permit import require_permit
from erp.reader_errors import UNCONFIRMED
from erp.reader_errors import reader_errors as reader_errors  # noqa: PLC0414  modules take it from here

Confirmations = dict[str, dict[int, int]]
"""Reader → {key: version it now holds}."""

ADVISORY_CLASS = 0x45525000  # first half of the two-part advisory lock keys of the ERP


@cache
def owner_model(entity: str, module: str | None = None) -> type[OwnedModel]:
    """Model of the table in which ``module`` (default: the owner) holds its rows of ``entity``."""
    label = module or ownership.entity(entity).owner
    for model in apps.get_app_config(label).get_models():
        if issubclass(model, OwnedModel) and model.entity == entity:
            return model
    raise LookupError(f"{label} has no model of the entity {entity} (see erp/ownership.py)")


@cache
def copy_model(entity: str, reader: str) -> type[CopyModel]:
    """Model of ``reader``'s copy of ``entity``."""
    for model in apps.get_app_config(reader).get_models():
        if issubclass(model, CopyModel) and model.entity == entity:
            return model
    raise LookupError(f"{reader} has no copy model of {entity} (see erp/ownership.py)")


def entity_lock(entity: str) -> int:
    """Second half of an entity's advisory lock: writers share it, repair and attachment take it alone."""
    return [e.name for e in ownership.ENTITIES].index(entity)


def share_entity_lock(module: str, *entities: str) -> None:
    """Take the write lock of entities in map order, shared; the first statement of every write.

    Before any row lock: a repair that waits for it then never stands between two writers.
    """
    keys = sorted(entity_lock(e) for e in entities)
    with cursor(module) as cur:
        cur.execute("select pg_advisory_xact_lock_shared(%s, k) from unnest(%s::int[]) k", [ADVISORY_CLASS, keys])


@cache
def publishing_sql(entity: Entity, module: str, rows_sql: str, beside: str = "") -> str:
    """SQL that journals the rows of ``rows_sql`` and brings them through the doors, in one statement.

    ``rows_sql`` gives whole rows of the owner's table: a query, or a data-modifying statement with RETURNING.
    Its parameters come first, then those of ``beside``, then actor id, actor name and request id. ``beside``:
    further parts of the WITH clause that write what follows in the module's own tables from the rows ``w``,
    each ending in a comma. The statement fails when a reader's
    door does not give back every version it was sent, so it can be a transaction of its own. It returns per
    row ('', id, version, created_at, updated_at, retired_at) and per reader (reader, id, version, ...).
    """
    model = owner_model(entity.name, module)
    readers = entity.readers if entity.is_instant else ()
    calls = "".join(
        f"""union all
select '{reader}', p.id,
       case when d.version = p.version then d.version else ('{UNCONFIRMED} {reader} ' || p.id)::bigint end,
       null, null, null
from l cross join p
left join (select d.* from l, x, lateral {reader}.receive_{entity.name}(x.rows) d
           where '{reader}' = any(l.readers) and x.rows is not null) d on d.id = p.id
where p.travels and '{reader}' = any(l.readers)
"""
        for reader in readers
    )
    return f"""
with l as materialized (select {_attached_readers(entity) if readers else "1"} as readers),
w as ({rows_sql}),
{beside}
p as materialized (
  select t.id, t.version, t.created_at, t.updated_at, t.retired_at,
         {model.payload_sql} as payload, {model.travels_sql or "true"} as travels
  from w t order by t.id
), j as (
  insert into change_journal (entity, key, version, actor_id, actor_name, request_id, payload)
  select '{entity.name}', p.id, p.version, %s::bigint, %s::text, %s::text, p.payload from p order by p.id
), x as materialized (
  select jsonb_agg(p.payload order by p.id) filter (where p.travels) as rows from p
)
select '' as reader, p.id, p.version, p.created_at, p.updated_at, p.retired_at from p
{calls}"""


def _attached_readers(entity: Entity) -> str:
    """SQL of the call that takes the entity's write lock, shared, and then tells who is attached.

    A function, so that it sees attachments as they are once the lock is held: the statement around it sees
    them as they were when it began to wait.
    """
    return f"{entity.owner}.attached_readers('{entity.name}', {ADVISORY_CLASS}, {entity_lock(entity.name)})"


@dataclass(frozen=True)
class Written:
    """What one publishing statement wrote: rows by key, and what the readers confirmed."""

    rows: dict[int, WrittenRow]
    confirmed: Confirmations


@dataclass(frozen=True)
class WrittenRow:
    """Version and times of a written row."""

    id: int
    version: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None


def write_and_publish(
    entity: str, module: str, rows_sql: str, arguments: Sequence[Any], actor: Actor | None = None, beside: str = ""
) -> Written:
    """Run ``rows_sql`` and ``beside`` (see :func:`publishing_sql`) with journal and doors as one statement.

    Outside a transaction the statement is one by itself. Raises ReaderUnavailable, OwnerBusy.
    """
    require_permit(entity, f"writing {entity}")
    who = actor or current_actor()
    statement = publishing_sql(ownership.entity(entity), module, rows_sql, beside)
    with reader_errors(entity):
        found = fetch_prepared(module, statement, [*arguments, who.id, who.name, request_id()])
    written: dict[int, WrittenRow] = {}
    confirmed: Confirmations = {}
    for reader, key, version, *times in found:
        if reader:
            confirmed.setdefault(reader, {})[key] = version
        else:
            written[key] = WrittenRow(key, version, *times)
    return Written(written, confirmed)


def publish(entity: str, ids: Iterable[int], *, module: str | None = None, actor: Actor | None = None) -> Confirmations:
    """Journal freshly written rows and bring them through every attached reader's door.

    The caller holds the write permit and an open transaction of the owner, and has already written the rows
    with ``version = version + 1``.

    Args:
        ids: keys of the rows written in this transaction.
        module: the custodian, for an entity that is handed over.

    Returns:
        Per attached reader the version it now holds of every key (empty for windowed entities).

    Raises:
        ReaderUnavailable: a reader could not confirm; the transaction must be rolled back.
    """
    owner = module or ownership.entity(entity).owner
    require_permit(entity, f"publish({entity!r})")
    if not in_transaction(owner):
        raise OwnershipError(f"publish({entity!r}) needs an open transaction of {owner}")
    keys = sorted(set(ids))
    if not keys:
        return {}
    table = owner_model(entity, owner)._meta.db_table
    rows_sql = f"select t.* from l, {table} t where t.id = any(%s::bigint[])"
    return write_and_publish(entity, owner, rows_sql, [keys], actor).confirmed


def open_doors(entity: str, then_queue: tuple[int, str] | None = None) -> None:
    """Open every attached reader's door with an empty call: takes the copies' locks, or fails fast.

    To be called before a gapless number is taken, so that no counter waits for a reader.

    Args:
        then_queue: class and text of an advisory lock to take after the doors, in the same round trip.
    """
    line = ownership.entity(entity)
    steps = [
        f"select 1 from l, lateral {reader}.receive_{entity}('[]') d where '{reader}' = any(l.readers)"
        for reader in line.readers
    ]
    if then_queue:  # the parts of a union all run one after the other
        steps.append("select 1 from pg_advisory_xact_lock(%s::int, hashtext(%s::text))")
    with reader_errors(entity):
        statement = f"with l as materialized (select {_attached_readers(line)} as readers) {' union all '.join(steps)}"
        fetch_prepared(line.owner, statement, list(then_queue or ()))
