"""Bank statements as they were imported, and what became of every entry."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from erp.fields import AmountField, ExactJSONField
from erp.models import InternalModel
from finance.models.ledger import JournalEntry
from finance.models.payments import Payment


class BankMapping(InternalModel):
    """How a bank's CSV file is read: which column is what, and how it writes dates and amounts."""

    name = models.CharField(max_length=60, unique=True)
    delimiter = models.CharField(max_length=1, default=";")
    encoding = models.CharField(max_length=20, default="utf-8-sig")
    decimal_separator = models.CharField(max_length=1, choices=[(",", "Comma"), (".", "Point")], default=",")
    date_format = models.CharField(max_length=20, default="%Y-%m-%d", help_text="As of strptime: %Y.%m.%d")
    columns = ExactJSONField(
        default=dict,
        help_text="Field → heading: booked_on, value_on, amount, currency, entry_ref, reference, payer_name, "
        "payer_account",
    )

    class Meta:
        db_table = "bank_mapping"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class BankStatement(InternalModel):
    """One imported statement of one account; append-only. The same statement is imported once."""

    account = models.CharField(max_length=40, help_text="IBAN or account number")
    statement_ref = models.CharField(max_length=80, help_text="The bank's own reference of the statement")
    currency = models.CharField(max_length=3)
    format = models.CharField(max_length=10, choices=[("camt053", "CAMT.053"), ("csv", "CSV")])
    file_name = models.CharField(max_length=200, default="")
    first_on = models.DateField()
    last_on = models.DateField()
    opening_balance = AmountField(null=True)
    closing_balance = AmountField(null=True)
    actor_name = models.CharField(max_length=150)
    imported_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "bank_statement"
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["account", "statement_ref"], name="bank_statement_once"),)

    def __str__(self) -> str:
        return f"{self.account} {self.statement_ref}"


class BankEntry(InternalModel):
    """One movement on the account; money in is positive.

    Booked as a customer's payment, or to other accounts by a journal entry, or set aside with a reason.
    """

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "Open"
        BOOKED = "booked", "Booked"
        SET_ASIDE = "set_aside", "Set aside"

    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=40)
    entry_ref = models.CharField(max_length=140, help_text="The bank's own reference of the entry")
    booked_on = models.DateField()
    value_on = models.DateField("value date", null=True, blank=True, help_text="When empty: the day of booking")
    amount = AmountField()
    currency = models.CharField(max_length=3)
    payer_name = models.CharField(max_length=200, default="", blank=True)
    payer_account = models.CharField(max_length=40, default="", blank=True)
    reference = models.CharField(max_length=500, default="", blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN, db_default=State.OPEN)
    payment = models.OneToOneField(Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="bank_entry")
    journal_entry = models.OneToOneField(
        JournalEntry, null=True, blank=True, on_delete=models.PROTECT, related_name="bank_entry"
    )
    set_aside_reason = models.CharField(max_length=200, default="", db_default="", blank=True)

    class Meta:
        db_table = "bank_entry"
        ordering = ("-booked_on", "-id")
        verbose_name_plural = "bank entries"
        constraints = (
            models.UniqueConstraint(fields=["account", "entry_ref"], name="bank_entry_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="bank_entry_not_zero"),
            models.CheckConstraint(
                condition=Q(state="booked", payment__isnull=False, journal_entry=None)
                | Q(state="booked", payment=None, journal_entry__isnull=False)
                | (~Q(state="booked") & Q(payment=None, journal_entry=None)),
                name="bank_entry_booked_once",
            ),
        )
        indexes = (models.Index(fields=["state"], name="bank_entry_open", condition=Q(state="open")),)

    def __str__(self) -> str:
        return f"{self.booked_on} {self.amount.normalize():f} {self.currency}"
