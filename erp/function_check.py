"""Functions and doors as PostgreSQL has them, against the ownership map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from erp import doors, ownership
from erp.catalogue import Difference, as_rights, compare_rights, query
from erp.db import cursor
from erp.ownership import MODULES, PLATFORM, SCHEMAS, ddl_role, runtime_role
from erp.provision import door_statements


def _found(schemas: tuple[str, ...]) -> list[dict[str, Any]]:
    return query(
        """select n.nspname as module, p.proname as name, n.nspname || '.' || p.proname || '('
                    || oidvectortypes(p.proargtypes) || ')' as signature,
                  p.prosecdef as definer, p.proowner::regrole::text as owner, p.prosrc as source,
                  coalesce(array_to_string(p.proconfig, ';'), '') as config,
                  coalesce((select array_agg(a.grantee::regrole::text || ':' || a.privilege_type)
                            from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                            where a.grantee <> p.proowner), '{}') as grants
           from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any(%s)""",
        [list(schemas)],
    )


def functions() -> Iterator[Difference]:
    """Rights, owner and search path of every function that is there."""
    for row in _found(SCHEMAS):
        module, name, where = row["module"], row["name"], f"{row['module']}.{row['name']}()"
        own = {signature.split("(")[0] for signature in ownership.FUNCTIONS.get(module, ())}
        callers = doors.door_names(module).get(name, ()) if module != PLATFORM else ()
        want = {(c, "EXECUTE") for c in callers} | ({(runtime_role(module), "EXECUTE")} if name in own else set())
        yield from compare_rights("function", where, as_rights(row["grants"]), want)
        if row["definer"] and "search_path=" not in row["config"]:
            yield Difference("function", where, "is SECURITY DEFINER without a fixed search_path")
        if row["owner"] != ddl_role(module):
            yield Difference("function", where, f"is owned by {row['owner']}")


def wanted_functions() -> Iterator[Difference]:
    """Every function that the map wants, with the very body, rights and search path; and no other door."""
    found = {row["signature"]: row for row in _found(MODULES)}
    wanted: set[str] = set()
    for module in MODULES:
        for signature in ownership.FUNCTIONS[module]:
            wanted.add(f"{module}.{signature}")
            if f"{module}.{signature}" not in found:
                yield Difference("function", f"{module}.{signature}", "is missing: run manage.py migrate, provision")
        for entity in ownership.entities_read_by(module):
            try:
                columns = doors.copy_columns(_Catalogue(), module, entity)
            except LookupError as error:
                yield Difference("copy", f"{module}.{entity.copy_table}", str(error))
                continue
            signatures = [f"{module}.{signature}" for signature in doors.door_signatures(entity)]
            wanted.update(signatures)
            for signature, statement in zip(signatures, door_statements(module, entity, columns), strict=True):
                if not _is_as_generated(module, found.get(signature), statement):
                    yield Difference("door", signature, "is missing or out of date: run manage.py provision")
    for signature in sorted(found.keys() - wanted):
        if found[signature]["name"].startswith(doors.PREFIXES):
            yield Difference("door", signature, "is not in the ownership map: run manage.py provision")


def _is_as_generated(module: str, row: dict[str, Any] | None, statement: str) -> bool:
    return (
        row is not None
        and row["source"].strip() == statement.split("$door$")[1].strip()
        and row["definer"]
        and row["config"] == f"search_path={module}, pg_temp"
    )


class _Catalogue:
    """Lets erp.doors read the catalogue over a Django cursor."""

    def execute(self, statement: str, arguments: list[Any]) -> _Catalogue:
        with cursor(PLATFORM) as cur:
            cur.execute(statement, arguments)
            self._rows: list[Any] = cur.fetchall()
        return self

    def fetchall(self) -> list[Any]:
        return self._rows
