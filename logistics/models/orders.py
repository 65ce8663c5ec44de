"""Orders taken over from the Storefront, every offer ever seen, and what is reserved for whom."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from erp.fields import AmountField, ExactJSONField, UnitPriceField
from erp.models import InternalModel, WindowedOwnedModel
from logistics.models.stock import Stock


class OrderOffer(InternalModel):
    """One offer of an order by the Storefront and the answer given; an epoch that is here is never taken again."""

    class Outcome(models.TextChoices):
        """What became of the offer."""

        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn before it arrived"

    order_id = models.BigIntegerField()
    epoch = models.BigIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    payload_hash = models.CharField(max_length=64)
    answer = ExactJSONField()
    offered_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "order_offer"
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["order_id", "epoch"], name="order_offer_once"),)

    def __str__(self) -> str:
        return f"{self.order_id}/{self.epoch}: {self.outcome}"


# Built from rows at once: per field by name and value it costs twice as much, and the scrubber builds every order's.
LINES_SQL = """coalesce((
    select to_jsonb(array_agg(x order by x.line_no)) from (
      select
        l.line_no, l.product_id, l.sku, l.name, l.quantity, l.unit_price, l.discount, l.vat_code, l.vat_rate,
        l.net, l.vat, l.gross, l.is_stocked, l.reserved, l.issued, l.returned, l.cancelled
      from sales_order_line l where l.order_id = t.id
    ) x), '[]')"""

SHIPMENTS_SQL = """coalesce((
    select to_jsonb(array_agg(x order by x.id)) from (
      select
        s.id, s.number, s.state, s.carrier, s.tracking_number, s.issued_on, s.delivered_on, s.invoice_number,
        (select array_agg(y order by y.line_no) from (
          select d.order_line_no as line_no, d.quantity from shipment_line d where d.shipment_id = s.id) y) as lines
      from shipment s where s.order_id = t.id and s.state <> 'cancelled'
    ) x), '[]')"""

RETURNS_SQL = """coalesce((
    select to_jsonb(array_agg(x order by x.id)) from (
      select
        r.id, r.number, r.state, r.returned_on, r.credit_note_number,
        (select jsonb_agg(jsonb_build_object('line_no', d.order_line_no, 'quantity', d.quantity) order by d.line_no)
         from return_line d where d.return_order_id = r.id and d.order_id = t.id) as lines
      from return_order r where r.id in (select d.return_order_id from return_line d where d.order_id = t.id)
    ) x), '[]')"""

SCAN_SQL = f"""
select t.*, {LINES_SQL} as lines, {SHIPMENTS_SQL} as shipments, {RETURNS_SQL} as returns
from sales_order t where t.id {{only}} offset 0"""


class SalesOrder(WindowedOwnedModel):
    """A sales order in Logistics' custody; its id is the one the Storefront gave it."""

    class Lifecycle(models.TextChoices):
        """Where the order stands as a whole."""

        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    class Fulfilment(models.TextChoices):
        """How far the goods are."""

        NONE = "none", "Nothing to deliver"
        BACKORDERED = "backordered", "Backordered"
        ALLOCATED = "allocated", "Allocated"
        PICKING = "picking", "Picking"
        PARTLY_SHIPPED = "partly_shipped", "Partly shipped"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        RETURNED = "returned", "Returned"

    class Invoicing(models.TextChoices):
        """How much of it is invoiced."""

        NONE = "none", "Not invoiced"
        PARTLY = "partly", "Partly invoiced"
        FULLY = "fully", "Fully invoiced"
        CREDITED = "credited", "Credited"

    class Payment(models.TextChoices):
        """What is known of the payment."""

        OPEN = "open", "Open"
        AUTHORISED = "authorised", "Authorised"
        FAILED = "failed", "Failed"
        PARTLY_PAID = "partly_paid", "Partly paid"
        PAID = "paid", "Paid"
        REFUNDED = "refunded", "Refunded"

    entity = "sales_order"

    number = models.CharField(max_length=40, unique=True)
    epoch = models.BigIntegerField()
    lifecycle = models.CharField(max_length=20, choices=Lifecycle, default=Lifecycle.OPEN)
    fulfilment = models.CharField(max_length=20, choices=Fulfilment, default=Fulfilment.NONE)
    invoicing = models.CharField(max_length=20, choices=Invoicing, default=Invoicing.NONE)
    payment = models.CharField(max_length=20, choices=Payment, default=Payment.OPEN)
    customer_id = models.BigIntegerField()
    customer_name = models.CharField(max_length=200, default="")
    email = models.CharField(max_length=254, null=True)
    currency = models.CharField(max_length=3)
    price_mode = models.CharField(max_length=5, choices=[("net", "Net"), ("gross", "Gross")], default="net")
    country = models.CharField(max_length=2, default="")
    ship_to = ExactJSONField(default=dict)
    bill_to = ExactJSONField(default=dict)
    shipping_method = models.CharField(max_length=40, default="")
    payment_method = models.CharField(max_length=20, default="")
    placed_at = models.DateTimeField(null=True)
    ordered_on = models.DateField()
    net_total = AmountField(default=0)
    vat_total = AmountField(default=0)
    gross_total = AmountField(default=0)
    external_ref = models.CharField(max_length=80, null=True, unique=True)
    channel = models.CharField(max_length=10, default="web")
    note = models.TextField(default="")
    closed_reason = models.CharField(max_length=200, default="", db_default="")

    payload_sql = f"""to_jsonb(t) - 'xid' || jsonb_build_object(
      'lines', {LINES_SQL}, 'shipments', {SHIPMENTS_SQL}, 'returns', {RETURNS_SQL})"""
    scan_sql = SCAN_SQL
    scan_columns = ("lines", "shipments", "returns")

    class Meta:
        db_table = "sales_order"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["lifecycle", "fulfilment", "id"], name="sales_order_work"),
            models.Index(fields=["customer_id"], name="sales_order_customer"),
        )

    def __str__(self) -> str:
        return self.number


