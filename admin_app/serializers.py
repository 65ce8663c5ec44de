"""The only way to write customers and products."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from admin_app.models import Customer, Product
from erp.db import cursor
from erp.serializers import OwnerSerializer

_COUNTRY = re.compile(r"^[A-Z]{2}$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")


def _country(value: str) -> str:
    if not _COUNTRY.match(value):
        raise serializers.ValidationError("Give the country as two capital letters (ISO 3166), e.g. HU.")
    return value


def _currency(value: str) -> str:
    if not _CURRENCY.match(value):
        raise serializers.ValidationError("Give the currency as three capital letters (ISO 4217), e.g. HUF.")
    return value


class CustomerSerializer(OwnerSerializer[Customer]):
    """Writes a customer; numbers new ones."""

    natural_key = "external_ref"

    class Meta:
        model = Customer
        fields = (
            "id", "version", "number", "name", "email", "phone", "is_company", "country", "tax_number",
            "vat_status", "currency", "payment_terms_days", "language", "postcode", "city", "street",
            "external_ref", "is_blocked", "note", "created_at", "updated_at", "retired_at",
        )  # fmt: skip
        read_only_fields = ("number", "created_at", "updated_at", "retired_at")

    validate_country = staticmethod(_country)
    validate_currency = staticmethod(_currency)

    @classmethod
    def complete_new(cls, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Give every new customer the next number."""
        with cursor("admin_app") as cur:
            cur.execute("select nextval('customer_number') from generate_series(1, %s)", [len(rows)])
            numbers = [n for (n,) in cur.fetchall()]
        full = super().complete_new(rows)
        return [{**row, "number": f"C{number:06d}"} for row, number in zip(full, numbers, strict=True)]

    def validate_email(self, value: str | None) -> str | None:
        """An empty address is no address: only real ones must be unique."""
        return value.lower() if value else None


class ProductSerializer(OwnerSerializer[Product]):
    """Writes a product."""

    natural_key = "sku"

    class Meta:
        model = Product
        fields = (
            "id", "version", "sku", "name", "description", "unit", "product_class", "vat_code", "base_price",
            "currency", "is_stocked", "is_sellable", "backorder_allowed", "weight_g", "category", "attributes",
            "image", "barcode", "external_ref", "created_at", "updated_at", "retired_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at", "retired_at")

    validate_currency = staticmethod(_currency)
