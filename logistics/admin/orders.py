"""Pages of orders in Logistics' custody, what was promised to them, their shipments and returns."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from erp.admin import InternalAdmin, ReadOnlyLines
from erp.formats import format_address
from logistics.admin.documents import DocumentAdmin
from logistics.models import (
    OrderOffer,
    Reservation,
    ReturnLine,
    ReturnOrder,
    SalesOrder,
    SalesOrderLine,
    Shipment,
    ShipmentLine,
)


class OrderLines(ReadOnlyLines):
    """Lines of an order with what is reserved, issued and returned."""

    model = SalesOrderLine
    fields = ("line_no", "sku", "name", "quantity", "unit_price", "reserved", "issued", "returned", "cancelled")


class OrderShipments(ReadOnlyLines):
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
    readonly_fields = ("delivery_address", "billing_address")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "ordered_on"),
                    ("lifecycle", "fulfilment"),
                    ("invoicing", "payment"),
                    "closed_reason",
                )
            },
        ),
        ("Customer", {"fields": (("customer_name", "email"), "delivery_address", "billing_address", "note")}),
        (
            "Delivery and amounts",
            {
                "fields": (
                    ("shipping_method", "payment_method"),
                    ("net_total", "vat_total"),
                    ("gross_total", "price_mode"),
                )
            },
        ),
        ("Origin", {"fields": (("channel", "external_ref"), ("customer_id", "country"), ("placed_at", "epoch"))}),
    )

    @admin.display(description="Delivery address")
    def delivery_address(self, row: SalesOrder) -> str:
        """Where the goods go, on one line."""
        return format_address(row.ship_to or row.bill_to)

    @admin.display(description="Billing address")
    def billing_address(self, row: SalesOrder) -> str:
        """Who is invoiced, on one line."""
        return format_address(row.bill_to)

    def links_of(self, row: SalesOrder) -> list[tuple[str, str]]:
        """A shipment of some of it."""
        return [("Plan a part", reverse("logistics-plan", args=[row.pk]))] if row.lifecycle == "open" else []


class ShipmentLines(ReadOnlyLines):
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


class ReturnLines(ReadOnlyLines):
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
