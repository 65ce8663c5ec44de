"""Writes invoice drafts: header and lines in one call. Issued documents are written by operations alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from erp.serializers import OwnerSerializer
from finance.models import CustomerCopy, Invoice, InvoiceLine, VatCode


class InvoiceLineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """A line of a draft; its amounts are computed when the draft is issued."""

    id = serializers.IntegerField(required=False, allow_null=True)

    class Meta:
        model = InvoiceLine
        fields = (
            "id", "line_no", "product_id", "sku", "name", "quantity", "unit", "unit_price", "discount", "vat_code",
            "vat_rate", "net", "vat", "gross", "original_line",
        )  # fmt: skip
        read_only_fields = ("vat_rate", "net", "vat", "gross", "original_line")
        extra_kwargs = {"line_no": {"required": False}, "quantity": {"min_value": 1}}

    def validate_vat_code(self, value: str) -> str:
        """One of Finance's codes."""
        if not VatCode.objects.filter(code=value, retired_at__isnull=True).exists():
            raise serializers.ValidationError(f"There is no VAT code {value}.")
        return value


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
            "language", "note", "lines", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = (
            "number", "series", "kind", "state", "customer", "shipment_id", "return_id", "original", "base_currency",
            "exchange_rate", "net_total", "vat_total", "gross_total", "base_net_total", "base_vat_total",
            "base_gross_total", "vat_summary", "channel", "created_at", "updated_at",
        )  # fmt: skip

    def validate_customer_id(self, value: int) -> int:
        """A customer that Finance knows."""
        if not CustomerCopy.objects.filter(pk=value, retired_at__isnull=True).exists():
            raise serializers.ValidationError(f"There is no customer {value}.")
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
