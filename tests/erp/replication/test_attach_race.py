"""A write that waits while a reader is attached goes through that reader's door."""

from __future__ import annotations

import os
import time

from admin_app.serializers import CustomerSerializer
from erp.freshness import copy_age
from erp.publishing import ADVISORY_CLASS, entity_lock
from erp.replication.pull import run_copy
from erp.replication.resync import attach, detach
from tests.databases import ErpDatabase
from tests.logistics.world import receive, stocked

WRITE = """
from admin_app.models import Customer
from admin_app.serializers import CustomerSerializer
serializer = CustomerSerializer(Customer.objects.get(pk={key}), data={{"city": "late"}}, partial=True)
serializer.is_valid(raise_exception=True)
serializer.save()
print(sorted(serializer.confirmed))
"""


def test_write_that_waited_for_an_attachment_is_confirmed_by_the_reader(fresh_erp: ErpDatabase) -> None:
    serializer = CustomerSerializer(data={"name": "Ada"})
    serializer.is_valid(raise_exception=True)
    key = serializer.save().pk
    detach("customer", "finance", "maintenance")
    with fresh_erp.connect("admin_app") as attaching, fresh_erp.connect("postgres") as looking:
        with attaching.transaction():
            attaching.execute("select pg_advisory_xact_lock(%s, %s)", [ADVISORY_CLASS, entity_lock("customer")])
            writer = fresh_erp.popen(WRITE.format(key=key), ERP_LOCK_TIMEOUT_MS="60000")
            deadline = time.monotonic() + 60
            waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            while looking.execute(waiting).fetchone() == (0,):
                assert writer.poll() is None, writer.communicate()[1]
                assert time.monotonic() < deadline
                os.sched_yield()
            attaching.execute(
                "update reader_state set attached = true where entity = 'customer' and reader = 'finance'"
            )
        output, errors = writer.communicate(timeout=60)
    assert writer.returncode == 0, errors
    assert "finance" in output
    with fresh_erp.connect("finance") as reader:
        assert reader.execute("select city, version from customer_copy").fetchall() == [("late", 2)]


def test_windowed_copy_is_compared_before_it_counts_again(fresh_erp: ErpDatabase) -> None:
    product = stocked(5)
    run_copy("stock", "logistics", "storefront")
    detach("stock", "storefront", "maintenance")
    receive(product, 3)
    assert run_copy("stock", "logistics", "storefront").skipped
    assert copy_age("stock", "storefront").too_old
    attach("stock", "storefront")
    assert not copy_age("stock", "storefront").too_old
    with fresh_erp.connect("storefront") as reader:
        assert reader.execute("select on_hand from stock_copy").fetchall() == [(8,)]
