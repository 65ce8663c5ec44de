"""Sales orders as Storefront owns them: from confirmation until Logistics has accepted them."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from erp.fields import AmountField, ExactJSONField, UnitPriceField
from erp.models import InternalModel, WindowedOwnedModel

LINES_SQL = """(
  select coalesce(jsonb_agg(jsonb_build_object(
    'line_no', l.line_no, 'product_id', l.product_id, 'sku', l.sku, 'name', l.name, 'unit', l.unit,
    'product_class', l.product_class, 'quantity', l.quantity, 'unit_price', l.unit_price, 'discount', l.discount,
    'vat_code', l.vat_code, 'vat_rate', l.vat_rate, 'net', l.net, 'vat', l.vat, 'gross', l.gross,
    'is_stocked', l.is_stocked, 'reserved', 0, 'issued', 0, 'returned', 0) order by l.line_no), '[]'::jsonb)
  from sales_order_line l where l.order_id = t.id)"""


class SalesOrder(WindowedOwnedModel):
    """A confirmed order. Frozen before it is offered to Logistics; read-only here once handed over."""

    class Lifecycle(models.TextChoices):
        """Where the order as a whole stands."""

        PLACED = "placed", "Placed"
        HANDING_OVER = "handing_over", "Being handed over"
        OPEN = "open", "Open at Logistics"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    class Custody(models.TextChoices):
        """How far the hand-over has come, as Storefront knows it."""

        OWN = "own", "Storefront's own"
        OFFERED = "offered", "Offered to Logistics"
        HANDED_OVER = "handed_over", "Handed over"
        REFUSED = "refused", "Refused by Logistics"

    entity = "sales_order"

    number = models.CharField(max_length=40, unique=True, editable=False)
    epoch = models.BigIntegerField(default=1, help_text="Number of the offer: 1, 3, 5…")
    custody = models.CharField(max_length=12, choices=Custody, default=Custody.OWN)
    lifecycle = models.CharField(max_length=20, choices=Lifecycle, default=Lifecycle.PLACED)
    fulfilment = models.CharField(max_length=20, default="none")
    invoicing = models.CharField(max_length=20, default="none")
    payment = models.CharField(max_length=20, default="open")
    customer_id = models.BigIntegerField()
    customer_name = models.CharField(max_length=200, blank=True, default="")
    email = models.CharField(max_length=254, blank=True, default="")
    currency = models.CharField(max_length=3)
    price_mode = models.CharField(max_length=5, choices=[("net", "Net"), ("gross", "Gross")], default="gross")
    country = models.CharField(max_length=2)
    language = models.CharField(max_length=2, default="hu")
    ship_to = ExactJSONField(default=dict)
    bill_to = ExactJSONField(default=dict)
    shipping_method = models.CharField(max_length=20, blank=True, default="")
    payment_method = models.CharField(max_length=20, blank=True, default="")
    placed_at = models.DateTimeField()
    ordered_on = models.DateField()
    net_total = AmountField(default=Decimal(0))
    vat_total = AmountField(default=Decimal(0))
    gross_total = AmountField(default=Decimal(0))
    external_ref = models.CharField(max_length=80, null=True, blank=True, unique=True)
    channel = models.CharField(
        max_length=10, choices=[("web", "Shop"), ("api", "API"), ("replay", "Replay")], default="web"
    )
    note = models.TextField(blank=True, default="")
    hold_key = models.CharField(
        max_length=40, blank=True, default="", editable=False, help_text="Whose holds the hand-over turns into stock"
    )
    offered_at = models.DateTimeField(null=True, editable=False)  # when the hand-over must be looked after
    attempts = models.IntegerField(default=0, editable=False)  # failed attempts of the relay to hand over
    last_error = models.TextField(default="", db_default="", editable=False)  # of the last failed attempt
    refusal = ExactJSONField(null=True, editable=False)  # {reason, short: [{line_no, sku, requested, available}]}

    payload_sql = f"(to_jsonb(t) - 'xid' - 'hold_key' || jsonb_build_object('lines', {LINES_SQL}))"
    standing_sql = "t.custody <> 'handed_over'"

    class Meta:
        db_table = "sales_order"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["customer_id", "-id"], name="shop_order_customer"),
            models.Index(fields=["offered_at"], name="shop_order_offered", condition=models.Q(custody="offered")),
        )

    def __str__(self) -> str:
        return self.number


class SalesOrderLine(InternalModel):
    """A line of a sales order, priced once when the order was confirmed."""

    order = models.ForeignKey(SalesOrder, on_delete=models.PROTECT, related_name="lines")
    line_no = models.PositiveIntegerField()
    product_id = models.BigIntegerField()
    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=20, default="pcs")
    product_class = models.CharField(max_length=20, default="goods")
    quantity = models.PositiveIntegerField()
    unit_price = UnitPriceField()
    discount = AmountField(default=Decimal(0), help_text="Amount taken off the line")
    vat_code = models.CharField(max_length=20)
    vat_rate = models.DecimalField(max_digits=7, decimal_places=4)
    net = AmountField()
    vat = AmountField()
    gross = AmountField()
    is_stocked = models.BooleanField(default=True)

    class Meta:
        db_table = "sales_order_line"
        ordering = ("line_no",)
        constraints = (
            models.UniqueConstraint(fields=["order", "line_no"], name="sales_order_line_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="sales_order_line_quantity_positive"),
        )

    def __str__(self) -> str:
        return f"{self.line_no}. {self.name}"
