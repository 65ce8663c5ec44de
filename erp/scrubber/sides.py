"""The two sides of a copy comparison: each hashes its own rows under its own role; nothing joins schemas."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from erp.db import cursor, module_transaction
from erp.doors import LOCAL_COLUMNS
from erp.ownership import Entity
from erp.publishing import copy_model, owner_model

BUCKET_BITS = 12  # 4,096 keys to a bucket
STEP_ROWS = 100_000  # rows hashed by one statement: between steps the throttle lets others work
LOWEST_KEY, HIGHEST_KEY = -(2**63), 2**63 - 1
RANGE, KEYS = "between %(lo)s and %(hi)s", "= any(%(keys)s)"  # which keys a statement is about
NOT_CONTENT = frozenset({"id", "version"})

# A side is hashed into few buckets, which the planner takes for many: it would sort whole rows, on one core. Lists
# within a row are sorted where they are made: to have them in order it would walk another table's key, once per row.
PLANNING = """
set local statement_timeout = 0; set local enable_sort = off; set local enable_presorted_aggregate = off;
set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0"""

Buckets = dict[int, tuple[int, int]]
"""Bucket → (rows, xor of the rows' hashes)."""


@dataclass(frozen=True)
class Row:
    """A row as one side has it, small enough to compare and to order."""

    order: tuple[int, int]  # (epoch, version)
    hash: int
    times: int = 1  # more than once only where somebody took the primary key away


@dataclass(frozen=True)
class Side:
    """A table (or the rows of it that travel) with the expressions of the compared columns."""

    module: str
    table: str
    columns: tuple[tuple[str, str], ...]  # (name, SQL expression over alias t)
    condition: str = "true"
    has_epoch: bool = False
    standing: str = "true"  # see WindowedOwnedModel.standing_sql
    scan_sql: str = ""  # see OwnedModel.scan_sql
    payload_sql: str = ""  # computed once per row as x.p, for the columns that neither table nor scan has

    def rows_sql(self, only: str = "is not null") -> str:
        """FROM clause with alias t; ``only`` is the condition that its keys are under."""
        table = f"({self.scan_sql.format(only=only)})" if self.scan_sql else self.table
        if not self.payload_sql:
            return f"{table} t"
        # OFFSET 0 keeps the planner from pulling the expression up and evaluating it once per column.
        return f"{table} t cross join lateral (select ({self.payload_sql}) as p offset 0) x"

    @property
    def hash_sql(self) -> str:
        """Hash of all compared columns of a row."""
        return _hash_of([sql for _, sql in self.columns])

    @property
    def content_sql(self) -> str:
        """Hash of a row without its key and version."""
        return _hash_of([sql for name, sql in self.columns if name not in NOT_CONTENT])

    def fetch(self, statement: str, arguments: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a statement under the side's own role, however long it takes."""
        with module_transaction(self.module), cursor(self.module) as cur:
            cur.execute(PLANNING)
            cur.execute(statement, arguments)
            return list(cur.fetchall())

    def steps(self) -> Iterator[tuple[int, int]]:
        """Key ranges of whole buckets that hold about STEP_ROWS rows each and together every key there can be."""
        lo = LOWEST_KEY
        while True:
            found = self.fetch(
                f"select t.id from {self.table} t where t.id >= %(lo)s order by t.id offset {STEP_ROWS} limit 1",
                {"lo": lo},
            )
            hi = key_range(found[0][0] >> BUCKET_BITS)[1] if found else HIGHEST_KEY
            yield lo, hi
            if hi == HIGHEST_KEY:
                return
            lo = hi + 1

    def buckets(self, lo: int, hi: int) -> Buckets:
        """Row count and checksum of every bucket in a key range, without rows that another custodian took over."""
        return buckets_of([self], lo, hi)[0]

    def rows(self, lo: int, hi: int) -> dict[int, Row]:
        """Key → row of a key range."""
        return self._rows(RANGE, {"lo": lo, "hi": hi})

    def rows_of(self, keys: Sequence[int]) -> dict[int, Row]:
        """Key → row of single keys."""
        return self._rows(KEYS, {"keys": list(keys)})

    def _rows(self, only: str, arguments: Mapping[str, Any]) -> dict[int, Row]:
        epoch = "t.epoch" if self.has_epoch else "0"
        found = self.fetch(
            f"select t.id, {epoch}, t.version, {self.hash_sql} from {self.rows_sql(only)} "
            f"where t.id {only} and {self.condition}",
            arguments,
        )
        rows: dict[int, Row] = {}
        for key, key_epoch, version, value in found:
            times = rows[key].times + 1 if key in rows else 1
            rows[key] = Row((key_epoch, version), value, times)
        return rows

    def twins(self, keys: Sequence[int]) -> set[int]:
        """Those of ``keys`` whose content the table holds under another key too; reads the whole table."""
        found = self.fetch(
            f"with x as materialized (select t.id, {self.content_sql} as h from {self.rows_sql(KEYS)} "
            f"where t.id {KEYS}) "
            f"select distinct x.id from {self.rows_sql()} join x on x.h = {self.content_sql} and x.id <> t.id",
            {"keys": list(keys)},
        )
        return {key for (key,) in found}

    def show(self, key: int) -> dict[str, Any] | None:
        """The compared columns of one row, as text."""
        names = ", ".join(f"({sql})::text" for _, sql in self.columns)
        found = self.fetch(
            f"select {names} from {self.rows_sql(KEYS)} where t.id {KEYS} and {self.condition}", {"keys": [key]}
        )
        return dict(zip((name for name, _ in self.columns), found[0], strict=True)) if found else None


def buckets_of(sides: Sequence[Side], lo: int, hi: int) -> list[Buckets]:
    """Buckets of several sides of one table, which is read once."""
    scans, payloads = [s.scan_sql for s in sides if s.scan_sql], [s.payload_sql for s in sides if s.payload_sql]
    first = replace(sides[0], scan_sql="".join(scans[:1]), payload_sql="".join(payloads[:1]))
    sums = ", ".join(f"bit_xor({side.hash_sql})" for side in sides)
    found = first.fetch(
        f"select t.id >> {BUCKET_BITS}, count(*), {sums} from {first.rows_sql(RANGE)} "
        f"where t.id {RANGE} and ({first.condition}) and ({first.standing}) group by 1",
        {"lo": lo, "hi": hi},
    )
    return [{bucket: (count, xors[at]) for bucket, count, *xors in found} for at in range(len(sides))]


def _hash_of(expressions: Sequence[str]) -> str:
    return f"hash_record_extended(row({', '.join(expressions)}), 0)"


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
    own = _column_types(source, model._meta.db_table)
    columns = []
    for name, kind in _column_types(reader, entity.copy_table).items():
        if name in LOCAL_COLUMNS:
            continue
        if own.get(name) == kind:
            columns.append((name, f"t.{name}"))
        elif name in own or name in model.scan_columns:
            columns.append((name, f"t.{name}::{kind}"))
        elif kind == "jsonb":
            columns.append((name, f"x.p->'{name}'"))
        else:
            columns.append((name, f"(x.p->>'{name}')::{kind}"))
    is_computed = any(sql.startswith(("x.p", "(x.p")) for _, sql in columns)
    needs_scan = any(name in model.scan_columns for name, _ in columns)
    return Side(
        source, model._meta.db_table, tuple(columns), model.travels_sql or "true", bool(entity.custodians),
        standing=model.standing_sql or "true",
        scan_sql=model.scan_sql if needs_scan else "", payload_sql=model.payload_sql if is_computed else "",
    )  # fmt: skip


def in_flight_keys(entity: Entity, source: str, keys: Sequence[int], lo: str | None) -> set[int]:
    """Keys whose owner row was written after the copy's low mark: the window still explains a difference."""
    if lo is None:
        return set(keys)
    with cursor(source) as cur:
        cur.execute(f"select id from {entity.table} where id = any(%s) and xid >= %s::xid8", [list(keys), lo])
        return {key for (key,) in cur.fetchall()}


def unsound_keys(entity: Entity, source: str, keys: Sequence[int]) -> set[int]:
    """Those of ``keys`` whose own row was changed past its serializer, as far as the owner can tell."""
    model = owner_model(entity.name, source)
    condition = f"not coalesce({model.sound_sql}, false)" if model.sound_sql else _AGAINST_JOURNAL.format(
        payload=model.payload_sql
    )  # fmt: skip
    with cursor(source) as cur:
        cur.execute(
            f"select t.id from {model._meta.db_table} t where t.id = any(%(keys)s) and {condition}",
            {"keys": list(keys), "entity": entity.name},
        )
        return {key for (key,) in cur.fetchall()}


# The journal has what was last written under the row's version; fields that a release added since say nothing.
_AGAINST_JOURNAL = """exists (
  select 1 from (
    select j.payload from change_journal j
    where j.entity = %(entity)s and j.key = t.id and j.version = t.version order by j.seq desc limit 1
  ) j cross join lateral (select ({payload}) as p) x cross join lateral jsonb_each(j.payload) e
  where x.p ? e.key and x.p->e.key is distinct from e.value)"""


def key_range(bucket: int) -> tuple[int, int]:
    """First and last key of a bucket."""
    return bucket << BUCKET_BITS, ((bucket + 1) << BUCKET_BITS) - 1


def clear_caches() -> None:
    """Forget column lists; needed when another database is in use (tests)."""
    copy_side.cache_clear()
    owner_side.cache_clear()
