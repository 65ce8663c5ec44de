"""The customer's details and address book: forms here, written at their owner."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from rest_framework.exceptions import ValidationError

from erp.actor import actor_of
from erp.errors import ErpError
from storefront.account_forms import DEFAULT_COUNTRY, AddressForm, DetailsForm
from storefront.models import CustomerCopy
from storefront.services import address_book
from storefront.views.visiting import visitor_of

CustomerView = Callable[..., HttpResponse]


def for_customers(view: CustomerView) -> CustomerView:
    """Give the view the logged-in customer; a guest is asked to log in first."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        customer = visitor_of(request).customer
        if customer is None:
            return redirect(f"{reverse('storefront:login')}?next={request.path if request.method == 'GET' else ''}")
        return view(request, customer, *args, **kwargs)

    return wrapped


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def details(request: HttpRequest, customer: CustomerCopy) -> HttpResponse:
    """Change name, phone, language and main address."""
    initial = {name: getattr(customer, name) for name in DetailsForm.base_fields}
    form = DetailsForm(request.POST or None, initial=initial)

    def write(data: dict[str, Any]) -> None:
        address_book.change_details(customer, data, actor=actor_of(request.user))

    context = {"form": form, "heading": _("Your details")}
    return _written(request, form, write, context, "storefront:account", _("Your details are saved."))


@require_safe
@for_customers
def address_list(request: HttpRequest, customer: CustomerCopy) -> HttpResponse:
    """The address book."""
    rows = address_book.list_addresses(customer)
    can_add = len(rows) < address_book.MAX_ADDRESSES
    return render(request, "storefront/address_list.html", {"addresses": rows, "can_add": can_add})


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def address_edit(request: HttpRequest, customer: CustomerCopy, pk: int | None = None) -> HttpResponse:
    """Add an address, or change one."""
    initial = {"kind": "delivery", "name": customer.name, "country": customer.country or DEFAULT_COUNTRY}
    if pk is not None:
        initial = address_book.find_address(customer, pk)
    elif len(address_book.list_addresses(customer)) >= address_book.MAX_ADDRESSES:
        messages.warning(request, _("Your address book is full. Please remove an address first."))
        return redirect("storefront:addresses")
    form = AddressForm(request.POST or None, initial=initial)

    def write(data: dict[str, Any]) -> None:
        address_book.save_address(customer, data, address_id=pk, actor=actor_of(request.user))

    context = {"form": form, "heading": _("New address") if pk is None else _("Change the address")}
    return _written(request, form, write, context, "storefront:addresses", _("The address is saved."))


@require_POST
@for_customers
def address_remove(request: HttpRequest, customer: CustomerCopy, pk: int) -> HttpResponse:
    """Take an address out of the book."""
    address_book.remove_address(customer, pk, actor=actor_of(request.user))
    messages.success(request, _("The address is removed."))
    return redirect("storefront:addresses")


def _written(
    request: HttpRequest, form: forms.Form, write: Callable[[dict[str, Any]], None], context: dict[str, Any],
    then: str, said: str,
) -> HttpResponse:  # fmt: skip
    """Write a valid form and go on; what the owner refuses is said in the form, with its input kept."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                write(form.cleaned_data)
            except ValidationError as refused:
                _add_errors(form, refused)
            except ErpError as error:
                if error.status not in {409, 412}:
                    raise
                form.add_error(None, _(error.message))
                status = error.status
            else:
                messages.success(request, said)
                return redirect(then)
    return render(request, "storefront/account_form.html", context, status=status)


def _add_errors(form: forms.Form, refused: ValidationError) -> None:
    detail = refused.detail if isinstance(refused.detail, dict) else {"": refused.detail}
    for name, errors in detail.items():
        for error in errors if isinstance(errors, list) else [errors]:
            form.add_error(name if name in form.fields else None, str(error))
