"""Logistics' staff pages: figures are read, changes are operations with buttons and forms of their own."""

from __future__ import annotations

from erp.admin import register_copies, register_standard
from logistics.admin import orders, stock

__all__ = ["orders", "stock"]

register_copies("logistics")
register_standard("logistics")
