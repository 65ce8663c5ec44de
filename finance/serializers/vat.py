"""Writes VAT codes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from erp.serializers import OwnerSerializer
from finance.models import VatCode


class VatCodeSerializer(OwnerSerializer[VatCode]):
    """Writes a VAT code; a code's rate is fixed, another rate is another code."""

    natural_key = "code"

    class Meta:
        model = VatCode
        fields = (
            "id", "version", "code", "name", "name_hu", "rate", "category", "nav_element", "nav_value",
            "nav_vat_content", "law_ref", "direction", "valid_from", "valid_to", "created_at", "updated_at",
            "retired_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at", "retired_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only a rate carries VAT; validity ends after it begins."""

        def after(name: str) -> Any:
            return attrs.get(name, getattr(self.instance or VatCode(), name))

        if after("category") != VatCode.Category.RATE and after("rate"):
            raise serializers.ValidationError({"rate": ["Only the category “rate” carries VAT; give 0."]})
        if after("valid_to") and after("valid_from") and after("valid_to") < after("valid_from"):
            raise serializers.ValidationError({"valid_to": ["The last day is before the first."]})
        return attrs
