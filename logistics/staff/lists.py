"""Working lists: what to pick, what runs low, the paper that goes into the parcel."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound, Refused
from erp.pdf import pdf_response
from logistics.models import Shipment, Warehouse
from logistics.services.delivery_note import delivery_note as make_delivery_note
from logistics.services.reordering import list_low_stock
from logistics.staff.buttons import buttons_of
from logistics.staff.desk import duty_page, page

_TO_TAKE = """
select w.code as warehouse, d.sku, d.name, coalesce(p.barcode, '') as barcode, sum(d.quantity)::int as quantity,
  string_agg(s.number, ', ' order by s.id) as shipments
from shipment_line d join shipment s on s.id = d.shipment_id join warehouse w on w.id = s.warehouse_id
left join product_copy p on p.id = d.product_id
where s.state = 'planned' and d.is_stocked and (%(warehouse)s = '' or w.code = %(warehouse)s)
group by w.priority, w.code, d.sku, d.name, p.barcode order by w.priority, w.code, d.sku limit 500"""


@duty_page
def pick_list(request: HttpRequest) -> HttpResponse:
    """What to take from the shelves and the shipments it is for, by warehouse, oldest first; prints well."""
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
    with cursor("logistics") as cur:
        cur.execute(_TO_TAKE, {"warehouse": code})
        to_take = rows_as_dicts(cur)
    return page(
        request, "logistics/pick_list.html", "Pick list", rows=rows, to_take=to_take, code=code,
        warehouses=Warehouse.objects.all(), total=shipments.count(),
    )  # fmt: skip


@duty_page
def low_stock(request: HttpRequest) -> HttpResponse:
    """Products of which less is free than their reorder level, or nothing."""
    code = request.GET.get("warehouse", "")
    rows = list_low_stock(code)
    return page(
        request, "logistics/low_stock.html", "Low stock", rows=rows, code=code, warehouses=Warehouse.objects.all()
    )


@duty_page
def delivery_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Delivery note of a shipment as PDF, in the customer's language or in ``?language=``."""
    try:
        name, content = make_delivery_note(pk, request.GET.get("language", ""))
    except NotFound as error:
        raise Http404 from error
    except Refused as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:logistics_shipment_change", args=[pk]))
    return pdf_response(name, content)
