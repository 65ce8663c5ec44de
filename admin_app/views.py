"""Staff pages of Admin's reports; each says how old its ledger copy is and at which position it stands."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from typing import Any, Self

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from admin_app.services import reports
from admin_app.services.reports import Report


class PeriodForm(forms.Form):
    """Dates and position of a report; by default this year so far, at the latest position."""

    first_on = forms.DateField(required=False, label="From", widget=UnfoldAdminSingleDateWidget)
    last_on = forms.DateField(required=False, label="To", widget=UnfoldAdminSingleDateWidget)
    position = forms.IntegerField(
        required=False, min_value=0, label="Position (empty: latest)", widget=UnfoldAdminTextInputWidget
    )

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """The form as asked for, completed by the defaults so that they are seen."""
        today = timezone.now().date()
        defaults = {"first_on": today.replace(month=1, day=1).isoformat(), "last_on": today.isoformat()}
        return cls({**defaults, **{name: value for name, value in request.GET.items() if value}})

    def period(self) -> tuple[date, date]:
        """The dates; of a form that is not valid today's."""
        today = timezone.now().date()
        data = self.cleaned_data if self.is_valid() else {}
        last_on = data.get("last_on") or today
        return data.get("first_on") or last_on.replace(month=1, day=1), last_on

    def at(self) -> int | None:
        """The position asked for."""
        return self.cleaned_data.get("position") if self.is_valid() else None


class SalesForm(PeriodForm):
    """Dates of the sales report, and by what."""

    by = forms.ChoiceField(
        required=False, choices=[("product", "Product"), ("customer", "Customer")], widget=UnfoldAdminSelectWidget
    )


class BalanceForm(PeriodForm):
    """Dates of the trial balance, and whether the closing entries of their last day count."""

    closing = forms.ChoiceField(
        required=False, label="Closing entries", choices=[("", "Left out"), ("with", "Included")],
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip


class DayForm(PeriodForm):
    """The day of the ageing report."""

    first_on = None  # type: ignore[assignment]


def trial_balance(request: HttpRequest) -> HttpResponse:
    """Trial balance of a period."""
    form = BalanceForm.of(request)
    with_closing = form.is_valid() and form.cleaned_data["closing"] == "with"
    return _page(
        request, form,
        lambda stale: reports.trial_balance(
            *form.period(), form.at(), allow_stale=stale, with_closing=with_closing
        ),
    )  # fmt: skip


def sales(request: HttpRequest) -> HttpResponse:
    """Net sales of a period by product or customer."""
    form = SalesForm.of(request)
    is_by_customer = form.is_valid() and form.cleaned_data["by"] == "customer"
    report = reports.sales_by_customer if is_by_customer else reports.sales_by_product
    return _page(request, form, lambda stale: report(*form.period(), form.at(), allow_stale=stale))


def margin(request: HttpRequest) -> HttpResponse:
    """Sales, cost and margin of a period by product."""
    form = PeriodForm.of(request)
    return _page(request, form, lambda stale: reports.margin_by_product(*form.period(), form.at(), allow_stale=stale))


def receivables(request: HttpRequest) -> HttpResponse:
    """Receivables by days past due."""
    form = DayForm.of(request)
    return _page(
        request, form, lambda stale: reports.receivables_by_age(form.period()[1], form.at(), allow_stale=stale)
    )


def _page(request: HttpRequest, form: PeriodForm, run: Callable[[bool], Report]) -> HttpResponse:
    return admin.site.admin_view(lambda r: _answer(r, form, run))(request)


def _answer(request: HttpRequest, form: PeriodForm, run: Callable[[bool], Report]) -> HttpResponse:
    if not request.user.has_perm("admin_app.view_ledgercopy"):
        raise PermissionDenied
    report = run(request.GET.get("stale") == "allow")
    if request.GET.get("format") == "csv" and report.rows is not None:
        return _as_csv(report)
    context: dict[str, Any] = {
        **admin.site.each_context(request), "title": report.title, "report": report, "form": form,
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return TemplateResponse(request, "admin_app/report.html", context, status=200)


def _as_csv(report: Report) -> HttpResponse:
    name = report.title.lower().replace(" ", "-")
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-at-{report.position}.csv"'},
    )
    writer = csv.writer(response)
    writer.writerow([column.title for column in report.columns])
    for row in report.rows or ():
        writer.writerow([row[column.name] for column in report.columns])
    return response
