"""The bookkeeper's pages: manual entry, payment, credit note, allocation."""

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
from finance.models import Invoice, Payment
from finance.services import crediting, payments, posting
from finance.services.credit_lines import originals_of
from finance.services.open_items import open_items
from finance.staff import forms as f

ENTRY_ROWS = 8


@duty_page("finance")
def record_payment(request: HttpRequest) -> HttpResponse:
    """Record a payment; what exceeds the invoice stays on the customer's account."""
    if request.method != "POST":
        return form_page(request, "Record payment", "Record", f.PaymentForm(initial=_payment_of(request)))
    form = f.PaymentForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        wanted = {
            "invoice_number": data["invoice"], "customer_id": data["customer"], "amount": data["amount"],
            "method": data["method"], "received_on": data["received_on"], "reference": data["reference"],
        }  # fmt: skip
        try:
            done = payments.record_payment(
                {k: v for k, v in wanted.items() if v}, actor=actor_of(request.user), idempotency_key=data["key"]
            )
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"Payment {done['number']} is posted; unallocated: {done['unallocated']}.")
            return HttpResponseRedirect(reverse("admin:finance_payment_change", args=[done["id"]]))
    return form_page(request, "Record payment", "Record", form)


def _payment_of(request: HttpRequest) -> dict[str, Any]:
    number = request.GET.get("invoice", "")
    found = Invoice.objects.select_related("settlement").filter(number=number, state=Invoice.State.ISSUED).first()
    return {"invoice": number, "amount": found.settlement.open_total if found else None}


@duty_page("finance")
def post_entry(request: HttpRequest) -> HttpResponse:
    """Post a manual entry."""
    many = forms.formset_factory(f.EntryLineForm, extra=ENTRY_ROWS)
    head, rows = f.EntryForm(request.POST or None), many(request.POST or None, prefix="rows")
    if request.method == "POST" and head.is_valid() and rows.is_valid():
        data = head.cleaned_data
        lines = [row for row in rows.cleaned_data if row.get("account")]
        try:
            done = posting.post_journal_entry(
                {**{n: data[n] for n in ("entry_on", "tax_on", "text")}, "journal": data["journal"].code,
                 "lines": lines},
                actor=actor_of(request.user), posting_key=f"manual:{data['key']}",
            )  # fmt: skip
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"Entry {done['entry_no']} is posted in {done['period']}.")
            return HttpResponseRedirect(reverse("admin:finance_journalentry_change", args=[done["id"]]))
    return form_page(request, "Manual entry", "Post", head, rows)


@duty_page("finance")
def credit_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """Credit some pieces of an invoice's lines."""
    invoice = get_object_or_404(Invoice, pk=pk, state=Invoice.State.ISSUED)
    lines = originals_of([pk])
    many = forms.formset_factory(f.CreditLineForm, extra=0)
    initial = [{"line_id": x.id, "quantity": 0} for x in lines]
    head, rows = f.CreditForm(request.POST or None), many(request.POST or None, prefix="rows", initial=initial)
    for form, line in zip(rows.forms, lines, strict=False):
        price = f"{line.unit_price.normalize():,f}"
        where = "" if line.invoice_id == line.root_id else f"{line.number} "
        form.title = f"{where}{line.line_no}. {line.name}: {line.quantity} at {price}, {line.open_quantity} open"
    if request.method == "POST" and head.is_valid() and rows.is_valid():
        wanted = [row for row in rows.cleaned_data if row.get("quantity")]
        try:
            done = crediting.issue_credit_note(
                pk, actor=actor_of(request.user), lines=wanted, reason=head.cleaned_data["reason"],
                issued_on=head.cleaned_data["issued_on"], key=head.cleaned_data["key"],
            )  # fmt: skip
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"Credit note {done['number']} is issued.")
            return HttpResponseRedirect(reverse("admin:finance_invoice_change", args=[done["id"]]))
    return form_page(request, f"Credit invoice {invoice.number}", "Issue credit note", head, rows)


@duty_page("finance")
def allocate(request: HttpRequest, pk: int) -> HttpResponse:
    """Settle open documents of the payer with what is left of a payment."""
    payment = get_object_or_404(Payment, pk=pk)
    items = [row for row in open_items(payment.customer_id) if row["currency"] == payment.currency]
    many = forms.formset_factory(f.AllocationForm, extra=0)
    rows = many(request.POST or None, prefix="rows", initial=[{"invoice_id": row["id"]} for row in items])
    for form, row in zip(rows.forms, items, strict=False):
        form.title = f"{row['number']}: {row['open']} {row['currency']} open, due {row['due_on']}"
    if request.method == "POST" and rows.is_valid():
        wanted = [row for row in rows.cleaned_data if row.get("amount")]
        try:
            payments.allocate_payment(pk, wanted, actor=actor_of(request.user))
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"Payment {payment.number} is allocated.")
            return HttpResponseRedirect(reverse("admin:finance_payment_change", args=[pk]))
    left = payment.amount - payment.allocated
    return form_page(request, f"Allocate {left} {payment.currency} of {payment.number}", "Allocate", None, rows)


def form_page(request: HttpRequest, title: str, button: str, head: Any, rows: Any = None) -> HttpResponse:
    """A form with its head, rows and one button."""
    return page(request, "finance/task.html", title, button=button, head=head, rows=rows)
