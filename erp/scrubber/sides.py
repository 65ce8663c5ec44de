"""The two sides of a copy comparison: each hashes its own rows under its own role; nothing joins schemas."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from erp.db import cursor, module_transaction
from erp.doors import LOCAL_COLUMNS
from erp.ownership import Entity
from erp.publishing import copy_model, owner_model

BUCKET_BITS = 12  # 4,096 keys to a bucket
STEP_ROWS = 200_000  # rows hashed by one statement: between steps the throttle lets others work
LOWEST_KEY, HIGHEST_KEY = -(2**63), 2**63 - 1

Buckets = dict[int, tuple[int, int]]
"""Bucket → (rows, xor of the rows' hashes)."""


@dataclass(frozen=True)
class Row:
    """A row as one side has it, small enough to compare and to order."""

    order: tuple[int, int]  # (epoch, version)
    hash: int


@dataclass(frozen=True)
class Side:
    """A table (or the rows of it that travel) with the expressions of the compared columns."""

    module: str
    table: str
    columns: tuple[tuple[str, str], ...]  # (name, SQL expression over alias t)
    condition: str = "true"
    has_epoch: bool = False
    payload_sql: str = ""  # computed once per row as x.p, for the columns that no table has

    @property
    def _hash(self) -> str:
        return f"hash_record_extended(row({', '.join(sql for _, sql in self.columns)}), 0)"

    @property
    def _from(self) -> str:
        if not self.payload_sql:
            return f"{self.table} t"
        # OFFSET 0 keeps the planner from pulling the expression up and evaluating it once per column.
        return f"{self.table} t cross join lateral (select ({self.payload_sql}) as p offset 0) x"

    @property
    def _epoch(self) -> str:
        return "t.epoch" if self.has_epoch else "0"

    def _fetch(self, statement: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with module_transaction(self.module), cursor(self.module) as cur:
            cur.execute("set local statement_timeout = 0")
            cur.execute(statement, list(arguments))
            return list(cur.fetchall())

    def buckets(self, pause: Callable[[], None] = lambda: None) -> Buckets:
        """Row count and checksum of every bucket, in steps of whole buckets with ``pause`` between them."""
        found: Buckets = {}
        lo = LOWEST_KEY
        while True:
            hi = self._end_of_step(lo)
            rows = self._fetch(
                f"select t.id >> {BUCKET_BITS}, count(*), bit_xor({self._hash}) from {self._from} "
                f"where t.id between %s and %s and {self.condition} group by 1",
                [lo, hi],
            )
            found |= {bucket: (count, checksum) for bucket, count, checksum in rows}
            if hi == HIGHEST_KEY:
                return found
            lo = hi + 1
            pause()

    def _end_of_step(self, lo: int) -> int:
        """Last key of the bucket that holds the STEP_ROWS-th row from ``lo`` on."""
        found = self._fetch(
            f"select t.id from {self.table} t where t.id >= %s order by t.id offset {STEP_ROWS} limit 1", [lo]
        )
        return key_range(found[0][0] >> BUCKET_BITS)[1] if found else HIGHEST_KEY

    def rows(self, lo: int, hi: int) -> dict[int, Row]:
        """Key → row of a key range."""
        found = self._fetch(
            f"select t.id, {self._epoch}, t.version, {self._hash} from {self._from} "
            f"where t.id between %s and %s and {self.condition}",
            [lo, hi],
        )
        return {key: Row((epoch, version), value) for key, epoch, version, value in found}

    def rows_of(self, keys: Sequence[int]) -> dict[int, Row]:
        """Key → row of single keys."""
        found = self._fetch(
            f"select t.id, {self._epoch}, t.version, {self._hash} from {self._from} "
            f"where t.id = any(%s) and {self.condition}",
            [list(keys)],
        )
        return {key: Row((epoch, version), value) for key, epoch, version, value in found}

    def show(self, key: int) -> dict[str, Any] | None:
        """The compared columns of one row, as text."""
        names = ", ".join(f"({sql})::text" for _, sql in self.columns)
        found = self._fetch(f"select {names} from {self._from} where t.id = %s and {self.condition}", [key])
        return dict(zip((name for name, _ in self.columns), found[0], strict=True)) if found else None


def _column_types(module: str, table: str) -> dict[str, str]:
    with cursor(module) as cur:
        cur.execute(
            """select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a
               where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum""",
            [f"{module}.{table}"],
        )
        return dict(cur.fetchall())


@functools.cache
def copy_side(entity: Entity, reader: str) -> Side:
    """The reader's copy, as the reader sees it."""
    table = copy_model(entity.name, reader)._meta.db_table
    columns = tuple((name, f"t.{name}") for name in _column_types(reader, table) if name not in LOCAL_COLUMNS)
    return Side(reader, table, columns, has_epoch=bool(entity.custodians))


@functools.cache
def owner_side(entity: Entity, source: str, reader: str) -> Side:
    """The owner's rows, cut to the columns that this reader keeps and cast to the reader's types."""
    model = owner_model(entity.name, source)
    own = set(_column_types(source, model._meta.db_table))
    columns = []
    for name, kind in _column_types(reader, entity.copy_table).items():
        if name in LOCAL_COLUMNS:
            continue
        if name in own:
            columns.append((name, f"t.{name}::{kind}"))
        elif kind == "jsonb":
            columns.append((name, f"x.p->'{name}'"))
        else:
            columns.append((name, f"(x.p->>'{name}')::{kind}"))
    computed = any(sql.startswith(("x.p", "(x.p")) for _, sql in columns)
    return Side(
        source, model._meta.db_table, tuple(columns), model.travels_sql or "true", bool(entity.custodians),
        payload_sql=model.payload_sql if computed else "",
    )  # fmt: skip


def in_flight_keys(entity: Entity, source: str, keys: Sequence[int], lo: str | None) -> set[int]:
    """Keys whose owner row was written after the copy's low mark: the window still explains a difference."""
    if lo is None:
        return set(keys)
    with cursor(source) as cur:
        cur.execute(f"select id from {entity.table} where id = any(%s) and xid >= %s::xid8", [list(keys), lo])
        return {key for (key,) in cur.fetchall()}


def key_range(bucket: int) -> tuple[int, int]:
    """First and last key of a bucket."""
    return bucket << BUCKET_BITS, ((bucket + 1) << BUCKET_BITS) - 1


def clear_caches() -> None:
    """Forget column lists; needed when another database is in use (tests)."""
    copy_side.cache_clear()
    owner_side.cache_clear()
