"""A history that has been read to its end and can be gone through as often as needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .rules import Invoice, read_invoice
from .source import Record, open_source, read_records
from .spool import Spool

Watch = Callable[[Iterable[Record]], Iterable[Record]]


class History:
    """The invoices of a file in the order in which they are replayed: by date, then by place in the file."""

    def __init__(self, spool: Spool, limit: int | None) -> None:
        """Take a filled spool; with `limit` the history is its first so many whole invoices."""
        self._spool = spool
        self._limit = limit

    def __iter__(self) -> Iterator[Invoice]:
        """Read the invoices from disk, one at a time."""
        return map(read_invoice, self._spool.invoices(self._limit))

    def __len__(self) -> int:
        """Count the invoices."""
        return len(self._spool) if self._limit is None else min(self._limit, len(self._spool))


@contextmanager
def open_history(
    name: str, directory: Path, *, limit: int | None = None, watch: Watch | None = None
) -> Iterator[History]:
    """Read a whole file into a spool under `directory` and open its invoices.

    `name` is a path to a csv or csv.gz, or `-` for standard input; `watch` may wrap the stream of lines (progress).
    Raises SourceError with the line before any invoice is seen, so a broken file leaves nothing half done.
    """
    with Spool(directory) as spool:
        with open_source(name) as stream:
            records: Iterable[Record] = read_records(stream)
            spool.fill(watch(records) if watch else records)
        yield History(spool, limit)
