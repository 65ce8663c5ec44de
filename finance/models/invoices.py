"""Invoices and credit notes: drafts may change, issued documents never do; what is open of them stands apart."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from erp.fields import AmountField, ExactJSONField, UnitPriceField
from erp.models import InternalModel, OwnedModel

# Built from rows at once: per line by name and value it costs twice as much, and the scrubber builds every document's.
LINES_SQL = """coalesce((
    select to_jsonb(array_agg(x order by x.line_no)) from (
      select
        l.id, l.line_no, l.product_id, l.sku, l.name, l.quantity, l.unit, l.unit_price, l.discount, l.vat_code,
        l.vat_rate, l.net, l.vat, l.gross, l.order_line_no, l.original_line_id, l.product_class, l.delivered_on,
        l.order_number, l.shipment_number, l.advance_invoice_id, l.discount_percent, l.base_net, l.base_vat
      from invoice_line l where l.invoice_id = t.id
    ) x), '[]')"""

SETTLEMENT_SQL = """coalesce((
    select jsonb_build_object('payment_state', s.state, 'paid_total', s.paid_total, 'credited_total', s.credited_total)
    from invoice_settlement s where s.invoice_id = t.id),
    '{"payment_state": "open", "paid_total": 0, "credited_total": 0}')"""

# Lines per document, so that several processes share the work; OFFSET 0: once per document, whoever reads it.
SCAN_SQL = f"""
select t.*, {LINES_SQL} as lines, coalesce(s.state, 'open') as payment_state,
  coalesce(s.paid_total, 0) as paid_total, coalesce(s.credited_total, 0) as credited_total
