"""Transactions that name their module: the only place that may use Django's own atomic and on_commit."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
from django.db import DatabaseError, OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import errors as pg
from psycopg.rows import dict_row

from erp.errors import OwnerBusy
from erp.ownership import alias_of

T = TypeVar("T")

MAX_ATTEMPTS = 6
RETRIED = (pg.DeadlockDetected, pg.SerializationFailure)

_repeated: ContextVar[frozenset[str]] = ContextVar("repeated", default=frozenset())  # modules, see retrying()

counters = {"deadlocks": 0, "serialization_failures": 0}
"""Conflicts this process met and retried; exported as metrics."""


@contextmanager
def module_transaction(module: str) -> Iterator[None]:
    """Open a transaction (nested: a savepoint) of ``module``; other modules' aliases are not touched."""
    with transaction.atomic(using=alias_of(module)):
        yield


@contextmanager
def snapshot(module: str) -> Iterator[None]:
    """Open a transaction of ``module`` that only reads, and whose statements all see one moment; never nested."""
    with transaction.atomic(using=alias_of(module), durable=True):
        with cursor(module) as cur:
            cur.execute("set transaction isolation level repeatable read, read only")
        yield


def after_commit(module: str, run: Callable[[], object], *, robust: bool = True) -> None:
    """Run ``run`` once the module's outermost transaction has committed; lost if the process dies first."""
    transaction.on_commit(run, using=alias_of(module), robust=robust)


def cursor(module: str) -> CursorWrapper:
    """Cursor on the module's connection, as the module's own role."""
    return connections[alias_of(module)].cursor()


def fetch_prepared(module: str, statement: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement that is repeated often: PostgreSQL parses and plans it once per connection.

    Parameters are bound by the server, so the statement must cast those whose type does not follow.
    """
    connection = connections[alias_of(module)]
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cur:
        cur.execute(statement, arguments, prepare=True)
        return cur.fetchall() if cur.pgresult and cur.pgresult.nfields else []


def fetch_prepared_dicts(
    module: str, statement: str, arguments: Sequence[Any] | Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Like :func:`fetch_prepared`, rows as dicts by column name; takes named arguments as well."""
    connection = connections[alias_of(module)]
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection, row_factory=dict_row) as cur:
        cur.execute(statement, arguments, prepare=True)
        return cur.fetchall() if cur.pgresult and cur.pgresult.nfields else []


def in_transaction(module: str) -> bool:
    """Whether a transaction of the module is open on this thread."""
    return connections[alias_of(module)].in_atomic_block


def sqlstate_error(error: BaseException) -> pg.Error | None:
    """The psycopg error behind a Django database error, with its SQLSTATE and diagnostics."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    return cause if isinstance(cause, pg.Error) else None


def retrying(module: str, run: Callable[[], T], *, own: bool = True) -> T:
    """Run ``run`` in a transaction of ``module`` and repeat it after a deadlock or serialization failure.

    ``own=False``: ``run`` is one statement, a transaction by itself when none is open.

    ``run`` must have no effect outside the module's database. Inside an open transaction it runs once:
    only the outermost caller can repeat. Raises OwnerBusy when every attempt met a conflict, when nobody
    further out repeats, and when a lock was not to be had in time.
    """
    try:
        if in_transaction(module):
            with module_transaction(module):
                return run()
        token = _repeated.set(_repeated.get() | {module})
        try:
            return _repeat(module, run, (lambda: module_transaction(module)) if own else nullcontext)
        finally:
            _repeated.reset(token)
    except OperationalError as error:
        cause = sqlstate_error(error)
        is_final = isinstance(cause, RETRIED) and module not in _repeated.get()
        if is_final or isinstance(cause, pg.LockNotAvailable):
            raise OwnerBusy from error
        raise


def _repeat(module: str, run: Callable[[], T], around: Callable[[], AbstractContextManager[None]]) -> T:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with around():
                return run()
        except OperationalError as error:
            cause = sqlstate_error(error)
            if not isinstance(cause, RETRIED):
                raise
            kind = "deadlocks" if isinstance(cause, pg.DeadlockDetected) else "serialization_failures"
            counters[kind] += 1
            if attempt == MAX_ATTEMPTS:
                raise
            # Spread the repeats so that the same two writers do not meet again at once.
            time.sleep(random.uniform(0.002, 0.01) * attempt)
    raise AssertionError("unreachable")


def retried(module: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Decorator form of :func:`retrying` for a service function that is one transaction of ``module``."""

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> T:
            return retrying(module, lambda: function(*args, **kwargs))

        return wrapper

    return decorate


def rows_as_dicts(cur: CursorWrapper) -> list[dict[str, Any]]:
    """All remaining rows of a cursor as dicts by column name."""
    names = [column[0] for column in cur.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cur.fetchall()]
