"""The only way to write customers and products."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers
from stdnum.eu import vat as eu_vat
from stdnum.hu import anum

from admin_app.models import Customer, CustomerAddress, Product, VatCodeCopy
from admin_app.services.pictures import MAX_PICTURES, delete_unused, pictures_of
from erp.actor import Actor
from erp.db import after_commit, cursor
from erp.serializers import OwnerSerializer

_COUNTRY = re.compile(r"^[A-Z]{2}$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_HU_TAX_NUMBER = re.compile(r"^\d{8}-[1-5]-\d{2}$")
_DOMESTIC = (Customer.VatStatus.DOMESTIC, Customer.VatStatus.VAT_GROUP)


def _country(value: str) -> str:
    if not _COUNTRY.match(value):
        raise serializers.ValidationError("Give the country as two capital letters (ISO 3166), e.g. HU.")
    return value


def _currency(value: str) -> str:
    if not _CURRENCY.match(value):
        raise serializers.ValidationError("Give the currency as three capital letters (ISO 4217), e.g. HUF.")
    return value


def _none_if_empty(value: str | None) -> str | None:
    """Of a unique column: many rows may have none, only real values must differ."""
    return value or None


def check_tax_number(vat_status: str, country: str, tax_number: str) -> None:
    """A taxable customer's tax number must be one that its tax office could have given.

    Raises:
        serializers.ValidationError: under ``tax_number``.
    """
    if vat_status in _DOMESTIC and country == "HU":
        # A member of a VAT group has two: the group's and its own.
        numbers = tax_number.split(" / ") if vat_status == Customer.VatStatus.VAT_GROUP else [tax_number]
        if len(numbers) > 2 or not all(_HU_TAX_NUMBER.match(n) and anum.is_valid(n[:8]) for n in numbers):
            example = "17781774-5-44 / 10987656-4-06" if len(numbers) > 1 else "12345676-2-41"
            raise serializers.ValidationError(
                {"tax_number": [f"A domestic taxable person needs a valid Hungarian tax number, e.g. {example}."]}
            )
    if vat_status == Customer.VatStatus.EU and not eu_vat.is_valid(tax_number):
        raise serializers.ValidationError(
            {"tax_number": ["A taxable person in another EU country needs a valid EU VAT number, e.g. ATU13585627."]}
        )


class CustomerAddressSerializer(serializers.ModelSerializer[CustomerAddress]):
    """A further address; rows without an id are new, rows that are left out are removed."""

    id = serializers.IntegerField(required=False, allow_null=True)
    validate_country = staticmethod(_country)

    class Meta:
        model = CustomerAddress
        fields = ("id", "kind", "name", "country", "postcode", "city", "street")


class CustomerSerializer(OwnerSerializer[Customer]):
    """Writes a customer with its addresses; numbers new ones."""

    natural_key = "external_ref"
    related_fields = ("addresses",)

    addresses = CustomerAddressSerializer(many=True, required=False)

    class Meta:
        model = Customer
        fields = (
            "id", "version", "number", "name", "email", "phone", "is_company", "country", "tax_number",
            "vat_status", "currency", "payment_terms_days", "language", "postcode", "city", "street",
            "external_ref", "is_blocked", "note", "addresses", "created_at", "updated_at", "retired_at",
        )  # fmt: skip
        read_only_fields = ("number", "created_at", "updated_at", "retired_at")

    validate_country = staticmethod(_country)
    validate_currency = staticmethod(_currency)
    validate_external_ref = staticmethod(_none_if_empty)

    @classmethod
    def complete_new(cls, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Give every new customer the next number."""
        with cursor("admin_app") as cur:
            cur.execute("select nextval('customer_number') from generate_series(1, %s)", [len(rows)])
            numbers = [n for (n,) in cur.fetchall()]
        full = super().complete_new(rows)
        return [{**row, "number": f"C{number:06d}"} for row, number in zip(full, numbers, strict=True)]

    def to_internal_value(self, data: Any) -> Any:
        """E-mail addresses are compared without regard to case, so they are stored in small letters."""
        email = data.get("email") if isinstance(data, Mapping) else None
        if isinstance(email, str):
            data = {**data, "email": email.strip().lower() or None}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the tax number against the VAT status, as they will stand after the write."""
        before = self.instance if isinstance(self.instance, Customer) else Customer()
        names = ("vat_status", "country", "tax_number")
        if set(names) & set(attrs):
            check_tax_number(*(attrs.get(name, getattr(before, name)) for name in names))
        return attrs

    def write_related(self, key: int, data: Mapping[str, Any]) -> None:
        """Make the customer's addresses equal to the given ones, in the write's own transaction."""
        mine = {a.pk: a for a in CustomerAddress.objects.filter(customer_id=key)}
        kept = set()
        for row in data["addresses"]:
            address = mine.get(row.get("id")) or CustomerAddress(customer_id=key)
            for name, value in row.items():
                if name != "id":
                    setattr(address, name, value)
            address.save()
            kept.add(address.pk)
        CustomerAddress.objects.filter(customer_id=key).exclude(pk__in=kept).delete()


class ProductSerializer(OwnerSerializer[Product]):
    """Writes a product."""

    natural_key = "sku"

    class Meta:
        model = Product
        fields = (
            "id", "version", "sku", "name", "description", "unit", "product_class", "vat_code", "base_price",
            "currency", "is_stocked", "is_sellable", "backorder_allowed", "weight_g", "category", "attributes",
            "image", "images", "barcode", "external_ref", "created_at", "updated_at", "retired_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at", "retired_at")

    validate_currency = staticmethod(_currency)
    validate_external_ref = staticmethod(_none_if_empty)

    def save(self, *, actor: Actor | None = None, **extra: Any) -> Product:
        """Write the product; files of pictures that it had and that no product shows any more are deleted."""
        before = pictures_of(self.instance) if isinstance(self.instance, Product) else []
        saved = super().save(actor=actor, **extra)
        gone = set(before) - set(pictures_of(saved))
        if gone:
            after_commit("admin_app", lambda: delete_unused(sorted(gone)))
        return saved

    _vat_codes: frozenset[str] | None = None  # read once per serializer: a batch validates by thousands

    def validate_vat_code(self, value: str) -> str:
        """The code must be one of Finance's, once Finance has any."""
        if self._vat_codes is None:
            self._vat_codes = frozenset(
                VatCodeCopy.objects.filter(retired_at__isnull=True).values_list("code", flat=True)
            )
        if self._vat_codes and value not in self._vat_codes:
            raise serializers.ValidationError(f"Finance has no VAT code {value}.")
        return value

    def validate_image(self, value: str) -> str:
        """An address of this site or of the web."""
        if value and not value.startswith(("/", "https://", "http://")):
            raise serializers.ValidationError("Give the picture's address: it begins with https:// or with /.")
        return value

    def validate_images(self, value: Any) -> Any:
        """Addresses of further pictures; an empty cell of a file is none."""
        value = value or []
        if not isinstance(value, list) or len(value) > MAX_PICTURES or not all(isinstance(url, str) for url in value):
            raise serializers.ValidationError(f"Give a list of up to {MAX_PICTURES} addresses of pictures.")
        return [self.validate_image(url) for url in value]

    def validate_base_price(self, value: Any) -> Any:
        """Discounts and vouchers are lines of a document, not negative prices."""
        if value < 0:
            raise serializers.ValidationError("A price cannot be negative.")
        return value
