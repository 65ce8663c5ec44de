"""Totals of the sealed ledger, so that balances and the VAT return do not read every line."""

from __future__ import annotations

from django.db import models

from erp.fields import AmountField
from erp.models import InternalModel


class LedgerBalance(InternalModel):
    """What sealed lines add up to, per day, tax date, account and VAT code; kept in the seal's own statement.

    The lines that wait for their seal are added when figures are read, so figures are never behind.
    """

    entry_on = models.DateField()
    tax_on = models.DateField("tax date")
    account = models.CharField(max_length=20)
    vat_code = models.CharField("VAT code", max_length=20, default="", db_default="")
    debit = AmountField()
    credit = AmountField()

    class Meta:
        db_table = "ledger_balance"
        constraints = (
            models.UniqueConstraint(fields=["entry_on", "account", "vat_code", "tax_on"], name="ledger_balance_once"),
        )
        indexes = (models.Index(fields=["tax_on"], name="ledger_balance_tax"),)

    def __str__(self) -> str:
        return f"{self.entry_on} {self.account} {self.vat_code}"
