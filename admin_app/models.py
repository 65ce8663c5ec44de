"""What Admin owns: the customer master and the product master.

Glossary: a *customer* is whoever may buy or be invoiced, person or company; a *product* is anything that can
stand on an order line, stocked goods as well as services, postage, discounts and vouchers.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from admin_app.copies import InvoiceCopy, LedgerCopy, StockCopy, VatCodeCopy
from admin_app.standard import ChangeJournal, CopyPosition, CopyTick, IdempotencyKey, ReaderState, RelayItem
from erp.fields import ExactJSONField, UnitPriceField
from erp.models import InternalModel, OwnedModel

__all__ = [
    "ChangeJournal",
    "CopyPosition",
    "CopyTick",
    "Customer",
    "CustomerAddress",
    "IdempotencyKey",
    "InvoiceCopy",
    "LedgerCopy",
    "Product",
    "ReaderState",
    "RelayItem",
    "StockCopy",
    "VatCodeCopy",
]


class Customer(OwnedModel):
    """A buyer: the master record that Finance, Logistics and Storefront hold copies of."""

    class VatStatus(models.TextChoices):
        """How the customer stands towards VAT; decides which VAT code a sale gets."""

        PRIVATE = "private", "Private person"
        DOMESTIC = "domestic", "Domestic taxable person"
        VAT_GROUP = "vat_group", "Member of a domestic VAT group"
        EU = "eu", "Taxable person in another EU country"
        THIRD_COUNTRY = "third_country", "Outside the EU"
        ORGANISATION = "organisation", "Organisation that is no taxable person (association, condominium)"

    entity = "customer"

    number = models.CharField(max_length=20, unique=True, editable=False)
    name = models.CharField(max_length=200)
    email = models.EmailField(null=True, blank=True, unique=True)
    phone = models.CharField(max_length=40, blank=True, default="")
    is_company = models.BooleanField(default=False)
    country = models.CharField(max_length=2, default="HU", help_text="ISO 3166 code, two letters")
    tax_number = models.CharField(max_length=30, blank=True, default="")
    vat_status = models.CharField("VAT status", max_length=20, choices=VatStatus, default=VatStatus.PRIVATE)
    currency = models.CharField(max_length=3, default="HUF", help_text="ISO 4217 code")
    payment_terms_days = models.PositiveSmallIntegerField("payment terms (days)", default=8)
    language = models.CharField(max_length=2, choices=[("hu", "Magyar"), ("en", "English")], default="hu")
    postcode = models.CharField(max_length=16, blank=True, default="")
    city = models.CharField(max_length=80, blank=True, default="")
    street = models.CharField(max_length=200, blank=True, default="")
    external_ref = models.CharField(max_length=80, null=True, blank=True, unique=True)
    is_blocked = models.BooleanField(default=False, help_text="A blocked customer cannot place orders")
    note = models.TextField(blank=True, default="", help_text="For staff; no other module sees it")

    payload_sql = "to_jsonb(t) - 'note'"

    class Meta:
        db_table = "customer"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class CustomerAddress(InternalModel):
    """A further address of a customer (delivery, billing)."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="addresses")
    kind = models.CharField(max_length=10, choices=[("delivery", "Delivery"), ("billing", "Billing")])
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2, default="HU")
    postcode = models.CharField(max_length=16)
    city = models.CharField(max_length=80)
    street = models.CharField(max_length=200)

    class Meta:
        db_table = "customer_address"
        verbose_name_plural = "customer addresses"

    def __str__(self) -> str:
        return f"{self.postcode} {self.city}, {self.street}"


class Product(OwnedModel):
    """Anything that can stand on an order or invoice line; the base price is net, per unit."""

    class ProductClass(models.TextChoices):
        """What kind of thing it is; decides VAT treatment and whether stock moves."""

        GOODS = "goods", "Goods"
        SERVICE = "service", "Service"
        SHIPPING = "shipping", "Shipping"
        DISCOUNT = "discount", "Discount"
        VOUCHER = "voucher", "Voucher"

    entity = "product"

    sku = models.CharField("SKU", max_length=60, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    unit = models.CharField(max_length=20, default="pcs")
    product_class = models.CharField(max_length=20, choices=ProductClass, default=ProductClass.GOODS)
    vat_code = models.CharField("VAT code", max_length=20, default="27", help_text="Code of Finance's VAT code")
    base_price = UnitPriceField(default=Decimal(0), help_text="Net price of one unit")
    currency = models.CharField(max_length=3, default="HUF")
    is_stocked = models.BooleanField(default=True)
    is_sellable = models.BooleanField(default=True)
    backorder_allowed = models.BooleanField(default=False)
    weight_g = models.PositiveIntegerField("weight (g)", default=0)
    category = models.CharField(max_length=120, blank=True, default="", help_text="Path, e.g. Kitchen/Mugs")
    attributes = ExactJSONField(default=dict, blank=True)
    image = models.CharField(max_length=300, blank=True, default="", help_text="Address of the picture shown first")
    images = ExactJSONField(default=list, blank=True, help_text="Addresses of further pictures")
    barcode = models.CharField(max_length=20, blank=True, default="")
    external_ref = models.CharField(max_length=80, null=True, blank=True, unique=True)

    class Meta:
        db_table = "product"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=models.Q(base_price__gte=0), name="product_base_price_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"
