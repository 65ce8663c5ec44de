"""Which documents shoppers have been told of by e-mail."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from erp.models import InternalModel


class MailedDocument(InternalModel):
    """A shipment or invoice whose e-mail has been handed to the relay, so that nobody is told twice."""

    kind = models.CharField(max_length=10, choices=[("shipment", "Shipment"), ("invoice", "Invoice")])
    number = models.CharField(max_length=40)
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "mailed_document"
        constraints = (models.UniqueConstraint(fields=["kind", "number"], name="mailed_document_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