from invoice t left join invoice_settlement s on s.invoice_id = t.id where t.id {{only}} offset 0"""


class NumberSeries(InternalModel):
    """Counter of one series in one fiscal year; its row lock is what keeps numbers without gaps."""

    code = models.CharField(max_length=10)
    fiscal_year = models.IntegerField()
    last_no = models.BigIntegerField(default=0)
    last_hash = models.BinaryField(null=True, help_text="Hash of the series' last document: see InvoiceSeal")

    class Meta:
        db_table = "number_series"
        verbose_name_plural = "number series"
        ordering = ("code", "-fiscal_year")
        constraints = (models.UniqueConstraint(fields=["code", "fiscal_year"], name="number_series_once"),)

    def __str__(self) -> str:
        return f"{self.code} {self.fiscal_year}: {self.last_no}"


class Invoice(OwnedModel):
    """An invoice or what changes one. Amounts of a credit note are negative, those of a correction are differences."""

    class Kind(models.TextChoices):
        """What a document does; each credits or invoices under its own series."""

        INVOICE = "invoice", "Invoice"
        ADVANCE = "advance", "Advance invoice"
        FINAL = "final", "Final invoice"
        CREDIT_NOTE = "credit_note", "Credit note"
        CANCELLATION = "cancellation", "Cancellation invoice"
        CREDIT_WITHOUT_ORIGINAL = "credit_without_original", "Credit without original"
        CORRECTION = "correction", "Correction invoice"

    class State(models.TextChoices):
        """A draft has no number and stays at home."""

        DRAFT = "draft", "Draft"
        ISSUED = "issued", "Issued"

    entity = "invoice"

    number = models.CharField(max_length=40, null=True, unique=True, editable=False)
    series = models.CharField(max_length=10, default="INV")
    fiscal_year = models.IntegerField(null=True, editable=False)
    sequence_no = models.BigIntegerField(null=True, editable=False)
    kind = models.CharField(max_length=30, choices=Kind, default=Kind.INVOICE)
    is_collective = models.BooleanField(
        "collective invoice", default=False, db_default=False, editable=False,
        help_text="Several goods issues of a period; each line has its own day of delivery",
    )  # fmt: skip
    is_simplified = models.BooleanField(
        "simplified invoice", default=False, db_default=False,
        help_text="Gross prices with the VAT inside, e.g. paid at once in cash or by card",
    )  # fmt: skip
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    customer_id = models.BigIntegerField()
    customer = ExactJSONField(default=dict, editable=False)
    supplier = ExactJSONField(default=dict, editable=False)
    order_id = models.BigIntegerField(null=True, blank=True)
    order_number = models.CharField(max_length=40, blank=True, default="")
    shipment_id = models.BigIntegerField(null=True, editable=False, unique=True)
    return_id = models.BigIntegerField(null=True, editable=False)
    original = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="credit_notes"
    )
    issued_on = models.DateField(null=True, blank=True)
    fulfilled_on = models.DateField(null=True, blank=True)
    delivered_from = models.DateField(null=True, editable=False, help_text="First day of a collective invoice's period")
    delivered_to = models.DateField(null=True, editable=False, help_text="Last day of a collective invoice's period")
    due_on = models.DateField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="HUF")
    base_currency = models.CharField(max_length=3, editable=False, default="")
    exchange_rate = models.DecimalField(max_digits=18, decimal_places=8, default=1, editable=False)
    rate_on = models.DateField(null=True, editable=False)
    rate_source = models.CharField(max_length=40, default="", editable=False)
    price_mode = models.CharField(max_length=5, choices=[("net", "Net"), ("gross", "Gross")], default="net")
    payment_method = models.CharField(max_length=20, default="transfer")
    discount_percent = models.DecimalField(
        "document discount %", max_digits=7, decimal_places=4, default=0, db_default=0,
        help_text="Off every line, after the lines' own discounts",
    )  # fmt: skip
    discount = AmountField(
        "document discount", default=0, db_default=0,
        help_text="Amount off the whole document, spread over its lines",
    )  # fmt: skip
    net_total = AmountField(default=0, editable=False)
    vat_total = AmountField("VAT total", default=0, editable=False)
    gross_total = AmountField(default=0, editable=False)
    base_net_total = AmountField(default=0, editable=False)
    base_vat_total = AmountField("base VAT total", default=0, editable=False)
    base_gross_total = AmountField(default=0, editable=False)
    vat_summary = ExactJSONField("VAT summary", default=list, editable=False)
    external_ref = models.CharField(max_length=80, null=True, blank=True)
    channel = models.CharField(max_length=10, default="manual", editable=False)
    language = models.CharField(max_length=2, choices=[("hu", "Magyar"), ("en", "English")], default="hu")
    note = models.TextField(blank=True, default="", help_text="Printed on the document")

    payload_sql = f"to_jsonb(t) || jsonb_build_object('lines', {LINES_SQL}) || {SETTLEMENT_SQL}"
    travels_sql = "t.state = 'issued'"
    scan_sql = SCAN_SQL
    scan_columns = ("lines", "payment_state", "paid_total", "credited_total")

    class Meta:
        db_table = "invoice"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["series", "fiscal_year", "sequence_no"], name="invoice_number_once"),
            models.UniqueConstraint(
                fields=["return_id", "kind", "original"],
                name="invoice_return_once",
                condition=Q(return_id__isnull=False),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(state="draft", sequence_no=None)
                | Q(
                    state="issued",
                    number__isnull=False,
                    fiscal_year__isnull=False,
                    sequence_no__isnull=False,
                    issued_on__isnull=False,
                ),
                name="invoice_numbered_when_issued",
            ),
        )
        indexes = (
            models.Index(fields=["customer_id"], name="invoice_customer"),
            models.Index(fields=["order_id"], name="invoice_order"),
            models.Index(fields=["issued_on"], name="invoice_day"),
        )

    def __str__(self) -> str:
        return self.number or f"Draft {self.pk}"

    @property
    def is_credit(self) -> bool:
        """Whether the document takes back more than it charges."""
        return self.kind in CREDIT_KINDS or (self.kind == self.Kind.CORRECTION and self.gross_total < 0)


CREDIT_KINDS = (Invoice.Kind.CREDIT_NOTE, Invoice.Kind.CANCELLATION, Invoice.Kind.CREDIT_WITHOUT_ORIGINAL)
"""Kinds that take back."""

SALES_KINDS = (Invoice.Kind.INVOICE, Invoice.Kind.ADVANCE, Invoice.Kind.FINAL)
"""Kinds that can be credited and corrected."""

DOCUMENT_KINDS = tuple(str(kind) for kind in Invoice.Kind)
"""Kinds under which documents post."""


class InvoiceLine(InternalModel):
    """A line of a document; written with it and as immutable once it is issued."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines", db_index=False)
    line_no = models.IntegerField()
    product_id = models.BigIntegerField(null=True, blank=True)
    sku = models.CharField("SKU", max_length=60, blank=True, default="")
    name = models.CharField(max_length=200)
    quantity = models.IntegerField(default=1)
    unit = models.CharField(max_length=20, default="pcs")
    unit_price = UnitPriceField()
    discount = AmountField(default=0, help_text="Taken off the line, in the document's currency")
    discount_percent = models.DecimalField("discount %", max_digits=7, decimal_places=4, default=0, db_default=0)
    vat_code = models.CharField("VAT code", max_length=20)
    vat_override_reason = models.CharField(
        "reason for another VAT code", max_length=200, blank=True, default="", db_default=""
    )
    vat_rate = models.DecimalField("VAT rate", max_digits=7, decimal_places=4, default=0, editable=False)
    net = AmountField(default=0, editable=False)
    vat = AmountField("VAT", default=0, editable=False)
    gross = AmountField(default=0, editable=False)
    order_line_no = models.IntegerField(null=True, editable=False)
    original_line = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="credit_lines"
    )
    move_id = models.BigIntegerField(null=True, editable=False)
    product_class = models.CharField(max_length=20, default="goods", db_default="goods", editable=False)
    delivered_on = models.DateField(null=True, blank=True, editable=False)
    order_id = models.BigIntegerField(null=True, editable=False)
    order_number = models.CharField(max_length=40, default="", db_default="", editable=False)
    shipment_id = models.BigIntegerField(null=True, editable=False)
    shipment_number = models.CharField(max_length=40, default="", db_default="", editable=False)
    advance_invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="deductions",
        help_text="Advance invoice of which this line takes off a part",
    )  # fmt: skip
    law_ref = models.CharField(
        "law", max_length=100, null=True, editable=False, help_text="Of the VAT code as it was at issue"
    )
    base_net = AmountField(null=True, editable=False, help_text="Net in base currency, as posted")
    base_vat = AmountField(null=True, editable=False, help_text="VAT in base currency")

    class Meta:
        db_table = "invoice_line"
        ordering = ("invoice_id", "line_no")
        constraints = (models.UniqueConstraint(fields=["invoice", "line_no"], name="invoice_line_once"),)
        indexes = (models.Index(fields=["order_id"], name="invoice_line_order", condition=Q(order_id__isnull=False)),)

    def __str__(self) -> str:
        return f"{self.line_no}. {self.name}"


