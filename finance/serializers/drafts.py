"""Writes invoice drafts: header and lines in one call. Issued documents are written by operations alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from erp.serializers import OwnerSerializer
from finance.models import SALES_KINDS, CustomerCopy, Invoice, InvoiceLine, ProductCopy, VatCode


class InvoiceLineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """A line of a draft; its amounts are computed when the draft is issued."""

    id = serializers.IntegerField(required=False, allow_null=True)

    class Meta:
        model = InvoiceLine
        fields = (
            "id", "line_no", "product_id", "sku", "name", "quantity", "unit", "unit_price", "discount",
            "discount_percent", "vat_code", "vat_override_reason", "vat_rate", "net", "vat", "gross", "original_line",
            "advance_invoice", "delivered_on", "order_number", "shipment_number", "base_net", "base_vat",
        )  # fmt: skip
        read_only_fields = (
            "vat_rate", "net", "vat", "gross", "original_line", "delivered_on", "order_number", "shipment_number",
            "base_net", "base_vat",
        )  # fmt: skip
        extra_kwargs = {
            "line_no": {"required": False},
            "name": {"required": False, "allow_blank": True},
            "unit_price": {"required": False, "allow_null": True},
            "vat_code": {"required": False, "allow_blank": True},
            "quantity": {"min_value": 1},
            "discount": {"min_value": 0},
            "discount_percent": {"min_value": 0, "max_value": 100},
        }

    def validate_vat_code(self, value: str) -> str:
        """One of Finance's codes; empty: as follows from product and customer when the draft is issued."""
        if value and not VatCode.objects.filter(code=value, retired_at__isnull=True).exists():
            raise serializers.ValidationError(f"There is no VAT code {value}.")
        return value


    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A product named by its SKU gives what the line does not say."""
        sku = attrs.get("sku")
        if sku and not attrs.get("product_id"):
            product = ProductCopy.objects.filter(sku__iexact=sku).first()
            if product is None:
                raise serializers.ValidationError({"sku": [f"There is no product {sku}."]})
            attrs |= {"product_id": product.pk, "sku": product.sku, "name": attrs.get("name") or product.name}
            if attrs.get("unit_price") is None:
                attrs["unit_price"] = product.base_price
        if not attrs.get("name"):
            raise serializers.ValidationError({"name": ["Name what is sold, or give a product's SKU."]})
        if attrs.get("unit_price") is None:
            raise serializers.ValidationError({"unit_price": ["Give the price."]})
        if attrs["unit_price"] < 0 and not attrs.get("advance_invoice"):
            raise serializers.ValidationError({"unit_price": ["Only an advance is taken off with a negative price."]})
        return attrs


class InvoiceSerializer(OwnerSerializer[Invoice]):
    """Writes a draft with its lines; refuses whatever is issued."""

    related_fields = ("lines",)

    lines = InvoiceLineSerializer(many=True, required=False)

    class Meta:
        model = Invoice
        fields = (
            "id", "version", "number", "series", "kind", "state", "customer_id", "customer", "order_id",
            "order_number", "shipment_id", "return_id", "original", "issued_on", "fulfilled_on", "due_on", "currency",
            "base_currency", "exchange_rate", "price_mode", "payment_method", "net_total", "vat_total", "gross_total",
            "base_net_total", "base_vat_total", "base_gross_total", "vat_summary", "external_ref", "channel",
            "language", "note", "discount", "discount_percent", "is_simplified", "is_collective", "delivered_from",
            "delivered_to",
            "lines", "created_at", "updated_at",
        )  # fmt: skip
        extra_kwargs = {
            "discount": {"min_value": 0},
            "discount_percent": {"min_value": 0, "max_value": 100},
        }
        read_only_fields = (
            "is_collective", "delivered_from", "delivered_to",
            "number", "series", "state", "customer", "shipment_id", "return_id", "original", "base_currency",
            "exchange_rate", "net_total", "vat_total", "gross_total", "base_net_total", "base_vat_total",
            "base_gross_total", "vat_summary", "channel", "created_at", "updated_at",
        )  # fmt: skip

    def validate_customer_id(self, value: int) -> int:
        """A customer that Finance knows."""
        if not CustomerCopy.objects.filter(pk=value, retired_at__isnull=True).exists():
            raise serializers.ValidationError(f"There is no customer {value}.")
        return value

    def validate_kind(self, value: str) -> str:
        """Credits come from the invoice that they credit."""
        if value not in SALES_KINDS:
            raise serializers.ValidationError("A credit note is made on the page of its invoice.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An issued document never changes."""
        if self.instance and self.instance.state == Invoice.State.ISSUED:
            raise serializers.ValidationError(f"{self.instance} is issued; correct it by a credit note.")
        return attrs

    def write_related(self, key: int, data: Mapping[str, Any]) -> None:
        """Make the draft's lines equal to the given ones, numbered in their order."""
        InvoiceLine.objects.filter(invoice_id=key).delete()
        InvoiceLine.objects.bulk_create(
            InvoiceLine(
                invoice_id=key, line_no=n, **{k: v for k, v in row.items() if k not in {"id", "line_no", "invoice"}}
            )
            for n, row in enumerate(data["lines"], start=1)
        )
