"""Bodies of Finance's operations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, ChoiceField, DateField, DecimalField, IntegerField

from finance.models import SALES_KINDS, Payment

Input = serializers.Serializer[Any]


class NothingMore(Input):
    """An operation that needs nothing but its address."""


def money_field(**kwargs: Any) -> DecimalField:
    """Money with up to four decimals."""
    return DecimalField(max_digits=19, decimal_places=4, **kwargs)


def percent_field() -> DecimalField:
    """A percentage from 0 to 100."""
    return DecimalField(max_digits=7, decimal_places=4, min_value=0, max_value=100, default=Decimal(0))


class InvoiceLineInput(Input):
    """A line of a manual invoice; without a VAT code it gets the one that follows from product and customer."""

    name = CharField(max_length=200)
    quantity = IntegerField(min_value=1, default=1)
    unit = CharField(max_length=20, required=False)
    unit_price = DecimalField(max_digits=19, decimal_places=6)
    vat_code = CharField(max_length=20, required=False, allow_blank=True)
    vat_override_reason = CharField(max_length=200, required=False, allow_blank=True)
    discount = money_field(default=0)
    discount_percent = percent_field()
    advance_invoice_id = IntegerField(required=False, allow_null=True)
    product_id = IntegerField(required=False, allow_null=True)
    sku = CharField(max_length=60, required=False, allow_blank=True)


class InvoiceInput(Input):
    """A manual invoice: created and issued in one step."""

    customer_id = IntegerField()
    kind = ChoiceField([str(kind) for kind in SALES_KINDS], default="invoice")
    lines = InvoiceLineInput(many=True, allow_empty=False)
    issued_on = DateField(required=False)
    fulfilled_on = DateField(required=False)
    due_on = DateField(required=False)
    currency = CharField(min_length=3, max_length=3, required=False)
    price_mode = ChoiceField(["net", "gross"], default="net")
    is_simplified = BooleanField(default=False)
    payment_method = ChoiceField(Payment.Method.choices, default="transfer")
    language = ChoiceField(["hu", "en"], required=False)
    discount = money_field(default=0, min_value=0)
    discount_percent = percent_field()
    order_id = IntegerField(required=False)
    order_number = CharField(max_length=40, required=False)
    external_ref = CharField(max_length=80, required=False)
    note = CharField(required=False, allow_blank=True)


class LineOfInvoice(Input):
    """A line of an invoice by its number, or by its id, which names a line of a correction as well."""

    line_no = IntegerField(min_value=1, required=False)
    line_id = IntegerField(min_value=1, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if ("line_no" in attrs) == ("line_id" in attrs):
            raise serializers.ValidationError("Give either line_no or line_id.")
        return attrs


class CreditLineInput(LineOfInvoice):
    """Pieces of an invoice line."""

    quantity = IntegerField(min_value=1)


class CreditInput(Input):
    """What to credit; without ``lines`` all that is left, as a cancellation invoice."""

    lines = CreditLineInput(many=True, required=False, allow_null=True, allow_empty=False)
    reason = CharField(max_length=200, required=False, allow_blank=True, default="")
    issued_on = DateField(required=False, allow_null=True)


class CorrectedLineInput(LineOfInvoice):
    """What ``pieces`` of a line (all that are left) should have been; what is not given is right as charged."""

    pieces = IntegerField(min_value=1, required=False)
    quantity = IntegerField(min_value=0, required=False)
    unit_price = DecimalField(max_digits=19, decimal_places=6, min_value=0, required=False)
    vat_code = CharField(max_length=20, required=False)
    vat_override_reason = CharField(max_length=200, required=False, allow_blank=True)


class AddedLineInput(Input):
    """A line that a correction adds: one that was missing, or another product instead of one taken back."""

    name = CharField(max_length=200)
    quantity = IntegerField(min_value=1, default=1)
    unit = CharField(max_length=20, required=False)
    unit_price = DecimalField(max_digits=19, decimal_places=6, min_value=0)
    vat_code = CharField(max_length=20, required=False, allow_blank=True)
    vat_override_reason = CharField(max_length=200, required=False, allow_blank=True)
    discount = money_field(default=0, min_value=0)
    discount_percent = percent_field()
    product_id = IntegerField(required=False, allow_null=True)
    sku = CharField(max_length=60, required=False, allow_blank=True)


class CorrectionInput(Input):
    """A correction of an invoice."""

    lines = CorrectedLineInput(many=True, required=False)
    added = AddedLineInput(many=True, required=False)
    reason = CharField(max_length=200, required=False, allow_blank=True, default="")
    issued_on = DateField(required=False, allow_null=True)
    due_on = DateField(required=False, allow_null=True)


class InvoicePaymentInput(Input):
    """Money for one document; negative: paid back."""

    amount = money_field()
    currency = CharField(min_length=3, max_length=3, required=False)
    method = ChoiceField(Payment.Method.choices, default="transfer")
    received_on = DateField(required=False)
    reference = CharField(max_length=140, required=False, allow_blank=True)


class AllocationInput(Input):
    """A document that a payment settles; without an amount as much as is open."""

    invoice_id = IntegerField()
    amount = money_field(required=False)


class PaymentInput(InvoicePaymentInput):
    """Money for any number of documents of one customer, or for none yet."""

    customer_id = IntegerField(required=False)
    allocations = AllocationInput(many=True, required=False)


class AllocationsInput(Input):
    """Documents that an unallocated payment settles."""

    allocations = AllocationInput(many=True, allow_empty=False)


class JournalLineInput(Input):
    """A line of a manual entry; give ``amount`` (debit positive), or ``debit`` or ``credit``."""

    account = CharField(max_length=20)
    amount = money_field(required=False)
    debit = money_field(required=False, min_value=0)
    credit = money_field(required=False, min_value=0)
    text = CharField(max_length=200, required=False, allow_blank=True)
    customer_id = IntegerField(required=False)
    product_id = IntegerField(required=False)
    quantity = IntegerField(required=False)
    vat_code = CharField(max_length=20, required=False)
    due_on = DateField(required=False)


class JournalEntryInput(Input):
    """A manual entry; its Idempotency-Key is its posting key."""

    entry_on = DateField()
    tax_on = DateField(required=False, help_text="VAT period of the lines with a VAT code; default: entry_on")
    lines = JournalLineInput(many=True, allow_empty=False)
    journal = CharField(max_length=20, default="GEN")
    currency = CharField(min_length=3, max_length=3, required=False)
    text = CharField(max_length=200, required=False, allow_blank=True)
    document_number = CharField(max_length=40, required=False, allow_blank=True)


class ReversalInput(Input):
    """When, if not today, and why."""

    on_date = DateField(required=False, allow_null=True)
    reason = CharField(max_length=200, required=False, allow_blank=True, default="")
