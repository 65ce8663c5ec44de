"""Orders that wait for goods, by product: who waits since when, what is expected, and serving them now."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from erp.actor import actor_of
from erp.errors import Refused
from logistics.services.backorders import allocate_backorders
from logistics.services.documents import today
from logistics.services.waiting import expect_goods, list_waiting
from logistics.staff.desk import duty_page, page, perform


class WaitingForm(forms.Form):
    """One product's row; without a product, all of them."""

    product = forms.IntegerField(required=False)
    expected_on = forms.DateField(required=False)


@duty_page
def waiting_orders(request: HttpRequest) -> HttpResponse:
    """Show what is waited for; ``verb`` "allocate" reserves what is free, "expect" notes a day."""
    if request.method == "POST":
        return perform(request, lambda: _run(request), reverse("logistics-waiting"))
    rows = list_waiting()
    return page(
        request, "logistics/waiting.html", "Orders waiting for goods", rows=rows, today=today(),
        pieces=sum(row["waiting"] for row in rows), servable=any(row["free"] for row in rows),
    )  # fmt: skip


def _run(request: HttpRequest) -> str:
    form = WaitingForm(request.POST)
    if not form.is_valid():
        raise Refused("Give the day as year-month-day, e.g. 2026-12-01.")
    product, day = form.cleaned_data["product"], form.cleaned_data["expected_on"]
    if request.POST.get("verb") == "expect":
        expect_goods(product or 0, day, actor=actor_of(request.user))
        return f"More is expected on {day:%Y-%m-%d}." if day else "It is not known when more comes."
    served = allocate_backorders([product] if product else [row["product_id"] for row in list_waiting()])
    if not served:
        raise Refused("Nothing is free for the orders that wait; receive goods first.")
    return f"{served} order{'s' if served > 1 else ''} got goods; plan their shipments next."
