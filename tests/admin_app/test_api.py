"""Admin's api.py: masters written in bulk and one by one, on real PostgreSQL, under the runtime roles."""

from __future__ import annotations

import pytest
from rest_framework.exceptions import ValidationError

from admin_app import api
from admin_app.models import Customer, Product
from erp.actor import Actor
from erp.db import cursor
from erp.errors import IdempotencyConflict, NotFound

pytestmark = pytest.mark.django_db(databases=["admin_app"])
ACTOR = Actor(None, "test", "system")


def product_row(number: int, **changes: object) -> dict[str, object]:
    return {"sku": f"S-{number:04d}", "name": f"Thing {number}", "base_price": "1.250000", **changes}


def test_registered_customer_gets_a_number_and_reaches_readers() -> None:
    made = api.register_customer({"name": "Anna Kiss", "email": "Anna@Example.com"}, actor=ACTOR)
    assert made["number"].startswith("C")
    assert made["email"] == "anna@example.com"
    with cursor("admin_app") as cur:
        cur.execute("select version, actor_name from change_journal where key = %s", [made["id"]])
        assert cur.fetchall() == [(1, "test")]


def test_repeated_key_registers_once() -> None:
    first = api.register_customer({"name": "Anna"}, actor=ACTOR, idempotency_key="k1")
    again = api.register_customer({"name": "Anna"}, actor=ACTOR, idempotency_key="k1")
    assert again == first
    assert Customer.objects.count() == 1


def test_key_with_other_data_is_refused() -> None:
    api.register_customer({"name": "Anna"}, actor=ACTOR, idempotency_key="k1")
    with pytest.raises(IdempotencyConflict):
        api.register_customer({"name": "Béla"}, actor=ACTOR, idempotency_key="k1")


def test_taken_email_is_refused_by_field() -> None:
    api.register_customer({"name": "Anna", "email": "a@example.com"}, actor=ACTOR)
    with pytest.raises(ValidationError) as refused:
        api.register_customer({"name": "Béla", "email": "A@example.com"}, actor=ACTOR)
    assert "email" in refused.value.detail


@pytest.mark.parametrize(
    ("vat_status", "country", "tax_number", "is_valid"),
    [
        ("private", "HU", "", True),
        ("domestic", "HU", "12345676-2-41", True),
        ("domestic", "HU", "12345678-2-41", False),
        ("domestic", "HU", "", False),
        ("eu", "AT", "ATU13585627", True),
        ("eu", "AT", "ATU1", False),
    ],
)
def test_tax_number_must_suit_the_vat_status(vat_status: str, country: str, tax_number: str, is_valid: bool) -> None:
    data = {"name": "X", "vat_status": vat_status, "country": country, "tax_number": tax_number}
    if is_valid:
        api.register_customer(data, actor=ACTOR)
    else:
        with pytest.raises(ValidationError) as refused:
            api.register_customer(data, actor=ACTOR)
        assert "tax_number" in refused.value.detail


def test_bulk_save_creates_and_updates_by_sku() -> None:
    first = api.save_products([product_row(n) for n in range(5)], actor=ACTOR)
    assert [row["created"] for row in first] == [True] * 5
    again = api.save_products([product_row(n, name="New") for n in range(3, 7)], actor=ACTOR)
    assert [(row["version"], row["created"]) for row in again] == [(2, False), (2, False), (1, True), (1, True)]
    assert Product.objects.count() == 7


def test_bulk_save_of_a_thousand_takes_a_handful_of_statements(django_assert_max_num_queries: object) -> None:
    rows = [product_row(n) for n in range(1000)]
    with django_assert_max_num_queries(12, using="admin_app"):  # type: ignore[operator]
        api.save_products(rows, actor=ACTOR)


def test_bulk_save_is_all_or_nothing() -> None:
    with pytest.raises(ValidationError):
        api.save_products([product_row(1), product_row(2, base_price="-1")], actor=ACTOR)
    assert Product.objects.count() == 0


def test_customers_without_email_do_not_collide() -> None:
    rows = [{"name": f"N{n}", "external_ref": f"x:{n}", "email": ""} for n in range(3)]
    assert len(api.save_customers(rows, actor=ACTOR)) == 3


def test_customer_is_found_by_email_in_any_case() -> None:
    made = api.register_customer({"name": "Anna", "email": "a@example.com"}, actor=ACTOR)
    found = api.find_customer_by_email("A@Example.COM")
    assert found is not None
    assert found["id"] == made["id"]
    assert api.find_customer_by_email("b@example.com") is None


def test_missing_rows_are_named() -> None:
    with pytest.raises(NotFound, match="customer 77"):
        api.get_customer(77)
    with pytest.raises(NotFound, match="product 77"):
        api.get_product(77)
