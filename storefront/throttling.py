"""How often something was tried lately: log-ins, password resets, look-ups of guests' orders."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from erp.models import InternalModel


class AttemptCount(InternalModel):
    """Attempts of one kind by one address or for one account; who it was is kept as a hash only."""

    kind = models.CharField(max_length=20)
    who = models.CharField(max_length=64)
    attempts = models.IntegerField(default=0)
    began_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "attempt_count"
        constraints = (models.UniqueConstraint(fields=["kind", "who"], name="attempt_count_once"),)

    def __str__(self) -> str:
        return f"{self.kind}: {self.attempts}"
