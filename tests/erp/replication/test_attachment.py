"""A reader is attached again only when its copy is clean, and no write falls between rebuilding and attaching."""

from __future__ import annotations

import os

import pytest

from admin_app.serializers import CustomerSerializer
from erp.errors import Refused
from erp.ownership import entity
from erp.replication import positions
from erp.replication.positions import PAIR_LOCK_CLASS, pair_key
from erp.replication.pull import run_copy
from erp.replication.resync import attach, detach
from erp.scrubber.copies import compare_copy
from tests.databases import ErpDatabase

CUSTOMER = entity("customer")
WRITER = """
import sys
from admin_app.models import Customer
from admin_app.serializers import CustomerSerializer
print("writing", flush=True)
rows = list(Customer.objects.all())
n = 0
while True:
    serializer = CustomerSerializer(rows[n % len(rows)], data={"city": str(n)}, partial=True)
    serializer.is_valid(raise_exception=True)
    rows[n % len(rows)] = serializer.save()
    n += 1
    if n % 10 == 0:
        print(n, flush=True)
"""


def test_copy_attached_beside_writers_misses_nothing(fresh_erp: ErpDatabase) -> None:
    CustomerSerializer.bulk_save([{"external_ref": f"x{n}", "name": "n"} for n in range(2500)])
    writer = fresh_erp.popen(WRITER, ERP_LOCK_TIMEOUT_MS="60000")
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    try:
        for _ in range(3):
            detach("customer", "finance", "migration")
            assert writer.stdout.readline()  # it went on writing while the reader was away
            attach("customer", "finance")
            assert writer.poll() is None
        assert writer.stdout.readline()
    finally:
        writer.kill()
        writer.communicate()
    comparison = compare_copy(CUSTOMER, "finance")
    assert (comparison.compared, comparison.differing) == (2500, {})


SPOIL = """
create function spoil() returns trigger language plpgsql as $$ begin new.name := 'spoilt'; return new; end $$;
create trigger spoil before insert or update on customer_copy for each row execute function spoil()"""


def test_copy_that_is_not_clean_stays_detached(fresh_erp: ErpDatabase) -> None:
    CustomerSerializer.bulk_save([{"external_ref": "x", "name": "Ada"}])
    detach("customer", "finance", "migration")
    with fresh_erp.connect("finance_ddl") as ddl:
        ddl.execute(SPOIL)
        with pytest.raises(Refused, match="still differs in 1 rows"):
            attach("customer", "finance")
        assert positions.attachment(CUSTOMER, "admin_app", "finance") == (False, "migration")
        ddl.execute("drop trigger spoil on customer_copy")
    attach("customer", "finance")
    assert positions.attachment(CUSTOMER, "admin_app", "finance") == (True, "")


def test_detaching_waits_for_the_run_under_way(fresh_erp: ErpDatabase) -> None:
    stock = entity("stock")
    with fresh_erp.connect("logistics") as running, running.transaction():
        running.execute(
            "select pg_advisory_xact_lock(%s, %s)", [PAIR_LOCK_CLASS, pair_key(stock, "logistics", "storefront")]
        )
        detaching = fresh_erp.popen(
            "from erp.replication.resync import detach; detach('stock', 'storefront', 'moving disks')"
        )
        with fresh_erp.connect("postgres") as looking:
            waiting = (
                "select count(*) from pg_locks where locktype = 'advisory' and not granted "
                "and database = (select oid from pg_database where datname = current_database())"
            )
            while looking.execute(waiting).fetchone() == (0,):
                assert detaching.poll() is None
                os.sched_yield()
        assert positions.attachment(stock, "logistics", "storefront")[0]
    _, errors = detaching.communicate(timeout=60)
    assert detaching.returncode == 0, errors
    assert run_copy("stock", "logistics", "storefront").skipped == "storefront is detached: moving disks"
