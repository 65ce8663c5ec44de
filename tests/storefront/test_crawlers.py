"""What search engines find: one address per page, structured data, a sitemap, robots.txt."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.test import Client, RequestFactory

from erp.db import module_transaction
from storefront.models import Category, ProductCopy
from storefront.services.stock_view import UNKNOWN
from storefront.services.structured_data import product_data
from storefront.views import crawlers
from tests.databases import ErpDatabase
from tests.storefront import world

LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


@pytest.fixture(autouse=True)
def _shop(module_erp: ErpDatabase) -> None:
    world.set_up_books()


def documents_of(page: str) -> dict[str, dict[str, object]]:
    found = [json.loads(text) for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)]
    return {document["@type"]: document for document in found}


def locations(url: str) -> list[str]:
    response = Client().get(url)
    assert response["Content-Type"].startswith("application/xml")
    return [found.text or "" for found in ElementTree.fromstring(response.content).iter(LOC)]  # noqa: S314  our own


def test_product_page_tells_price_stock_and_place() -> None:
    mug = world.product("1000", stock=3, name="Data </script><b>mug", category="Kitchen/Mugs")
    world.copy_stock()
    page = Client().get(f"/p/data-scriptbmug/{mug}/").content.decode()
    product = documents_of(page)["Product"]
    assert product["name"] == "Data </script><b>mug"
    assert product["offers"]["price"] == "1270"  # type: ignore[index]
    assert product["offers"]["availability"] == "https://schema.org/InStock"  # type: ignore[index]
    steps = documents_of(page)["BreadcrumbList"]["itemListElement"]
    assert [step["name"] for step in steps] == ["All products", "Kitchen", "Mugs", "Data </script><b>mug"]  # type: ignore[attr-defined]


def test_stock_that_is_not_known_is_not_claimed() -> None:
    mug = ProductCopy.objects.get(pk=world.product("1000", name="Unknown mug"))
    request = RequestFactory().get("/")
    told = json.loads(product_data(mug, "http://testserver/p/", Decimal(1270), UNKNOWN, request))
    assert told["offers"]["price"] == "1270"
    assert "availability" not in told["offers"]


def test_searches_and_filters_have_no_address_of_their_own() -> None:
    with module_transaction("storefront"):
        Category.objects.get_or_create(path="Home & Garden", defaults={"name": "Home & Garden"})
    listed = Client().get("/?category=Home+%26+Garden").content.decode()
    assert '<link rel="canonical" href="http://testserver/?category=Home+%26+Garden">' in listed
    for url in ("/?q=mug", "/?sort=price", "/?in_stock=on", "/?price_min=5"):
        page = Client().get(url).content.decode()
        assert "noindex" in page, url
        assert 'rel="canonical"' not in page, url


def test_sitemap_lists_every_product_once_in_files_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawlers, "PER_FILE", 4)
    keys = [world.product(name=f"Mapped {n}") for n in range(9)]
    gone = world.product(name="Not mapped", is_sellable=False)
    files = locations("/sitemap.xml")
    found = [loc for url in files for loc in locations(url.removeprefix("http://testserver"))]
    pages = [loc for loc in found if "/p/" in loc]
    assert len(pages) == len(set(pages))
    assert {f"http://testserver/p/mapped-{n}/{key}/" for n, key in enumerate(keys)} <= set(pages)
    assert not any(loc.endswith(f"/{gone}/") for loc in pages)
    assert Client().get("/sitemap-products-99999999999999999999.xml").status_code == 404


def test_robots_keeps_crawlers_out_of_carts_and_accounts() -> None:
    text = Client().get("/robots.txt").content.decode()
    assert "Disallow: /checkout/" in text
    assert "Sitemap: http://testserver/sitemap.xml" in text
