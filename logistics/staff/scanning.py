"""Codes that are scanned or typed: which product is meant."""

from __future__ import annotations

from erp.errors import NotFound
from logistics.models import ProductCopy


def find_product(code: str) -> ProductCopy:
    """The stocked product with this SKU (in any case) or barcode. Raises NotFound naming the code."""
    text = code.strip()
    stocked = ProductCopy.objects.filter(is_stocked=True)
    found = stocked.filter(sku__iexact=text).first() or stocked.filter(barcode=text).exclude(barcode="").first()
    if found is None:
        raise NotFound(f"No stocked product has the SKU or barcode {text}.")
    return found
