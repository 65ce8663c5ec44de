"""Internal tables around the catalogue: categories, shipping methods, and who may log in to the shop."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import get_language

from erp.fields import AmountField
from erp.models import InternalModel


class Category(InternalModel):
    """A branch of the catalogue; ``path`` is what products name, e.g. ``Kitchen/Mugs``."""

    path = models.CharField(max_length=120, unique=True)
    name = models.CharField(max_length=80)
    name_hu = models.CharField(max_length=80, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "category"
        ordering = ("position", "path")
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.path

    @property
    def label(self) -> str:
        """Name in the active language."""
        return (self.name_hu if (get_language() or "").startswith("hu") else "") or self.name

    @property
    def is_top(self) -> bool:
        """Whether it stands at the top of the tree."""
        return "/" not in self.path


class ShippingMethod(InternalModel):
    """A way of delivery. Its price is that of a product (class ``shipping``), so that it has a VAT code."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)
    name_hu = models.CharField(max_length=80, blank=True, default="")
    product_id = models.BigIntegerField(null=True, blank=True, help_text="Product that is charged; empty: free")
    free_from = AmountField(null=True, blank=True, help_text="Free from this goods value (as shown in the cart)")
    countries = models.CharField(
        max_length=200, blank=True, default="", help_text="Two-letter codes, comma-separated; empty: everywhere"
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "shipping_method"
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """Name in the active language."""
        return (self.name_hu if (get_language() or "").startswith("hu") else "") or self.name

    def delivers_to(self, country: str) -> bool:
        """Whether this way reaches the country."""
        return not self.countries or country in {c.strip() for c in self.countries.split(",")}


class ShopAccount(InternalModel):
    """Which customer a shop log-in stands for; both are known by id, neither is a foreign key."""

    user_id = models.BigIntegerField(unique=True)
    customer_id = models.BigIntegerField(db_index=True)
    email = models.EmailField()
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="When the e-mail address was confirmed")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "shop_account"

    def __str__(self) -> str:
        return self.email
