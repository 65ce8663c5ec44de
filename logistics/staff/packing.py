"""Pages between order and parcel: plan a part of an order, pack and check by scanning, tracking numbers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from erp.actor import actor_of
from erp.errors import ErpError, Refused
from logistics import api
from logistics.models import ProductCopy, SalesOrder, Shipment
from logistics.services.fulfilment import set_tracking
from logistics.services.packing import pack_pieces
from logistics.services.planning import list_plannable
from logistics.staff.desk import duty_page, page, perform
from logistics.staff.forms import PackForm, PlanForm, TrackingForm


def _written(request: HttpRequest, prefix: str) -> dict[int, int]:
    """Whole numbers that were written into fields ``<prefix>-<line number>``; empty ones are left out."""
    found = {}
    for name, value in request.POST.items():
        key, text = name.removeprefix(f"{prefix}-"), str(value).strip()
        if key == name or not text or not (key.isascii() and key.isdecimal() and len(key) < 10):
            continue
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise Refused(f"{text!r} is not a number of pieces")
        found[int(key)] = int(text)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@duty_page
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan a shipment of a part of an order; what is not planned stays reserved or waits for goods."""
    order = get_object_or_404(SalesOrder, pk=pk)
    form = PlanForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        place = form.cleaned_data["warehouse"]

        def run() -> str:
            wanted = [{"line_no": n, "quantity": q} for n, q in _written(request, "plan").items() if q]
            if not wanted:
                raise Refused("Write how many pieces of at least one line are to be sent")
            code = place.code if place else None
            planned = api.create_shipments(pk, wanted, actor=actor_of(request.user), warehouse=code)
            return f"Planned: {', '.join(s['number'] for s in planned)}. The warehouse can pick now."

        return perform(request, run, reverse("admin:logistics_salesorder_change", args=[pk]))
    return page(
        request, "logistics/plan.html", f"Plan a part of {order.number}", order=order, form=form,
        lines=list_plannable(pk),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@duty_page
def pack(request: HttpRequest, pk: int) -> HttpResponse:
    """Pack a picked shipment: what is in the parcel, its weight, who carries it; with one button it leaves too."""
    shipment = get_object_or_404(Shipment.objects.select_related("order", "warehouse"), pk=pk)
    given = {"carrier": shipment.carrier, "tracking_number": shipment.tracking_number, "parcels": shipment.parcels}
    form = PackForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, _pack(request, shipment, form))
            return HttpResponseRedirect(reverse("admin:logistics_shipment_change", args=[pk]))
        except ErpError as error:
            messages.error(request, error.message)
    lines = [line for line in shipment.lines.order_by("order_line_no") if line.is_stocked]
    known = {p.pk: p for p in ProductCopy.objects.filter(pk__in=[line.product_id for line in lines])}
    rows = [(line, known.get(line.product_id), request.POST.get(f"packed-{line.order_line_no}", "")) for line in lines]
    return page(request, "logistics/pack.html", f"Pack {shipment.number}", shipment=shipment, form=form, rows=rows)


def _pack(request: HttpRequest, shipment: Shipment, form: PackForm) -> str:
    actor = actor_of(request.user)
    done = pack_pieces(shipment.pk, _written(request, "packed"), actor=actor, **form.cleaned_data)
    said = f"Shipment {done['number']} is packed."
    if done["left_out"]:
        said += f" {done['left_out']} pieces stay reserved for the order; plan them again when they are there."
    if request.POST.get("verb") == "issue":
        api.issue_shipment(shipment.pk, actor=actor)
        said += " It has left."
    return said


@require_http_methods(["GET", "HEAD", "POST"])
@duty_page
def track(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down who carries a shipment and under which number, also after it has left."""
    shipment = get_object_or_404(Shipment, pk=pk)
    given = {"carrier": shipment.carrier, "tracking_number": shipment.tracking_number}
    form = TrackingForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        return perform(
            request,
            lambda: (
                f"Tracking number of {set_tracking(pk, actor=actor_of(request.user), **form.cleaned_data)} is kept."
            ),
            reverse("admin:logistics_shipment_change", args=[pk]),
        )
    return page(request, "logistics/track.html", f"Tracking number of {shipment.number}", form=form, found=shipment)
