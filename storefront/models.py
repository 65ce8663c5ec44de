"""What Storefront owns."""

from __future__ import annotations

from storefront.copies import CustomerCopy, InvoiceCopy, ProductCopy, SalesOrderCopy, StockCopy, VatCodeCopy
from storefront.standard import ChangeJournal, CopyPosition, CopyTick, IdempotencyKey, ReaderState, RelayItem

__all__ = [
    "ChangeJournal",
    "CopyPosition",
    "CopyTick",
    "CustomerCopy",
    "IdempotencyKey",
    "InvoiceCopy",
    "ProductCopy",
    "ReaderState",
    "RelayItem",
    "SalesOrderCopy",
    "StockCopy",
    "VatCodeCopy",
]
