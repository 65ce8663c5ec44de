"""Warehouses, what lies in them, and the append-only ledger of every change."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from erp.fields import UnitPriceField
from erp.models import InternalModel, WindowedOwnedModel


class Warehouse(InternalModel):
    """A place where stock lies; orders are served from the lowest priority number first."""

    code = models.CharField(max_length=20, unique=True, help_text="Short name on documents; cannot be changed later")
    name = models.CharField(max_length=120)
    priority = models.PositiveSmallIntegerField(default=100, help_text="Lower numbers are emptied first")
    is_active = models.BooleanField(default=True, help_text="Orders are only served from active warehouses")
    country = models.CharField(max_length=2, default="HU")
    postcode = models.CharField(max_length=16, blank=True, default="")
    city = models.CharField(max_length=80, blank=True, default="")
    street = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "warehouse"
        ordering = ("priority", "id")

    def __str__(self) -> str:
        return self.code


class Stock(WindowedOwnedModel):
    """How much of a product lies in a warehouse, and how much of that is promised."""

    entity = "stock"
    correct_with = 'manage.py recount_stock --reason "…"'

    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="stock")
    product_id = models.BigIntegerField()
    on_hand = models.IntegerField(default=0, db_default=0)
    reserved = models.IntegerField(default=0, db_default=0)

    payload_sql = (
        "to_jsonb(t) - 'xid' || jsonb_build_object("
        "'warehouse_code', (select w.code from warehouse w where w.id = t.warehouse_id))"
    )
    scan_sql = (
        "select s.*, w.code as warehouse_code from stock s left join warehouse w on w.id = s.warehouse_id "
        "where s.id {only}"
    )
    scan_columns = ("warehouse_code",)

    class Meta:
        db_table = "stock"
        verbose_name_plural = "stock"
        ordering = ("product_id", "warehouse_id")
        constraints = (
            models.UniqueConstraint(fields=["product_id", "warehouse"], name="stock_once_per_warehouse"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & Q(on_hand__gte=F("reserved")), name="stock_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.product_id} in {self.warehouse_id}: {self.free} free"

    @property
    def free(self) -> int:
        """On hand less reserved."""
        return self.on_hand - self.reserved


class ReorderLevel(InternalModel):
    """When a product is to be bought again for a warehouse; without a row it is when nothing is free."""

    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="reorder_levels")
    product_id = models.BigIntegerField()
    level = models.PositiveIntegerField(help_text="The low-stock list shows the product when less than this is free")
    target = models.PositiveIntegerField(help_text="Buy as many as make this many free")

    class Meta:
        db_table = "reorder_level"
        ordering = ("product_id", "warehouse_id")
        constraints = (
            models.UniqueConstraint(fields=["product_id", "warehouse"], name="reorder_level_once"),
            models.CheckConstraint(condition=Q(target__gte=F("level")), name="reorder_level_target"),
        )

    def __str__(self) -> str:
        return f"{self.product_id} in {self.warehouse_id}: {self.level}"


class ExpectedGoods(InternalModel):
    """On which day more of a product is expected; noted by the warehouse for orders that wait."""

    product_id = models.BigIntegerField(primary_key=True)
    expected_on = models.DateField()
    noted_at = models.DateTimeField(auto_now=True)
    actor_name = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        db_table = "expected_goods"

    def __str__(self) -> str:
        return f"{self.product_id} on {self.expected_on}"


class ProductSequence(InternalModel):
    """Last number given to a stock move of a product; locked while moves are numbered, so there are no gaps."""

    product_id = models.BigIntegerField(primary_key=True)
    last_seq = models.BigIntegerField()

    class Meta:
        db_table = "product_sequence"


class StockMove(InternalModel):
    """One signed change of on hand; the sum of a warehouse's moves is what lies there."""

    class Kind(models.TextChoices):
        """Why goods moved; decides how Finance values the move."""

        RECEIPT = "receipt", "Receipt"
        ISSUE = "issue", "Issue"
        RETURN = "return", "Return"
        ADJUSTMENT = "adjustment", "Adjustment"
        SCRAP = "scrap", "Scrap"
        TRANSFER = "transfer", "Transfer"

    product_id = models.BigIntegerField()
    seq = models.BigIntegerField(help_text="Number of the move among those of its product")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="moves")
    kind = models.CharField(max_length=12, choices=Kind)
    quantity = models.IntegerField(help_text="Plus: into the warehouse; minus: out of it")
    unit_cost = UnitPriceField(null=True, blank=True, help_text="Cost of one unit, where the document states it")
    document_kind = models.CharField(max_length=20)
    document_id = models.BigIntegerField(null=True, blank=True)
    document_line_id = models.BigIntegerField(null=True, blank=True)
    document_number = models.CharField(max_length=40)
    reason = models.CharField(max_length=200, blank=True, default="")
    moved_on = models.DateField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor_name = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        db_table = "stock_move"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["product_id", "seq"], name="stock_move_numbered"),
            models.CheckConstraint(condition=~Q(quantity=0), name="stock_move_not_zero"),
        )
        indexes = (
            models.Index(fields=["warehouse", "product_id"], name="stock_move_place"),
            models.Index(fields=["document_kind", "document_id"], name="stock_move_document"),
        )

    def __str__(self) -> str:
        return f"{self.document_number} {self.quantity:+d}"


class GoodsReceipt(InternalModel):
    """A delivery to a warehouse; its lines are the receipt's stock moves."""

    number = models.CharField(max_length=40, unique=True)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="receipts")
    received_on = models.DateField()
    supplier_ref = models.CharField(max_length=80, blank=True, default="", help_text="Number of the delivery note")
    note = models.TextField(blank=True, default="")
    recorded_at = models.DateTimeField(db_default=Now())
    actor_name = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        db_table = "goods_receipt"
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.number
