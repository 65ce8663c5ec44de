"""What Finance owns."""

from __future__ import annotations


from finance.copies import CustomerCopy, ProductCopy, SalesOrderCopy
from finance.standard import ChangeJournal, CopyPosition, CopyTick, IdempotencyKey, ReaderState, RelayItem

__all__ = [
    "ChangeJournal",
    "CopyPosition",
    "CopyTick",
    "CustomerCopy",
    "IdempotencyKey",
    "ProductCopy",
    "ReaderState",
    "RelayItem",
    "SalesOrderCopy",
]
