"""A customer's own details and addresses: Admin owns them, the shop writes them through Admin's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin_app import api as admin
from erp.actor import Actor
from erp.errors import NotFound, StaleVersion
from storefront.models import CustomerCopy

MAX_ADDRESSES = 20


def list_addresses(customer: CustomerCopy) -> list[dict[str, Any]]:
    """The customer's further addresses, as their owner has them."""
    return admin.list_addresses(customer.pk)


def find_address(customer: CustomerCopy, address_id: int) -> dict[str, Any]:
    """One of the customer's addresses. Raises NotFound."""
    found = next((a for a in list_addresses(customer) if a["id"] == address_id), None)
    if found is None:
        raise NotFound("There is no such address")
    return found


def save_address(customer: CustomerCopy, address: Mapping[str, Any], *, address_id: int | None, actor: Actor) -> None:
    """Add an address, or change the one with this id.

    Raises:
        NotFound: the customer has no such address.
        ReaderUnavailable: a reader did not confirm; nothing has changed.
        rest_framework.exceptions.ValidationError: some values are not valid.
    """

    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if address_id is None:
            return [*rows, dict(address)]
        if all(row["id"] != address_id for row in rows):
            raise NotFound("There is no such address")
        return [{**row, **address} if row["id"] == address_id else row for row in rows]

    _rewrite(customer, change, actor)


def remove_address(customer: CustomerCopy, address_id: int, *, actor: Actor) -> None:
    """Take an address out; one that is gone already changes nothing."""
    _rewrite(customer, lambda rows: [row for row in rows if row["id"] != address_id], actor)


def _rewrite(customer: CustomerCopy, change: Any, actor: Actor) -> None:
    """Write the book as changed, at the version it was read at: another tab's change is not overwritten."""
    for last_try in (False, True):
        version = CustomerCopy.objects.values_list("version", flat=True).get(pk=customer.pk)
        rows = change(list_addresses(customer))
        try:
            admin.change_customer(customer.pk, {"addresses": rows}, actor=actor, expected_version=version)
        except StaleVersion:
            if last_try:
                raise
        else:
            return


def change_details(customer: CustomerCopy, data: Mapping[str, Any], *, actor: Actor) -> None:
    """Change name, phone, language or main address. Raises like :func:`save_address`."""
    admin.change_customer(customer.pk, data, actor=actor)
