"""What the stand-in remembers, in SQLite: it survives a restart and a kill."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS request_id (
    tax_number TEXT NOT NULL, request_id TEXT NOT NULL, PRIMARY KEY (tax_number, request_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token (
    token TEXT PRIMARY KEY, tax_number TEXT NOT NULL, valid_to REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY, transaction_id TEXT NOT NULL UNIQUE, tax_number TEXT NOT NULL, login TEXT NOT NULL,
    taken_in_at REAL NOT NULL, due_at REAL NOT NULL, is_annulment INTEGER NOT NULL, is_compressed INTEGER NOT NULL,
    item_count INTEGER NOT NULL, is_processed INTEGER NOT NULL DEFAULT 0, annulment TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS batch_open ON batch (due_at) WHERE is_processed = 0;
CREATE INDEX IF NOT EXISTS batch_time ON batch (tax_number, taken_in_at);
CREATE TABLE IF NOT EXISTS item (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL REFERENCES batch, idx INTEGER NOT NULL, tax_number TEXT NOT NULL,
    operation TEXT NOT NULL, content TEXT NOT NULL, hash TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'PENDING',
    technical TEXT NOT NULL DEFAULT '[]', business TEXT NOT NULL DEFAULT '[]',
    number TEXT NOT NULL DEFAULT '', original_number TEXT NOT NULL DEFAULT '',
    modification_index INTEGER NOT NULL DEFAULT 0, category TEXT NOT NULL DEFAULT '',
    issued_on TEXT NOT NULL DEFAULT '', customer_tax_number TEXT NOT NULL DEFAULT '',
    max_line INTEGER NOT NULL DEFAULT 0, vat_huf TEXT NOT NULL DEFAULT '0', is_complete INTEGER NOT NULL DEFAULT 0,
    digest TEXT NOT NULL DEFAULT '{}', is_annulled INTEGER NOT NULL DEFAULT 0, UNIQUE (seq, idx)
);
CREATE INDEX IF NOT EXISTS item_number ON item (tax_number, number);
CREATE INDEX IF NOT EXISTS item_original ON item (tax_number, original_number);
"""


class Store:
    """One SQLite file, one connection, one caller at a time."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the body as one transaction, alone; a transaction inside one is part of it."""
        with self.lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def run(self, sql: str, *values: object) -> int:
        """Run one statement; returns the number of rows it changed."""
        with self.lock:
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row of values."""
        with self.lock:
            self._connection.executemany(sql, rows)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows."""
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    def first(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Return the first row, or None."""
        rows = self.rows(sql, *values)
        return rows[0] if rows else None
