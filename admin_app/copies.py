"""What Admin reads: VAT codes and invoices (instant), stock (15 s), the ledger for reports (60 s)."""

from __future__ import annotations

from django.db import models

from erp.fields import AmountField, ExactJSONField
from erp.models import CopyModel, WindowedCopyModel


class VatCodeCopy(CopyModel):
    """Finance's VAT code."""

    entity = "vat_code"

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200, db_default="")
    rate = models.DecimalField(max_digits=7, decimal_places=4)
    category = models.CharField(max_length=20, db_default="rate")
    direction = models.CharField(max_length=10, db_default="both")
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "vat_code_copy"
        verbose_name = "VAT code (copy)"
        verbose_name_plural = "VAT codes (copy)"

    def __str__(self) -> str:
        return self.code


class InvoiceCopy(CopyModel):
    """Finance's issued invoice or credit note, with lines, VAT summary and payment state."""

    entity = "invoice"

    number = models.CharField(max_length=40)
    kind = models.CharField(max_length=30)
    customer_id = models.BigIntegerField()
    customer = ExactJSONField(db_default=models.Value({}, models.JSONField()))
    order_id = models.BigIntegerField(null=True)
    order_number = models.CharField(max_length=40, db_default="")
    issued_on = models.DateField()
    due_on = models.DateField(null=True)
    currency = models.CharField(max_length=3)
    net_total = AmountField()
    vat_total = AmountField()
    gross_total = AmountField()
    base_net_total = AmountField(db_default=0)
    base_vat_total = AmountField(db_default=0)
    base_gross_total = AmountField(db_default=0)
    lines = ExactJSONField(db_default=models.Value([], models.JSONField()))
    vat_summary = ExactJSONField(db_default=models.Value([], models.JSONField()))
    payment_state = models.CharField(max_length=20, db_default="open")
    paid_total = AmountField(db_default=0)
    credited_total = AmountField(db_default=0)

    class Meta:
        db_table = "invoice_copy"
        verbose_name = "invoice (copy)"
        verbose_name_plural = "invoices (copy)"
        indexes = (models.Index(fields=["customer_id", "issued_on"], name="admin_invoice_copy_customer"),)

    def __str__(self) -> str:
        return self.number


class StockCopy(WindowedCopyModel):
    """Logistics' stock of one product in one warehouse, at most 15 s old."""

    entity = "stock"

    warehouse_id = models.BigIntegerField()
    warehouse_code = models.CharField(max_length=20, db_default="")
    product_id = models.BigIntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField()

    class Meta:
        db_table = "stock_copy"
        verbose_name = "stock (copy)"
        verbose_name_plural = "stock (copy)"
        indexes = (models.Index(fields=["product_id"], name="admin_stock_copy_product"),)

    def __str__(self) -> str:
        return f"{self.warehouse_code} / {self.product_id}: {self.on_hand}"


class LedgerCopy(WindowedCopyModel):
    """A posted line of Finance's general ledger, at most 60 s old; ``tick`` is the position it arrived in."""

    entity = "ledger"

    entry_id = models.BigIntegerField()
    entry_no = models.BigIntegerField()
    line_no = models.IntegerField()
    journal = models.CharField(max_length=20)
    entry_on = models.DateField()
    period = models.CharField(max_length=10, db_default="")
    account = models.CharField(max_length=20)
    account_name = models.CharField(max_length=200, db_default="")
    amount = AmountField(help_text="Base currency; debit positive, credit negative")
    document_amount = AmountField(db_default=0)
    currency = models.CharField(max_length=3, db_default="")
    text = models.CharField(max_length=200, db_default="")
    customer_id = models.BigIntegerField(null=True)
    product_id = models.BigIntegerField(null=True)
    quantity = models.IntegerField(null=True)
    document_kind = models.CharField(max_length=30, db_default="")
    document_number = models.CharField(max_length=40, db_default="")
    document_id = models.BigIntegerField(null=True)
    vat_code = models.CharField(max_length=20, db_default="")
    due_on = models.DateField(null=True)

    class Meta:
        db_table = "ledger_copy"
        verbose_name = "ledger line (copy)"
        verbose_name_plural = "ledger (copy)"
        indexes = (
            models.Index(fields=["account", "entry_on"], name="admin_ledger_copy_account"),
            models.Index(fields=["tick"], name="admin_ledger_copy_tick"),
        )

    def __str__(self) -> str:
        return f"{self.entry_no}/{self.line_no} {self.account} {self.amount}"
