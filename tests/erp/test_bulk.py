"""A batch is all or nothing, and nothing of it is dropped silently."""

from __future__ import annotations

import pytest
from rest_framework.exceptions import ValidationError

from admin_app.models import ChangeJournal, Customer
from admin_app.serializers import CustomerSerializer
from erp.errors import OwnerBusy, ReaderUnavailable
from erp.publishing import copy_model
from tests.databases import ErpDatabase


@pytest.mark.parametrize("odd", [{"external_ref": "b", "name": "B", "city": "Pécs"}, {"external_ref": "b"}])
def test_row_with_other_fields_than_the_first_is_refused(fresh_erp: ErpDatabase, odd: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        CustomerSerializer.bulk_save([{"external_ref": "a", "name": "A"}, odd], validate=False)
    assert [bool(row) for row in refused.value.detail] == [False, True]
    assert not Customer.objects.exists()


def test_batch_of_new_and_known_rows_is_confirmed_once_for_each(fresh_erp: ErpDatabase) -> None:
    CustomerSerializer.bulk_save([{"external_ref": "a", "name": "A"}])
    done = CustomerSerializer.bulk_save([{"external_ref": r, "name": f"{r}!"} for r in "cab"])
    assert [(row["external_ref"], row["version"], row["created"]) for row in done] == [
        ("c", 1, True), ("a", 2, False), ("b", 1, True),
    ]  # fmt: skip
    assert ChangeJournal.objects.count() == 4
    for reader in ("finance", "logistics", "storefront"):
        held = copy_model("customer", reader).objects.values_list("id", "version")
        assert dict(held) == {row["id"]: row["version"] for row in done}


def test_locked_copy_refuses_the_whole_batch(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("postgres") as other, other.transaction():
        other.execute("lock table logistics.customer_copy in access exclusive mode")
        with pytest.raises(ReaderUnavailable) as refused:
            CustomerSerializer.bulk_save([{"external_ref": r, "name": r} for r in "abc"])
    assert refused.value.reader == "logistics"
    assert not Customer.objects.exists()


def test_batch_waits_for_the_one_before_it_but_not_for_a_locked_row(fresh_erp: ErpDatabase) -> None:
    CustomerSerializer.bulk_save([{"external_ref": "a", "name": "A"}])
    with fresh_erp.connect("admin_app") as other, other.transaction():
        other.execute("select 1 from customer for update")
        with pytest.raises(OwnerBusy):  # after lock_timeout, which the wait for the queue has not changed
            CustomerSerializer.bulk_save([{"external_ref": "a", "name": "B"}])
