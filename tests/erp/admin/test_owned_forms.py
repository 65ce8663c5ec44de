"""The form of an owned row: one serializer call; refusals are form errors and the input is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from admin_app.models import Customer, CustomerAddress
from erp import ownership
from erp.publishing import copy_model
from tests.databases import ErpDatabase
from tests.people import staff_client

LIST = "/admin/admin_app/customer/"


def url_of(customer: Customer) -> str:
    return f"{LIST}{customer.pk}/change/"


def form(customer: Customer | None = None, addresses: Sequence[dict[str, Any]] = (), **changes: Any) -> dict[str, Any]:
    names = (
        "name", "email", "phone", "language", "country", "postcode", "city", "street", "vat_status", "tax_number",
        "currency", "payment_terms_days", "external_ref", "note",
    )  # fmt: skip
    row = customer or Customer()
    data: dict[str, Any] = {name: getattr(row, name) or "" for name in names}
    data["expected_version"] = customer.version if customer else ""
    rows = list(addresses)
    data["addresses-TOTAL_FORMS"] = len(rows)
    data["addresses-INITIAL_FORMS"] = sum(1 for r in rows if "id" in r)
    for number, address in enumerate(rows):
        data |= {f"addresses-{number}-{name}": value for name, value in address.items()}
        data[f"addresses-{number}-customer"] = customer.pk if customer else ""
    return {**data, **changes}


ADDRESS: dict[str, Any] = {
    "kind": "delivery", "name": "Depot", "country": "HU", "postcode": "7600", "city": "Pécs", "street": "Fő u. 1",
}  # fmt: skip


def test_form_writes_one_version_and_names_the_readers(staff: Client, customer: Customer) -> None:
    answer = staff.post(url_of(customer), form(customer, name="New name"), follow=True)
    assert answer.redirect_chain
    assert "Confirmed by Finance (version 2), Logistics (version 2), Storefront (version 2)." in answer.content.decode()
    assert Customer.objects.get(pk=customer.pk).version == 2


def test_form_and_addresses_are_one_write(staff: Client, customer: Customer) -> None:
    staff.post(url_of(customer), form(customer, [ADDRESS, {**ADDRESS, "name": "Shop"}]))
    customer.refresh_from_db()
    assert customer.version == 2
    first, second = CustomerAddress.objects.filter(customer=customer).order_by("pk")
    rows = [{**ADDRESS, "id": first.pk, "DELETE": "on"}, {**ADDRESS, "id": second.pk, "city": "Győr"}, ADDRESS]
    staff.post(url_of(customer), form(customer, rows))
    customer.refresh_from_db()
    assert customer.version == 3
    assert [a.city for a in customer.addresses.order_by("pk")] == ["Győr", "Pécs"]


def test_new_customer_is_created_with_its_number(staff: Client) -> None:
    answer = staff.post(f"{LIST}add/", form(None, [ADDRESS], name="Created here", country="HU"))
    assert answer.status_code == 302
    made = Customer.objects.get(name="Created here")
    assert (made.version, made.addresses.count(), made.number[0]) == (1, 1, "C")


def test_unchanged_form_writes_nothing(staff: Client, customer: Customer) -> None:
    assert staff.post(url_of(customer), form(customer)).status_code == 302
    assert Customer.objects.get(pk=customer.pk).version == 1


def test_stale_form_is_refused_with_its_input(staff: Client, customer: Customer) -> None:
    staff.post(url_of(customer), form(customer, name="First"))
    answer = staff.post(url_of(customer), form(customer, name="Second"))
    assert answer.status_code == 412
    page = answer.content.decode()
    assert 'value="Second"' in page
    assert "is at version 2, your change was based on version 1" in page
    assert Customer.objects.get(pk=customer.pk).name == "First"


@pytest.mark.parametrize("reader", ownership.entity("customer").readers)
def test_locked_reader_is_a_form_error_with_the_input_kept(
    staff: Client, erp: ErpDatabase, customer: Customer, reader: str
) -> None:
    with erp.connect(f"{reader}_ddl") as other, other.transaction():
        other.execute("lock table customer_copy in access exclusive mode")
        answer = staff.post(url_of(customer), form(customer, [ADDRESS], name="Typed with care"))
    assert answer.status_code == 503
    assert answer["Retry-After"]
    page = answer.content.decode()
    assert 'value="Typed with care"' in page
    assert 'value="Depot"' in page
    assert f"{reader} did not confirm customer" in page
    assert Customer.objects.get(pk=customer.pk).version == 1
    assert CustomerAddress.objects.filter(customer=customer).count() == 0
    for each in ownership.entity("customer").readers:
        copy: Any = copy_model("customer", each)
        assert copy.objects.get(pk=customer.pk).version == 1


def test_serializers_refusal_stands_at_its_field(staff: Client, customer: Customer) -> None:
    answer = staff.post(url_of(customer), form(customer, country="hu", vat_status="private"))
    assert answer.status_code == 200
    assert "country" in answer.context["adminform"].form.errors
    assert Customer.objects.get(pk=customer.pk).version == 1


def test_refused_new_row_leaves_nothing(staff: Client) -> None:
    answer = staff.post(f"{LIST}add/", form(None, name="Bad tax", vat_status="domestic", tax_number="1", country="HU"))
    assert "tax_number" in answer.context["adminform"].form.errors
    assert not Customer.objects.filter(name="Bad tax").exists()


def test_log_is_written_only_for_what_was_committed(staff: Client, erp: ErpDatabase, customer: Customer) -> None:
    before = LogEntry.objects.count()
    with erp.connect("finance_ddl") as other, other.transaction():
        other.execute("lock table customer_copy in access exclusive mode")
        staff.post(url_of(customer), form(customer, name="No"))
    assert LogEntry.objects.count() == before
    staff.post(url_of(customer), form(customer, name="Yes"))
    assert LogEntry.objects.count() == before + 1


def test_selected_rows_are_retired_not_deleted(staff: Client, customer: Customer) -> None:
    page = staff.get(LIST).content.decode()
    assert "retire_selected" in page
    assert "delete_selected" not in page
    staff.post(LIST, {"action": "retire_selected", "_selected_action": [customer.pk]})
    customer.refresh_from_db()
    assert (customer.version, customer.retired_at is not None) == (2, True)
    assert customer.number not in staff.get(LIST).content.decode()
    assert customer.number in staff.get(f"{LIST}?use=retired").content.decode()
    assert staff.post(f"{LIST}{customer.pk}/delete/").status_code == 403


def test_history_tells_who_changed_which_field(staff: Client, customer: Customer) -> None:
    staff.post(url_of(customer), form(customer, name="Renamed"))
    page = staff.get(f"{LIST}{customer.pk}/history/").content.decode()
    assert "Version 2" in page
    assert "admin_staff" in page
    assert "Renamed" in page


@pytest.mark.parametrize("module", ["finance", "logistics", "storefront"])
def test_other_staff_see_the_form_but_cannot_write(erp: ErpDatabase, customer: Customer, module: str) -> None:
    other = staff_client(f"staff_{module}", duty=module)
    assert other.get(url_of(customer)).status_code == 200
    assert other.post(url_of(customer), form(customer, name="No")).status_code == 403
    other.post(LIST, {"action": "retire_selected", "_selected_action": [customer.pk]})
    assert Customer.objects.get(pk=customer.pk).version == 1
