"""Which VAT code a sale gets: product class × customer status × country × date."""

from __future__ import annotations

from datetime import date

from finance.services.accounts import home_country, is_eu

ZERO_RATED_BY_NATURE = frozenset({"AAM", "TAM", "ATK", "NEM_HARIT"})
"""Codes of the product that no customer changes."""

_TAXABLE_AT_HOME = frozenset({"domestic", "vat_group"})
_MARGIN_PREFIX = "KUL_"


def choose_vat_code(product_class: str, vat_status: str, country: str, on_date: date, default_code: str = "27") -> str:
    """VAT code of a line.

    Args:
        product_class: goods, service, shipping, discount or voucher. Shipping and discounts follow the goods.
        vat_status: of the customer (private, domestic, vat_group, eu, third_country, organisation).
        country: where the goods go, or where the customer of a service is.
        default_code: the product's own code, right for a sale at home.

    Returns:
        A code of Finance's; whether it is valid on the day is checked when a document is issued.
    """
    if product_class == "voucher":
        return "ATK"  # a multi-purpose voucher is taxed when it is used
    if default_code in ZERO_RATED_BY_NATURE or default_code.startswith(_MARGIN_PREFIX):
        return default_code
    if country == home_country() or not country:
        # Domestic reverse charge needs a taxable customer.
        return "27" if default_code == "FAD" and vat_status not in _TAXABLE_AT_HOME else default_code
    if not is_eu(country, on_date):
        return "HO" if product_class == "service" else "EAM"
    if vat_status != "eu":
        return default_code  # to private persons below the distance-selling threshold: as at home
    return "EUFAD37" if product_class == "service" else "KBAET"
