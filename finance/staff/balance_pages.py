"""The trial balance, on the page and as a file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from erp.staff.desk import duty_page, page
from finance.services import accounts, balances
from finance.services.balances import AMOUNTS, AccountClass
from finance.staff.forms import DaysForm


class BalanceForm(DaysForm):
    """Days of the trial balance, and whether closing entries count."""

    closing = forms.ChoiceField(
        label="Closing entries of the last day", choices=[("without", "Left out"), ("with", "Included")],
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip


@duty_page("finance")
def trial_balance(request: HttpRequest) -> HttpResponse:
    """Opening balance, debits, credits and closing balance per account and class; ``?format=csv`` gives the figures."""
    form = BalanceForm({**_this_year(), **{k: v for k, v in request.GET.items() if v}})
    rows = []
    if form.is_valid():
        data = form.cleaned_data
        rows = balances.trial_balance(data["first"], data["last"], with_closing=data["closing"] == "with")
    classes = balances.by_class(rows)
    if request.GET.get("format") == "csv":
        return _csv(classes)
    return page(
        request, "finance/trial_balance.html", "Trial balance", form=form, classes=classes,
        totals=balances.totals_of(rows), days=form.data,
    )  # fmt: skip


def _csv(classes: Sequence[AccountClass]) -> HttpResponse:
    """Accounts, after each class its subtotals, at the end the total."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="trial-balance.csv"'
    out, currency = csv.writer(response), accounts.base_currency()
    out.writerow(["account", "account_name", *AMOUNTS, "currency"])
    for group in classes:
        out.writerows([r["account"], r["account_name"], *(r[n] for n in AMOUNTS), currency] for r in group.rows)
        title = f"Class {group.number} {group.name}".strip()
        out.writerow(["", title, *(group.totals[n] for n in AMOUNTS), currency])
    totals = balances.totals_of([row for group in classes for row in group.rows])
    out.writerow(["", "Total", *(totals[n] for n in AMOUNTS), currency])
    return response


def _this_year() -> dict[str, str]:
    today = timezone.now().date()
    return {"first": date(today.year, 1, 1).isoformat(), "last": today.isoformat(), "closing": "without"}
