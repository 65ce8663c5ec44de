"""The page that asks the NAV about a tax number, of a customer or any other."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.widgets import UnfoldAdminTextInputWidget

from erp.errors import ErpError
from erp.staff.desk import duty_page, page
from finance.models import CustomerCopy
from finance.services.reporting.taxpayers import Checked, check_tax_number


class TaxNumberForm(forms.Form):
    """A Hungarian tax number."""

    number = forms.CharField(label="Tax number", max_length=40, widget=UnfoldAdminTextInputWidget)


@duty_page("finance")
def taxpayer(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Name, address and validity as the NAV has them, and where a customer's data differ."""
    customer = get_object_or_404(CustomerCopy, pk=pk) if pk else None
    known = customer.tax_number if customer else ""
    number = request.GET.get("number", known)
    form = TaxNumberForm({"number": number} if number else None)
    checked: Checked | None = None
    if form.is_valid():
        try:
            checked = check_tax_number(number, customer if number == known else None)
        except ErpError as error:
            messages.error(request, error.message)
    return page(
        request, "finance/taxpayer.html", "Check a tax number at the NAV", form=form, customer=customer, checked=checked
    )
