"""The bookkeeper's pages around one document: its print, an advance to take off, collective invoices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from erp.actor import actor_of
from erp.errors import ErpError
from erp.staff.desk import duty_page, page, perform
from finance.models import CollectiveCustomer, CustomerCopy, Invoice, WaitingIssue
from finance.rest.printing import pdf_response
from finance.services import goods_issues
from finance.services.drafts import deductible, take_off_advances
from finance.staff import forms as f
from finance.staff.pages import form_page


def _page_of(invoice_id: int) -> str:
    return reverse("admin:finance_invoice_change", args=[invoice_id])


@duty_page("finance")
def print_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """The document as a PDF; what forbids issuing a draft is told on its page."""
    try:
        return pdf_response(pk, request.GET.get("language"))
    except ErpError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(_page_of(pk))


@duty_page("finance")
def take_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Take advances off a draft."""
    draft = get_object_or_404(Invoice, pk=pk, state=Invoice.State.DRAFT)
    advances = deductible(draft)
    many = forms.formset_factory(f.DeductionForm, extra=0)
    initial = [
        {"invoice_id": a.invoice_id, "vat_code": a.vat_code, "amount": a.amount(draft.price_mode)} for a in advances
    ]
    rows = many(request.POST or None, prefix="rows", initial=initial)
    for form, advance in zip(rows.forms, advances, strict=False):
        left = advance.amount(draft.price_mode)
        form.title = (
            f"{advance.number}, VAT code {advance.vat_code}: {left} {draft.currency} {draft.price_mode} is left"
        )
    if request.method == "POST" and rows.is_valid():
        wanted = [row for row in rows.cleaned_data if row.get("amount")]
        return perform(
            request, lambda: f"Advances taken off: {take_off_advances(pk, wanted, actor=actor_of(request.user))}.",
            _page_of(pk),
        )  # fmt: skip
    return form_page(request, f"Take advances off {draft}", "Take off", None, rows)


@duty_page("finance")
def collective(request: HttpRequest) -> HttpResponse:
    """Customers with collective invoices, what waits for them, and the form that issues one."""
    head = f.CollectiveForm(request.POST or None)
    if request.method == "POST" and head.is_valid():
        data = head.cleaned_data
        try:
            done = goods_issues.issue_collective(
                data["customer"], data["first"], data["last"], actor=actor_of(request.user),
                issued_on=data["issued_on"], key=data["key"],
            )  # fmt: skip
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"Issued: {', '.join(row['number'] for row in done)}.")
            return HttpResponseRedirect(_page_of(done[0]["id"]))
    return page(
        request, "finance/collective.html", "Collective invoices", head=head, customers=_collective_customers(),
    )  # fmt: skip


def _collective_customers() -> list[dict[str, Any]]:
    waiting: dict[int, list[WaitingIssue]] = {}
    for row in WaitingIssue.objects.filter(invoice=None).order_by("issued_on", "shipment_id"):
        waiting.setdefault(row.customer_id, []).append(row)
    keys = set(CollectiveCustomer.objects.values_list("customer_id", flat=True)) | set(waiting)
    return [
        {"customer": customer, "waiting": waiting.get(customer.pk, [])}
        for customer in CustomerCopy.objects.filter(pk__in=keys).order_by("number")
    ]


@require_POST
@duty_page("finance")
def set_collective(request: HttpRequest) -> HttpResponse:
    """Start or end collective invoicing of a customer."""
    back = reverse("finance-collective")
    try:
        customer_id = f.CustomerField().clean(request.POST.get("customer", ""))
    except forms.ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return HttpResponseRedirect(back)
    is_collective = request.POST.get("on") == "yes"

    def run() -> str:
        goods_issues.set_collective(customer_id, is_collective=is_collective)
        return "Goods issues now wait for a collective invoice." if is_collective else "Each goods issue is invoiced."

    return perform(request, run, back)
