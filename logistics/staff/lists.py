"""Working lists: what to pick, what runs low, the paper that goes into the parcel."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from erp.db import cursor, rows_as_dicts
from erp.relay import retry_now, run_relay
from logistics.models import Shipment, Warehouse
from logistics.services.relays import list_stuck
from logistics.staff.buttons import buttons_of
from logistics.staff.desk import duty_page, page, perform

_LOW = """
select s.id, w.code, p.sku, p.name, s.on_hand, s.reserved, s.on_hand - s.reserved as free, s.reorder_level,
  coalesce((select sum(l.quantity - l.reserved - l.issued - l.cancelled) from sales_order_line l
            join sales_order o on o.id = l.order_id and o.lifecycle = 'open'
            where l.product_id = s.product_id and l.is_stocked
              and l.quantity > l.reserved + l.issued + l.cancelled), 0)::int as waiting
from stock s join warehouse w on w.id = s.warehouse_id join product_copy p on p.id = s.product_id
where s.retired_at is null and p.retired_at is null
  and (s.on_hand - s.reserved < s.reorder_level or s.on_hand = s.reserved)
order by waiting desc, free, p.sku limit 500"""


@duty_page
def pick_list(request: HttpRequest) -> HttpResponse:
    """Shipments to pick and pack, by warehouse, oldest first; prints well."""
    code = request.GET.get("warehouse", "")
    shipments = (
        Shipment.objects.filter(state__in=["planned", "picked", "packed"])
        .select_related("warehouse", "order")
        .prefetch_related("lines")
        .order_by("warehouse__priority", "id")
    )
    if code:
        shipments = shipments.filter(warehouse__code=code)
    rows = [{"shipment": s, "buttons": buttons_of(s)} for s in shipments[:200]]
    return page(
        request, "logistics/pick_list.html", "Pick list", rows=rows, code=code, warehouses=Warehouse.objects.all()
    )


@duty_page
def low_stock(request: HttpRequest) -> HttpResponse:
    """Products of which less is free than their reorder level, or nothing."""
    with cursor("logistics") as cur:
        cur.execute(_LOW)
        rows: list[dict[str, Any]] = rows_as_dicts(cur)
    return page(request, "logistics/low_stock.html", "Low stock", rows=rows)


@duty_page
def delivery_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Delivery note of a shipment, for printing."""
    shipment = get_object_or_404(Shipment.objects.select_related("order", "warehouse"), pk=pk)
    lines = shipment.lines.order_by("order_line_no")
    return page(
        request, "logistics/delivery_note.html", f"Delivery note {shipment.number}", shipment=shipment, lines=lines
    )


@duty_page
def stuck(request: HttpRequest) -> HttpResponse:
    """Work for Finance that failed and waits to be repeated."""
    return page(request, "logistics/stuck.html", "Work that is stuck", rows=list_stuck())


@require_POST
@duty_page
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Do a stuck item now."""

    def run() -> str:
        retry_now("logistics", pk)
        done = run_relay("logistics", limit=20)
        return f"Done: {done['done']}, failed again: {done['failed']}."

    return perform(request, run, reverse("logistics-stuck"))
