"""What happens to periods and years, entries that recur, and papers that belong to entries."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from erp.fields import AmountField, ExactJSONField
from erp.models import InternalModel
from finance.models.ledger import FiscalPeriod, Journal, JournalEntry


class PeriodChange(InternalModel):
    """Who locked, opened or closed a month, when and why; append-only."""

    period = models.ForeignKey(FiscalPeriod, on_delete=models.PROTECT, related_name="changes")
    state = models.CharField(max_length=12, choices=FiscalPeriod.State)
    reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    actor_name = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "period_change"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.period_id} {self.state}"


class PeriodCheck(InternalModel):
    """What stood against closing a month when somebody asked; append-only."""

    period = models.ForeignKey(FiscalPeriod, on_delete=models.PROTECT, related_name="checks")
    found = ExactJSONField(help_text="Every obstacle in words; empty: none")
    took_s = models.DecimalField("seconds", max_digits=10, decimal_places=3)
    actor_name = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "period_check"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.period_id} {self.at}"


class ClosedYear(InternalModel):
    """A fiscal year whose result is taken over and whose balances are carried forward; append-only."""

    year = models.IntegerField(unique=True)
    result = AmountField(help_text="Profit positive, loss negative, in base currency")
    result_entry = models.ForeignKey(JournalEntry, null=True, on_delete=models.PROTECT, related_name="+")
    closing_entry = models.ForeignKey(JournalEntry, null=True, on_delete=models.PROTECT, related_name="+")
    opening_entry = models.ForeignKey(JournalEntry, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=150)
    closed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "closed_year"
        ordering = ("-year",)

    def __str__(self) -> str:
        return str(self.year)


class RecurringEntry(InternalModel):
    """A plan by which the same entry is posted once in every month, quarter or year."""

    class Every(models.IntegerChoices):
        """Months from one entry to the next."""

        MONTH = 1, "Every month"
        QUARTER = 3, "Every quarter"
        YEAR = 12, "Every year"

    name = models.CharField(max_length=100)
    journal = models.ForeignKey(
        Journal, to_field="code", db_column="journal", on_delete=models.PROTECT, default="GEN", related_name="+"
    )
    text = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    lines = ExactJSONField(help_text="account, debit or credit, text of every line")
    every = models.PositiveSmallIntegerField(choices=Every, default=Every.MONTH)
    day = models.PositiveSmallIntegerField(default=31, help_text="Day of the month; 31 is the last one")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True, db_default=True)
    last_error = models.TextField(blank=True, default="", db_default="", editable=False)
    actor_id = models.BigIntegerField(null=True, editable=False)
    actor_name = models.CharField(max_length=150, editable=False)

    class Meta:
        db_table = "recurring_entry"
        ordering = ("name", "id")
        verbose_name_plural = "recurring entries"
        constraints = (
            models.CheckConstraint(condition=Q(day__gte=1, day__lte=31), name="recurring_entry_day"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="recurring_entry_ends_after_start"
            ),
        )

    def __str__(self) -> str:
        return self.name


class EntryAttachment(InternalModel):
    """A paper of an entry; the file lies below the installation's home under its SHA-256; append-only."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=150)
    content_type = models.CharField(max_length=100)
    size = models.IntegerField(help_text="Bytes")
    sha256 = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "entry_attachment"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["entry", "sha256"], name="entry_attachment_once"),)

    def __str__(self) -> str:
        return self.name
