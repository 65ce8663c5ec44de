"""Inventory at moving-average cost: what each product's stock is worth, and every move at its value."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from erp.fields import AmountField, UnitPriceField
from erp.models import InternalModel
from finance.models.ledger import JournalEntry


class ProductCost(InternalModel):
    """Quantity and value (base currency) of a product after its last valued move; the quotient is the average."""

    product_id = models.BigIntegerField(primary_key=True)
    last_seq = models.BigIntegerField(default=0, help_text="Number of the last valued move among the product's own")
    quantity = models.BigIntegerField(default=0)
    value = AmountField(default=0)
    unit_cost = UnitPriceField(default=0, help_text="Last average, kept while there is no stock")

    class Meta:
        db_table = "product_cost"
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gte=0) & Q(value__gte=0), name="product_cost_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.product_id}: {self.quantity} at {self.unit_cost}"


class MarginCost(InternalModel):
    """What was paid for an invoice line of the margin scheme that no goods move delivered; the latest counts."""

    line = models.ForeignKey("finance.InvoiceLine", on_delete=models.PROTECT, related_name="margin_costs")
    cost = AmountField(help_text="Base currency, VAT included")
    note = models.CharField(max_length=200, blank=True, default="", db_default="")
    actor_name = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "margin_cost"
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(cost__gte=0), name="margin_cost_not_negative"),)

    def __str__(self) -> str:
        return f"{self.line_id}: {self.cost}"


class ValuedMove(InternalModel):
    """A stock move at its cost; append-only. ``value`` has the sign of the quantity."""

    move_id = models.BigIntegerField(unique=True)
    product_id = models.BigIntegerField()
    move_seq = models.BigIntegerField()
    kind = models.CharField(max_length=12)
    quantity = models.IntegerField()
    unit_cost = UnitPriceField()
    value = AmountField()
    moved_on = models.DateField()
    document_kind = models.CharField(max_length=30, default="")
    document_id = models.BigIntegerField(null=True)
    document_number = models.CharField(max_length=40, default="")
    entry = models.ForeignKey(JournalEntry, null=True, on_delete=models.PROTECT, related_name="valued_moves")
    quantity_after = models.BigIntegerField()
    value_after = AmountField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "valued_move"
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["product_id", "move_seq"], name="valued_move_in_sequence"),)

    def __str__(self) -> str:
        return f"{self.product_id}/{self.move_seq}: {self.quantity} = {self.value}"
