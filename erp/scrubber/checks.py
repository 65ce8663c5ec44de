"""The copy checks, which follow from the ownership map alone; the others are declared by the modules."""

from __future__ import annotations

from erp.registry import registry
from erp.scrubber.copies import check_copies
from erp.scrubber.result import CheckSpec

COPY_CHECKS = (
    CheckSpec("customers", "Customer master: Admin against its copies", 1, lambda f: check_copies("customer", f)),
    CheckSpec("products", "Product master: Admin against its copies", 2, lambda f: check_copies("product", f)),
    CheckSpec("vat_codes", "VAT codes: Finance against its copies", 3, lambda f: check_copies("vat_code", f)),
    CheckSpec("invoices", "Invoices: Finance against its copies", 4, lambda f: check_copies("invoice", f), True),
    CheckSpec("ledger_copy", "Ledger: Finance against Admin's copy", 8, lambda f: check_copies("ledger", f), True),
    CheckSpec("stock_copies", "Stock copies: Logistics against its readers", 6, lambda f: check_copies("stock", f)),
)


def all_checks() -> list[CheckSpec]:
    """Every declared check, in report order."""
    return sorted([*COPY_CHECKS, *registry.checks], key=lambda check: check.number)
