"""Doors: the functions through which an owner, and nobody else, writes a reader's copy.

A door is generated from the copy's table as PostgreSQL knows it, so that owner and reader can be released
apart: a field the owner does not send keeps its current value or takes the column's default, a field the
reader does not know is ignored. Rows are taken in key order; of several versions of a key in one batch the
highest wins; a version that is not newer than the one held changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from erp import ownership
from erp.ownership import Entity

ATTACHED_READERS = "attached_readers(text, integer, integer)"

PREFIXES = ("receive_", "rebuild_", "advance_")
"""How names of doors begin; no other function is named so."""

LOCAL_COLUMNS = frozenset({"tick"})  # filled by the reader's door, not by the sender


@dataclass(frozen=True)
class Column:
    """A column of a copy table."""

    name: str
    default: str | None  # SQL expression


def copy_columns(connection: Any, reader: str, entity: Entity) -> list[Column]:
    """Columns of a reader's copy, in table order, as the catalogue has them."""
    query = """
        select a.attname, pg_get_expr(d.adbin, d.adrelid)
        from pg_attribute a join pg_class t on t.oid = a.attrelid join pg_namespace n on n.oid = t.relnamespace
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where n.nspname = %s and t.relname = %s and a.attnum > 0 and not a.attisdropped
        order by a.attnum"""
    rows = connection.execute(query, [reader, entity.copy_table]).fetchall()
    if not rows:
        raise LookupError(f"{reader}.{entity.copy_table} does not exist: run manage.py migrate first")
    return [Column(name, default) for name, default in rows]


def _is_newer(entity: Entity) -> str:
    if entity.custodians:
        return "(excluded.epoch, excluded.version) > (t.epoch, t.version)"
    return "excluded.version > t.version"


def _fast_path(table: str, entity: Entity, columns: list[Column]) -> str:
    """SQL that takes one newer row of a key the copy holds, in one statement: the usual case of a write."""
    if entity.append_only:
        return ""
    names = [c.name for c in columns if c.name != "id"]
    assignments = ", ".join(f'"{n}" = ' + ("at_tick" if n in LOCAL_COLUMNS else f'r."{n}"') for n in names)
    return f"""
  if jsonb_array_length(rows) = 1 then
    return query
      update {table} t set {assignments}
      from {table} c cross join lateral jsonb_populate_record(c, rows->0) r
      where c.id = (rows->0->>'id')::bigint and t.id = c.id and {_is_newer(entity).replace("excluded.", "r.")}
      returning t.id, t.version;
    if found then
      return;
    end if;
  end if;"""


def _received_value(column: Column) -> str:
    """SQL of a column's value: as sent (row ``r`` of ``i.j``), else as held (``c``), else the default."""
    if column.name in LOCAL_COLUMNS:
        return "at_tick"
    if column.name == "id":
        return "i.id"
    return (
        f"case when i.j ? '{column.name}' then r.\"{column.name}\" "
        f'when c.id is not null then c."{column.name}" else {column.default or "null"} end'
    )


def _on_conflict(entity: Entity, columns: list[Column]) -> str:
    if entity.append_only:
        return "do nothing"
    assignments = ", ".join(f'"{c.name}" = excluded."{c.name}"' for c in columns if c.name != "id")
    return f"do update set {assignments} where {_is_newer(entity)}"


def receive_door(reader: str, entity: Entity, columns: list[Column]) -> str:
    """SQL of ``<reader>.receive_<entity>(rows jsonb[, tick])`` → (id, version) now held per key sent."""
    table = f"{reader}.{entity.copy_table}"
    windowed = not entity.is_instant
    argument = ", at_tick bigint default 0" if windowed else ""
    names = ", ".join(f'"{c.name}"' for c in columns)
    order = "(e.j->>'epoch')::bigint desc, " if entity.custodians else ""
    return f"""
create or replace function {reader}.receive_{entity.name}(rows jsonb{argument})
returns table (id bigint, version bigint)
language plpgsql security definer set search_path = {reader}, pg_temp as $door$
#variable_conflict use_column
begin{_fast_path(table, entity, columns)}
  insert into {table} as t ({names})
  select {", ".join(_received_value(c) for c in columns)}
  from (
    select distinct on ((e.j->>'id')::bigint) (e.j->>'id')::bigint as id, e.j
    from jsonb_array_elements(rows) as e(j)
    order by (e.j->>'id')::bigint, {order}(e.j->>'version')::bigint desc
  ) i
  cross join lateral jsonb_populate_record(null::{table}, i.j) r
  left join {table} c on c.id = i.id
  order by i.id
  on conflict (id) {_on_conflict(entity, columns)};
  return query
    select t.id, t.version from {table} t
    where t.id in (select (e.j->>'id')::bigint from jsonb_array_elements(rows) as e(j));
end $door$;"""


def _rebuilt_value(column: Column) -> str:
    if column.name in LOCAL_COLUMNS:
        return "at_tick"
    return f'coalesce(r."{column.name}", {column.default})' if column.default else f'r."{column.name}"'


