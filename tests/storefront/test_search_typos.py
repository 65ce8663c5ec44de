"""Search with typing errors: labelled queries against the names of a real assortment, and how it keeps in step."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from admin_app.serializers import ProductSerializer
from admin_app.services.demo import _GOODS
from erp.db import cursor
from storefront.models import ProductCopy
from storefront.services.browsing import Filter, list_products
from storefront.services.search import DOCUMENT_SQL
from storefront.services.word_index import forget_words, index_words
from tests.databases import ErpDatabase
from tests.environment import PROJECT_DIR
from tests.storefront import world

QUERIES = Path(__file__).with_name("typo_queries.csv")
HISTORY = PROJECT_DIR / "tests" / "data" / "online-retail" / "excerpt.csv"
RATES = {"27": Decimal(27)}
FIRST = 10
AT_LEAST = 45  # of 50


def assortment() -> list[dict[str, object]]:
    """The products of the retail history's excerpt and of the demo shop."""
    with HISTORY.open(encoding="utf-8") as file:
        named = {row["StockCode"]: " ".join(row["Description"].split()) for row in csv.DictReader(file)}
    rows = [(sku, name, "", "") for sku, name in named.items() if name]
    rows += [(sku, name, category, text) for sku, name, category, _price, _weight, text in _GOODS]
    return [
        {
            "sku": sku, "name": name, "category": category, "description": text, "base_price": Decimal(1000),
            "vat_code": "27", "currency": settings.BASE_CURRENCY,
        }
        for sku, name, category, text in rows
    ]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _catalogue(module_erp: ErpDatabase) -> None:
    world.set_up_books()
    ProductSerializer.bulk_save(assortment())
    index_words()


def names_of(typed: str, **wanted: object) -> list[str]:
    page = list_products(Filter(q=typed, **wanted), RATES, settings.BASE_CURRENCY, "gross")  # type: ignore[arg-type]
    return [product.name for product in page.products]


def test_most_misspelt_queries_find_their_product_among_the_first() -> None:
    with QUERIES.open(encoding="utf-8") as file:
        queries = [(row["typed"], " ".join(row["product"].split())) for row in csv.DictReader(file)]
    assert len(queries) == 50
    missed = [(typed, name) for typed, name in queries if name not in names_of(typed)[:FIRST]]
    assert len(queries) - len(missed) >= AT_LEAST, missed


def test_what_is_spelt_right_is_not_corrected() -> None:
    page = list_products(Filter(q="wooden dominoes"), RATES, settings.BASE_CURRENCY, "gross")
    assert page.corrected == ""
    assert [p.name for p in page.products] == ["WOODEN BOX OF DOMINOES"]


def test_name_counts_more_than_description() -> None:
    ProductSerializer.bulk_save(
        [
            {**assortment()[-1], "sku": "TXT-1", "name": "Walrus kettle", "description": "Plain."},
            {**assortment()[-1], "sku": "TXT-2", "name": "Plain pot", "description": "Goes with the walrus kettle."},
        ]
    )
    assert names_of("walrus kettle") == ["Walrus kettle", "Plain pot"]


def test_new_names_are_taken_in_and_old_ones_forgotten() -> None:
    key = world.product(name="Gramophone")
    assert index_words() >= 1
    assert index_words() == 0
    assert names_of("gramofone") == ["Gramophone"]
    world.product(sku=ProductCopy.objects.get(pk=key).sku, name="Turntable")
    index_words()
    assert names_of("turntabel") == ["Turntable"]
    assert names_of("gramofone") == []
    forget_words()
    index_words()
    with cursor("storefront") as cur:
        cur.execute("select count(*) from search_word where word = 'gramophone'")
        assert cur.fetchone() == (0,)


def test_full_text_search_is_served_by_its_index() -> None:
    with cursor("storefront") as cur:
        cur.execute("set enable_seqscan = off")
        cur.execute(f"explain select 1 from product_copy p where {DOCUMENT_SQL} @@ 'mug:*'::tsquery")
        plan = "\n".join(line for (line,) in cur.fetchall())
        cur.execute("reset enable_seqscan")
    assert "product_copy_words" in plan
