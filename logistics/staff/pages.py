"""Forms of the warehouse as pages: goods in, correct and scrap, transfer, reorder levels, inspect."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.forms import formset_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from erp.actor import actor_of
from erp.errors import ErpError
from logistics import api
from logistics.models import ReturnOrder
from logistics.services.reordering import set_reorder_levels
from logistics.staff import forms as f
from logistics.staff.desk import duty_page, page

ROWS = 8
Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """One form page: its texts, its forms, and the call it makes."""

    title: str
    intro: str
    button: str
    head: type[forms.Form]
    row: type[forms.Form]
    run: Callable[[HttpRequest, dict[str, Any], Rows], str]


def task_page(task: Task) -> Callable[..., HttpResponse]:
    """View of a form page. What the service refuses is told above the form, which keeps its input."""

    @duty_page
    def view(request: HttpRequest) -> HttpResponse:
        many = formset_factory(task.row, extra=ROWS, min_num=1, validate_min=True)
        if request.method != "POST":
            head: forms.Form = task.head(initial={"key": uuid.uuid4().hex})
            return _show(request, task, head, many(prefix="rows"))
        head, rows = task.head(request.POST), many(request.POST, prefix="rows")
        if head.is_valid() and rows.is_valid():
            try:
                messages.success(request, task.run(request, head.cleaned_data, _filled(rows)))
                return HttpResponseRedirect(request.path)
            except ErpError as error:
                messages.error(request, error.message)
        return _show(request, task, head, rows)

    return view


def _filled(rows: Any) -> Rows:
    return [form.cleaned_data for form in rows if form.cleaned_data.get("product")]


def _show(request: HttpRequest, task: Task, head: Any, rows: Any) -> HttpResponse:
    return page(request, "logistics/task.html", task.title, task=task, head=head, rows=rows)


def _receive(request: HttpRequest, head: dict[str, Any], rows: Rows) -> str:
    done = api.receive_goods(
        [{"product_id": r["product"].pk, "quantity": r["quantity"], "unit_cost": r["unit_cost"]} for r in rows],
        actor=actor_of(request.user), key=head["key"], warehouse=head["warehouse"].code, received_on=head["on"],
        supplier_ref=head["supplier_ref"],
    )  # fmt: skip
    return f"Goods receipt {done['number']}: {done['pieces']} pieces are on the shelf in {done['warehouse']}."


def _adjust(request: HttpRequest, head: dict[str, Any], rows: Rows) -> str:
    sign = -1 if head["kind"] == "scrap" else 1
    done = api.adjust_stock(
        [{"product_id": r["product"].pk, "quantity": sign * r["quantity"]} for r in rows],
        actor=actor_of(request.user), key=head["key"], kind=head["kind"], warehouse=head["warehouse"].code,
        adjusted_on=head["on"], reason=head["reason"],
    )  # fmt: skip
    return f"{done['number']}: {done['pieces']:+d} pieces in {done['warehouse']}."


def _transfer(request: HttpRequest, head: dict[str, Any], rows: Rows) -> str:
    done = api.transfer_stock(
        [{"product_id": r["product"].pk, "quantity": r["quantity"]} for r in rows],
        source=head["warehouse"].code, target=head["target"].code, actor=actor_of(request.user), key=head["key"],
        moved_on=head["on"],
    )  # fmt: skip
    return f"{done['number']}: moved {done['warehouse']}."


def _reorder(request: HttpRequest, head: dict[str, Any], rows: Rows) -> str:
    done = set_reorder_levels(
        [{"product_id": r["product"].pk, "level": r["level"], "target": r["target"]} for r in rows],
        actor=actor_of(request.user), key=head["key"], warehouse=head["warehouse"].code,
    )  # fmt: skip
    return f"{done['warehouse']}: {done['set']} levels set, {done['removed']} removed."


receive_goods = task_page(
    Task(
        "Receive goods", "A delivery that has arrived. Waiting backorders are served from it, oldest first.",
        "Book receipt", f.ReceiptHead, f.ReceiptRow, _receive,
    )
)  # fmt: skip
adjust_stock = task_page(
    Task(
        "Correct or scrap stock", "Goods found, lost or spoilt. What is reserved for orders cannot be taken away.",
        "Book change", f.AdjustmentHead, f.AdjustmentRow, _adjust,
    )
)  # fmt: skip
transfer_stock = task_page(
    Task(
        "Transfer stock", "Free pieces from one warehouse to another.", "Book transfer",
        f.TransferHead, f.Row, _transfer,
    )
)  # fmt: skip


reorder_levels = task_page(
    Task(
        "Reorder levels", "From which level on a product is on the low-stock list of a warehouse, and up to how many "
        "it is to be filled.", "Set levels", f.ReorderHead, f.ReorderRow, _reorder,
    )
)  # fmt: skip


@duty_page
def inspect_return(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide line by line what is restocked and what is scrapped."""
    found = get_object_or_404(ReturnOrder, pk=pk)
    lines = list(found.lines.order_by("line_no"))
    many = formset_factory(f.InspectionForm, extra=0)
    initial = [{"line_no": line.line_no, "restock": line.quantity, "scrap": 0} for line in lines]
    rows = many(request.POST or None, initial=initial, prefix="rows")
    if request.method == "POST" and rows.is_valid():
        decisions = {r["line_no"]: (r["restock"], r["scrap"]) for r in rows.cleaned_data}
        try:
            done = api.inspect_return(pk, decisions, actor=actor_of(request.user))
            messages.success(request, f"Return {done['number']} is {done['state']}; the credit note follows.")
            return HttpResponseRedirect(reverse("admin:logistics_returnorder_change", args=[pk]))
        except ErpError as error:
            messages.error(request, error.message)
    title = f"Inspect return {found.number}"
    pairs = list(zip(lines, rows, strict=True))
    return page(request, "logistics/inspect.html", title, found=found, pairs=pairs, rows=rows)
