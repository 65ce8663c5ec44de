"""Stock counts: sheets on which staff write what they find on the shelf."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from erp.models import InternalModel
from logistics.models.stock import Warehouse


class StockCount(InternalModel):
    """One count of a warehouse or a part of it; its differences are posted together."""

    class State(models.TextChoices):
        """``posted`` has moved stock; a count that found no difference is posted too."""

        OPEN = "open", "Open"
        POSTED = "posted", "Posted"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(max_length=40, unique=True)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="counts")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    scope = models.CharField(max_length=120, help_text="What is counted, in words")
    counted_on = models.DateField()
    created_at = models.DateTimeField(db_default=Now())
    actor_name = models.CharField(max_length=150, blank=True, default="")
    posted_at = models.DateTimeField(null=True, blank=True)
    posted_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        db_table = "stock_count"
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.number


class StockCountLine(InternalModel):
    """A product on a sheet. ``expected`` and ``last_move_id`` are as of the moment the product was put on it.

    A later move of the product in that warehouse makes the line worthless: nobody knows whether it was counted
    before or after.
    """

    stock_count = models.ForeignKey(StockCount, on_delete=models.PROTECT, related_name="lines")
    product_id = models.BigIntegerField()
    expected = models.IntegerField()
    last_move_id = models.BigIntegerField(null=True)
    counted = models.IntegerField(null=True)
    counted_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "stock_count_line"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["stock_count", "product_id"], name="stock_count_line_once"),
            models.CheckConstraint(condition=Q(counted__isnull=True) | Q(counted__gte=0), name="stock_count_counted"),
        )

    def __str__(self) -> str:
        return f"{self.product_id}: {self.counted}"
