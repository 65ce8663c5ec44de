"""What other modules may call of Admin: the customer and product masters. Plain data in and out.

Modules that hold a copy read their copy; these calls write, or read where no copy is held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admin_app.models import Customer, Product
from admin_app.serializers import CustomerSerializer, ProductSerializer
from admin_app.services import registration
from admin_app.services.registration import as_plain_data
from erp.actor import Actor
from erp.errors import NotFound

__all__ = [
    "change_customer",
    "find_customer_by_email",
    "get_customer",
    "get_product",
    "list_addresses",
    "register_customer",
    "save_customers",
    "save_products",
]


def register_customer(data: Mapping[str, Any], *, actor: Actor, idempotency_key: str | None = None) -> dict[str, Any]:
    """Create a customer and return it, confirmed by every attached reader.

    Args:
        data: columns of the customer entity; ``name`` is required.
        actor: who registers, for the change journal.
        idempotency_key: a repeat with the same key gives the same answer and creates nothing.

    Raises:
        rest_framework.serializers.ValidationError: some values are not valid, e.g. the e-mail is taken.
        IdempotencyConflict: the key was used with other data.
        ReaderUnavailable: a reader did not confirm; nothing has changed.
    """
    return registration.register_customer(data, actor, idempotency_key)


def change_customer(
    customer_id: int, data: Mapping[str, Any], *, actor: Actor, expected_version: int | None = None
) -> dict[str, Any]:
    """Change some columns of a customer and return it, confirmed by every attached reader.

    Args:
        data: the columns that change; ``addresses``, when given, are all further addresses: rows with an ``id``
            are kept and changed, rows without are new, rows left out are removed.
        expected_version: refuse unless the customer is at this version.

    Raises:
        NotFound, StaleVersion, rest_framework.serializers.ValidationError, ReaderUnavailable: nothing has changed.
    """
    return registration.change_customer(customer_id, data, actor, expected_version)


def list_addresses(customer_id: int) -> list[dict[str, Any]]:
    """Further addresses: ``[{"id", "kind", "name", "country", "postcode", "city", "street"}]``, oldest first."""
    return registration.list_addresses(customer_id)


def save_customers(rows: Sequence[Mapping[str, Any]], *, actor: Actor) -> list[dict[str, Any]]:
    """Create or update many customers by ``external_ref``: one transaction, a handful of statements.

    Args:
        rows: the same columns in every row, ``external_ref`` among them.
        actor: who writes, for the change journal.

    Returns:
        ``[{"id", "external_ref", "version", "created"}]`` in the order of ``rows``. All or nothing.

    Raises:
        rest_framework.serializers.ValidationError: a list with one (possibly empty) error dict per row.
    """
    return CustomerSerializer.bulk_save(rows, actor=actor)


def save_products(rows: Sequence[Mapping[str, Any]], *, actor: Actor) -> list[dict[str, Any]]:
    """Create or update many products by ``sku``: one transaction, a handful of statements.

    Returns and raises like :func:`save_customers`, with ``sku`` as the key.
    """
    return ProductSerializer.bulk_save(rows, actor=actor)


def get_customer(customer_id: int) -> dict[str, Any]:
    """A customer by id. Raises NotFound."""
    found = Customer.objects.filter(pk=customer_id).first()
    if found is None:
        raise NotFound(f"customer {customer_id} does not exist")
    return as_plain_data(found)


def get_product(product_id: int) -> dict[str, Any]:
    """A product by id. Raises NotFound."""
    found = Product.objects.filter(pk=product_id).first()
    if found is None:
        raise NotFound(f"product {product_id} does not exist")
    return as_plain_data(found)


def find_customer_by_email(email: str) -> dict[str, Any] | None:
    """The customer who uses an e-mail address (case does not matter), None when nobody does."""
    if not email:
        return None
    found = Customer.objects.filter(email=email.lower()).first()
    return as_plain_data(found) if found else None
