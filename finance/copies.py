"""What Finance reads: customer and product masters (instant) and sales orders (15 s)."""

from __future__ import annotations

from django.db import models

from erp.fields import AmountField, ExactJSONField, UnitPriceField
from erp.models import CopyModel, WindowedCopyModel


class CustomerCopy(CopyModel):
    """Admin's customer: what an invoice freezes and receivables refer to."""

    entity = "customer"

    number = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, null=True)
    is_company = models.BooleanField(db_default=False)
    country = models.CharField(max_length=2)
    tax_number = models.CharField(max_length=30, db_default="")
    vat_status = models.CharField(max_length=20, db_default="private")
    currency = models.CharField(max_length=3, db_default="")
    payment_terms_days = models.PositiveSmallIntegerField(db_default=8)
    language = models.CharField(max_length=2, db_default="hu")
    postcode = models.CharField(max_length=16, db_default="")
    city = models.CharField(max_length=80, db_default="")
    street = models.CharField(max_length=200, db_default="")
    external_ref = models.CharField(max_length=80, null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "customer_copy"
        verbose_name = "customer (copy)"

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class ProductCopy(CopyModel):
    """Admin's product: name, unit and VAT default of invoice lines."""

    entity = "product"

    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=20, db_default="pcs")
    product_class = models.CharField(max_length=20, db_default="goods")
    vat_code = models.CharField(max_length=20, db_default="27")
    base_price = UnitPriceField(db_default=0)
    currency = models.CharField(max_length=3, db_default="")
    is_stocked = models.BooleanField(db_default=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "product_copy"
        verbose_name = "product (copy)"

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class SalesOrderCopy(WindowedCopyModel):
    """A sales order as its present custodian (Storefront or Logistics) has it, at most 15 s old."""

    entity = "sales_order"

    epoch = models.BigIntegerField()
    number = models.CharField(max_length=40)
    lifecycle = models.CharField(max_length=20)
    fulfilment = models.CharField(max_length=20, db_default="none")
    invoicing = models.CharField(max_length=20, db_default="none")
    payment = models.CharField(max_length=20, db_default="open")
    customer_id = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    ordered_on = models.DateField(null=True)
    net_total = AmountField(db_default=0)
    vat_total = AmountField(db_default=0)
    gross_total = AmountField(db_default=0)
    lines = ExactJSONField(db_default=models.Value([], models.JSONField()))

    class Meta:
        db_table = "sales_order_copy"
        verbose_name = "sales order (copy)"

    def __str__(self) -> str:
        return self.number
