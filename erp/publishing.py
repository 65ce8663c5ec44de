"""How a written row leaves its owner: journal row and readers' doors, in the writer's own transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import cast

from django.apps import apps
from django.db import DatabaseError
from psycopg import errors as pg

from erp import ownership
from erp.actor import Actor, current_actor, request_id
from erp.db import cursor, in_transaction, sqlstate_error
from erp.errors import OwnerBusy, OwnershipError, ReaderUnavailable
from erp.models import CopyModel, OwnedModel
from erp.ownership import Entity
from erp.permit import require_permit

Confirmations = dict[str, dict[int, int]]
"""Reader → {key: version it now holds}."""

ADVISORY_CLASS = 0x45525000  # first half of the two-part advisory lock keys of the ERP

_DOOR_TABLE = re.compile(r"(?:into|from) (\w+)\.(\w+)_copy")


@lru_cache(maxsize=None)
def owner_model(entity: str, module: str | None = None) -> type[OwnedModel]:
    """Model of the table in which ``module`` (default: the owner) holds its rows of ``entity``."""
    label = module or ownership.entity(entity).owner
    for model in apps.get_app_config(label).get_models():
        if issubclass(model, OwnedModel) and model.entity == entity:
            return model
    raise LookupError(f"{label} has no model of the entity {entity} (see erp/ownership.py)")


@lru_cache(maxsize=None)
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
        cur.execute(
            "select pg_advisory_xact_lock_shared(%s, k) from unnest(%s::int[]) k", [ADVISORY_CLASS, keys]
        )


@contextmanager
def reader_errors(entity: str) -> Iterator[None]:
    """Turn a time-out or failure inside a reader's door into ReaderUnavailable naming the reader."""
    try:
        yield
    except DatabaseError as error:
        cause = sqlstate_error(error)
        if cause is None or isinstance(cause, pg.DeadlockDetected | pg.SerializationFailure):
            raise
        reader = _reader_in(cause)
        if reader:
            raise ReaderUnavailable(entity, reader, _plain_reason(cause)) from error
        if isinstance(cause, pg.LockNotAvailable | pg.QueryCanceled):
            raise OwnerBusy from error
        raise


def _reader_in(cause: pg.Error) -> str | None:
    text = f"{cause.diag.context or ''} {cause.diag.internal_query or ''}"
    found = _DOOR_TABLE.search(text)
    if found:
        return found.group(1)
    return None


def _plain_reason(cause: pg.Error) -> str:
    if isinstance(cause, pg.LockNotAvailable):
        return "its copy is locked"
    if isinstance(cause, pg.QueryCanceled):
        return "it did not answer in time"
    return (cause.diag.message_primary or "error").strip()


@lru_cache(maxsize=None)
def _publish_sql(entity: Entity, module: str) -> str:
    model = owner_model(entity.name, module)
    calls = " union all ".join(
        f"""select '{reader}', d.id, d.version from x
            join reader_state s on s.entity = '{entity.name}' and s.reader = '{reader}' and s.attached,
            lateral {reader}.receive_{entity.name}(x.rows) d"""
        for reader in entity.readers
        if entity.is_instant
    )
    calls = f" union all {calls}" if calls else ""
    lock = f"select pg_advisory_xact_lock_shared({ADVISORY_CLASS}, {entity_lock(entity.name)})"
    return f"""
with l as materialized ({lock if entity.is_instant else "select 1"}), p as materialized (
  select t.id, t.version, {model.payload_sql} as payload, {model.travels_sql or "true"} as travels
  from l, {model._meta.db_table} t where t.id = any(%s) order by t.id
), j as (
  insert into change_journal (entity, key, version, actor_id, actor_name, request_id, payload)
  select '{entity.name}', p.id, p.version, %s, %s, %s, p.payload from p order by p.id
), x as materialized (
  select coalesce(jsonb_agg(p.payload order by p.id) filter (where p.travels), '[]') as rows from p
)
select '' as reader, p.id, p.version from p where p.travels{calls}"""


def publish(entity: str, ids: Iterable[int], *, module: str | None = None, actor: Actor | None = None) -> Confirmations:
    """Write the journal rows of freshly written rows and bring them through every attached reader's door.

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
    line = ownership.entity(entity)
    owner = module or line.owner
    require_permit(entity, f"publish({entity!r})")
    if not in_transaction(owner):
        raise OwnershipError(f"publish({entity!r}) needs an open transaction of {owner}")
    keys = sorted(set(ids))
    if not keys:
        return {}
    who = actor or current_actor()
    with reader_errors(entity), cursor(owner) as cur:
        cur.execute(_publish_sql(line, owner), [keys, who.id, who.name, request_id()])
        rows = cast("list[tuple[str, int, int]]", cur.fetchall())
    return _require_confirmation(line, rows)


def _require_confirmation(entity: Entity, rows: Sequence[tuple[str, int, int]]) -> Confirmations:
    written = {key: version for reader, key, version in rows if not reader}
    confirmed: Confirmations = {}
    for reader, key, version in rows:
        if reader:
            confirmed.setdefault(reader, {})[key] = version
    for reader, held in confirmed.items():
        for key, version in written.items():
            # A reader that holds a higher version than its owner has is out of step: the scrubber's business.
            if held.get(key, 0) < version:
                raise ReaderUnavailable(entity.name, reader, f"it holds version {held.get(key)} of {key}")
    return confirmed


def open_doors(entity: str) -> None:
    """Open every attached reader's door with an empty call: takes the copies' locks, or fails fast.

    To be called before a gapless number is taken, so that no counter waits for a reader.
    """
    line = ownership.entity(entity)
    calls = " union all ".join(
        f"""select 1 from reader_state s, lateral {reader}.receive_{entity}('[]') d
            where s.entity = '{entity}' and s.reader = '{reader}' and s.attached"""
        for reader in line.readers
    )
    share_entity_lock(line.owner, entity)
    with reader_errors(entity), cursor(line.owner) as cur:
        cur.execute(calls)


def check_deferred(module: str) -> None:
    """Run deferred constraint checks now, so that a service's refusal comes from the service."""
    with cursor(module) as cur:
        cur.execute("set constraints all immediate")
