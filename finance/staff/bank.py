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
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from erp.actor import Actor, actor_of
from erp.errors import ErpError
from erp.staff.desk import duty_button, duty_page, page, perform
from finance.errors import NotBookable
from finance.models import BankEntry, BankMapping, Invoice
from finance.services import bank_balances, bank_import, bank_matching, bank_posting
from finance.services.accounts import base_currency
from finance.services.issuing import supplier
from finance.staff.forms import CustomerField
from finance.staff.pages import form_page

SHOWN = 50
SHOWN_REFUSALS = 10
SHARES = 4


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
    closing_balance = forms.DecimalField(
        label="Closing balance (of a CSV file, when it is known)", max_digits=19, decimal_places=4, required=False,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip

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
                content,
                mapping=data["mapping"],
                account=data["account"],
                currency=data["currency"].upper(),
                closing_balance=data["closing_balance"],
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
    """Statements against the ledger; open entries, oldest first, with what each may pay."""
    found = BankEntry.objects.filter(state=BankEntry.State.OPEN).order_by("booked_on", "id")
    rows = [
        {
            "entry": entry, "suggestions": bank_matching.suggest(entry, 3),
            "account": bank_posting.usual_account(entry),
        }
        for entry in found[:SHOWN]
    ]  # fmt: skip
    return page(
        request, "finance/bank.html", "Bank entries", rows=rows, count=found.count(),
        checks=bank_balances.latest_checks(), accounts=bank_posting.account_choices(),
    )  # fmt: skip


@duty_button("finance", "finance-bank")
def book_sure(request: HttpRequest) -> str:
    """Book whatever fits by number and amount."""
    done = bank_matching.book_sure(actor_of(request.user))
    for reason in done["refused"][:SHOWN_REFUSALS]:
        messages.warning(request, reason)
    refused = f"refused: {len(done['refused'])}; " if done["refused"] else ""
    return f"Booked: {done['booked']}; {refused}still open: {done['open']}."


@duty_button("finance", "finance-bank")
def book(request: HttpRequest, pk: int) -> str:
    """Book an entry as suggested: the documents whose ids are sent, in their order."""
    keys = [int(key) for key in request.POST.getlist("invoice") if key.isdecimal()]
    done = bank_matching.book_entry(pk, actor=actor_of(request.user), documents=[{"invoice_id": k} for k in keys])
    return f"Payment {done['number']} is booked; unallocated: {done['unallocated']} {done['currency']}."


@duty_button("finance", "finance-bank")
def post(request: HttpRequest, pk: int) -> str:
    """Post an entry as a whole to one account."""
    account, text = request.POST.get("account", "").strip(), request.POST.get("text", "")
    done = bank_posting.post_to_accounts(pk, [{"account": account}], actor=actor_of(request.user), text=text)
    return _posted(done)


def _posted(entry: dict[str, Any]) -> str:
    numbers = ", ".join(f"{line['account']} {line['account_name']}" for line in entry["lines"][1:])
    return f"Entry {entry['entry_no']} is posted on {entry['entry_on']} to {numbers}."


class EntryForm(forms.Form):
    """What an entry pays, in one's own words."""

    numbers = forms.CharField(
        label="Documents (numbers, in the order to settle)", required=False, widget=UnfoldAdminTextInputWidget
    )
    customer = CustomerField(label="Or customer (money on account)", required=False)
    text = forms.CharField(
        label="Or accounts below, with the text", required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )
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


class ShareForm(forms.Form):
    """What of an entry goes to an account."""

    account = forms.CharField(label="Account", max_length=20, required=False, widget=UnfoldAdminTextInputWidget)
    amount = forms.DecimalField(
        label="Amount (empty: the rest)", max_digits=19, decimal_places=4, min_value=0, required=False,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    text = forms.CharField(label="Text", max_length=200, required=False, widget=UnfoldAdminTextInputWidget)


@duty_page("finance")
def bank_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Book an entry by hand to documents, a customer or accounts, or set it aside."""
    entry = get_object_or_404(BankEntry, pk=pk)
    many = forms.formset_factory(ShareForm, extra=SHARES)
    form, rows = EntryForm(request.POST or None), many(request.POST or None, prefix="rows")
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        shares = [row for row in rows.cleaned_data if row.get("account")]
        actor = actor_of(request.user)
        return perform(request, lambda: _book(pk, actor, form.cleaned_data, shares), reverse("finance-bank"))
    title = f"{entry}: {entry.payer_name} {entry.reference}".strip()
    return form_page(request, title, "Book", form, rows)


def _book(pk: int, actor: Actor, data: dict[str, Any], shares: list[dict[str, Any]]) -> str:
    ways = [bool(data["numbers"] or data["customer"]), bool(shares), bool(data["set_aside"])]
    if sum(ways) != 1:
        raise NotBookable("Name either documents or a customer, or accounts, or say why the entry is set aside")
    if shares:
        return _posted(bank_posting.post_to_accounts(pk, shares, actor=actor, text=data["text"]))
    if data["set_aside"]:
        bank_matching.set_aside(pk, actor=actor, reason=data["set_aside"])
        return "The entry is set aside."
    done = bank_matching.book_entry(pk, actor=actor, documents=data["numbers"], customer_id=data["customer"])
    return f"Payment {done['number']} is booked; unallocated: {done['unallocated']} {done['currency']}."