def rebuild_door(reader: str, entity: Entity, columns: list[Column]) -> str:
    """SQL of the repair door: makes the copy of a key range equal to the rows sent, at any version.

    ``keys`` null: every key in [lo, hi]; else only those keys. Extra rows are removed. Of an entity with custodians
    the sender sends what is newest among all of them.
    """
    table = f"{reader}.{entity.copy_table}"
    windowed = not entity.is_instant
    names = [f'"{c.name}"' for c in columns]
    argument = ", at_tick bigint default 0" if windowed else ""
    # A row that never changes keeps the position it arrived in.
    kept = {'"id"', '"tick"'} if entity.append_only else {'"id"'}
    differs = " or ".join(f"t.{n} is distinct from excluded.{n}" for n in names if n not in {'"id"', '"tick"'})
    return f"""
create or replace function {reader}.rebuild_{entity.name}(lo bigint, hi bigint, keys bigint[], rows jsonb{argument})
returns table (changed bigint, removed bigint)
language plpgsql security definer set search_path = {reader}, pg_temp as $door$
#variable_conflict use_column
declare
  n_changed bigint; n_removed bigint;
begin
  delete from {table} t
  where t.id between lo and hi and (keys is null or t.id = any(keys))
    and t.id not in (select (e.j->>'id')::bigint from jsonb_array_elements(rows) as e(j));
  get diagnostics n_removed = row_count;
  insert into {table} as t ({", ".join(names)})
  select {", ".join(_rebuilt_value(c) for c in columns)}
  from jsonb_array_elements(rows) as e(j)
  cross join lateral jsonb_populate_record(null::{table}, e.j) r
  order by r.id
  on conflict (id) do update set {", ".join(f"{n} = excluded.{n}" for n in names if n not in kept)}
  where {differs};
  get diagnostics n_changed = row_count;
  return query select n_changed, n_removed;
end $door$;"""


def advance_door(reader: str, entity: Entity) -> str:
    """SQL of the door that moves a windowed copy's position, in the transaction that brought the rows."""
    return f"""
create or replace function {reader}.advance_{entity.name}(
  from_source text, at_tick bigint, new_lo text, sysid text, began timestamptz, n_rows integer)
returns void
language plpgsql security definer set search_path = {reader}, pg_temp as $door$
declare
  previous timestamptz;
begin
  if from_source <> all (array[{", ".join(f"'{s}'" for s in entity.sources_of(reader))}]) then
    raise exception '% is not a source of {reader}.{entity.copy_table}', from_source;
  end if;
  select p.began_at into previous from {reader}.copy_position p
  where p.entity = '{entity.name}' and p.source = from_source;
  insert into {reader}.copy_position as p (entity, source, tick, lo, system_identifier, began_at, applied_at)
  values ('{entity.name}', from_source, at_tick, new_lo::xid8, sysid, began, clock_timestamp())
  on conflict (entity, source) do update set tick = excluded.tick, lo = excluded.lo,
    system_identifier = excluded.system_identifier, began_at = excluded.began_at, applied_at = excluded.applied_at;
  insert into {reader}.copy_tick (entity, source, tick, began_at, applied_at, rows, worst_age_s)
  values ('{entity.name}', from_source, at_tick, began, clock_timestamp(), n_rows,
          extract(epoch from clock_timestamp() - coalesce(previous, began)));
end $door$;"""


def attached_readers(module: str) -> str:
    """SQL of the function by which a write takes its entity's lock, shared, and then sees who is attached."""
    return f"""
create or replace function {module}.attached_readers(of_entity text, lock_class integer, lock_key integer)
returns text[] language plpgsql as $door$
begin
  perform pg_advisory_xact_lock_shared(lock_class, lock_key);
  return (select coalesce(array_agg(s.reader), '{{}}') from {module}.reader_state s
          where s.entity = of_entity and s.attached);
end $door$;"""


def door_signatures(entity: Entity) -> list[str]:
    """Signatures of the doors of one copy, for GRANT and REVOKE."""
    if entity.is_instant:
        return [f"receive_{entity.name}(jsonb)", f"rebuild_{entity.name}(bigint, bigint, bigint[], jsonb)"]
    return [
        f"receive_{entity.name}(jsonb, bigint)",
        f"rebuild_{entity.name}(bigint, bigint, bigint[], jsonb, bigint)",
        f"advance_{entity.name}(text, bigint, text, text, timestamp with time zone, integer)",
    ]


def door_names(module: str) -> dict[str, tuple[str, ...]]:
    """Door name → roles that may call it, for every door in a module's schema."""
    found: dict[str, tuple[str, ...]] = {}
    for entity in ownership.entities_read_by(module):
        callers = tuple(ownership.runtime_role(s) for s in entity.sources_of(module))
        for signature in door_signatures(entity):
            found[signature.split("(")[0]] = callers
    return found
