"""Logistics' staff pages: figures are read, changes are operations with buttons and forms of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.admin import TabularInline

from erp.admin import EditableAdmin, InternalAdmin, OwnedAdmin, ReadOnlyAdmin, register_copies, register_standard
from erp.duties import has_duty
from logistics.models import (
    GoodsReceipt,
    OrderOffer,
    ProductCopy,
    ReorderLevel,
    Reservation,
    ReturnLine,
    ReturnOrder,
    SalesOrder,
    SalesOrderLine,
    Shipment,
    ShipmentLine,
    Stock,
    StockCount,
    StockCountLine,
    StockMove,
    Warehouse,
)
from logistics.serializers import StockSerializer
from logistics.staff.buttons import buttons_of


class Lines(TabularInline):  # type: ignore[misc]
    """Rows that belong to a document; read-only."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class DocumentAdmin(ReadOnlyAdmin):
    """A document with the buttons that make sense in its state."""

    in_front = True
    change_form_outer_before_template = "logistics/document_buttons.html"

    def links_of(self, row: Any) -> list[tuple[str, str]]:
        """(title, URL) of the document's own pages."""
        return []

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The document below its buttons."""
        row = self.get_object(request, object_id) if object_id else None
        may = row is not None and has_duty(request.user, "logistics")
        shown = {"buttons": buttons_of(row) if may else [], "links": self.links_of(row) if may else []}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})


@admin.register(Warehouse)
class WarehouseAdmin(EditableAdmin):
    """Warehouses and the order in which they are emptied."""

    icon = "warehouse"
    list_display = ("code", "name", "priority", "is_active", "city")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A code stands on documents: it is given once."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: make it inactive."""
        return False


@admin.register(Stock)
class StockAdmin(OwnedAdmin):
    """Live figures per warehouse and product; they change through moves and reservations alone."""

    serializer_class = StockSerializer
    icon = "inventory_2"
    list_display = ("sku", "warehouse", "on_hand", "reserved", "free_pieces", "updated_at")
    list_filter = ("warehouse",)
    list_select_related = ("warehouse",)
    search_fields = ("=product_id",)
    search_help_text = "SKU, beginning of a product's name, or product id"
    fields = ("warehouse", "sku", "on_hand", "reserved", "free_pieces", "moves")
    readonly_fields = ("warehouse", "sku", "on_hand", "reserved", "free_pieces", "moves")
    actions = ()  # type: ignore[assignment]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A stock row is made by the first goods receipt."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Goods are received, counted, moved and scrapped on pages of their own."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Search by SKU and name in the product copy."""
        if not search_term:
            return queryset, False
        named = ProductCopy.objects.filter(sku__iexact=search_term) | ProductCopy.objects.filter(
            name__istartswith=search_term
        )
        keys = list(named.values_list("pk", flat=True)[:500])
        if search_term.isdecimal():
            keys.append(int(search_term))
        return queryset.filter(product_id__in=keys), False

    @admin.display(description="Product")
    def sku(self, row: Stock) -> str:
        """SKU and name."""
        found = ProductCopy.objects.filter(pk=row.product_id).first()
        return str(found) if found else str(row.product_id)

    @admin.display(description="Free")
    def free_pieces(self, row: Stock) -> int:
        """On hand less reserved."""
        return row.free

    @admin.display(description="Latest moves")
    def moves(self, row: Stock) -> str:
        """The last ten moves here."""
        found = StockMove.objects.filter(product_id=row.product_id, warehouse=row.warehouse_id).order_by("-id")[:10]
        return "; ".join(f"{m.moved_on} {m.get_kind_display()} {m.quantity:+d} ({m.document_number})" for m in found)


@admin.register(StockMove)
class StockMoveAdmin(InternalAdmin):
    """The append-only ledger of stock."""

    in_front = True
    icon = "swap_vert"
    list_display = (
        "moved_on", "warehouse", "product_id", "seq", "kind", "quantity", "document_number", "reason", "actor_name",
    )  # fmt: skip
    list_filter = ("kind", "warehouse")
    list_select_related = ("warehouse",)
    search_fields = ("document_number", "=product_id")


class OrderLines(Lines):
    """Lines of an order with what is reserved, issued and returned."""

    model = SalesOrderLine
    fields = ("line_no", "sku", "name", "quantity", "unit_price", "reserved", "issued", "returned", "cancelled")


class OrderShipments(Lines):
    """Shipments of an order."""

    model = Shipment
    fields = ("number", "warehouse", "state", "issued_on", "tracking_number", "invoice_number")
    show_change_link = True


