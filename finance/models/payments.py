"""Payments and what they, or credit notes, settle."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from erp.fields import AmountField
from erp.models import InternalModel
from finance.models.invoices import Invoice


class Payment(InternalModel):
    """Money received (positive) or paid back (negative). What is not allocated stays on the customer's account."""

    class Method(models.TextChoices):
        """How the money came; decides the account it is posted to."""

        TRANSFER = "transfer", "Bank transfer"
        CARD = "card", "Card"
        COD = "cod", "Cash on delivery"
        CASH = "cash", "Cash"

    number = models.CharField(max_length=40, unique=True, editable=False)
    customer_id = models.BigIntegerField()
    method = models.CharField(max_length=20, choices=Method, default=Method.TRANSFER)
    received_on = models.DateField(help_text="Posting date")
    value_on = models.DateField(
        "value date", null=True, blank=True, editable=False, help_text="Of the bank, when it is booked on a later day"
    )
    bank_on = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="Day of the bank's statement on which it stands, when it is posted on another day",
    )
    currency = models.CharField(max_length=3)
    amount = AmountField()
    allocated = AmountField(default=0, db_default=0, editable=False)
    exchange_rate = models.DecimalField(max_digits=18, decimal_places=8, default=1, editable=False)
    reference = models.CharField(max_length=140, blank=True, default="", help_text="As the payer or bank gave it")
    actor_name = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "payment"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="payment_not_zero"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, allocated__gte=0, allocated__lte=F("amount"))
                | Q(amount__lt=0, allocated__lte=0, allocated__gte=F("amount")),
                name="payment_not_allocated_beyond",
            ),
        )
        indexes = (models.Index(fields=["customer_id"], name="payment_customer"),)

    def __str__(self) -> str:
        return self.number


class WriteOff(InternalModel):
    """What is given up of a document, in its currency and with its sign; append-only."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="write_offs")
    amount = AmountField()
    written_off_on = models.DateField()
    reason = models.CharField(max_length=200)
    actor_name = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "write_off"
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=~Q(amount=0), name="write_off_not_zero"),)

    def __str__(self) -> str:
        return f"{self.amount} of {self.invoice_id}"


class PaymentAllocation(InternalModel):
    """Part of a payment, credit note or write-off that settles a document; ``amount`` in the document's currency.

    Money paid back settles the payment it came from: two rows, each payment's own with the other as counter payment.
    """

    invoice = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations")
    credit_note = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="offsets")
    write_off = models.ForeignKey(WriteOff, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations")
    counter_payment = models.ForeignKey(
        Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="counter_allocations"
    )
    amount = AmountField()
    allocated_on = models.DateField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "payment_allocation"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="payment_allocation_not_zero"),
            models.CheckConstraint(
                condition=Q(payment__isnull=False, credit_note=None, write_off=None)
                | Q(payment=None, credit_note__isnull=False, write_off=None)
                | Q(payment=None, credit_note=None, write_off__isnull=False),
                name="payment_allocation_one_source",
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, counter_payment=None)
                | Q(invoice=None, counter_payment__isnull=False, payment__isnull=False),
                name="payment_allocation_one_target",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} → {self.invoice_id or self.counter_payment_id}"
