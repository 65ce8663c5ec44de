"""Which VAT code a sale gets."""

from __future__ import annotations

from datetime import date

import pytest

from finance.api import choose_vat_code

NOW = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("product_class", "status", "country", "default", "expected"),
    [
        ("goods", "private", "HU", "27", "27"),
        ("goods", "private", "HU", "5", "5"),
        ("goods", "domestic", "HU", "FAD", "FAD"),
        ("goods", "private", "HU", "FAD", "27"),  # reverse charge needs a taxable customer
        ("goods", "eu", "AT", "27", "KBAET"),
        ("shipping", "eu", "AT", "27", "KBAET"),  # shipping follows the goods
        ("service", "eu", "AT", "27", "EUFAD37"),
        ("goods", "private", "AT", "27", "27"),  # distance sales below the threshold
        ("goods", "third_country", "US", "27", "EAM"),
        ("goods", "private", "CH", "27", "EAM"),
        ("service", "third_country", "US", "27", "HO"),
        ("voucher", "private", "HU", "27", "ATK"),
        ("service", "eu", "AT", "TAM", "TAM"),  # exempt by its nature
        ("goods", "private", "", "18", "18"),
    ],
)
def test_code_follows_product_customer_and_country(
    product_class: str, status: str, country: str, default: str, expected: str
) -> None:
    assert choose_vat_code(product_class, status, country, NOW, default) == expected


@pytest.mark.parametrize(
    ("country", "on", "expected"),
    [
        ("GB", date(2020, 12, 31), "KBAET"),
        ("GB", date(2021, 1, 1), "EAM"),
        ("HR", date(2013, 6, 30), "EAM"),
        ("HR", date(2013, 7, 1), "KBAET"),
    ],
)
def test_code_follows_who_is_in_the_union_that_day(country: str, on: date, expected: str) -> None:
    assert choose_vat_code("goods", "eu", country, on) == expected
