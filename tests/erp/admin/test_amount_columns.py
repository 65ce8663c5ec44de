"""Money in lists has the places of its currency; the plural of a copy reads like one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.test import Client

from admin_app import api
from admin_app.models import Product
from erp import ownership
from erp.actor import SYSTEM
from erp.fields import AmountField, UnitPriceField
from erp.publishing import copy_model
from erp.staff.amounts import with_amounts
from finance.models import Invoice, JournalLine


def shown(model: type, name: str, **values: object) -> str:
    (column,) = with_amounts(model, [name])
    return str(column(model(**values)))


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("12700.0000", "HUF", "12,700 HUF"), ("-9.5000", "EUR", "-9.50 EUR"), ("1.5000", "KWD", "1.500 KWD")],
)
def test_amount_has_the_places_of_its_currency(amount: str, currency: str, text: str) -> None:
    assert shown(Invoice, "gross_total", gross_total=Decimal(amount), currency=currency) == text


def test_amount_of_the_books_is_in_their_currency() -> None:
    line = {"amount": Decimal("3810.0000"), "document_amount": Decimal("10.0000"), "currency": "EUR"}
    assert (shown(JournalLine, "amount", **line), shown(JournalLine, "document_amount", **line)) == (
        "3,810 HUF", "10.00 EUR",
    )  # fmt: skip
    assert shown(Invoice, "base_gross_total", base_gross_total=Decimal(508), currency="EUR") == "508 HUF"


@pytest.mark.parametrize(
    ("price", "text"), [("12.500000", "12.50 EUR"), ("0.123400", "0.1234 EUR"), ("1200.000000", "1,200.00 EUR")]
)
def test_price_keeps_what_it_needs(price: str, text: str) -> None:
    assert shown(Product, "base_price", base_price=Decimal(price), currency="EUR") == text


def test_currency_is_not_said_twice() -> None:
    column, currency = with_amounts(Invoice, ["gross_total", "currency"], is_list=True)
    assert (column(Invoice(gross_total=Decimal(508), currency="HUF")), currency) == ("508", "currency")


def test_no_list_shows_a_stored_amount_as_it_is(boss: Client) -> None:
    request = boss.get("/admin/").wsgi_request
    for model, page in admin.site._registry.items():
        names = [name for name in page.get_list_display(request) if isinstance(name, str)]
        fields = {f.name for f in model._meta.concrete_fields if isinstance(f, AmountField | UnitPriceField)}
        assert not fields & set(names), model


def test_no_detail_page_shows_a_stored_amount_as_it_is(boss: Client) -> None:
    request = boss.get("/admin/").wsgi_request
    for model, page in admin.site._registry.items():
        row = model()
        parts = [(model, page), *((line.model, line) for line in page.get_inline_instances(request, row))]
        for of, part in parts:
            if part.has_change_permission(request, row):
                continue
            fields = {f.name for f in of._meta.concrete_fields if isinstance(f, AmountField | UnitPriceField)}
            assert not fields & set(flatten_fieldsets(part.get_fieldsets(request, row))), of


def test_page_of_a_copy_shows_prices_readably(boss: Client) -> None:
    row = {"sku": "READ", "name": "Read", "base_price": Decimal("1234.5"), "currency": "EUR"}
    key = api.save_products([row], actor=SYSTEM)[0]["id"]
    page = boss.get(f"/admin/storefront/productcopy/{key}/change/").content.decode()
    assert "1,234.50" in page
    assert "1234.5000" not in page


def test_list_of_products_shows_prices(boss: Client) -> None:
    api.save_products(
        [{"sku": "PRICED", "name": "Priced", "base_price": Decimal("1234.5"), "currency": "EUR"}], actor=SYSTEM
    )
    page = boss.get("/admin/admin_app/product/?q=PRICED").content.decode()
    assert "1,234.50" in page
    assert "1234.500000" not in page


def test_plural_of_a_copy_is_that_of_what_it_copies() -> None:
    names = {
        str(copy_model(e.name, reader)._meta.verbose_name_plural)
        for e in ownership.ENTITIES
        for reader in e.readers
    }  # fmt: skip
    assert {"customers (copy)", "products (copy)", "stock (copy)", "sales orders (copy)", "invoices (copy)"} <= names
    assert not [name for name in names if name.endswith(")s")]
