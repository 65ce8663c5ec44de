"""Goods that leave (shipments) and goods that come back (returns)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from erp.fields import AmountField, ExactJSONField, UnitPriceField
from erp.models import InternalModel
from logistics.models.orders import SalesOrder, SalesOrderLine
from logistics.models.stock import Warehouse


class Shipment(InternalModel):
    """Goods of one order that leave one warehouse together."""

    class State(models.TextChoices):
        """``issued`` has moved stock and cannot be taken back; what comes back is a return."""

        PLANNED = "planned", "Planned"
        PICKED = "picked", "Picked"
        PACKED = "packed", "Packed"
        ISSUED = "issued", "Issued"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(max_length=40, unique=True)
    order = models.ForeignKey(SalesOrder, on_delete=models.PROTECT, related_name="shipments")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="shipments")
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    carrier = models.CharField(max_length=60, blank=True, default="")
    tracking_number = models.CharField(max_length=80, blank=True, default="")
    parcels = models.PositiveSmallIntegerField(default=1, db_default=1)
    weight_g = models.PositiveIntegerField(null=True, blank=True, help_text="Weighed when it was packed")
    created_at = models.DateTimeField(db_default=Now())
    picked_at = models.DateTimeField(null=True, blank=True)
    packed_at = models.DateTimeField(null=True, blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    delivered_on = models.DateField(null=True, blank=True)
    actor_name = models.CharField(max_length=150, blank=True, default="")
    invoice_id = models.BigIntegerField(null=True, blank=True)
    invoice_number = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        db_table = "shipment"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(state__in=["issued", "delivered"]) | Q(issued_on__isnull=False),
                name="shipment_issue_dated",
            ),
        )
        indexes = (
            models.Index(fields=["warehouse", "state", "id"], name="shipment_work"),
            models.Index(fields=["invoice_number"], name="shipment_invoice"),
        )

    def __str__(self) -> str:
        return self.number


class ShipmentLine(InternalModel):
    """Pieces of one order line on a shipment; ``move`` refers to the stock move of its goods issue."""

    shipment = models.ForeignKey(Shipment, on_delete=models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(SalesOrderLine, on_delete=models.PROTECT, related_name="shipment_lines")
    order_line_no = models.IntegerField()
    product_id = models.BigIntegerField()
    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    quantity = models.IntegerField()
    is_stocked = models.BooleanField(default=True)
    move_id = models.BigIntegerField(null=True)
    move_seq = models.BigIntegerField(null=True)

    class Meta:
        db_table = "shipment_line"
        ordering = ("shipment_id", "order_line_no")
        constraints = (
            models.UniqueConstraint(fields=["shipment", "order_line"], name="shipment_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipment_line_positive"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class ReturnOrder(InternalModel):
    """Goods that a customer gives back; credited once they are inspected."""

    class State(models.TextChoices):
        """``restocked`` or ``scrapped`` is what most of it became; each line says how much of either."""

        REQUESTED = "requested", "Requested"
        RECEIVED = "received", "Received"
        RESTOCKED = "restocked", "Restocked"
        SCRAPPED = "scrapped", "Scrapped"
        REJECTED = "rejected", "Rejected"

    number = models.CharField(max_length=40, unique=True)
    order = models.ForeignKey(SalesOrder, null=True, blank=True, on_delete=models.PROTECT, related_name="returns")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="returns")
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    customer_id = models.BigIntegerField()
    customer_name = models.CharField(max_length=200, default="", blank=True)
    currency = models.CharField(max_length=3)
    price_mode = models.CharField(max_length=5, default="net")
    bill_to = ExactJSONField(default=dict, blank=True)
    payment_method = models.CharField(max_length=20, default="", blank=True)
    reason = models.CharField(max_length=200, blank=True, default="")
    channel = models.CharField(max_length=10, default="web")
    external_ref = models.CharField(max_length=80, null=True, blank=True)
    returned_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    actor_name = models.CharField(max_length=150, blank=True, default="")
    credit_note_id = models.BigIntegerField(null=True, blank=True)
    credit_note_number = models.CharField(
        max_length=80, blank=True, default="", help_text="Two where only some lines have an original"
    )

    class Meta:
        db_table = "return_order"
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.number


class ReturnLine(InternalModel):
    """Returned pieces of one order line; without an order line it is a return without original."""

    return_order = models.ForeignKey(ReturnOrder, on_delete=models.PROTECT, related_name="lines")
    line_no = models.IntegerField()
    order = models.ForeignKey(SalesOrder, null=True, on_delete=models.PROTECT, related_name="return_lines")
    order_line_no = models.IntegerField(null=True)
    product_id = models.BigIntegerField()
    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    quantity = models.IntegerField()
    unit_price = UnitPriceField()
    discount = AmountField(default=0)
    vat_code = models.CharField(max_length=20)
    vat_rate = models.DecimalField(max_digits=7, decimal_places=4)
    is_stocked = models.BooleanField(default=True)
    restock_quantity = models.IntegerField(default=0, db_default=0)
    scrap_quantity = models.IntegerField(default=0, db_default=0)
    move_id = models.BigIntegerField(null=True)
    move_seq = models.BigIntegerField(null=True)

    class Meta:
        db_table = "return_line"
        ordering = ("return_order_id", "line_no")
        constraints = (
            models.UniqueConstraint(fields=["return_order", "line_no"], name="return_line_no"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="return_line_positive"),
            models.CheckConstraint(
                condition=Q(restock_quantity__gte=0)
                & Q(scrap_quantity__gte=0)
                & Q(quantity__gte=models.F("restock_quantity") + models.F("scrap_quantity")),
                name="return_line_inspected",
            ),
        )
        indexes = (models.Index(fields=["order", "order_line_no"], name="return_line_order"),)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"
