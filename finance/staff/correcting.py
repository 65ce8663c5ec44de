"""The bookkeeper's page that corrects an issued invoice: what is wrong of its lines, and what was missing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from erp.actor import actor_of
from erp.errors import ErpError
from erp.staff.desk import duty_page, page
from finance.models import Invoice
from finance.services.corrections import correct_invoice
from finance.services.credit_lines import Original, originals_of
from finance.staff import forms as f

ADDED_ROWS = 2


@duty_page("finance")
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct price, quantity or VAT code of lines, and charge what was delivered instead."""
    invoice = get_object_or_404(Invoice, pk=pk, state=Invoice.State.ISSUED)
    lines = [line for line in originals_of([pk]) if line.open_quantity]
    head, rows, added = _forms(request, lines)
    for form, line in zip(rows.forms, lines, strict=False):
        form.title = _title(line, invoice)
    if request.method == "POST" and head.is_valid() and rows.is_valid() and added.is_valid():
        try:
            done = correct_invoice(pk, _wanted(head, rows, added), actor=actor_of(request.user), key=_key(head))
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _told(done))
            return HttpResponseRedirect(reverse("admin:finance_invoice_change", args=[done["id"]]))
    return page(
        request, "finance/correct.html", f"Correct {invoice.number}", invoice=invoice, head=head, rows=rows, added=added
    )


def _forms(request: HttpRequest, lines: list[Original]) -> tuple[Any, Any, Any]:
    data = request.POST or None
    wrong = forms.formset_factory(f.CorrectionLineForm, extra=0)
    missing = forms.formset_factory(f.AddedLineForm, extra=ADDED_ROWS)
    rows = wrong(data, prefix="rows", initial=[{"line_id": line.id} for line in lines])
    return f.CorrectionForm(data), rows, missing(data, prefix="added")


def _title(line: Original, invoice: Invoice) -> str:
    where = "" if line.invoice_id == line.root_id else f"{line.number} "
    price = f"{line.unit_price.normalize():,f}"
    return (
        f"{where}{line.line_no}. {line.name}: {line.open_quantity} {line.unit} at {price} {invoice.currency} "
        f"{invoice.price_mode}, VAT code {line.vat_code}"
    )


def _wanted(head: Any, rows: Any, added: Any) -> dict[str, Any]:
    data = head.cleaned_data
    return {
        "lines": [row.cleaned_data for row in rows.forms if row.says_something],
        "added": [row.line for row in added.forms if row.is_begun],
        "reason": data["reason"], "issued_on": data["issued_on"], "due_on": data["due_on"],
    }  # fmt: skip


def _key(head: Any) -> str:
    return str(head.cleaned_data["key"])


def _told(done: dict[str, Any]) -> str:
    gross, currency = done["gross_total"], done["currency"]
    if not gross:
        return f"Correction {done['number']} is issued; nothing changes in what is to be paid."
    what = "more is to be paid" if gross > 0 else "is credited"
    return f"Correction {done['number']} is issued: {abs(gross).normalize():,f} {currency} {what}."
