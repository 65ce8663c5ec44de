"""Reads the rows that a check is about; they stream in, so a table that is wrong everywhere fills no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import connections

from erp.db import cursor, module_transaction
from erp.ownership import alias_of
from erp.scrubber.result import Findings

T = TypeVar("T")
Arguments = Sequence[Any] | Mapping[str, Any] | None


def read(findings: Findings, module: str, statement: str, arguments: Arguments = None) -> Iterator[dict[str, Any]]:
    """Rows of one statement, so of one snapshot, however long it takes; rests first.

    Until the last row is taken the module's connection answers nothing else.
    """
    findings.pause()
    with module_transaction(module), cursor(module) as cur:
        cur.execute("set local statement_timeout = 0")
        with connections[alias_of(module)].wrap_database_errors:
            names: list[str] = []
            for row in cur.cursor.stream(statement, arguments):
                names = names or [column.name for column in cur.cursor.description or ()]
                yield dict(zip(names, row, strict=True))


def count(findings: Findings, module: str, table: str) -> int:
    """Rows of a table."""
    return sum(int(row["n"]) for row in read(findings, module, f"select count(*) as n from {table}"))


def parts_of(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
