"""Pages of stock counts: the sheets, and one sheet to write on while walking along the shelves."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from erp.actor import Actor, actor_of
from erp.errors import ErpError, Refused
from logistics.models import ProductCopy, StockCount
from logistics.services import counting
from logistics.services.documents import whole_number
from logistics.staff.desk import duty_page, page, perform
from logistics.staff.forms import OpenCountForm
from logistics.staff.scanning import find_product


@require_http_methods(["GET", "HEAD", "POST"])
@duty_page
def counts(request: HttpRequest) -> HttpResponse:
    """Open sheets and the latest closed ones; POST opens one."""
    form = OpenCountForm(request.POST or None, initial={"key": uuid.uuid4().hex})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            made = counting.open_count(
                actor=actor_of(request.user), key=chosen["key"], warehouse=chosen["warehouse"].code,
                sku_prefix=form.sku_prefix(), counted_on=chosen["on"],
            )  # fmt: skip
            return HttpResponseRedirect(reverse("logistics-count-sheet", args=[made["count_id"]]))
        except ErpError as error:
            messages.error(request, error.message)
    sheets = StockCount.objects.select_related("warehouse").order_by("-id")
    return page(
        request, "logistics/counts.html", "Count stock", form=form, open=sheets.filter(state="open")[:100],
        closed=sheets.exclude(state="open")[:20],
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@duty_page
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """One sheet; POST keeps what was written and does what the button says."""
    found = get_object_or_404(StockCount.objects.select_related("warehouse"), pk=pk)
    if request.method == "POST":
        return perform(request, lambda: _do(request, found), reverse("logistics-count-sheet", args=[pk]))
    lines = counting.list_sheet(found)
    moved = sum(line["is_moved"] for line in lines) if found.state == "open" else 0
    return page(
        request, "logistics/count_sheet.html", f"Stock count {found.number}", found=found, lines=lines, moved=moved,
        done=sum(line["counted"] is not None for line in lines),
    )  # fmt: skip


def _do(request: HttpRequest, found: StockCount) -> str:
    actor, verb = actor_of(request.user), request.POST.get("verb", "save")
    if verb == "cancel":
        return f"Stock count {counting.cancel_count(found.pk, actor=actor)} is closed; nothing was posted."
    counting.write_counts(found.pk, _written(request), actor=actor)
    if verb == "post":
        return _posted(counting.post_count(found.pk, actor=actor))
    if verb == "again":
        return f"{counting.count_again(found.pk, actor=actor)} products are to be counted again."
    if request.POST.get("scan", "").strip():
        return _add(found, request.POST["scan"], actor)
    return "Written down."


def _add(found: StockCount, code: str, actor: Actor) -> str:
    product: ProductCopy = find_product(code)
    counting.put_on_sheet(found.pk, product.pk, actor=actor)
    return f"{product.sku} is on the sheet."


def _written(request: HttpRequest) -> dict[int, int | None]:
    written: dict[int, int | None] = {}
    for name, value in request.POST.items():
        key = name.removeprefix("counted-")
        if key != name and key.isascii() and key.isdecimal() and len(key) < 19:
            written[int(key)] = _pieces(str(value))
    return written


def _pieces(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return whole_number(int(text), "Counted", minimum=0)
    except ValueError as error:
        raise Refused(f"{text!r} is not a number of pieces") from error


def _posted(done: dict[str, object]) -> str:
    differences, waiting = done["differences"], done["waiting"]
    assert isinstance(differences, list)
    assert isinstance(waiting, list)
    if not differences:
        return f"{done['number']}: everything counted is as the books say."
    said = f"{done['number']}: {len(differences)} differences posted, {done['pieces']:+d} pieces."
    return said + (f" Now waiting for goods: {', '.join(waiting)}." if waiting else "")
