"""Roles, schemas, grants and doors, all from the ownership map. Idempotent; run after migrate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from erp import doors, ownership
from erp.environment import DatabaseTarget, Environment
from erp.ownership import MODULES, PLATFORM, SCHEMAS, Entity, ddl_role, runtime_role

ALL = "select, insert, update, delete"


@contextmanager
def connect(target: DatabaseTarget) -> Iterator[psycopg.Connection]:
    """Autocommit connection to ``target``; close it afterwards."""
    connection = psycopg.connect(**target.conninfo(), autocommit=True, application_name="erp provision")
    try:
        yield connection
    finally:
        connection.close()


def create_roles_and_schemas(environment: Environment, database: str | None = None) -> None:
    """Create what migrations need: both roles of each schema, the schemas, and nothing for PUBLIC.

    Runs as the administrator (``ERP_DATABASE_URL`` or the embedded superuser).
    """
    admin = environment.login("postgres")
    name = database or admin.name
    target = DatabaseTarget(admin.host, admin.port, name, admin.user, admin.password)
    with connect(target) as c:
        for module in SCHEMAS:
            for role in (ddl_role(module), runtime_role(module)):
                _ensure_role(c, role, environment.login(role).password)
            if c.execute("select current_setting('is_superuser')").fetchone() != ("on",):
                c.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(ddl_role(module))))
            c.execute(
                sql.SQL("create schema if not exists {} authorization {}").format(
                    sql.Identifier(module), sql.Identifier(ddl_role(module))
                )
            )
        db = sql.Identifier(name)
        c.execute(sql.SQL("revoke all on database {} from public").format(db))
        c.execute("revoke all on schema public from public")
        for module in SCHEMAS:
            for role in (ddl_role(module), runtime_role(module)):
                c.execute(sql.SQL("grant connect on database {} to {}").format(db, sql.Identifier(role)))
            c.execute(sql.SQL("grant temporary on database {} to {}").format(db, sql.Identifier(ddl_role(module))))


def _ensure_role(c: psycopg.Connection, role: str, password: str) -> None:
    exists = c.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    # Only a superuser may even mention SUPERUSER for a role that exists; ownership --check watches the attributes.
    template = (
        "alter role {} login noinherit password {}"
        if exists
        else "create role {} login noinherit nocreatedb nocreaterole nosuperuser password {}"
    )
    c.execute(sql.SQL(template).format(sql.Identifier(role), sql.Literal(password)))


def sync_grants(login: Callable[[str], DatabaseTarget]) -> None:
    """Make grants and doors equal to the map. ``login`` gives the target of a ``<module>_ddl`` role."""
    for module in SCHEMAS:
        with connect(login(ddl_role(module))) as c, c.transaction():
            c.execute("select pg_advisory_xact_lock(hashtext('erp provision'))")
            c.execute(sql.SQL("set local search_path = {}, pg_temp").format(sql.Identifier(module)))
            _reset_schema(c, module)
            if module == PLATFORM:
                _grant_platform(c)
            else:
                _grant_module(c, module)
                _make_doors(c, module)


def _reset_schema(c: psycopg.Connection, module: str) -> None:
    schema = sql.Identifier(module)
    grantees = [runtime_role(m) for m in SCHEMAS] + ["public"]
    who = sql.SQL(", ").join(sql.SQL("public") if g == "public" else sql.Identifier(g) for g in grantees)
    for what in ("all tables in schema {s}", "all sequences in schema {s}", "all functions in schema {s}"):
        c.execute(sql.SQL("revoke all on " + what + " from {w}").format(s=schema, w=who))
    c.execute(sql.SQL("revoke all on schema {s} from {w}").format(s=schema, w=who))
    c.execute(
        sql.SQL("alter default privileges in schema {s} revoke execute on functions from public").format(s=schema)
    )
    c.execute("alter default privileges revoke execute on functions from public")
    c.execute(sql.SQL("grant usage on schema {} to {}").format(schema, sql.Identifier(runtime_role(module))))


def tables_of(c: psycopg.Connection, module: str) -> list[str]:
    """Tables of a schema, partitions left out."""
    rows = c.execute(
        "select relname from pg_class where relnamespace = %s::regnamespace "
        "and relkind in ('r', 'p') and not relispartition order by 1",
        [module],
    ).fetchall()
    return [name for (name,) in rows]


def table_rights(module: str) -> dict[str, str]:
    """Table → rights of the module's runtime role, for every table the map knows."""
    rights = {"django_migrations": "select"}
    for entity in ownership.entities_written_by(module):
        rights[entity.table] = "select, insert" if entity.append_only else "select, insert, update"
    for internal in ownership.INTERNAL[module]:
        rights[internal.table] = "select, insert" if internal.append_only else ALL
    for entity in ownership.entities_read_by(module):
        rights[entity.copy_table] = "select"
        if not entity.is_instant:
            rights["copy_position"] = "select"
            rights["copy_tick"] = "select, delete"  # pruned by its reader
    return rights


