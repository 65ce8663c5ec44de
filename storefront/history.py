"""Invoices of a foreign history that were replayed into this system."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from erp.models import InternalModel


class ReplayedInvoice(InternalModel):
    """An invoice of a history that is booked; a repeated replay passes it over."""

    source = models.CharField(max_length=40)
    number = models.CharField(max_length=40)
    booked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "replayed_invoice"
        constraints = (models.UniqueConstraint(fields=["source", "number"], name="replayed_invoice_once"),)

    def __str__(self) -> str:
        return f"{self.source}:{self.number}"