class SalesOrderLine(InternalModel):
    """One line of an order; of its quantity some is reserved, issued or cancelled, the rest is backordered."""

    order = models.ForeignKey(SalesOrder, on_delete=models.PROTECT, related_name="lines")
    line_no = models.IntegerField()
    product_id = models.BigIntegerField()
    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    quantity = models.IntegerField()
    unit_price = UnitPriceField()
    discount = AmountField(default=0)
    vat_code = models.CharField(max_length=20)
    vat_rate = models.DecimalField(max_digits=7, decimal_places=4)
    net = AmountField(default=0)
    vat = AmountField(default=0)
    gross = AmountField(default=0)
    is_stocked = models.BooleanField(default=True)
    reserved = models.IntegerField(default=0)
    issued = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)

    class Meta:
        db_table = "sales_order_line"
        ordering = ("order_id", "line_no")
        constraints = (
            models.UniqueConstraint(fields=["order", "line_no"], name="sales_order_line_no"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0)
                & Q(issued__gte=0)
                & Q(cancelled__gte=0)
                & Q(quantity__gte=F("reserved") + F("issued") + F("cancelled")),
                name="sales_order_line_not_exceeded",
            ),
            models.CheckConstraint(
                condition=Q(returned__gte=0) & Q(issued__gte=F("returned")), name="sales_order_line_returned"
            ),
        )
        indexes = (
            models.Index(
                fields=["product_id", "order_id"],
                name="sales_order_line_backorder",
                condition=Q(is_stocked=True) & Q(quantity__gt=F("reserved") + F("issued") + F("cancelled")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.line_no}: {self.quantity} × {self.sku}"

    @property
    def backordered(self) -> int:
        """Pieces for which nothing is reserved yet."""
        return self.quantity - self.reserved - self.issued - self.cancelled if self.is_stocked else 0


class Reservation(InternalModel):
    """Pieces of one stock row promised to a shopper (held) or an order (allocated); live until ended."""

    class State(models.TextChoices):
        """``held`` and ``allocated`` count as reserved; a hold past its time still does until it is released."""

        HELD = "held", "Held"
        ALLOCATED = "allocated", "Allocated"
        ISSUED = "issued", "Issued"
        RELEASED = "released", "Released"
        EXPIRED = "expired", "Expired"

    LIVE = (State.HELD, State.ALLOCATED)

    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="reservations")
    product_id = models.BigIntegerField()
    quantity = models.IntegerField()
    state = models.CharField(max_length=10, choices=State)
    owner_key = models.CharField(max_length=80, default="", db_default="", help_text="Whose cart a hold belongs to")
    order_id = models.BigIntegerField(null=True)
    line_no = models.IntegerField()
    shipment_line = models.ForeignKey(
        "logistics.ShipmentLine", null=True, on_delete=models.PROTECT, related_name="reservations"
    )
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reservation"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_positive"),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(expires_at__isnull=False), name="reservation_hold_expires"
            ),
            models.CheckConstraint(
                condition=~Q(state="allocated") | Q(order_id__isnull=False), name="reservation_has_order"
            ),
        )
        indexes = (
            models.Index(fields=["stock", "expires_at"], name="reservation_held", condition=Q(state="held")),
            models.Index(fields=["expires_at"], name="reservation_expiring", condition=Q(state="held")),
            models.Index(fields=["owner_key"], name="reservation_owner", condition=Q(state="held")),
            models.Index(fields=["order_id", "line_no"], name="reservation_order"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id} {self.state}"
