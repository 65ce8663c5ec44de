"""Forms of the shop's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from storefront.countries import COUNTRIES
from storefront.models import Category, CustomerCopy, ShippingMethod
from storefront.services.order_view import payment_methods

_SORTS = [
    ("newest", _("Newest first")), ("name", _("Name")), ("price", _("Price, low to high")),
    ("-price", _("Price, high to low")),
]  # fmt: skip


class FilterForm(forms.Form):
    """Filters of the product list; what cannot be read is left out."""

    sort = forms.ChoiceField(label=_("Sort by"), required=False, choices=[("", _("Best match")), *_SORTS])
    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    category = forms.ChoiceField(label=_("Category"), required=False)
    price_min = forms.DecimalField(label=_("Price from"), required=False, min_value=0, max_digits=12)
    price_max = forms.DecimalField(label=_("Price to"), required=False, min_value=0, max_digits=12)
    in_stock = forms.BooleanField(label=_("In stock only"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("All categories"))] + [
            (c.path, ("\u00a0" * 3 * c.path.count("/")) + c.label)
            for c in sorted(Category.objects.filter(is_active=True), key=lambda c: c.path)
        ]
        if not self.data.get("q"):
            order = self.fields["sort"]
            assert isinstance(order, forms.ChoiceField)
            order.choices = [("", _SORTS[0][1]), *_SORTS[1:]]
        for name in ("price_min", "price_max"):
            self.fields[name].widget.attrs["inputmode"] = "decimal"


class QuantityForm(forms.Form):
    """How many pieces go into the cart."""

    quantity = forms.IntegerField(min_value=1, max_value=9_999)


class CheckoutForm(forms.Form):
    """Everything the one-page checkout asks."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    phone = forms.CharField(
        label=_("Phone"), required=False, max_length=40, widget=forms.TextInput(attrs={"autocomplete": "tel"})
    )
    ship_name = forms.CharField(label=_("Name"), max_length=200)
    ship_street = forms.CharField(label=_("Street and number"), max_length=200)
    ship_postcode = forms.CharField(label=_("Postcode"), max_length=16)
    ship_city = forms.CharField(label=_("City"), max_length=80)
    ship_country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES, initial="HU")
    bill_same = forms.BooleanField(label=_("Same as the delivery address"), required=False, initial=True)
    bill_name = forms.CharField(label=_("Name"), required=False, max_length=200)
    bill_street = forms.CharField(label=_("Street and number"), required=False, max_length=200)
    bill_postcode = forms.CharField(label=_("Postcode"), required=False, max_length=16)
    bill_city = forms.CharField(label=_("City"), required=False, max_length=80)
    bill_country = forms.ChoiceField(label=_("Country"), required=False, choices=COUNTRIES, initial="HU")
    tax_number = forms.CharField(
        label=_("Tax number"), required=False, max_length=30, help_text=_("For companies; it appears on the invoice.")
    )
    shipping_method = forms.ChoiceField(label=_("Delivery"), widget=forms.RadioSelect)
    payment_method = forms.ChoiceField(label=_("Payment"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    accept_terms = forms.BooleanField(label=_("I accept the terms and conditions"))

    def __init__(
        self, *args: Any, methods: Sequence[ShippingMethod], costs: Mapping[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for prefix, section in (("ship", "shipping"), ("bill", "billing")):
            for part, token in (
                ("name", "name"), ("street", "street-address"), ("postcode", "postal-code"),
                ("city", "address-level2"), ("country", "country"),
            ):  # fmt: skip
                self.fields[f"{prefix}_{part}"].widget.attrs["autocomplete"] = f"{section} {token}"
        shipping, payment = self.fields["shipping_method"], self.fields["payment_method"]
        assert isinstance(shipping, forms.ChoiceField)
        assert isinstance(payment, forms.ChoiceField)
        shipping.choices = [(m.code, f"{m.label} – {costs[m.code]}") for m in methods if m.code in costs]
        shipping.initial = methods[0].code if methods else None
        payment.choices = list(payment_methods().items())
        payment.initial = "transfer"

    def clean(self) -> dict[str, Any]:
        """A billing address of its own must be whole."""
        data = super().clean() or {}
        if not data.get("bill_same"):
            for part in ("name", "street", "postcode", "city", "country"):
                if not data.get(f"bill_{part}"):
                    self.add_error(f"bill_{part}", _("Please fill this in for the billing address."))
        return data

    def address(self, kind: str) -> dict[str, str]:
        """The ``ship`` or ``bill`` address as an order carries it."""
        source = "ship" if kind == "bill" and self.cleaned_data.get("bill_same") else kind
        parts = {p: self.cleaned_data[f"{source}_{p}"] for p in ("name", "street", "postcode", "city", "country")}
        return {**parts, "tax_number": self.cleaned_data["tax_number"] if kind == "bill" else ""}


def checkout_initial(customer: CustomerCopy | None, email: str) -> dict[str, Any]:
    """What a logged-in customer need not type again."""
    if customer is None:
        return {"ship_country": settings.COMPANY["country"], "bill_same": True}
    return {
        "email": email or customer.email or "", "phone": customer.phone, "ship_name": customer.name,
        "ship_street": customer.street, "ship_postcode": customer.postcode, "ship_city": customer.city,
        "ship_country": customer.country, "tax_number": customer.tax_number, "bill_same": True,
    }  # fmt: skip


class LogInForm(forms.Form):
    """Log-in by e-mail address and password."""

    email = forms.CharField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class RegisterForm(forms.Form):
    """A new shop account."""

    name = forms.CharField(label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("E-mail"), max_length=150, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    password = forms.CharField(
        label=_("Password"), strip=False, help_text=_("At least 8 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean_password(self) -> str:
        """The installation's rules for passwords."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class LookupForm(forms.Form):
    """A guest finds an order."""

    number = forms.CharField(label=_("Order number"), max_length=40)
    email = forms.EmailField(label=_("E-mail"), max_length=254)
