"""What Logistics reads: customer and product masters (instant)."""

from __future__ import annotations

from django.db import models

from erp.models import CopyModel


class CustomerCopy(CopyModel):
    """Admin's customer: whom to deliver to."""

    entity = "customer"

    number = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, null=True)
    phone = models.CharField(max_length=40, db_default="")
    country = models.CharField(max_length=2)
    language = models.CharField(max_length=2, db_default="hu")
    postcode = models.CharField(max_length=16, db_default="")
    city = models.CharField(max_length=80, db_default="")
    street = models.CharField(max_length=200, db_default="")
    is_blocked = models.BooleanField(db_default=False)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "customer_copy"
        verbose_name = "customer (copy)"

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class ProductCopy(CopyModel):
    """Admin's product: what lies on the shelf and whether it may be back-ordered."""

    entity = "product"

    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=20, db_default="pcs")
    product_class = models.CharField(max_length=20, db_default="goods")
    is_stocked = models.BooleanField(db_default=True)
    backorder_allowed = models.BooleanField(db_default=False)
    weight_g = models.PositiveIntegerField(db_default=0)
    barcode = models.CharField(max_length=20, db_default="")
    base_price = models.DecimalField(max_digits=19, decimal_places=6, db_default=0)
    currency = models.CharField(max_length=3, db_default="")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "product_copy"
        verbose_name = "product (copy)"

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"
