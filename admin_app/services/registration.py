"""Registering and changing a customer: from the shop, from an integrator, from a replayed history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin_app.models import Customer, CustomerAddress
from admin_app.serializers import CustomerSerializer
from erp import idempotency
from erp.actor import Actor
from erp.db import retrying
from erp.errors import NotFound
from erp.models import OwnedModel

_TIMES = frozenset({"created_at", "updated_at", "retired_at", "note"})


def as_plain_data(row: OwnedModel) -> dict[str, Any]:
    """A master row as plain data: its columns without times and internal notes, and ``is_retired``."""
    columns = {f.name: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name not in _TIMES}
    return {**columns, "is_retired": row.retired_at is not None}


def register_customer(data: Mapping[str, Any], actor: Actor, idempotency_key: str | None = None) -> dict[str, Any]:
    """Create a customer; with a key a repeat gives the first answer and creates nothing.

    Raises:
        rest_framework.serializers.ValidationError: some values are not valid, e.g. the e-mail is taken.
        ReaderUnavailable: a reader did not confirm; nothing has changed.
    """

    def run() -> dict[str, Any]:
        serializer = CustomerSerializer(data=dict(data))
        serializer.is_valid(raise_exception=True)
        return as_plain_data(serializer.save(actor=actor))

    if idempotency_key is None:
        return retrying("admin_app", run)
    answer: dict[str, Any] = idempotency.once(
        "admin_app", idempotency_key, "register_customer", idempotency.hash_request(dict(data)), run
    )[0]
    return answer


def change_customer(
    customer_id: int, data: Mapping[str, Any], actor: Actor, expected_version: int | None = None
) -> dict[str, Any]:
    """Change some columns of a customer, or its addresses (all of them at once).

    Raises:
        NotFound: there is no such customer.
        StaleVersion: it is not at the expected version any more.
        rest_framework.serializers.ValidationError: some values are not valid.
        ReaderUnavailable: a reader did not confirm; nothing has changed.
    """

    def run() -> dict[str, Any]:
        found = Customer.objects.filter(pk=customer_id, retired_at=None).first()
        if found is None:
            raise NotFound(f"customer {customer_id} does not exist")
        serializer = CustomerSerializer(found, data=dict(data), partial=True, expected_version=expected_version)
        serializer.is_valid(raise_exception=True)
        return as_plain_data(serializer.save(actor=actor))

    return retrying("admin_app", run)


def list_addresses(customer_id: int) -> list[dict[str, Any]]:
    """A customer's further addresses, oldest first."""
    names = ("id", "kind", "name", "country", "postcode", "city", "street")
    return list(CustomerAddress.objects.filter(customer_id=customer_id).order_by("pk").values(*names))
