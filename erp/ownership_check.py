"""Compares what PostgreSQL really grants with the ownership map; every difference is one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from erp import doors, ownership
from erp.db import cursor, rows_as_dicts
from erp.ownership import MODULES, PLATFORM, SCHEMAS, ddl_role, runtime_role
from erp.provision import door_statements, table_rights

PLATFORM_RIGHTS = "select, insert, update, delete"


@dataclass(frozen=True)
class Difference:
    """One place where the catalogue and the map disagree."""

    kind: str
    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.problem}"


def _query(statement: str, arguments: list[Any] | None = None) -> list[dict[str, Any]]:
    with cursor(PLATFORM) as cur:
        cur.execute(statement, arguments or [])
        return rows_as_dicts(cur)


def check_ownership() -> list[Difference]:
    """All differences between the catalogue and the map; empty when PostgreSQL enforces the map exactly."""
    found: list[Difference] = []
    for check in (
        _schemas, _tables, _table_grants, _column_grants, _sequence_grants, _functions, _doors, _roles,
        _default_privileges, _foreign_keys, _views, _database,
    ):  # fmt: skip
        found.extend(check())
    return found


def _schemas() -> Iterator[Difference]:
    rows = _query(
        """select n.nspname, n.nspowner::regrole::text as owner, a.grantee::regrole::text as grantee, a.privilege_type
           from pg_namespace n left join lateral aclexplode(n.nspacl) a on a.grantee <> n.nspowner
           where n.nspname = any(%s)""",
        [list(SCHEMAS)],
    )
    present = {row["nspname"] for row in rows}
    for missing in sorted(set(SCHEMAS) - present):
        yield Difference("schema", missing, "is missing: run manage.py migrate")
    for module in sorted(present):
        mine = [r for r in rows if r["nspname"] == module]
        if mine[0]["owner"] != ddl_role(module):
            yield Difference("schema", module, f"is owned by {mine[0]['owner']}, not {ddl_role(module)}")
        have = {(r["grantee"], r["privilege_type"]) for r in mine if r["grantee"]}
        callers = {c for names in doors.door_names(module).values() for c in names} if module != PLATFORM else set()
        want = {(role, "USAGE") for role in {runtime_role(module)} | callers}
        yield from _compare("schema", module, have, want)


def _compare(
    kind: str, where: str, have: set[tuple[str, str]], want: set[tuple[str, str]]
) -> Iterator[Difference]:
    for role, right in sorted(have - want):
        yield Difference(kind, where, f"{role} has {right}, which the map does not give")
    for role, right in sorted(want - have):
        yield Difference(kind, where, f"{role} lacks {right}: run manage.py provision")


def _relations(kinds: str) -> list[dict[str, Any]]:
    return _query(
        """select n.nspname as module, c.relname as name, c.relispartition as is_partition,
                  c.relowner::regrole::text as owner,
                  coalesce((select array_agg(a.grantee::regrole::text || ':' || a.privilege_type)
                            from aclexplode(c.relacl) a where a.grantee <> c.relowner), '{}') as grants
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = any(%s) and c.relkind = any(%s) order by 1, 2""",
        [list(SCHEMAS), list(kinds)],
    )


def _tables() -> Iterator[Difference]:
    relations = [r for r in _relations("rp") if not r["is_partition"]]
    for module in MODULES:
        have = {r["name"] for r in relations if r["module"] == module}
        want = set(table_rights(module))
        for name in sorted(have - want):
            yield Difference("table", f"{module}.{name}", "is not in the ownership map (erp/ownership.py)")
        for name in sorted(want - have):
            yield Difference("table", f"{module}.{name}", "is in the map but not in the database")
    for row in relations:
        if row["owner"] != ddl_role(row["module"]):
            yield Difference("table", f"{row['module']}.{row['name']}", f"is owned by {row['owner']}")


def _as_grants(role: str, rights: str) -> set[tuple[str, str]]:
    return {(role, right.strip().upper()) for right in rights.split(",")}


def _split(grants: list[str]) -> set[tuple[str, str]]:
    return {(g.rsplit(":", 1)[0].replace("-", "PUBLIC"), g.rsplit(":", 1)[1]) for g in grants}


def _table_grants() -> Iterator[Difference]:
    for row in _relations("rp"):
        module, role = row["module"], runtime_role(row["module"])
        if row["is_partition"]:
            want: set[tuple[str, str]] = set()  # reached through the partitioned table only
        elif module == PLATFORM:
            want = _as_grants(role, "select" if row["name"] == "django_migrations" else PLATFORM_RIGHTS)
        else:
            rights = table_rights(module).get(row["name"])
            want = _as_grants(role, rights) if rights else set()
        yield from _compare("grant", f"{module}.{row['name']}", _split(row["grants"]), want)


def _column_grants() -> Iterator[Difference]:
    for row in _query(
        """select c.relnamespace::regnamespace::text as module, c.relname as name, a.attname as col
           from pg_attribute a join pg_class c on c.oid = a.attrelid
           where a.attacl is not null and c.relnamespace::regnamespace::text = any(%s)""",
        [list(SCHEMAS)],
    ):
        yield Difference("column", f"{row['module']}.{row['name']}.{row['col']}", "has rights of its own")


def _sequence_grants() -> Iterator[Difference]:
    for row in _relations("S"):
        role = runtime_role(row["module"])
        where = f"{row['module']}.{row['name']}"
        for grantee, right in sorted(_split(row["grants"]) - {(role, "USAGE"), (role, "SELECT")}):
            yield Difference("sequence", where, f"{grantee} has {right}, which the map does not give")


def _functions() -> Iterator[Difference]:
    rows = _query(
        """select n.nspname as module, p.proname as name, p.prosecdef as definer, p.proowner::regrole::text as owner,
                  coalesce(array_to_string(p.proconfig, ';'), '') as config,
                  coalesce((select array_agg(a.grantee::regrole::text || ':' || a.privilege_type)
                            from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                            where a.grantee <> p.proowner), '{}') as grants
           from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any(%s)""",
        [list(SCHEMAS)],
    )
    for row in rows:
        module, name, where = row["module"], row["name"], f"{row['module']}.{row['name']}()"
        extra = {signature.split("(")[0] for signature in ownership.FUNCTIONS.get(module, ())}
        callers = doors.door_names(module).get(name, ()) if module != PLATFORM else ()
        want = {(c, "EXECUTE") for c in callers} | ({(runtime_role(module), "EXECUTE")} if name in extra else set())
        yield from _compare("function", where, _split(row["grants"]), want)
        if row["definer"] and "search_path=" not in row["config"]:
            yield Difference("function", where, "is SECURITY DEFINER without a fixed search_path")
        if row["owner"] != ddl_role(module):
            yield Difference("function", where, f"is owned by {row['owner']}")


class _Catalogue:
    """Lets erp.doors read the catalogue over a Django cursor."""

    def execute(self, statement: str, arguments: list[Any]) -> _Catalogue:
        with cursor(PLATFORM) as cur:
            cur.execute(statement, arguments)
            self._rows: list[Any] = cur.fetchall()
        return self

    def fetchall(self) -> list[Any]:
        return self._rows


def _doors() -> Iterator[Difference]:
    rows = _query(
        """select n.nspname || '.' || p.proname as name, p.prosrc as source from pg_proc p
           join pg_namespace n on n.oid = p.pronamespace where n.nspname = any(%s)""",
        [list(MODULES)],
    )
    sources = {row["name"]: row["source"].strip() for row in rows}
    for module in MODULES:
        for entity in ownership.entities_read_by(module):
            try:
                columns = doors.copy_columns(_Catalogue(), module, entity)
            except LookupError as error:
                yield Difference("copy", f"{module}.{entity.copy_table}", str(error))
                continue
            for statement in door_statements(module, entity, columns):
                name = statement.split("function ", 1)[1].split("(", 1)[0]
                body = statement.split("$door$")[1].strip()
                if sources.get(name) != body:
                    yield Difference("door", name, "is missing or out of date: run manage.py provision")


def _roles() -> Iterator[Difference]:
    names = [role for m in SCHEMAS for role in (runtime_role(m), ddl_role(m))]
    for row in _query(
        """select rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles
           where rolname = any(%s)""",
        [names],
    ):
        bad = [key[3:] for key, value in row.items() if key != "rolname" and value]
        if bad:
            yield Difference("role", row["rolname"], f"has {', '.join(bad)}")
    for row in _query(
        """select m.roleid::regrole::text as role, m.member::regrole::text as member from pg_auth_members m
           where m.member::regrole::text = any(%s)""",
        [names],
    ):
        yield Difference("role", row["member"], f"is a member of {row['role']}")


def _default_privileges() -> Iterator[Difference]:
    for row in _query(
        """select d.defaclrole::regrole::text as role, a.grantee::regrole::text as grantee, a.privilege_type
           from pg_default_acl d, aclexplode(d.defaclacl) a
           where d.defaclrole::regrole::text = any(%s) and a.grantee <> d.defaclrole""",
        [[role for m in SCHEMAS for role in (runtime_role(m), ddl_role(m))]],
    ):
        yield Difference("default privilege", row["role"], f"gives {row['privilege_type']} to {row['grantee']}")


def _foreign_keys() -> Iterator[Difference]:
    for row in _query(
        """select k.conname, f.relnamespace::regnamespace::text || '.' || f.relname as from_table,
                  t.relnamespace::regnamespace::text || '.' || t.relname as to_table
           from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
           where k.contype = 'f' and f.relnamespace <> t.relnamespace"""
    ):
        yield Difference("foreign key", row["from_table"], f"{row['conname']} points into {row['to_table']}")


def _views() -> Iterator[Difference]:
    for row in _relations("vm"):
        yield Difference("view", f"{row['module']}.{row['name']}", "is not in the ownership map")


def _database() -> Iterator[Difference]:
    for row in _query(
        """select a.privilege_type from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
           where d.datname = current_database() and a.grantee = 0"""
    ):
        yield Difference("database", "PUBLIC", f"has {row['privilege_type']}")
