"""What the stand-in remembers: payments, what was asked under which key, and callbacks to be sent; one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists payment (
  ref text primary key, amount text not null default '0', currency text not null default '',
  description text not null default '', return_url text not null default '', callback_url text not null default '',
  expires_at text not null default '', state text not null, card text not null default '',
  captured text not null default '0', refunded text not null default '0', sequence integer not null default 1);
create table if not exists operation (key text primary key, ref text not null);
create table if not exists event (
  id text primary key, ref text not null, body text not null, url text not null, due_at real not null,
  tries integer not null default 0, copies integer not null default 1, done integer not null default 0);
create index if not exists event_due on event (done, due_at);
"""


class Store:
    """The stand-in's memory; every change is a transaction, safe to call from several threads."""

    def __init__(self, path: Path | None) -> None:
        """Open the file, or without one a memory that ends with the process."""
        self._lock = threading.RLock()
        self._db = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing does."""
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; returns how many rows it touched."""
        with self._lock:
            return self._db.execute(sql, values).rowcount

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
