"""The general ledger: chart of accounts, journals, periods, entries and their lines."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from erp.fields import AmountField, Xid8Field
from erp.models import InternalModel, WindowedOwnedModel


class Account(InternalModel):
    """A line of the chart of accounts; a group only carries its members and is never posted to."""

    class Type(models.TextChoices):
        """Where an account stands in balance sheet and profit and loss."""

        ASSET = "asset", "Asset"
        LIABILITY = "liability", "Liability"
        EQUITY = "equity", "Equity"
        INCOME = "income", "Income"
        EXPENSE = "expense", "Expense"
        TECHNICAL = "technical", "Technical"

    number = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    name_hu = models.CharField("name in Hungarian", max_length=200, blank=True, default="")
    type = models.CharField(max_length=12, choices=Type)
    normal_balance = models.CharField(max_length=1, choices=[("D", "Debit"), ("C", "Credit")], default="D")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="members")
    is_group = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True, help_text="An account out of use takes no more postings")

    class Meta:
        db_table = "account"
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class Journal(InternalModel):
    """Where entries come from: sales, bank, cash, stock, general."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        db_table = "journal"
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class FiscalPeriod(InternalModel):
    """A calendar month of a fiscal year. A hard lock cannot be taken back; PostgreSQL refuses it."""

    class State(models.TextChoices):
        """Who may still post into the month."""

        OPEN = "open", "Open"
        SOFT_LOCKED = "soft_locked", "Soft lock: closing entries only"
        LOCKED = "locked", "Hard lock: nothing, for good"

    code = models.CharField(max_length=10, unique=True)
    fiscal_year = models.IntegerField()
    starts_on = models.DateField(unique=True)
    ends_on = models.DateField(unique=True)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN, db_default=State.OPEN)

    class Meta:
        db_table = "fiscal_period"
        ordering = ("starts_on",)

    def __str__(self) -> str:
        return self.code


class JournalEntry(InternalModel):
    """One balanced posting; append-only, corrected by a reversal alone."""

    class Kind(models.TextChoices):
        """Closing entries may enter a softly locked month."""

        NORMAL = "normal", "Normal"
        CLOSING = "closing", "Closing"

    journal = models.ForeignKey(Journal, to_field="code", db_column="journal", on_delete=models.PROTECT)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.NORMAL, db_default=Kind.NORMAL)
    entry_on = models.DateField(help_text="Posting date")
    period = models.ForeignKey(
        FiscalPeriod, to_field="code", db_column="period", on_delete=models.PROTECT, editable=False
    )
    text = models.CharField(max_length=200, blank=True, default="", db_default="")
    document_kind = models.CharField(max_length=30, blank=True, default="", db_default="")
    document_number = models.CharField(max_length=40, blank=True, default="", db_default="")
    document_id = models.BigIntegerField(null=True, blank=True)
    posting_key = models.CharField(max_length=120, unique=True, help_text="Whatever is posted is posted once")
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")
    exchange_rate = models.DecimalField(
        max_digits=18, decimal_places=8, null=True, blank=True, help_text="Base currency for one unit of the document's"
    )
    rate_on = models.DateField(null=True, blank=True)
    rate_source = models.CharField(max_length=40, blank=True, default="", db_default="")
    actor_id = models.BigIntegerField(null=True, editable=False)
    actor_name = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    xid = Xid8Field(null=True, editable=False)

    class Meta:
        db_table = "journal_entry"
        ordering = ("-id",)
        verbose_name_plural = "journal entries"
        indexes = (
            models.Index(fields=["document_kind", "document_id"], name="journal_entry_document"),
            models.Index(fields=["entry_on"], name="journal_entry_day"),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.journal_id} {self.entry_on}"


class JournalLine(WindowedOwnedModel):
    """A line of the general ledger with all that reports need; append-only, its own journal of changes.

    ``amount`` is in base currency, debit positive, credit negative; ``document_amount`` the same in ``currency``.
    """

    entity = "ledger"

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines", db_index=False)
    entry_no = models.BigIntegerField(help_text="Number of the entry")
    line_no = models.IntegerField()
    journal = models.CharField(max_length=20)
    entry_on = models.DateField()
    tax_on = models.DateField("tax date", help_text="Its VAT period; the posting date unless said otherwise")
    period = models.CharField(max_length=10)
    account = models.ForeignKey(
        Account, to_field="number", db_column="account", on_delete=models.PROTECT, db_index=False
    )
    account_name = models.CharField(max_length=200)
    amount = AmountField()
    document_amount = AmountField(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    text = models.CharField(max_length=200, default="", db_default="", blank=True)
    customer_id = models.BigIntegerField(null=True)
    product_id = models.BigIntegerField(null=True)
    quantity = models.IntegerField(null=True)
    document_kind = models.CharField(max_length=30, default="", db_default="", blank=True)
    document_number = models.CharField(max_length=40, default="", db_default="", blank=True)
    document_id = models.BigIntegerField(null=True)
    vat_code = models.CharField("VAT code", max_length=20, default="", db_default="", blank=True)
    due_on = models.DateField(null=True)

    payload_sql = "to_jsonb(t) - 'xid'"
    sound_sql = "(select sum(l.amount) = 0 and count(*) > 1 from journal_line l where l.entry_id = t.entry_id)"

    class Meta:
        db_table = "journal_line"
        ordering = ("-id",)
        verbose_name = "ledger line"
        constraints = (
            models.UniqueConstraint(fields=["entry", "line_no"], name="journal_line_once"),
            models.CheckConstraint(condition=Q(version=1), name="journal_line_never_changes"),
        )
        indexes = (
            models.Index(fields=["entry", "id"], name="journal_line_entry"),
            models.Index(fields=["account", "entry_on"], name="journal_line_account"),
            models.Index(fields=["tax_on", "account"], name="journal_line_tax", condition=~Q(vat_code="")),
        )

    def __str__(self) -> str:
        return f"{self.entry_no}/{self.line_no} {self.account_id} {self.amount}"
