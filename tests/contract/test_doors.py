"""Owner and reader can be released apart: doors one release ahead and one behind still work."""

from __future__ import annotations

import json

from admin_app.serializers import CustomerSerializer
from tests.databases import ErpDatabase


def save(**data: object) -> int:
    serializer = CustomerSerializer(data=data)
    serializer.is_valid(raise_exception=True)
    return int(serializer.save().pk)


def test_reader_one_release_ahead_takes_its_default(fresh_erp: ErpDatabase) -> None:
    old = save(name="Before")
    with fresh_erp.connect("finance_ddl") as connection:
        connection.execute("alter table customer_copy add column credit_limit int not null default 7")
    fresh_erp.manage("provision")
    new = save(name="After")
    with fresh_erp.connect("finance") as connection:
        rows = connection.execute("select id, credit_limit from customer_copy order by id").fetchall()
    assert rows == [(old, 7), (new, 7)]


def test_missing_field_keeps_the_value_the_reader_has(fresh_erp: ErpDatabase) -> None:
    key = save(name="Ada", city="Pécs")
    sent = [{"id": key, "version": 2, "name": "Ada L."}]
    with fresh_erp.connect("admin_app") as owner:
        owner.execute("select * from finance.receive_customer(%s)", [json.dumps(sent)])
    with fresh_erp.connect("finance") as reader:
        assert reader.execute("select version, name, city from customer_copy").fetchall() == [(2, "Ada L.", "Pécs")]


def test_reader_one_release_behind_ignores_what_it_does_not_know(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("finance_ddl") as connection:
        connection.execute("alter table customer_copy drop column language")
    fresh_erp.manage("provision")
    key = save(name="Ada", language="en")
    with fresh_erp.connect("finance") as connection:
        assert connection.execute("select id from customer_copy").fetchall() == [(key,)]


def test_highest_version_of_a_key_wins_within_a_batch_and_old_ones_never(fresh_erp: ErpDatabase) -> None:
    key = save(name="Ada")
    sent = [{"id": key, "version": v, "name": f"v{v}", "number": "C", "country": "HU"} for v in (3, 5, 4)]
    with fresh_erp.connect("admin_app") as owner:
        held = owner.execute("select * from finance.receive_customer(%s)", [json.dumps(sent)]).fetchall()
        assert held == [(key, 5)]
        late = [{**sent[0], "version": 2, "name": "late"}]
        owner.execute("select * from finance.receive_customer(%s)", [json.dumps(late)])
    with fresh_erp.connect("finance") as reader:
        assert reader.execute("select name, version from customer_copy").fetchall() == [("v5", 5)]


def test_empty_call_locks_and_writes_nothing(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("admin_app") as owner, owner.transaction():
        assert owner.execute("select * from finance.receive_customer('[]')").fetchall() == []
        locks = owner.execute(
            "select mode from pg_locks l join pg_class c on c.oid = l.relation "
            "where c.relname = 'customer_copy' and l.pid = pg_backend_pid() and mode = 'RowExclusiveLock'"
        ).fetchall()
        assert len(locks) == 1