def _grant(c: psycopg.Connection, rights: str, table: str, role: str) -> None:
    c.execute(sql.SQL("grant " + rights + " on {} to {}").format(sql.Identifier(table), sql.Identifier(role)))


def _grant_module(c: psycopg.Connection, module: str) -> None:
    present = set(tables_of(c, module))
    for table, rights in table_rights(module).items():
        if table in present:
            _grant(c, rights, table, runtime_role(module))
    c.execute(
        sql.SQL("grant usage, select on all sequences in schema {} to {}").format(
            sql.Identifier(module), sql.Identifier(runtime_role(module))
        )
    )
    _make_function(c, doors.ATTACHED_READERS, doors.attached_readers(module))
    for signature in ownership.FUNCTIONS[module]:
        _grant_function(c, signature, (runtime_role(module),))


def _grant_platform(c: psycopg.Connection) -> None:
    for table in tables_of(c, PLATFORM):
        _grant(c, "select" if table == "django_migrations" else ALL, table, runtime_role(PLATFORM))
    c.execute(
        sql.SQL("grant usage, select on all sequences in schema {} to {}").format(
            sql.Identifier(PLATFORM), sql.Identifier(runtime_role(PLATFORM))
        )
    )


def _grant_function(c: psycopg.Connection, signature: str, roles: tuple[str, ...]) -> None:
    c.execute(f"revoke all on function {signature} from public")  # signatures come from the map
    for role in roles:
        c.execute(sql.SQL("grant execute on function " + signature + " to {}").format(sql.Identifier(role)))


def _make_doors(c: psycopg.Connection, module: str) -> None:
    _drop_other_doors(c, module)
    for entity in ownership.entities_read_by(module):
        columns = doors.copy_columns(c, module, entity)
        for signature, statement in zip(
            doors.door_signatures(entity), door_statements(module, entity, columns), strict=True
        ):
            _make_function(c, signature, statement)
        callers = tuple(runtime_role(s) for s in entity.sources_of(module))
        for caller in callers:
            c.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(module), sql.Identifier(caller)))
        for signature in doors.door_signatures(entity):
            _grant_function(c, signature, callers)


def _make_function(c: psycopg.Connection, signature: str, statement: str) -> None:
    """Create or replace; what cannot be replaced (another result, other names) is dropped in the same transaction."""
    try:
        with c.transaction():
            c.execute(statement)
    except psycopg.errors.InvalidFunctionDefinition:
        c.execute(f"drop function {signature}")
        c.execute(statement)


def _drop_other_doors(c: psycopg.Connection, module: str) -> None:
    """Drop doors that the map does not want: of entities no longer read, or with the arguments of another release."""
    wanted = [s for e in ownership.entities_read_by(module) for s in doors.door_signatures(e)]
    found = c.execute(
        """select p.oid::regprocedure::text from pg_proc p where p.pronamespace = %s::regnamespace
           and exists (select 1 from unnest(%s::text[]) prefix where starts_with(p.proname, prefix))
           and p.oid <> all (select w::regprocedure from unnest(%s::text[]) w where to_regprocedure(w) is not null)""",
        [module, list(doors.PREFIXES), wanted],
    ).fetchall()
    for (signature,) in found:
        c.execute(f"drop function {signature}")


def door_statements(module: str, entity: Entity, columns: list[doors.Column]) -> list[str]:
    """SQL of all doors of one copy."""
    statements = [doors.receive_door(module, entity, columns), doors.rebuild_door(module, entity, columns)]
    if not entity.is_instant:
        statements.append(doors.advance_door(module, entity))
    return statements


def sync_reader_states(login: Callable[[str], DatabaseTarget]) -> None:
    """Every (entity, reader) pair of the map has its attachment row at each writer; new pairs start attached."""
    for module in MODULES:
        with connect(login(ddl_role(module))) as c:
            for entity in ownership.entities_written_by(module):
                for reader in entity.readers:
                    if module in entity.sources_of(reader):
                        c.execute(
                            sql.SQL(
                                "insert into {}.reader_state (entity, reader) values (%s, %s) on conflict do nothing"
                            ).format(sql.Identifier(module)),
                            [entity.name, reader],
                        )


def provision(environment: Environment, database: str | None = None) -> None:
    """Grants, doors and attachment rows for a migrated database; ``database`` overrides its name."""

    def login(role: str) -> DatabaseTarget:
        target = environment.login(role)
        return DatabaseTarget(target.host, target.port, database or target.name, target.user, target.password)

    sync_grants(login)
    sync_reader_states(login)
