"""Which reader an instant write failed at, told from PostgreSQL's error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from psycopg import errors as pg

from erp import ownership
from erp.db import cursor, sqlstate_error
from erp.errors import OwnerBusy, ReaderUnavailable
from erp.ownership import Entity

UNCONFIRMED = "!unconfirmed"
"""Marks the error by which a publishing statement fails when a reader does not hold what it was sent."""

_CLOSED = (pg.InsufficientPrivilege, pg.UndefinedFunction, pg.InvalidSchemaName)


@contextmanager
def reader_errors(entity: str) -> Iterator[None]:
    """Turn a time-out or failure inside a reader's door into ReaderUnavailable naming the reader."""
    try:
        yield
    except DatabaseError as error:
        cause = sqlstate_error(error)
        if cause is None or isinstance(cause, pg.DeadlockDetected | pg.SerializationFailure):
            raise
        reader = _reader_in(cause, ownership.entity(entity))
        if reader:
            raise ReaderUnavailable(entity, reader, _plain_reason(cause, entity, reader)) from error
        if isinstance(cause, pg.LockNotAvailable | pg.QueryCanceled):
            raise OwnerBusy from error
        raise


def _reader_in(cause: pg.Error, entity: Entity) -> str | None:
    unconfirmed = re.search(rf"{UNCONFIRMED} (\w+) ", cause.diag.message_primary or "")
    if unconfirmed:
        return unconfirmed.group(1)
    if isinstance(cause, _CLOSED):
        return _reader_with_closed_door(entity)
    text = f"{cause.diag.context or ''} {cause.diag.internal_query or ''}"
    found = re.search(rf"(?:into|update|from) ({'|'.join(entity.readers)})\.{entity.copy_table}\b", text)
    return found.group(1) if found else None


def _reader_with_closed_door(entity: Entity) -> str | None:
    """The reader whose door is missing or shut to the owner; asked over the reader's own connection."""
    for reader in entity.readers:
        with cursor(reader) as cur:
            cur.execute(
                """select coalesce(has_schema_privilege(%s, %s, 'usage')
                          and has_function_privilege(%s, to_regproc(%s)::oid, 'execute'), false)""",
                [entity.owner, reader, entity.owner, f"{reader}.receive_{entity.name}"],
            )
            if not cur.fetchone()[0]:
                return reader
    return None


def _plain_reason(cause: pg.Error, entity: str, reader: str) -> str:
    if isinstance(cause, pg.LockNotAvailable):
        return "its copy is locked"
    if UNCONFIRMED in (cause.diag.message_primary or ""):
        return f"its copy holds another version (manage.py resync {entity} {reader})"
    if isinstance(cause, _CLOSED):
        return "its door is missing or shut (manage.py provision)"
    if isinstance(cause, pg.QueryCanceled):
        return "it did not answer in time"
    return (cause.diag.message_primary or "error").strip()
