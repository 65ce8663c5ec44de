"""For search engines: robots.txt, and a sitemap of categories and products in files of bounded size."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from erp.db import cursor
from storefront.models import Category, ProductCopy
from storefront.services.order_view import slug_of

PER_FILE = 10_000  # the protocol allows 50,000 addresses per file
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_PRIVATE = ("/cart/", "/checkout/", "/account/", "/orders/", "/invoices/", "/stock/", "/admin/", "/api/", "/*?*q=")
_LISTED = "is_sellable and retired_at is null and base_price > 0 and product_class in ('goods', 'service', 'voucher')"
_LISTED_FROM = f"select id, name from product_copy where id >= %s and {_LISTED} order by id limit %s"


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers should leave alone, and where the sitemap is."""
    sitemap = request.build_absolute_uri(reverse("storefront:sitemap"))
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE), f"Sitemap: {sitemap}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap(request: HttpRequest) -> HttpResponse:
    """The sitemap's files: categories, and products by ranges of their ids."""
    with cursor("storefront") as cur:
        cur.execute(
            f"select id from (select id, row_number() over (order by id) n from product_copy where {_LISTED}) x "
            f"where n %% {PER_FILE} = 1 order by id",
            [],
        )
        starts = [key for (key,) in cur.fetchall()]
    products = [reverse("storefront:sitemap_products", args=[start]) for start in starts]
    urls = [reverse("storefront:sitemap_categories"), *products]
    parts = [f"<sitemap><loc>{escape(request.build_absolute_uri(url))}</loc></sitemap>" for url in urls]
    return _answer(f"<sitemapindex {_NAMESPACE}>", parts, "</sitemapindex>")


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap_categories(request: HttpRequest) -> HttpResponse:
    """The front page and every category."""
    base = reverse("storefront:product_list")
    paths = Category.objects.filter(is_active=True).values_list("path", flat=True)
    return _urls(request, [base, *(f"{base}?{urlencode({'category': path})}" for path in paths)])


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap_products(request: HttpRequest, start: int) -> HttpResponse:
    """Products from one id on."""
    if start >= 2**63:
        raise Http404
    found = ProductCopy.objects.raw(_LISTED_FROM, [start, PER_FILE])
    return _urls(request, (reverse("storefront:product_detail", args=[slug_of(p), p.pk]) for p in found))


def _urls(request: HttpRequest, paths: Iterable[str]) -> HttpResponse:
    parts = [f"<url><loc>{escape(request.build_absolute_uri(path))}</loc></url>" for path in paths]
    return _answer(f"<urlset {_NAMESPACE}>", parts, "</urlset>")


def _answer(head: str, parts: list[str], tail: str) -> HttpResponse:
    body = _XML + "\n".join([head, *parts, tail]) + "\n"
    return HttpResponse(body, content_type="application/xml; charset=utf-8")
