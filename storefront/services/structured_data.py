"""What search engines read about a page: JSON-LD of schema.org, as text that may stand in a script element."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from storefront.models import ProductCopy
from storefront.services.stock_view import StockFigure

_ESCAPED = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}  # nothing can end the script element


def as_script(document: Mapping[str, Any]) -> SafeString:
    """The document as JSON for a script element."""
    text = json.dumps({"@context": "https://schema.org", **document}, ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPED))  # noqa: S308  escaped just here


def product_data(
    product: ProductCopy, url: str, price_gross: Decimal | None, stock: StockFigure, request: HttpRequest
) -> SafeString:
    """A product with its offer; ``price_gross`` None: it cannot be ordered. Stock that is not known is not claimed."""
    document: dict[str, Any] = {
        "@type": "Product", "name": product.name, "sku": product.sku, "url": url,
        "description": product.description,
        "image": [request.build_absolute_uri(u) for u in (product.image, *(product.images or [])) if u],
    }  # fmt: skip
    if price_gross is not None:
        offer = {
            "@type": "Offer", "url": url, "price": str(price_gross), "priceCurrency": product.currency,
            "seller": {"@type": "Organization", "name": settings.COMPANY["name"]},
        }  # fmt: skip
        availability = _availability(product, stock)
        document["offers"] = {**offer, "availability": availability} if availability else offer
    return as_script({name: value for name, value in document.items() if value})


def _availability(product: ProductCopy, stock: StockFigure) -> str:
    if stock.always or (stock.known and stock.available > 0):
        return "https://schema.org/InStock"
    if not stock.known:
        return ""
    return "https://schema.org/BackOrder" if product.backorder_allowed else "https://schema.org/OutOfStock"


def breadcrumb_data(breadcrumbs: Sequence[Mapping[str, str]], name: str, url: str, request: HttpRequest) -> SafeString:
    """The way to a page from the top of the catalogue."""
    steps = [(c["name"], request.build_absolute_uri(c["url"])) for c in breadcrumbs]
    items = [
        {"@type": "ListItem", "position": n, "name": step, "item": at}
        for n, (step, at) in enumerate([*steps, (name, url)], 1)
    ]
    return as_script({"@type": "BreadcrumbList", "itemListElement": items})
