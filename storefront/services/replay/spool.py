"""Keeps the order lines on disk, grouped by invoice in date order, so that memory does not grow with the file."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from .rows import canonical_number, invoiced_at_or_none
from .source import Record, SourceError

BATCH_ROWS = 5_000
FAR_PAST = "0001-01-01 00:00:00"


class Spool:
    """Order lines in an sqlite file, read back as whole invoices in date order.

    An invoice's place is its earliest date, then its first line in the file: lines of an invoice need not be
    neighbours, and numbers do not grow with time. The file has no name once it is open, so a killed run leaves
    nothing behind. Use it as a context manager.
    """

    def __init__(self, directory: Path) -> None:
        """Create the file in `directory`, which is made when missing. Raises SourceError when that fails."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="replay-", suffix=".sqlite", dir=directory)
        except OSError as error:
            raise SourceError(f"cannot keep the lines on disk: {error}") from error
        os.close(handle)
        self._lines = sqlite3.connect(name, isolation_level=None)
        self._lines.execute("PRAGMA journal_mode = OFF")
        self._lines.execute("PRAGMA synchronous = OFF")
        self._lines.execute(
            "CREATE TABLE line (invoice INTEGER, line INTEGER, invoice_no TEXT, stock_code TEXT, description TEXT,"
            " quantity TEXT, invoice_date TEXT, unit_price TEXT, customer_id TEXT, country TEXT,"
            " PRIMARY KEY (invoice, line)) WITHOUT ROWID"
        )
        os.unlink(name)
        self._first_at: list[str] = []  # per invoice, in order of first appearance
        self._order: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def __len__(self) -> int:
        """Count the invoices."""
        return len(self._first_at)

    def fill(self, records: Iterable[Record]) -> None:
        """Take in all order lines and settle the order of the invoices. Raises SourceError when the disk is full."""
        batches = self._numbered(records)
        try:
            self._lines.execute("BEGIN")
            while batch := list(islice(batches, BATCH_ROWS)):
                self._lines.executemany(f"INSERT INTO line VALUES ({','.join('?' * 10)})", batch)
            self._lines.execute("COMMIT")
        except sqlite3.Error as error:
            raise SourceError(f"cannot keep the lines on disk: {error}") from error
        self._order = sorted(range(len(self._first_at)), key=self._first_at.__getitem__)

    def _numbered(self, records: Iterable[Record]) -> Iterator[tuple[int | str, ...]]:
        """Give each line the running number of its invoice, and note the earliest date of each."""
        numbers: dict[str, int] = {}
        latest = FAR_PAST  # an invoice without a readable date stays behind the one before it
        for record in records:
            at = invoiced_at_or_none(record.invoice_date)
            latest = str(at.replace(tzinfo=None)) if at else latest
            invoice = numbers.setdefault(canonical_number(record.invoice_no), len(numbers))
            if invoice == len(self._first_at):
                self._first_at.append(latest)
            elif at:
                self._first_at[invoice] = min(self._first_at[invoice], latest)
            yield (invoice, *record)

    def invoices(self, limit: int | None = None) -> Iterator[list[Record]]:
        """Yield the lines of each invoice, invoices in date order; with `limit` the first so many invoices."""
        query = (
            "SELECT line, invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id,"
            " country FROM line WHERE invoice = ? ORDER BY line"
        )
        for invoice in self._order[:limit]:
            yield [Record(*fields) for fields in self._lines.execute(query, (invoice,))]