class InvoiceSettlement(InternalModel):
    """What of an issued document is paid, netted against another document, written off; the rest is open.

    The totals have the sign of the document: open = gross − paid − offset − written off.
    """

    class State(models.TextChoices):
        """Payment state as customers see it."""

        OPEN = "open", "Open"
        PARTLY_PAID = "partly_paid", "Partly paid"
        PAID = "paid", "Paid"
        CREDITED = "credited", "Credited"
        REFUNDED = "refunded", "Refunded"
        WRITTEN_OFF = "written_off", "Written off"

    invoice = models.OneToOneField(Invoice, primary_key=True, on_delete=models.PROTECT, related_name="settlement")
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    gross_total = AmountField()
    paid_total = AmountField(default=0)
    offset_total = AmountField(default=0)
    written_off_total = AmountField(default=0, db_default=0)
    credited_total = AmountField(default=0, help_text="Credit notes issued against this document (positive)")

    class Meta:
        db_table = "invoice_settlement"

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.state}"

    @property
    def open_total(self) -> Decimal:
        """What is still to be paid (negative: to be paid back)."""
        return Decimal(self.gross_total - self.paid_total - self.offset_total - self.written_off_total)


class CollectiveCustomer(InternalModel):
    """A customer whose goods issues wait for one invoice of a period instead of being invoiced each."""

    customer_id = models.BigIntegerField(primary_key=True)
    note = models.CharField(max_length=200, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "collective_customer"

    def __str__(self) -> str:
        return str(self.customer_id)


class WaitingIssue(InternalModel):
    """A goods issue that is posted at cost and waits for its collective invoice; as Logistics sent it."""

    shipment_id = models.BigIntegerField(primary_key=True)
    shipment_number = models.CharField(max_length=40)
    customer_id = models.BigIntegerField()
    order_id = models.BigIntegerField(null=True)
    order_number = models.CharField(max_length=40, default="", db_default="")
    issued_on = models.DateField()
    currency = models.CharField(max_length=3)
    price_mode = models.CharField(max_length=5)
    payload = ExactJSONField()
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="waiting_issues")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "waiting_issue"
        ordering = ("issued_on", "shipment_id")
        indexes = (
            models.Index(fields=["customer_id", "issued_on"], name="waiting_issue_open", condition=Q(invoice=None)),
        )

    def __str__(self) -> str:
        return self.shipment_number
