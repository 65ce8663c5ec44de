"""What Storefront reads: masters, VAT codes, invoices (instant); stock and its own handed-over orders (15 s)."""

from __future__ import annotations

from django.db import models

from erp.fields import AmountField, ExactJSONField, UnitPriceField
from erp.models import CopyModel, WindowedCopyModel


class CustomerCopy(CopyModel):
    """Admin's customer behind a shop account."""

    entity = "customer"

    number = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, null=True)
    phone = models.CharField(max_length=40, db_default="")
    is_company = models.BooleanField(db_default=False)
    country = models.CharField(max_length=2)
    tax_number = models.CharField(max_length=30, db_default="")
    vat_status = models.CharField(max_length=20, db_default="private")
    currency = models.CharField(max_length=3, db_default="")
    language = models.CharField(max_length=2, db_default="hu")
    postcode = models.CharField(max_length=16, db_default="")
    city = models.CharField(max_length=80, db_default="")
    street = models.CharField(max_length=200, db_default="")
    is_blocked = models.BooleanField(db_default=False)
    external_ref = models.CharField(max_length=80, null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "customer_copy"
        verbose_name = "customer (copy)"
        indexes = (models.Index(fields=["email"], name="shop_customer_copy_email"),)

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class ProductCopy(CopyModel):
    """Admin's product as the catalogue shows it."""

    entity = "product"

    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    description = models.TextField(db_default="")
    unit = models.CharField(max_length=20, db_default="pcs")
    product_class = models.CharField(max_length=20, db_default="goods")
    vat_code = models.CharField(max_length=20, db_default="27")
    base_price = UnitPriceField(db_default=0)
    currency = models.CharField(max_length=3, db_default="")
    is_stocked = models.BooleanField(db_default=True)
    is_sellable = models.BooleanField(db_default=True)
    backorder_allowed = models.BooleanField(db_default=False)
    category = models.CharField(max_length=120, db_default="")
    attributes = ExactJSONField(db_default=models.Value({}, models.JSONField()))
    image = models.CharField(max_length=300, db_default="")
    images = ExactJSONField(db_default=models.Value([], models.JSONField()))
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "product_copy"
        verbose_name = "product (copy)"
        indexes = (
            models.Index(fields=["sku"], name="shop_product_copy_sku"),
            models.Index(fields=["category", "-id"], name="shop_product_copy_category"),
            models.Index(fields=["name", "id"], name="shop_product_copy_name"),
            models.Index(fields=["vat_code", "base_price", "id"], name="shop_product_copy_price"),
        )

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class VatCodeCopy(CopyModel):
    """Finance's VAT code: rates for prices in the basket."""

    entity = "vat_code"

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200, db_default="")
    name_hu = models.CharField(max_length=200, db_default="")
    rate = models.DecimalField(max_digits=7, decimal_places=4)
    category = models.CharField(max_length=20, db_default="rate")
    direction = models.CharField(max_length=10, db_default="both")
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "vat_code_copy"
        verbose_name = "VAT code (copy)"

    def __str__(self) -> str:
        return self.code


class StockCopy(WindowedCopyModel):
    """Logistics' stock of one product in one warehouse, at most 15 s old; optimistic, for pages only."""

    entity = "stock"

    warehouse_id = models.BigIntegerField()
    product_id = models.BigIntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField()

    class Meta:
        db_table = "stock_copy"
        verbose_name = "stock (copy)"
        verbose_name_plural = "stock (copy)"
        indexes = (models.Index(fields=["product_id"], name="shop_stock_copy_product"),)

    def __str__(self) -> str:
        return f"{self.product_id}: {self.on_hand - self.reserved}"


class SalesOrderCopy(WindowedCopyModel):
    """A handed-over sales order as Logistics has it: status for the customer's pages."""

    entity = "sales_order"

    epoch = models.BigIntegerField()
    number = models.CharField(max_length=40)
    lifecycle = models.CharField(max_length=20)
    fulfilment = models.CharField(max_length=20, db_default="none")
    invoicing = models.CharField(max_length=20, db_default="none")
    payment = models.CharField(max_length=20, db_default="open")
    customer_id = models.BigIntegerField()
    lines = ExactJSONField(db_default=models.Value([], models.JSONField()))
    shipments = ExactJSONField(db_default=models.Value([], models.JSONField()))
    returns = ExactJSONField(db_default=models.Value([], models.JSONField()))

    class Meta:
        db_table = "sales_order_copy"
        verbose_name = "sales order (copy)"
        indexes = (
            models.Index(fields=["customer_id"], name="shop_order_copy_customer"),
            models.Index(fields=["tick"], name="shop_order_copy_tick"),
        )

    def __str__(self) -> str:
        return self.number


class InvoiceCopy(CopyModel):
    """Finance's issued invoice or credit note, as the customer sees it."""

    entity = "invoice"

    number = models.CharField(max_length=40)
    kind = models.CharField(max_length=30)
    customer_id = models.BigIntegerField()
    customer = ExactJSONField(db_default=models.Value({}, models.JSONField()))
    supplier = ExactJSONField(db_default=models.Value({}, models.JSONField()))
    order_id = models.BigIntegerField(null=True)
    order_number = models.CharField(max_length=40, db_default="")
    original_id = models.BigIntegerField(null=True)
    issued_on = models.DateField()
    fulfilled_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    base_currency = models.CharField(max_length=3, db_default="")
    exchange_rate = models.DecimalField(max_digits=18, decimal_places=8, db_default=1)
    base_vat_total = AmountField(db_default=0)
    price_mode = models.CharField(max_length=5, db_default="net")
    payment_method = models.CharField(max_length=20, db_default="")
    net_total = AmountField()
    vat_total = AmountField()
    gross_total = AmountField()
    lines = ExactJSONField(db_default=models.Value([], models.JSONField()))
    vat_summary = ExactJSONField(db_default=models.Value([], models.JSONField()))
    payment_state = models.CharField(max_length=20, db_default="open")
    paid_total = AmountField(db_default=0)
    credited_total = AmountField(db_default=0)

    class Meta:
        db_table = "invoice_copy"
        verbose_name = "invoice (copy)"
        indexes = (
            models.Index(fields=["order_id"], name="shop_invoice_copy_order"),
            models.Index(fields=["customer_id"], name="shop_invoice_copy_customer"),
            models.Index(fields=["number"], name="shop_invoice_copy_number"),
            models.Index(fields=["original_id"], name="shop_invoice_copy_original"),
            models.Index(fields=["issued_on"], name="shop_invoice_copy_issued"),
        )

    def __str__(self) -> str:
        return self.number
