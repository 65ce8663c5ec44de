"""Forms of the bookkeeper: payments, entries, credit notes."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from erp.staff.forms import OwnedForm
from finance.models import Account, CustomerCopy, Invoice, InvoiceLine, Journal, Payment, VatCode


def _amount(label: str, *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=19, decimal_places=4, required=required, widget=UnfoldAdminDecimalFieldWidget
    )


def _text(label: str, *, required: bool = False, most: int = 200) -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=most, widget=UnfoldAdminTextInputWidget)


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, widget=UnfoldAdminSingleDateWidget, initial=lambda: timezone.now().date())


class CustomerField(forms.CharField):
    """A customer by number or id; cleans to the id."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """Shown by number."""
        if isinstance(value, int):
            return CustomerCopy.objects.filter(pk=value).values_list("number", flat=True).first() or value
        return value

    def clean(self, value: Any) -> Any:
        """The customer's id, or an error that says what was not found."""
        text = super().clean(value)
        if not text:
            return None
        found = CustomerCopy.objects.filter(number__iexact=text).first()
        if found is None and text.isdecimal():
            found = CustomerCopy.objects.filter(pk=int(text)).first()
        if found is None:
            raise forms.ValidationError(f"There is no customer {text}; give the number, e.g. C000001.")
        return found.pk


def _vat_codes() -> list[tuple[str, str]]:
    """Codes of sales in use, rates first."""
    found = VatCode.objects.filter(retired_at__isnull=True).exclude(direction="purchase").order_by("-rate", "code")
    return [(code.code, str(code)) for code in found]


class DraftForm(OwnedForm):
    """A draft's header; the customer is named by number."""

    customer_id = CustomerField(label="Customer", help_text="Number, e.g. C000001")
    payment_method = forms.ChoiceField(choices=Payment.Method.choices, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Invoice
        fields = (
            "customer_id", "issued_on", "fulfilled_on", "due_on", "currency", "price_mode", "payment_method",
            "language", "order_number", "external_ref", "note",
        )  # fmt: skip


class DraftLineForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft's line."""

    vat_code = forms.ChoiceField(label="VAT code", choices=_vat_codes, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = InvoiceLine
        fields = ("name", "quantity", "unit", "unit_price", "discount", "vat_code")


class KeyForm(forms.Form):
    """Carries the key under which the form is booked once however often it is sent."""

    key = forms.CharField(widget=forms.HiddenInput, initial=lambda: uuid.uuid4().hex)


class PaymentForm(KeyForm):
    """Money received, or with a minus paid back."""

    invoice = _text("Invoice or credit note (number)", most=40)
    customer = CustomerField(label="Customer (when there is no invoice)", required=False)
    amount = _amount("Amount")
    method = forms.ChoiceField(choices=Payment.Method.choices, widget=UnfoldAdminSelectWidget)
    received_on = _day("Received on")
    reference = _text("Reference", most=140)

    def clean(self) -> dict[str, Any]:
        """One of the two says whose money it is."""
        data = super().clean() or {}
        if not data.get("invoice") and not data.get("customer") and not self.errors:
            raise forms.ValidationError("Name an invoice or a customer.")
        return data


class EntryForm(KeyForm):
    """Head of a manual entry."""

    entry_on = _day("Posting date")
    journal = forms.ModelChoiceField(
        queryset=Journal.objects.all(),
        to_field_name="code",
        empty_label=None,
        initial="GEN",
        widget=UnfoldAdminSelectWidget,
    )
    text = _text("Text", required=True)


class EntryLineForm(forms.Form):
    """Line of a manual entry."""

    account = _text("Account", most=20)
    debit = _amount("Debit", required=False)
    credit = _amount("Credit", required=False)
    text = _text("Text")

    def clean_account(self) -> str:
        """An account that takes postings."""
        number = str(self.cleaned_data["account"]).strip()
        if number and not Account.objects.filter(number=number, is_group=False, is_active=True).exists():
            raise forms.ValidationError(f"No account {number} takes postings.")
        return number

    def clean(self) -> dict[str, Any]:
        """A line that is filled has an account and one amount."""
        data = super().clean() or {}
        if (data.get("debit") or data.get("credit")) and not data.get("account") and "account" not in self.errors:
            raise forms.ValidationError("Name the account.")
        if data.get("account") and bool(data.get("debit")) == bool(data.get("credit")):
            raise forms.ValidationError("Give either a debit or a credit.")
        return data


class CreditLineForm(forms.Form):
    """Pieces of one invoice line to credit."""

    title = ""

    line_no = forms.IntegerField(widget=forms.HiddenInput)
    quantity = forms.IntegerField(
        label="Pieces to credit", min_value=0, required=False, widget=UnfoldAdminIntegerFieldWidget
    )


class CreditForm(KeyForm):
    """Why and when."""

    reason = _text("Reason", required=True)
    issued_on = _day("Date")


class AllocationForm(forms.Form):
    """Part of a payment for one open document."""

    title = ""

    invoice_id = forms.IntegerField(widget=forms.HiddenInput)
    amount = _amount("Amount", required=False)


class DaysForm(forms.Form):
    """Days of a report: this year so far when nothing is asked."""

    first = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget)
    last = forms.DateField(label="To", widget=UnfoldAdminSingleDateWidget)
