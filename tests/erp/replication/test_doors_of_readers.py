"""Whatever is wrong with one reader, an instant write names it and changes nothing."""

from __future__ import annotations

import pytest
from django.conf import settings

from admin_app.models import Customer
from admin_app.serializers import CustomerSerializer
from erp.errors import OwnerBusy, ReaderUnavailable
from erp.ownership import entity
from erp.provision import provision
from erp.publishing import ADVISORY_CLASS, copy_model, entity_lock, open_doors
from erp.replication.resync import detach, resync
from tests.databases import ErpDatabase

READERS = entity("customer").readers
LOCK = (ADVISORY_CLASS, entity_lock("customer"))


@pytest.fixture
def customer(fresh_erp: ErpDatabase) -> Customer:
    """One customer at version 1, with every reader."""
    CustomerSerializer.bulk_save([{"external_ref": "x", "name": "Ada"}])
    return Customer.objects.get()


def rename(customer: Customer, name: str) -> CustomerSerializer:
    serializer = CustomerSerializer(customer, data={"name": name}, partial=True)
    serializer.is_valid(raise_exception=True)
    serializer.save()
    return serializer


def assert_refused(customer: Customer, reader: str, reason: str) -> None:
    with pytest.raises(ReaderUnavailable, match=reason) as refused:
        rename(customer, "Eve")
    assert refused.value.reader == reader
    assert Customer.objects.values_list("name", "version").get() == ("Ada", 1)
    for other in set(READERS) - {reader}:
        assert list(copy_model("customer", other).objects.values_list("version", flat=True)) == [1]


@pytest.mark.parametrize("reader", READERS)
def test_copy_that_refuses_the_value_is_named(fresh_erp: ErpDatabase, customer: Customer, reader: str) -> None:
    with fresh_erp.connect(f"{reader}_ddl") as ddl:
        ddl.execute("alter table customer_copy add constraint no_eve check (name <> 'Eve')")
    assert_refused(customer, reader, "no_eve")


@pytest.mark.parametrize(
    "shut",
    [
        "revoke execute on function receive_customer(jsonb) from admin_app",
        "drop function receive_customer(jsonb)",
        "revoke usage on schema logistics from admin_app",
    ],
)
def test_shut_door_is_named(fresh_erp: ErpDatabase, customer: Customer, shut: str) -> None:
    with fresh_erp.connect("logistics_ddl") as ddl:
        ddl.execute(shut)
    assert_refused(customer, "logistics", "provision")
    provision(settings.ENVIRONMENT, fresh_erp.name)
    assert sorted(rename(customer, "Eve").confirmed) == sorted(READERS)


def test_copy_ahead_of_its_owner_is_not_a_confirmation(fresh_erp: ErpDatabase, customer: Customer) -> None:
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update storefront.customer_copy set version = 90")
    assert_refused(customer, "storefront", "resync customer storefront")
    resync("customer", "storefront")
    assert rename(customer, "Eve").confirmed == dict.fromkeys(READERS, 2)


def test_repair_under_way_makes_the_owner_busy(fresh_erp: ErpDatabase, customer: Customer) -> None:
    with fresh_erp.connect("postgres") as repair, repair.transaction():
        repair.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
        with pytest.raises(OwnerBusy):
            rename(customer, "Eve")
    assert Customer.objects.get().version == 1


def test_open_doors_names_the_locked_reader_and_leaves_out_the_detached(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("postgres") as other, other.transaction():
        other.execute("lock table storefront.invoice_copy in access exclusive mode")
        with pytest.raises(ReaderUnavailable) as refused:
            open_doors("invoice")
        assert refused.value.reader == "storefront"
        detach("invoice", "storefront", "migration")
        open_doors("invoice")
