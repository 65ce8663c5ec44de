"""The customer of a document as it is frozen, from Finance's copy of the master and the document's own address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from finance.errors import UnknownCustomer
from finance.models import CustomerCopy, ProductCopy

_FROZEN = ("number", "name", "email", "is_company", "country", "tax_number", "vat_status", "postcode", "city", "street")
PAID_AT_ONCE = frozenset({"card", "cod", "cash"})


def get_customer(customer_id: int) -> CustomerCopy:
    """The customer from Finance's copy. Raises UnknownCustomer."""
    found = CustomerCopy.objects.filter(pk=customer_id).first()
    if found is None:
        raise UnknownCustomer(f"There is no customer {customer_id}", customer_id=customer_id)
    return found


def frozen_customer(customer: CustomerCopy, bill_to: Mapping[str, Any] | None, country: str = "") -> dict[str, Any]:
    """The customer's data for a document; the document's billing address goes first, then its country."""
    master = {name: getattr(customer, name) for name in _FROZEN}
    master["country"] = country or master["country"]
    given = {name: value for name, value in (bill_to or {}).items() if value not in (None, "")}
    return {**master, **given, "id": customer.pk}


def due_date(customer: CustomerCopy, issued_on: date, payment_method: str) -> date:
    """Last day for payment: at once for cards and cash, else by the customer's terms."""
    if payment_method in PAID_AT_ONCE:
        return issued_on
    return issued_on + timedelta(days=customer.payment_terms_days)


def products_by_id(product_ids: Iterable[int | None]) -> dict[int, ProductCopy]:
    """Products of a document's lines from Finance's copy."""
    wanted = {p for p in product_ids if p is not None}
    return ProductCopy.objects.in_bulk(wanted) if wanted else {}
