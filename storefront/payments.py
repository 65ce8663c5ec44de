"""Card payments of orders that are about to be placed, and what was booked of them. Internal to Storefront.

Glossary: an *attempt* is one try to pay for what was confirmed, under one reference at the provider; a *callback* is
the provider's signed word about it; a *booking* is the capture of an invoice or the refund of a credit note.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now

from erp.fields import AmountField, ExactJSONField
from erp.models import InternalModel
from storefront.carts import Cart


class PaymentAttempt(InternalModel):
    """One try to pay by card for a frozen basket; its order is made when the provider has authorised it."""

    class State(models.TextChoices):
        """Where the attempt stands for the shop; what the provider says is in ``provider_state``."""

        OPEN = "open", "To be paid"
        AUTHORISED = "authorised", "Authorised, being ordered"
        PLACED = "placed", "Ordered"
        FAILED = "failed", "Ended without an order"

    class Reason(models.TextChoices):
        """Why an attempt ended without an order."""

        NONE = "", "–"
        DECLINED = "declined", "Declined by the card's bank"
        EXPIRED = "expired", "Not paid in time"
        NO_STOCK = "no_stock", "Sold out before it was paid"
        SUPERSEDED = "superseded", "Replaced by another order or attempt"
        REFUSED = "refused", "The order could not be placed"

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cart = models.ForeignKey(Cart, on_delete=models.PROTECT, related_name="attempts")
    cart_version = models.BigIntegerField()
    key = models.CharField(max_length=200, help_text="Idempotency key of the order button")
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=12, choices=Reason, blank=True, default=Reason.NONE)
    amount = AmountField()
    currency = models.CharField(max_length=3)
    basket = ExactJSONField(help_text="The order as it was confirmed")
    hold_until = models.DateTimeField(null=True, help_text="Until then the pieces are set aside")
    order_id = models.BigIntegerField(null=True, unique=True)
    pay_url = models.CharField(max_length=500, blank=True, default="")
    sequence = models.BigIntegerField(default=0, help_text="Of the provider's latest news")
    provider_state = models.CharField(max_length=12, blank=True, default="")
    captured_total = AmountField(default=0)
    refunded_total = AmountField(default=0)
    is_settled = models.BooleanField(default=False, help_text="Nothing is left to be captured or released")
    look_at = models.DateTimeField(db_default=Now(), help_text="When the provider is asked next")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    authorised_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payment_attempt"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["cart"], condition=models.Q(state__in=["open", "authorised"]), name="payment_attempt_one_live"
            ),
            models.CheckConstraint(
                condition=models.Q(refunded_total__lte=models.F("captured_total"))
                & models.Q(captured_total__lte=models.F("amount")),
                name="payment_attempt_not_more_than_paid",
            ),
        )
        indexes = (
            models.Index(fields=["key"], name="payment_attempt_key"),
            models.Index(KeyTextTransform("customer_id", "basket"), name="payment_attempt_customer"),
            models.Index(
                fields=["look_at"],
                name="payment_attempt_due",
                condition=models.Q(state__in=["open", "authorised"]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.ref} {self.amount} {self.currency}"


class PaymentCallback(InternalModel):
    """A signed message of the provider, kept once by its event id: a repeat is known by it."""

    event_id = models.CharField(max_length=80, unique=True)
    ref = models.UUIDField()
    body = ExactJSONField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "payment_callback"
        ordering = ("-id",)
        indexes = (models.Index(fields=["ref"], name="payment_callback_ref"),)

    def __str__(self) -> str:
        return self.event_id


class PaymentBooking(InternalModel):
    """Capture for an issued invoice, refund for a credit note, or of what a capture took too much; one per kind."""

    class Kind(models.TextChoices):
        """What the provider is asked to do."""

        CAPTURE = "capture", "Capture"
        REFUND = "refund", "Refund"

    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="bookings")
    invoice_id = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    amount = AmountField(null=True, help_text="Fixed before the provider is asked, so that a repeat asks the same")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payment_booking"
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["invoice_id", "kind"], name="payment_booking_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.invoice_id}"
