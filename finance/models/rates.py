"""VAT codes (read by Admin and Storefront) and exchange rates."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from erp.models import InternalModel, OwnedModel


class VatCode(OwnedModel):
    """How a supply is taxed, and how the tax office wants to hear of it; ``rate`` is in percent."""

    class Category(models.TextChoices):
        """Every category but the first carries no VAT amount."""

        RATE = "rate", "Rate"
        EXEMPT = "exempt", "Exempt"
        OUT_OF_SCOPE = "out_of_scope", "Out of scope"
        REVERSE_CHARGE = "reverse_charge", "Domestic reverse charge"
        MARGIN = "margin", "Margin scheme"
        NO_CHARGE = "no_charge", "No VAT charged"

    entity = "vat_code"

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    name_hu = models.CharField("name in Hungarian", max_length=200, blank=True, default="")
    rate = models.DecimalField(max_digits=7, decimal_places=4, default=0, help_text="Percent")
    category = models.CharField(max_length=20, choices=Category, default=Category.RATE)
    nav_element = models.CharField(
        "NAV element", max_length=40, blank=True, default="", help_text="Element of the tax report"
    )
    nav_value = models.CharField("NAV value", max_length=20, blank=True, default="")
    nav_vat_content = models.CharField(
        "NAV VAT content", max_length=20, blank=True, default="", help_text="Of simplified invoices"
    )
    law_ref = models.CharField("law", max_length=100, blank=True, default="")
    direction = models.CharField(
        max_length=10, choices=[("sale", "Sale"), ("purchase", "Purchase"), ("both", "Both")], default="both"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "vat_code"
        ordering = ("code",)
        verbose_name = "VAT code"
        constraints = (
            models.CheckConstraint(condition=Q(rate__gte=0) & Q(rate__lt=100), name="vat_code_rate_range"),
            models.CheckConstraint(condition=Q(category="rate") | Q(rate=0), name="vat_code_rate_of_rates_only"),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ExchangeRate(InternalModel):
    """Base currency for one unit of ``currency`` from ``rate_on`` until the next rate."""

    currency = models.CharField(max_length=3)
    rate_on = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    source = models.CharField(max_length=40, default="manual")

    class Meta:
        db_table = "exchange_rate"
        ordering = ("-rate_on", "currency")
        constraints = (
            models.UniqueConstraint(fields=["currency", "rate_on"], name="exchange_rate_once_a_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchange_rate_positive"),
        )

    def __str__(self) -> str:
        return f"{self.currency} {self.rate_on}: {self.rate}"
