"""The bookkeeper's pages of what customers owe: open items, ageing, a customer's statement, write-off."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from erp.actor import actor_of
from erp.errors import ErpError
from erp.staff.desk import duty_page, page
from finance.models import CustomerCopy, Invoice, Payment
from finance.services import refunds
from finance.services.customer_accounts import customer_statement
from finance.services.open_items import ageing as ageing_of
from finance.services.open_items import open_items as items_of
from finance.services.open_items import open_payments, receivables_balance, totals_by_currency
from finance.services.statement_files import ageing_csv, statement_csv, statement_pdf
from finance.services.write_offs import write_off as write_off_rest
from finance.staff import forms as f
from finance.staff.pages import form_page

SHOWN = 1000


@duty_page("finance")
def open_items(request: HttpRequest) -> HttpResponse:
    """What customers owe and are owed on a day, document by document, against the receivables accounts."""
    text, day, on = request.GET.get("customer", "").strip(), *_day_of(request)
    customer = CustomerCopy.objects.filter(number__iexact=text).first() if text else None
    if text and customer is None:
        messages.error(request, f"There is no customer {text}; give the number, e.g. C000001.")
    items = items_of(on=on)
    total = sum((row["base_open"] for row in items), Decimal(0))
    shown = [
        row for row in items
        if (customer is None or row["customer_id"] == customer.pk)
        and (request.GET.get("late") != "on" or row["days_late"] > 0)
    ]  # fmt: skip
    payments = open_payments(customer.pk if customer else None, on)
    return page(
        request, "finance/open_items.html", "Open items", items=shown[:SHOWN], count=len(shown), total=total,
        receivables=receivables_balance(on), payments=payments[:SHOWN], customer=text, late=request.GET.get("late"),
        form=day, on=on,
    )  # fmt: skip


def _day_of(request: HttpRequest) -> tuple[f.DayForm, date | None]:
    """The form, and the past day that is asked for; None for today."""
    today = timezone.now().date()
    form = f.DayForm({"on": request.GET.get("on") or today.isoformat()})
    asked = form.cleaned_data["on"] if form.is_valid() else today
    return form, asked if asked < today else None


@duty_page("finance")
def ageing(request: HttpRequest) -> HttpResponse:
    """What each customer owed on a day, by how late it was; ``?format=csv`` gives the figures."""
    form, on = _day_of(request)
    rows = ageing_of(on)
    if request.GET.get("format") == "csv":
        day = on or timezone.now().date()
        return _file(ageing_csv(rows).encode("utf-8-sig"), "text/csv; charset=utf-8", f"ageing-{day}.csv")
    return page(
        request, "finance/ageing.html", "Ageing of receivables", rows=rows[:SHOWN], totals=totals_by_currency(rows),
        form=form, on=on,
    )  # fmt: skip


@duty_page("finance")
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's statement; ``as=csv`` or ``as=pdf`` as a file."""
    today = timezone.now().date()
    given = {"first": date(today.year, 1, 1).isoformat(), "last": today.isoformat()}
    form = f.DaysForm({**given, **{k: v for k, v in request.GET.items() if v}})
    days = form.cleaned_data if form.is_valid() else {"first": date(today.year, 1, 1), "last": today}
    try:
        found = customer_statement(pk, days["first"], days["last"])
    except ErpError as error:
        raise Http404(error.message) from error
    name = f"{found.customer.number}-{days['first']:%Y%m%d}-{days['last']:%Y%m%d}"
    if request.GET.get("as") == "csv":
        return _file(statement_csv(found).encode("utf-8-sig"), "text/csv; charset=utf-8", f"{name}.csv")
    if request.GET.get("as") == "pdf":
        content = statement_pdf(found, request.GET.get("language") or found.customer.language)
        return _file(content, "application/pdf", f"{name}.pdf")
    return page(
        request, "finance/statement.html", f"Statement of {found.customer}", statement=found, form=form, days=days
    )


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@duty_page("finance")
def write_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up what is open of a document, up to the limit."""
    invoice = get_object_or_404(Invoice.objects.select_related("settlement"), pk=pk, state=Invoice.State.ISSUED)
    head = f.WriteOffForm(request.POST or None)
    if request.method == "POST" and head.is_valid():
        data = head.cleaned_data
        try:
            done = write_off_rest(
                pk, actor=actor_of(request.user), reason=data["reason"], amount=data["amount"], key=data["key"]
            )
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"{done['amount']} {done['currency']} of {done['number']} is written off.")
            return HttpResponseRedirect(reverse("admin:finance_invoice_change", args=[pk]))
    title = f"Write off {invoice.number}: {invoice.settlement.open_total} {invoice.currency} open"
    return form_page(request, title, "Write off", head)


@duty_page("finance")
def deallocate(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what a payment settles of a document."""
    payment = get_object_or_404(Payment, pk=pk)
    settled: dict[int, Decimal] = {}
    for row in payment.allocations.filter(invoice__isnull=False):
        settled[row.invoice_id or 0] = settled.get(row.invoice_id or 0, Decimal(0)) + row.amount
    numbers = dict(Invoice.objects.filter(pk__in=settled).values_list("id", "number"))
    choices = [(key, f"{numbers[key]}: {amount} {payment.currency}") for key, amount in settled.items() if amount]

    class Choice(forms.Form):
        invoice = forms.TypedChoiceField(label="Document", choices=choices, coerce=int, widget=UnfoldAdminSelectWidget)

    head = Choice(request.POST or None)
    if request.method == "POST" and head.is_valid():
        try:
            refunds.deallocate_payment(pk, head.cleaned_data["invoice"], actor=actor_of(request.user))
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The document is open again; the money is on the customer's account.")
            return HttpResponseRedirect(reverse("admin:finance_payment_change", args=[pk]))
    return form_page(request, f"Take back an allocation of {payment.number}", "Take back", head)
