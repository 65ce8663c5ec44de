"""``manage.py ownership --check`` is clean, and names every way in which PostgreSQL can differ from the map."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from erp.ownership_check import check_ownership
from tests.databases import ErpDatabase

PLANTS = {
    "unknown table": ("finance_ddl", "create table finance.stray (id int)", "finance.stray"),
    "table grant": ("finance_ddl", "grant select on finance.customer_copy to storefront", "finance.customer_copy"),
    "write grant on a copy": ("finance_ddl", "grant update on finance.customer_copy to finance", "customer_copy"),
    "column grant": ("finance_ddl", "grant update (name) on finance.customer_copy to finance", "customer_copy.name"),
    "sequence grant": (
        "admin_app_ddl", "grant usage on sequence admin_app.customer_number to finance", "admin_app.customer_number",
    ),
    "public execute": (
        "finance_ddl", "grant execute on function finance.receive_customer(jsonb) to public", "receive_customer",
    ),
    "stranger at a door": (
        "finance_ddl", "grant execute on function finance.receive_customer(jsonb) to logistics", "receive_customer",
    ),
    "role membership": ("postgres", "grant finance_ddl to storefront", "storefront"),
    "role attribute": ("postgres", "alter role storefront createrole", "storefront"),
    "default privilege": (
        "finance_ddl", "alter default privileges in schema finance grant select on tables to storefront", "finance_ddl",
    ),
    "view": ("finance_ddl", "create view finance.peek as select * from finance.customer_copy", "finance.peek"),
    "foreign key across schemas": (
        "postgres",
        "alter table finance.relay_item add constraint across foreign key (id) references logistics.relay_item (id)",
        "finance.relay_item",
    ),
    "lost grant": ("finance_ddl", "revoke select on finance.customer_copy from finance", "finance.customer_copy"),
    "schema grant": ("finance_ddl", "grant create on schema finance to finance", "finance"),
    "view in a schema of its own": (
        "postgres", "create schema aside; create view aside.peek as select 1 from finance.customer_copy", "aside.peek",
    ),
    "public on the database": ("postgres", "grant connect on database {name} to public", "PUBLIC"),
}  # fmt: skip

CHANGED_DOOR = (
    "create or replace function finance.receive_customer(rows jsonb) returns table (id bigint, version bigint) "
    "language sql security definer set search_path = finance, pg_temp as 'select 1::bigint, 1::bigint'"
)
UNDO = {
    "unknown table": "drop table finance.stray",
    "table grant": "revoke select on finance.customer_copy from storefront",
    "write grant on a copy": "revoke update on finance.customer_copy from finance",
    "column grant": "revoke update (name) on finance.customer_copy from finance",
    "sequence grant": "revoke usage on sequence admin_app.customer_number from finance",
    "public execute": "revoke execute on function finance.receive_customer(jsonb) from public",
    "stranger at a door": "revoke execute on function finance.receive_customer(jsonb) from logistics",
    "role membership": "revoke finance_ddl from storefront",
    "role attribute": "alter role storefront nocreaterole",
    "default privilege": "alter default privileges in schema finance revoke select on tables from storefront",
    "view": "drop view finance.peek",
    "foreign key across schemas": "alter table finance.relay_item drop constraint across",
    "lost grant": "grant select on finance.customer_copy to finance",
    "schema grant": "revoke create on schema finance from finance",
    "view in a schema of its own": "drop schema aside cascade",
    "public on the database": "revoke connect on database {name} from public",
}  # fmt: skip


def test_provisioned_database_is_clean(module_erp: ErpDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("ownership", "--check", "--json")
    assert json.loads(capsys.readouterr().out) == {"clean": True, "differences": []}


@pytest.mark.parametrize("plant", PLANTS)
def test_difference_is_named(module_erp: ErpDatabase, plant: str) -> None:
    role, sql, where = PLANTS[plant]
    try:
        with module_erp.connect(role) as connection:
            connection.execute(sql.format(name=module_erp.name))
        found = [str(d) for d in check_ownership()]
        assert found, f"{plant} was not noticed"
        assert all(where in line for line in found), found
    finally:  # roles belong to the cluster, not to the test's database
        with module_erp.connect(role) as connection:
            connection.execute(UNDO[plant].format(name=module_erp.name))


def test_changed_door_is_named(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("finance_ddl") as connection:
        connection.execute(CHANGED_DOOR)
    (found,) = check_ownership()
    assert "finance.receive_customer" in str(found)


def test_command_exits_1_and_provision_repairs(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("finance_ddl") as connection:
        connection.execute("grant update on finance.customer_copy to finance")
    refused = fresh_erp.manage("ownership", "--check", check=False)
    assert refused.returncode == 1
    assert "finance.customer_copy" in refused.stdout
    fresh_erp.manage("provision")
    assert check_ownership() == []
