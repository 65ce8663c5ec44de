"""``provision`` makes doors equal to the map, also where another release left doors with other arguments."""

from __future__ import annotations

import pytest
from django.conf import settings

from admin_app.serializers import CustomerSerializer
from erp.ownership_check import check_ownership
from erp.provision import provision
from tests.databases import ErpDatabase

DROP = "drop function receive_customer(jsonb);"
OTHER_RELEASES = {
    "another result": DROP + "create function receive_customer(rows jsonb) returns integer language sql as 'select 1'",
    "another name of the argument": DROP
    + "create function receive_customer(lines jsonb) returns table (id bigint, version bigint) "
    "language sql as 'select 1::bigint, 1::bigint'",
    "other arguments": "create function receive_customer(rows jsonb, at_tick bigint) returns integer "
    "language sql as 'select 1'",
    "an entity that is read no more": "create function receive_supplier(rows jsonb) returns integer "
    "language sql as 'select 1'",
    "the caller's rights": "alter function receive_customer(jsonb) security invoker",
    "another search path": "alter function receive_customer(jsonb) set search_path = public",
    "no partitions ahead": "drop function ensure_journal_partitions(integer)",
}
MIGRATED = {"no partitions ahead"}  # comes from a migration, so provision can only find it missing


@pytest.mark.parametrize("difference", OTHER_RELEASES)
def test_door_of_another_release_is_noticed_and_replaced(fresh_erp: ErpDatabase, difference: str) -> None:
    with fresh_erp.connect("finance_ddl") as ddl:
        ddl.execute(OTHER_RELEASES[difference])
    assert check_ownership()
    if difference in MIGRATED:
        return
    provision(settings.ENVIRONMENT, fresh_erp.name)
    assert [str(d) for d in check_ownership()] == []
    serializer = CustomerSerializer(data={"name": "Ada"})
    serializer.is_valid(raise_exception=True)
    serializer.save()
    assert serializer.confirmed["finance"] == 1


def test_door_follows_a_changed_copy(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("finance_ddl") as ddl:
        ddl.execute("alter table customer_copy add column credit_limit int not null default 7")
    provision(settings.ENVIRONMENT, fresh_erp.name)
    provision(settings.ENVIRONMENT, fresh_erp.name)
    assert [str(d) for d in check_ownership()] == []
