"""Housekeeping keeps every module tidy, and each task is journalled under its own id."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from erp.actor import request_id
from erp.celery import app
from erp.tasks import housekeeping
from tests.databases import ErpDatabase

OLD_KEY = (
    "insert into idempotency_key (scope, key, request_hash, status, created_at) "
    "values ('s', 'k', 'h', 200, now() - interval '1 year')"
)
KEYS = "select count(*) from idempotency_key"


def test_trouble_in_one_module_leaves_the_others_tidy(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("storefront") as connection:
        connection.execute(OLD_KEY)
    with fresh_erp.connect("admin_app_ddl") as ddl:
        ddl.execute("revoke execute on function ensure_journal_partitions(integer) from admin_app")
    with pytest.raises(DatabaseError, match="ensure_journal_partitions"):
        housekeeping()
    with fresh_erp.connect("storefront") as connection:
        assert connection.execute(KEYS).fetchone() == (0,)


def test_partition_that_came_too_late_loses_no_rows_and_stops_nothing(fresh_erp: ErpDatabase) -> None:
    row = (
        "insert into change_journal (at, entity, key, version, actor_name, request_id, payload) "
        "values (date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' + interval '40 days', "
        "'vat_code', 1, 1, 'x', 'x', '{}')"
    )
    with fresh_erp.connect("finance_ddl") as ddl:
        for (name,) in ddl.execute(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
            "where i.inhparent = 'change_journal'::regclass and c.relname <> 'change_journal_rest'"
        ).fetchall():
            ddl.execute(f"drop table {name}")
        ddl.execute(row)
    housekeeping()
    with fresh_erp.connect("finance") as connection:
        assert connection.execute("select count(*) from change_journal").fetchone() == (1,)
        made = connection.execute("select ensure_journal_partitions(3)").fetchone()
        assert made == (0,)  # all but that of the row's month are there
        assert connection.execute(
            "select count(*) from pg_inherits where inhparent = 'change_journal'::regclass"
        ).fetchone() == (4,)


def test_each_task_is_a_request_of_its_own() -> None:
    @app.task(name="tests.request_id")
    def tell() -> str:
        return request_id()

    assert [tell.apply(task_id=f"task-{n}").get() for n in (1, 2)] == ["task-1", "task-2"]
