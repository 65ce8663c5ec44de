"""The full matrix of the ownership map in raw SQL: every role, every entity's tables, every verb."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as pg

from erp import ownership
from erp.ownership import ENTITIES, MODULES, Entity
from tests.databases import ErpDatabase

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
TABLES = [
    *((entity, writer, entity.table) for entity in ENTITIES for writer in entity.writers),
    *((entity, reader, entity.copy_table) for entity in ENTITIES for reader in entity.readers),
]


def statement(verb: str, table: str) -> str:
    return {
        "SELECT": f"select id from {table} limit 0",
        "INSERT": f"insert into {table} select * from {table} limit 0",
        "UPDATE": f"update {table} set version = version where false",
        "DELETE": f"delete from {table} where false",
        "TRUNCATE": f"truncate {table}",
    }[verb]


def is_allowed(role: str, entity: Entity, holder: str, table: str, verb: str) -> bool:
    if role != holder:
        return False
    if table == entity.copy_table:
        return verb == "SELECT"
    return verb in ("SELECT", "INSERT") or (verb == "UPDATE" and not entity.append_only)


@pytest.mark.parametrize("role", [*MODULES, "platform"])
def test_runtime_role_has_exactly_the_rights_of_the_map(module_erp: ErpDatabase, role: str) -> None:
    wrong = []
    with module_erp.connect(role) as connection:
        for entity, holder, table in TABLES:
            for verb in VERBS:
                allowed = is_allowed(role, entity, holder, table, verb)
                problem = attempt(connection, statement(verb, f"{holder}.{table}"))
                if allowed != (problem is None):
                    wrong.append(f"{role} {verb} {holder}.{table}: {problem or 'was allowed'}")
    assert wrong == []


def attempt(connection: psycopg.Connection, sql: str) -> str | None:
    """None when PostgreSQL carried it out; the message when it refused for lack of rights."""
    try:
        connection.execute(sql)
    except pg.InsufficientPrivilege as refused:
        return str(refused)
    return None


@pytest.mark.parametrize("role", [*MODULES, "platform"])
def test_only_the_owner_opens_a_door(module_erp: ErpDatabase, role: str) -> None:
    wrong = []
    with module_erp.connect(role) as connection:
        for entity in ENTITIES:
            for reader in entity.readers:
                problem = attempt(connection, f"select * from {reader}.receive_{entity.name}('[]')")
                if (role in entity.sources_of(reader)) != (problem is None):
                    wrong.append(f"{role} {reader}.receive_{entity.name}: {problem or 'was allowed'}")
    assert wrong == []


@pytest.mark.parametrize("role", MODULES)
def test_runtime_role_cannot_become_another_or_create_tables(module_erp: ErpDatabase, role: str) -> None:
    with module_erp.connect(role) as connection:
        for other in (*(ownership.ddl_role(m) for m in MODULES), *(m for m in MODULES if m != role), "postgres"):
            with pytest.raises(pg.InsufficientPrivilege):
                connection.execute(f"set role {other}")
        with pytest.raises(pg.InsufficientPrivilege):
            connection.execute(f"create table {role}.own (id int)")
        with pytest.raises(pg.InsufficientPrivilege):
            connection.execute(f"alter table {role}.change_journal disable trigger all")


@pytest.mark.parametrize("module", MODULES)
def test_append_only_tables_refuse_their_own_role(module_erp: ErpDatabase, module: str) -> None:
    tables = [t.table for t in ownership.INTERNAL[module] if t.append_only]
    with module_erp.connect(module) as connection:
        for table in tables:
            for sql in (f"update {table} set ctid = ctid", f"delete from {table}", f"truncate {table}"):
                with pytest.raises((pg.InsufficientPrivilege, pg.FeatureNotSupported)):
                    connection.execute(sql)
