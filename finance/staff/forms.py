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
from finance.errors import GrossPricesNeeded
from finance.models import (
    SALES_KINDS,
    Account,
    BankMapping,
    CustomerCopy,
    Invoice,
    InvoiceLine,
    Journal,
    Payment,
    ProductCopy,
    VatCode,
)
from finance.services.bank_files import encoding_problem, mapping_problem


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


def _vat_choices() -> list[tuple[str, str]]:
    return [("", "automatic"), *_vat_codes()]


def _all_vat_codes() -> list[tuple[str, str]]:
    """Codes in use, of purchases too."""
    found = VatCode.objects.filter(retired_at__isnull=True).order_by("-rate", "code")
    return [(code.code, str(code)) for code in found]


class DraftForm(OwnedForm):
    """A draft's header; the customer is named by number."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in SALES_KINDS if kind != Invoice.Kind.FINAL], initial="invoice",
        widget=UnfoldAdminSelectWidget, required=False,
        help_text="An invoice that takes off an advance becomes a final invoice by itself",
    )  # fmt: skip
    customer_id = CustomerField(label="Customer", help_text="Number, e.g. C000001")
    payment_method = forms.ChoiceField(choices=Payment.Method.choices, widget=UnfoldAdminSelectWidget)
    discount_percent = forms.DecimalField(
        label="Document discount %", max_digits=7, decimal_places=4, required=False, min_value=0, max_value=100,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    discount = _amount("Document discount (amount)", required=False)

    class Meta:
        model = Invoice
        fields = (
            "kind", "customer_id", "issued_on", "fulfilled_on", "due_on", "currency", "price_mode", "payment_method",
            "is_simplified", "language", "discount_percent", "discount", "order_number", "external_ref", "note",
        )  # fmt: skip

    def clean_kind(self) -> str:
        """An invoice when nothing is said."""
        return str(self.cleaned_data.get("kind") or Invoice.Kind.INVOICE)

    def clean(self) -> dict[str, Any]:
        """No discount is a discount of nothing; a simplified invoice has gross prices."""
        data = super().clean() or {}
        if data.get("is_simplified") and data.get("price_mode") != "gross":
            self.add_error("price_mode", GrossPricesNeeded().message)
        return {**data, **{name: data.get(name) or 0 for name in ("discount", "discount_percent")}}


class DraftLineForm(forms.ModelForm):  # type: ignore[type-arg]
    """A draft's line."""

    sku = _text("SKU", most=60)
    name = _text("Name")
    unit_price = forms.DecimalField(
        max_digits=19, decimal_places=6, required=False, widget=UnfoldAdminDecimalFieldWidget
    )
    discount = _amount("Discount", required=False)
    discount_percent = forms.DecimalField(
        label="%", max_digits=7, decimal_places=4, required=False, min_value=0, max_value=100,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    vat_code = forms.ChoiceField(label="VAT code", choices=_vat_choices, required=False, widget=UnfoldAdminSelectWidget)
    vat_override_reason = _text("Reason for another code")
    advance_invoice = forms.ModelChoiceField(
        queryset=Invoice.objects.filter(kind=Invoice.Kind.ADVANCE), required=False, widget=forms.HiddenInput
    )

    class Meta:
        model = InvoiceLine
        fields = (
            "sku", "name", "quantity", "unit", "unit_price", "discount_percent", "discount", "vat_code",
            "vat_override_reason", "advance_invoice",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """No discount is a discount of nothing."""
        data = super().clean() or {}
        return {**data, **{name: data.get(name) or 0 for name in ("discount", "discount_percent")}}


class MappingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A bank's CSV format; each field is named by its heading in the file."""

    class Meta:
        model = BankMapping
        fields = ("name", "delimiter", "encoding", "decimal_separator", "date_format", "columns")

    def clean_columns(self) -> dict[str, str]:
        """Known fields with headings; day and amount are needed."""
        columns: dict[str, str] = self.cleaned_data["columns"]
        if wrong := mapping_problem(columns):
            raise forms.ValidationError(wrong)
        return columns

    def clean_encoding(self) -> str:
        """One that exists."""
        encoding = str(self.cleaned_data["encoding"])
        if wrong := encoding_problem(encoding):
            raise forms.ValidationError(wrong)
        return encoding


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
    tax_on = forms.DateField(
        label="Tax date", required=False, widget=UnfoldAdminSingleDateWidget,
        help_text="The VAT period of the lines with a VAT code; empty: the posting date",
    )  # fmt: skip


class EntryLineForm(forms.Form):
    """Line of a manual entry."""

    account = _text("Account", most=20)
    debit = _amount("Debit", required=False)
    credit = _amount("Credit", required=False)
    text = _text("Text")
    vat_code = forms.ChoiceField(
        label="VAT code", choices=lambda: [("", "–"), *_all_vat_codes()], required=False, widget=UnfoldAdminSelectWidget
    )
    customer_id = CustomerField(label="Customer", required=False)

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

    line_id = forms.IntegerField(widget=forms.HiddenInput)
    quantity = forms.IntegerField(
        label="Pieces to credit", min_value=0, required=False, widget=UnfoldAdminIntegerFieldWidget
    )


class CreditForm(KeyForm):
    """Why and when."""

    reason = _text("Reason", required=True)
    issued_on = _day("Date")


class MarginCostForm(forms.Form):
    """What one line of the margin scheme cost; empty: not known yet."""

    title = ""

    line_id = forms.IntegerField(widget=forms.HiddenInput)
    cost = forms.DecimalField(
        label="Cost, VAT included", max_digits=19, decimal_places=4, min_value=0, required=False,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    note = _text("Supplier's document")


class AllocationForm(forms.Form):
    """Part of a payment for one open document."""

    title = ""

    invoice_id = forms.IntegerField(widget=forms.HiddenInput)
    amount = _amount("Amount", required=False)


class DeductionForm(forms.Form):
    """Part of an advance invoice to take off; empty: nothing."""

    title = ""

    invoice_id = forms.IntegerField(widget=forms.HiddenInput)
    vat_code = forms.CharField(widget=forms.HiddenInput)
    amount = _amount("Take off", required=False)


class CorrectionForm(CreditForm):
    """Why and when, and until when a difference is to be paid."""

    due_on = forms.DateField(
        label="Due on (empty: by the customer's terms)", required=False, widget=UnfoldAdminSingleDateWidget
    )


def _pieces(label: str, least: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, required=False, widget=UnfoldAdminIntegerFieldWidget)


def _price(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=19, decimal_places=6, required=False, min_value=0,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip


class CorrectionLineForm(forms.Form):
    """What a line should have been; what is empty is right as charged."""

    title = ""

    line_id = forms.IntegerField(widget=forms.HiddenInput)
    pieces = _pieces("Pieces concerned (all)", 1)
    quantity = _pieces("Right quantity", 0)
    unit_price = _price("Right price")
    vat_code = forms.ChoiceField(
        label="Right VAT code", choices=lambda: [("", "as charged"), *_vat_codes()], required=False,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    @property
    def says_something(self) -> bool:
        """Whether anything of the line is to be corrected."""
        data = self.cleaned_data
        return bool(data.get("vat_code")) or any(data.get(name) is not None for name in ("quantity", "unit_price"))

    def clean(self) -> dict[str, Any]:
        """Pieces alone say nothing."""
        data = super().clean() or {}
        if data.get("pieces") and not self.errors and not self.says_something:
            raise forms.ValidationError("Say what is wrong with these pieces: quantity, price or VAT code.")
        return data


class AddedLineForm(forms.Form):
    """A line that a correction adds; a product is named by its SKU."""

    sku = _text("SKU", most=60)
    name = _text("Name")
    quantity = _pieces("Quantity", 1)
    unit = forms.CharField(
        label="Unit", max_length=20, initial="pcs", required=False, widget=UnfoldAdminTextInputWidget
    )
    unit_price = _price("Unit price")
    vat_code = forms.ChoiceField(label="VAT code", choices=_vat_choices, required=False, widget=UnfoldAdminSelectWidget)

    def clean(self) -> dict[str, Any]:
        """A line that is begun is whole."""
        data = super().clean() or {}
        if not self.is_begun or self.errors:
            return data
        self.product = ProductCopy.objects.filter(sku=data.get("sku") or "").first()
        if not data.get("name") and self.product is None:
            raise forms.ValidationError("Name what is charged, or give the SKU of a product.")
        if not data.get("quantity") or data.get("unit_price") is None:
            raise forms.ValidationError("Give quantity and price.")
        return data

    @property
    def is_begun(self) -> bool:
        """Whether anything but the unit is filled in."""
        names = ("sku", "name", "quantity", "unit_price", "vat_code")
        return any(self.cleaned_data.get(name) not in (None, "") for name in names)

    @property
    def line(self) -> dict[str, Any]:
        """As operations take it."""
        data = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        if self.product is None:
            return data
        return {**data, "product_id": self.product.pk, "name": data.get("name") or self.product.name}


class WriteOffForm(KeyForm):
    """What is given up, and why."""

    amount = _amount("Amount (empty: all that is open)", required=False)
    reason = _text("Reason", required=True)


class CollectiveForm(KeyForm):
    """Period of a collective invoice."""

    customer = CustomerField(label="Customer")
    first = _day("Delivered from")
    last = _day("Delivered to")
    issued_on = _day("Date of issue")


class DayForm(forms.Form):
    """The day of a report."""

    on = forms.DateField(label="On", widget=UnfoldAdminSingleDateWidget)


class DaysForm(forms.Form):
    """Days of a report: this year so far when nothing is asked."""

    first = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget)
    last = forms.DateField(label="To", widget=UnfoldAdminSingleDateWidget)
