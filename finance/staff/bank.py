"""The bookkeeper's bank pages: import with preview, open entries with suggestions, booking by hand."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from erp.actor import actor_of
from erp.errors import ErpError
from erp.staff.desk import duty_page, page, perform
from finance.models import BankEntry, BankMapping, Invoice
from finance.services import bank_import, bank_matching
from finance.services.accounts import base_currency
from finance.services.issuing import supplier
from finance.staff.forms import CustomerField
from finance.staff.pages import form_page

SHOWN = 50
SHOWN_REFUSALS = 10


class StatementForm(forms.Form):
    """A statement's file, and how to read it."""

    file = forms.FileField(label="Statement", required=False, widget=UnfoldAdminFileFieldWidget)
    mapping = forms.ModelChoiceField(
        label="Format", queryset=BankMapping.objects.all(), required=False, empty_label="CAMT.053 (XML)",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    account = forms.CharField(
        label="Account (of a CSV file)", max_length=40, required=False, widget=UnfoldAdminTextInputWidget
    )
    currency = forms.CharField(
        label="Currency (of a CSV file)", min_length=3, max_length=3, required=False, widget=UnfoldAdminTextInputWidget
    )
    kept = forms.CharField(required=False, widget=forms.HiddenInput)  # the previewed file itself
    name = forms.CharField(required=False, widget=forms.HiddenInput)

    def content(self) -> bytes:
        """The file's bytes: just sent, or kept by the preview. Raises ValidationError."""
        sent = self.cleaned_data.get("file")
        if sent:
            return bytes(sent.read())
        try:
            return base64.b64decode(self.cleaned_data.get("kept") or "", validate=True)
        except binascii.Error as error:
            raise forms.ValidationError("The previewed file is damaged; choose it again.") from error


@duty_page("finance")
def import_statement(request: HttpRequest) -> HttpResponse:
    """Choose a file, see what it would bring and what is wrong with it, then import it whole."""
    initial = {"account": supplier().get("bank_account", ""), "currency": base_currency()}
    form = StatementForm(request.POST or None, request.FILES or None, initial=initial)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        name = data["file"].name if data.get("file") else data["name"]
        try:
            content = form.content()
            statements = bank_import.read_statements(
                content, mapping=data["mapping"], account=data["account"], currency=data["currency"].upper()
            )
            if "import" in request.POST:
                return _import(request, statements, name)
            context |= {"plans": bank_import.plan_import(statements), "kept": base64.b64encode(content).decode()}
            context["name"] = name
        except forms.ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except ErpError as error:
            context["errors"] = error.details.get("errors") or [error.message]
    return page(request, "finance/bank_import.html", "Import a bank statement", **context)


def _import(request: HttpRequest, statements: list[Any], name: str) -> HttpResponse:
    done = bank_import.import_statements(statements, actor=actor_of(request.user), file_name=name)
    messages.success(request, f"{done['entries']} entries are imported; {done['known']} were known already.")
    return HttpResponseRedirect(reverse("finance-bank"))


@duty_page("finance")
def bank(request: HttpRequest) -> HttpResponse:
    """Open entries, oldest first, with what each may pay."""
    found = BankEntry.objects.filter(state=BankEntry.State.OPEN).order_by("booked_on", "id")
    rows = [{"entry": entry, "suggestions": bank_matching.suggest(entry, 3)} for entry in found[:SHOWN]]
    return page(request, "finance/bank.html", "Bank entries", rows=rows, count=found.count())


@require_POST
@duty_page("finance")
def book_sure(request: HttpRequest) -> HttpResponse:
    """Book whatever fits by number and amount."""

    def run() -> str:
        done = bank_matching.book_sure(actor_of(request.user))
        for reason in done["refused"][:SHOWN_REFUSALS]:
            messages.warning(request, reason)
        refused = f"refused: {len(done['refused'])}; " if done["refused"] else ""
        return f"Booked: {done['booked']}; {refused}still open: {done['open']}."

    return perform(request, run, reverse("finance-bank"))


@require_POST
@duty_page("finance")
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """Book an entry as suggested: the documents whose ids are sent, in their order."""
    keys = [int(key) for key in request.POST.getlist("invoice") if key.isdecimal()]

    def run() -> str:
        done = bank_matching.book_entry(pk, actor=actor_of(request.user), documents=[{"invoice_id": k} for k in keys])
        return f"Payment {done['number']} is booked; unallocated: {done['unallocated']} {done['currency']}."

    return perform(request, run, reverse("finance-bank"))


class EntryForm(forms.Form):
    """What an entry pays, in one's own words."""

    numbers = forms.CharField(
        label="Documents (numbers, in the order to settle)", required=False, widget=UnfoldAdminTextInputWidget
    )
    customer = CustomerField(label="Or customer (money on account)", required=False)
    set_aside = forms.CharField(
        label="Or set aside, because", required=False, max_length=150, widget=UnfoldAdminTextInputWidget
    )

    def clean_numbers(self) -> list[dict[str, Any]]:
        """Ids of the documents."""
        numbers = [n for n in re.split(r"[\s,;]+", self.cleaned_data["numbers"]) if n]
        found = dict(Invoice.objects.filter(number__in=numbers, state="issued").values_list("number", "id"))
        missing = [n for n in numbers if n not in found]
        if missing:
            raise forms.ValidationError(f"There is no document {', '.join(missing)}.")
        return [{"invoice_id": found[n]} for n in numbers]

    def clean(self) -> dict[str, Any]:
        """One of the three."""
        data = super().clean() or {}
        if not any(data.get(name) for name in ("numbers", "customer", "set_aside")) and not self.errors:
            raise forms.ValidationError("Name documents or a customer, or say why the entry is set aside.")
        return data


@duty_page("finance")
def bank_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Book an entry by hand, or set it aside."""
    entry = get_object_or_404(BankEntry, pk=pk)
    form = EntryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data, actor = form.cleaned_data, actor_of(request.user)

        def run() -> str:
            if data["set_aside"] and not data["numbers"] and not data["customer"]:
                bank_matching.set_aside(pk, actor=actor, reason=data["set_aside"])
                return "The entry is set aside."
            done = bank_matching.book_entry(pk, actor=actor, documents=data["numbers"], customer_id=data["customer"])
            return f"Payment {done['number']} is booked; unallocated: {done['unallocated']} {done['currency']}."

        return perform(request, run, reverse("finance-bank"))
    title = f"{entry}: {entry.payer_name} {entry.reference}".strip()
    return form_page(request, title, "Book", form)
