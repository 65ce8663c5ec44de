"""The VAT return: figures per code, the documents behind each, CSV and JSON, transfer to the settlement account."""

from __future__ import annotations

import csv
from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from erp.actor import actor_of
from erp.fields import dump_json
from erp.staff.desk import duty_button, duty_page, page, perform
from finance.models import FiscalPeriod, Invoice
from finance.services import accounts
from finance.services.margin_costs import enter_costs, lines_without_cost, margin_lines
from finance.services.margin_vat import margin_vat_due, post_margin_vat
from finance.services.vat_by_hand import entries_without_code
from finance.services.vat_documents import document_differences, documents_of_code, late_documents, months_holding
from finance.services.vat_return import SIDES, VatReturn, vat_return
from finance.services.vat_settlement import settle_vat
from finance.staff import forms as f
from finance.staff.pages import form_page

DOCUMENTS_SHOWN = 1_000


@duty_page("finance")
def vat_return_page(request: HttpRequest) -> HttpResponse:
    """Base and tax per code of a month, or of any days; ``?format=csv`` and ``?format=json`` give the figures."""
    form = f.DaysForm(_days(request))
    if not form.is_valid():
        return page(request, "finance/vat_return.html", "VAT return", form=form, periods=_periods())
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    found = vat_return(first, last)
    if request.GET.get("format") == "json":
        return HttpResponse(dump_json(found.as_json()), content_type="application/json")
    if request.GET.get("format") == "csv":
        return _csv(found)
    period = FiscalPeriod.objects.filter(starts_on=first, ends_on=last).first()
    return page(
        request, "finance/vat_return.html", f"VAT return {first} – {last}", form=form, periods=_periods(), found=found,
        sides=[(title, side, [c for c in found.codes if c.side == side]) for title, side in _SIDES],
        differences=document_differences(first, last), period=period, currency=accounts.base_currency(),
        query=f"first={first}&last={last}", margin_due=margin_vat_due(last),
        without_cost=lines_without_cost(last), margin_lines=margin_lines(first, last), late=_late(period),
        without_code=_linked([] if found.agrees else entries_without_code(first, last)),
        holding=holding_months(first),
    )  # fmt: skip


_SIDES = (
    ("Sales (output VAT)", "sale"), ("Purchases with VAT owed by the buyer (output VAT)", "reverse"),
    ("Purchases (input VAT)", "purchase"),
)  # fmt: skip


def _late(period: FiscalPeriod | None) -> list[dict[str, Any]]:
    return _linked(late_documents(period) if period else [])


def holding_months(before: date) -> list[dict[str, Any]]:
    """Months before a day whose VAT accounts still hold something, their late documents with links: for a page.

    Of a late document ``owed`` is what it adds to what is payable; input VAT lowers it.
    """
    found = months_holding(before)
    for month in found:
        for row in _linked(month["late"]):
            row["owed"] = -row["tax"]
    return found


def _linked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        row["url"] = _url(row)
    return rows


def _periods() -> list[FiscalPeriod]:
    return list(FiscalPeriod.objects.order_by("-starts_on")[:24])


def _days(request: HttpRequest) -> dict[str, Any]:
    """The days asked for; else the latest month that has begun."""
    given = {name: value for name, value in request.GET.items() if value}
    code = given.get("period")
    chosen = FiscalPeriod.objects.filter(code=code).first() if code else None
    if chosen is None and "first" not in given:
        today = timezone.now().date()
        chosen = FiscalPeriod.objects.filter(starts_on__lte=today).order_by("-starts_on").first()
        if chosen is None:
            return {"first": today.replace(day=1).isoformat(), "last": today.isoformat()}
    if chosen:
        return {"first": chosen.starts_on.isoformat(), "last": chosen.ends_on.isoformat()}
    return given


def _csv(found: VatReturn) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="vat-return-{found.first}-{found.last}.csv"'
    rows = csv.writer(response)
    rows.writerow(["side", "code", "name", "rate", "category", "base", "tax", "currency"])
    for code in found.codes:
        rows.writerow(
            [code.side, code.code, code.name, code.rate, code.category, code.base, code.tax, accounts.base_currency()]
        )
    rows.writerow(["payable", "", "", "", "", "", found.payable, accounts.base_currency()])
    return response


@duty_page("finance")
def vat_documents_page(request: HttpRequest, side: str, code: str) -> HttpResponse:
    """The documents behind one line of the return."""
    form = f.DaysForm(request.GET)
    if side not in SIDES or not form.is_valid():
        raise Http404
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    rows = documents_of_code(first, last, side, code, DOCUMENTS_SHOWN)
    for row in rows:
        row["url"] = _url(row)
    if request.GET.get("format") == "json":
        return HttpResponse(dump_json(rows), content_type="application/json")
    return page(
        request, "finance/vat_documents.html", f"VAT code {code}, {first} – {last}", rows=rows,
        base=sum((r["base"] for r in rows), 0), tax=sum((r["tax"] for r in rows), 0), shown=DOCUMENTS_SHOWN,
        back=f"{reverse('finance-vat-return')}?first={first}&last={last}",
    )  # fmt: skip


def _url(row: dict[str, Any]) -> str:
    if row["document_kind"] in Invoice.Kind.values and row["document_id"]:
        return reverse("admin:finance_invoice_change", args=[row["document_id"]])
    return reverse("admin:finance_journalentry_change", args=[row["entry_id"]])


def _return_of(request: HttpRequest, period: str) -> str:
    return f"{reverse('finance-vat-return')}?period={period}"


@duty_button("finance", _return_of)
def settle_vat_page(request: HttpRequest, period: str) -> str:
    """Transfer a month's VAT to the settlement account."""
    return f"Entry {settle_vat(period, actor=actor_of(request.user))['entry_no']} settles the VAT of {period}."


@duty_button("finance", _return_of)
def post_margin_page(request: HttpRequest, period: str) -> str:
    """Post the margin scheme's VAT of a month."""
    done = post_margin_vat(period, actor=actor_of(request.user))
    return f"Entry {done['entry_no']} posts the VAT of the margin scheme for {period}."


@duty_page("finance")
def margin_costs_page(request: HttpRequest) -> HttpResponse:
    """Enter what lines of the margin scheme cost that no goods move delivered."""
    days = f.DaysForm(request.GET)
    if not days.is_valid():
        raise Http404
    first, last = days.cleaned_data["first"], days.cleaned_data["last"]
    lines = margin_lines(first, last)
    many = forms.formset_factory(f.MarginCostForm, extra=0)
    initial = [{"line_id": x["id"], "cost": x["cost"], "note": x["note"]} for x in lines]
    rows = many(request.POST or None, prefix="rows", initial=initial)
    for form, line in zip(rows.forms, lines, strict=False):
        form.title = (
            f"{line['number']} line {line['line_no']}, {line['tax_on']}: {line['name']}, sold for "
            f"{line['net'].normalize():,f} {accounts.base_currency()} ({line['vat_code']})"
        )
    if request.method == "POST" and rows.is_valid():
        wanted = [row for row in rows.cleaned_data if row.get("cost") is not None]

        def run() -> str:
            return f"Costs of {enter_costs(wanted, actor=actor_of(request.user))} lines are entered."

        return perform(request, run, f"{reverse('finance-vat-return')}?first={first}&last={last}")
    return form_page(request, f"Costs under the margin scheme, {first} – {last}", "Enter", None, rows)
