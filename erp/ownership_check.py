"""Compares what PostgreSQL really grants with the ownership map; every difference is one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from erp import doors
from erp.catalogue import Difference, as_rights, compare_rights, query
from erp.function_check import functions, wanted_functions
from erp.ownership import MODULES, PLATFORM, SCHEMAS, ddl_role, runtime_role
from erp.provision import table_rights

PLATFORM_RIGHTS = "select, insert, update, delete"


def check_ownership() -> list[Difference]:
    """All differences between the catalogue and the map; empty when PostgreSQL enforces the map exactly."""
    found: list[Difference] = []
    for check in (
        _schemas, _tables, _table_grants, _column_grants, _sequence_grants, functions, wanted_functions, _roles,
        _default_privileges, _foreign_keys, _views_and_strangers, _database,
    ):  # fmt: skip
        found.extend(check())
    return found


def _schemas() -> Iterator[Difference]:
    rows = query(
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
        yield from compare_rights("schema", module, have, want)


def _relations(kinds: str) -> list[dict[str, Any]]:
    return query(
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
        yield from compare_rights("grant", f"{module}.{row['name']}", as_rights(row["grants"]), want)


def _column_grants() -> Iterator[Difference]:
    for row in query(
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
        for grantee, right in sorted(as_rights(row["grants"]) - {(role, "USAGE"), (role, "SELECT")}):
            yield Difference("sequence", where, f"{grantee} has {right}, which the map does not give")


def _roles() -> Iterator[Difference]:
    names = [role for m in SCHEMAS for role in (runtime_role(m), ddl_role(m))]
    for row in query(
        """select rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles
           where rolname = any(%s)""",
        [names],
    ):
        bad = [key[3:] for key, value in row.items() if key != "rolname" and value]
        if bad:
            yield Difference("role", row["rolname"], f"has {', '.join(bad)}")
    for row in query(
        """select m.roleid::regrole::text as role, m.member::regrole::text as member from pg_auth_members m
           where m.member::regrole::text = any(%s)""",
        [names],
    ):
        yield Difference("role", row["member"], f"is a member of {row['role']}")


def _default_privileges() -> Iterator[Difference]:
    for row in query(
        """select d.defaclrole::regrole::text as role, a.grantee::regrole::text as grantee, a.privilege_type
           from pg_default_acl d, aclexplode(d.defaclacl) a
           where d.defaclrole::regrole::text = any(%s) and a.grantee <> d.defaclrole""",
        [[role for m in SCHEMAS for role in (runtime_role(m), ddl_role(m))]],
    ):
        yield Difference("default privilege", row["role"], f"gives {row['privilege_type']} to {row['grantee']}")


def _foreign_keys() -> Iterator[Difference]:
    for row in query(
        """select k.conname, f.relnamespace::regnamespace::text || '.' || f.relname as from_table,
                  t.relnamespace::regnamespace::text || '.' || t.relname as to_table
           from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
           where k.contype = 'f' and f.relnamespace <> t.relnamespace"""
    ):
        yield Difference("foreign key", row["from_table"], f"{row['conname']} points into {row['to_table']}")


def _views_and_strangers() -> Iterator[Difference]:
    for row in _relations("vm"):
        yield Difference("view", f"{row['module']}.{row['name']}", "is not in the ownership map")
    for row in query(
        """select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relkind = any('{r,p,v,m,f}') and n.nspname <> all(%s)
             and n.nspname not like 'pg\\_%%' and n.nspname <> 'information_schema'""",
        [list(SCHEMAS)],
    ):
        yield Difference("schema", row["name"], "lies outside the schemas of the ownership map")


def _database() -> Iterator[Difference]:
    for row in query(
        """select a.privilege_type from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
           where d.datname = current_database() and a.grantee = 0"""
    ):
        yield Difference("database", "PUBLIC", f"has {row['privilege_type']}")
