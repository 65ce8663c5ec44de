"""Carts: what a visitor means to buy. Internal to Storefront; a cart reserves nothing."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now

from erp.fields import UnitPriceField
from erp.models import InternalModel


class Cart(InternalModel):
    """A visitor's or a customer's cart. Every change raises ``version``: an order confirms one version."""

    class State(models.TextChoices):
        """``placing``: an order was frozen from it and its hand-over is not decided yet."""

        OPEN = "open", "Open"
        PLACING = "placing", "Being ordered"
        ORDERED = "ordered", "Ordered"
        MERGED = "merged", "Merged into another"

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # kept in the visitor's session
    customer_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    version = models.BigIntegerField(default=1)
    order_id = models.BigIntegerField(null=True, blank=True, help_text="Order that was frozen from it last")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "cart"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["customer_id"], condition=models.Q(state="open"), name="cart_one_open_per_customer"
            ),
        )
        indexes = (models.Index(fields=["order_id"], name="cart_order"),)

    def __str__(self) -> str:
        return f"Cart {self.pk}"


class CartLine(InternalModel):
    """A product in a cart, at the price that the shopper has seen."""

    class Note(models.TextChoices):
        """What the shopper must be told about the line until the cart is changed."""

        NONE = "", "–"
        PRICE = "price", "The price has changed"
        GONE = "gone", "No longer sold"
        SHORT = "short", "Fewer left than wanted"

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product_id = models.BigIntegerField()
    quantity = models.PositiveIntegerField()
    unit_price = UnitPriceField(help_text="As shown to the shopper")
    note = models.CharField(max_length=10, choices=Note, blank=True, default=Note.NONE)
    price_before = UnitPriceField(null=True, blank=True)
    left = models.IntegerField(null=True, blank=True, help_text="What Logistics had left when it refused")

    class Meta:
        db_table = "cart_line"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["cart", "product_id"], name="cart_line_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="cart_line_quantity_positive"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"
