"""Forms of a customer's own pages: details, addresses, passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from erp.models import User
from storefront.countries import COUNTRIES


def _text(label: Any, most: int, token: str, *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": token})
    return forms.CharField(label=label, max_length=most, required=required, widget=widget)


def _country() -> forms.ChoiceField:
    widget = forms.Select(attrs={"autocomplete": "country"})
    return forms.ChoiceField(label=_("Country"), choices=COUNTRIES, initial="HU", widget=widget)


class DetailsForm(forms.Form):
    """What customers may change of their own record; the rest (tax status, terms) is staff's."""

    name = _text(_("Name"), 200, "name")
    phone = _text(_("Phone"), 40, "tel", required=False)
    language = forms.ChoiceField(
        label=_("Language of e-mails and invoices"), choices=[("hu", "Magyar"), ("en", "English")]
    )
    street = _text(_("Street and number"), 200, "street-address", required=False)
    postcode = _text(_("Postcode"), 16, "postal-code", required=False)
    city = _text(_("City"), 80, "address-level2", required=False)
    country = _country()


class AddressForm(forms.Form):
    """An address of the address book."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("delivery", _("Delivery address")), ("billing", _("Billing address"))]
    )
    name = _text(_("Name"), 200, "name")
    street = _text(_("Street and number"), 200, "street-address")
    postcode = _text(_("Postcode"), 16, "postal-code")
    city = _text(_("City"), 80, "address-level2")
    country = _country()


class ForgottenForm(forms.Form):
    """Who forgot a password."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class NewPasswordForm(forms.Form):
    """A new password, by a mailed link."""

    password = forms.CharField(
        label=_("New password"), strip=False, help_text=_("At least 8 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """The installation's rules for passwords."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password


class ChangePasswordForm(NewPasswordForm):
    """Another password, by somebody who knows the present one."""

    present = forms.CharField(
        label=_("Present password"), strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip
    field_order = ("present", "password")

    def clean_present(self) -> str:
        """It must be the present one."""
        present: str = self.cleaned_data["present"]
        if not self.user.check_password(present):
            raise forms.ValidationError(_("This is not your present password."))
        return present


DEFAULT_COUNTRY = settings.COMPANY["country"]
