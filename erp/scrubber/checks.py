"""The copy checks, which follow from the ownership map alone; the others are declared by the modules."""

from __future__ import annotations

from erp.registry import registry
from erp.scrubber.copy_check import check_copies
from erp.scrubber.result import CheckSpec


def _copies(name: str, title: str, number: int, entity: str, *, is_exact: bool = False) -> CheckSpec:
    return CheckSpec(name, title, number, lambda f: check_copies(entity, f), is_exact, entity=entity)


COPY_CHECKS = (
    _copies("customers", "Customer master: Admin against its copies", 1, "customer"),
    _copies("products", "Product master: Admin against its copies", 2, "product"),
    _copies("vat_codes", "VAT codes: Finance against its copies", 3, "vat_code"),
    _copies("invoices", "Invoices: Finance against its copies", 4, "invoice", is_exact=True),
    _copies("stock_copies", "Stock copies: Logistics against its readers", 6, "stock"),
)


def all_checks() -> list[CheckSpec]:
    """Every declared check, in report order."""
    return sorted([*COPY_CHECKS, *registry.checks], key=lambda check: check.number)
