"""What Logistics owns."""

from __future__ import annotations

from logistics.copies import CustomerCopy, ProductCopy
from logistics.standard import ChangeJournal, IdempotencyKey, ReaderState, RelayItem

__all__ = ["ChangeJournal", "CustomerCopy", "IdempotencyKey", "ProductCopy", "ReaderState", "RelayItem"]