@admin.register(SalesOrder)
class SalesOrderAdmin(DocumentAdmin):
    """Orders in Logistics' custody."""

    icon = "orders"
    list_display = (
        "number", "customer_name", "lifecycle", "fulfilment", "invoicing", "payment", "ordered_on", "gross_total",
    )  # fmt: skip
    list_filter = ("lifecycle", "fulfilment", "invoicing", "channel")
    search_fields = ("number", "customer_name", "email", "=external_ref")
    inlines = (OrderLines, OrderShipments)
    exclude = ("xid",)

    def links_of(self, row: SalesOrder) -> list[tuple[str, str]]:
        """A shipment of some of it."""
        return [("Plan a part", reverse("logistics-plan", args=[row.pk]))] if row.lifecycle == "open" else []


class ShipmentLines(Lines):
    """Pieces on a shipment."""

    model = ShipmentLine
    fields = ("order_line_no", "sku", "name", "quantity", "move_seq")


@admin.register(Shipment)
class ShipmentAdmin(DocumentAdmin):
    """Shipments, from plan to delivery."""

    icon = "local_shipping"
    list_display = ("number", "order", "warehouse", "state", "issued_on", "tracking_number", "invoice_number")
    list_filter = ("state", "warehouse")
    list_select_related = ("order", "warehouse")
    search_fields = ("number", "order__number", "tracking_number", "invoice_number")
    inlines = (ShipmentLines,)

    def links_of(self, row: Shipment) -> list[tuple[str, str]]:
        """Packing while it is picked, tracking and the delivery note unless it was taken back."""
        links = [("Pack", reverse("logistics-pack", args=[row.pk]))] if row.state == "picked" else []
        if row.state not in {"cancelled", "delivered"}:
            links.append(("Tracking number", reverse("logistics-track", args=[row.pk])))
        if row.state != "cancelled":
            note = reverse("logistics-delivery-note", args=[row.pk])
            links += [("Delivery note (PDF)", note), ("… in Hungarian", f"{note}?language=hu")]
        return links


@admin.register(GoodsReceipt)
class GoodsReceiptAdmin(InternalAdmin):
    """Deliveries."""

    in_front = True
    icon = "input"
    list_display = ("number", "warehouse", "received_on", "supplier_ref", "actor_name")
    list_filter = ("warehouse",)
    search_fields = ("number", "supplier_ref")


class CountLines(Lines):
    """Products on a count sheet."""

    model = StockCountLine
    fields = ("product_id", "expected", "counted", "counted_by")


@admin.register(StockCount)
class StockCountAdmin(DocumentAdmin):
    """Count sheets, open and posted."""

    in_front = True
    icon = "checklist"
    list_display = ("number", "warehouse", "scope", "state", "counted_on", "actor_name", "posted_by")
    list_filter = ("state", "warehouse")
    list_select_related = ("warehouse",)
    search_fields = ("number", "scope")
    inlines = (CountLines,)

    def links_of(self, row: StockCount) -> list[tuple[str, str]]:
        """The sheet to write on."""
        return [("Sheet", reverse("logistics-count-sheet", args=[row.pk]))]


@admin.register(ReorderLevel)
class ReorderLevelAdmin(InternalAdmin):
    """From which level on a product is bought again; set on a page of its own."""

    list_display = ("product_id", "warehouse", "level", "target")
    list_filter = ("warehouse",)
    list_select_related = ("warehouse",)
    search_fields = ("=product_id",)


class ReturnLines(Lines):
    """Returned pieces and what became of them."""

    model = ReturnLine
    fields = ("line_no", "sku", "name", "quantity", "restock_quantity", "scrap_quantity")


@admin.register(ReturnOrder)
class ReturnOrderAdmin(DocumentAdmin):
    """Returns, from request to credit note."""

    icon = "assignment_return"
    list_display = ("number", "customer_name", "order", "state", "returned_on", "reason", "credit_note_number")
    list_filter = ("state", "warehouse")
    list_select_related = ("order",)
    search_fields = ("number", "order__number", "customer_name", "=external_ref")
    inlines = (ReturnLines,)

    def links_of(self, row: ReturnOrder) -> list[tuple[str, str]]:
        """Inspection, once it is here."""
        return [("Inspect", reverse("logistics-inspect", args=[row.pk]))] if row.state == "received" else []


@admin.register(Reservation)
class ReservationAdmin(InternalAdmin):
    """Who was promised what."""

    list_display = ("product_id", "quantity", "state", "order_id", "line_no", "owner_key", "expires_at", "created_at")
    list_filter = ("state",)
    search_fields = ("=order_id", "=product_id", "=owner_key")


@admin.register(OrderOffer)
class OrderOfferAdmin(InternalAdmin):
    """Every offer of an order ever seen, and its answer."""

    list_display = ("order_id", "epoch", "outcome", "offered_at")
    list_filter = ("outcome",)
    search_fields = ("=order_id",)


register_copies("logistics")
register_standard("logistics")
