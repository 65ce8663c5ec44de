"""An instant write is atomic over the owner and every attached reader."""

from __future__ import annotations

import pytest

from admin_app.copies import InvoiceCopy
from admin_app.models import ChangeJournal, Customer
from admin_app.serializers import CustomerSerializer
from erp.errors import OwnershipError, ReaderUnavailable, StaleVersion
from erp.publishing import copy_model
from erp.replication.resync import attach, detach, resync
from finance.copies import CustomerCopy
from tests.databases import ErpDatabase

READERS = ("finance", "logistics", "storefront")


def save(instance: Customer | None = None, **data: object) -> tuple[Customer, dict[str, int]]:
    serializer = CustomerSerializer(instance, data=data, partial=instance is not None)
    serializer.is_valid(raise_exception=True)
    return serializer.save(), serializer.confirmed


def held(reader: str, key: int) -> int | None:
    row = copy_model("customer", reader).objects.filter(pk=key).first()
    return row.version if row else None


def test_write_is_confirmed_by_every_reader(fresh_erp: ErpDatabase) -> None:
    customer, confirmed = save(name="Ada")
    assert confirmed == dict.fromkeys(READERS, 1)
    again, confirmed = save(customer, city="Pécs")
    assert confirmed == dict.fromkeys(READERS, 2)
    assert [held(reader, again.pk) for reader in READERS] == [2, 2, 2]
    assert list(ChangeJournal.objects.order_by("version").values_list("version", flat=True)) == [1, 2]


@pytest.mark.parametrize("reader", READERS)
def test_locked_copy_refuses_the_write_and_changes_nothing(fresh_erp: ErpDatabase, reader: str) -> None:
    customer, _ = save(name="Ada")
    with fresh_erp.connect("postgres") as other, other.transaction():
        other.execute(f"lock table {reader}.customer_copy in access exclusive mode")
        with pytest.raises(ReaderUnavailable) as refused:
            save(customer, name="Eve")
        assert refused.value.reader == reader
    assert Customer.objects.get().name == "Ada"
    assert Customer.objects.get().version == 1
    assert [held(r, customer.pk) for r in READERS] == [1, 1, 1]
    assert ChangeJournal.objects.count() == 1


def test_stale_version_is_refused(fresh_erp: ErpDatabase) -> None:
    customer, _ = save(name="Ada")
    save(customer, name="Eve")
    stale = CustomerSerializer(customer, data={"name": "Bob"}, partial=True, expected_version=1)
    stale.is_valid(raise_exception=True)
    with pytest.raises(StaleVersion):
        stale.save()
    assert Customer.objects.get().name == "Eve"


def test_orm_writes_are_refused(fresh_erp: ErpDatabase) -> None:
    customer, _ = save(name="Ada")
    with pytest.raises(OwnershipError):
        customer.save()
    with pytest.raises(OwnershipError):
        Customer.objects.update(name="Eve")
    with pytest.raises(OwnershipError):
        Customer.objects.all().delete()
    with pytest.raises(OwnershipError):
        InvoiceCopy.objects.update(number="X")


def test_detached_reader_is_left_out_until_it_is_rebuilt_and_attached(fresh_erp: ErpDatabase) -> None:
    customer, _ = save(name="Ada")
    detach("customer", "finance", "migration of finance")
    assert save(customer, city="Pécs")[1] == {"logistics": 2, "storefront": 2}
    assert held("finance", customer.pk) == 1
    rebuilt = attach("customer", "finance")
    assert (rebuilt.changed, rebuilt.removed) == (1, 0)
    assert held("finance", customer.pk) == 2
    assert set(save(customer, city="Baja")[1]) == set(READERS)


def test_resync_repairs_missing_extra_and_changed_rows(fresh_erp: ErpDatabase) -> None:
    (first, _), (second, _) = save(name="Ada"), save(name="Bob")
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id = %s", [first.pk])
        rogue.execute("delete from finance.customer_copy where id = %s", [second.pk])
        rogue.execute(
            "insert into finance.customer_copy (id, version, number, name, country) values (999, 1, 'X', 'extra', 'HU')"
        )
    dry = resync("customer", "finance", dry_run=True)
    assert (dry.changed, dry.removed) == (2, 1)
    done = resync("customer", "finance")
    assert (done.changed, done.removed) == (2, 1)
    assert resync("customer", "finance", dry_run=True).changed == 0
    names = dict(CustomerCopy.objects.values_list("id", "name"))
    assert names == {first.pk: "Ada", second.pk: "Bob"}
