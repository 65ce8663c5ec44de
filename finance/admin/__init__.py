"""Finance's staff pages: figures are read, changes are operations with buttons and forms of their own."""

from erp.admin import register_copies, register_standard
from finance.admin import bank, documents, ledger, masters

__all__ = ["bank", "documents", "ledger", "masters"]

register_copies("finance")
register_standard("finance")
