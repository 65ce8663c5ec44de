"""Template context of the shop's frame; computed only when a template asks for it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from storefront.models import Category
from storefront.services.cart import count_pieces
from storefront.services.placing import detached_masters
from storefront.views.visiting import cart_of, visitor_of


def shop(request: HttpRequest) -> dict[str, Any]:
    """Names, categories, cart count and shopper for templates/storefront/base.html."""
    return {
        "shop": {
            "name": settings.COMPANY["name"],
            "tagline": _("Good things for every day"),
            "email": settings.COMPANY["email"],
            "phone": settings.COMPANY.get("phone", ""),
            "time_zone": settings.SHOP_TIME_ZONE,
        },
        "nav_categories": SimpleLazyObject(lambda: _categories(request)),
        "cart_count": SimpleLazyObject(lambda: count_pieces(cart_of(request))),
        "shopper": SimpleLazyObject(lambda: _shopper(request)),
        "is_updating": SimpleLazyObject(lambda: bool(detached_masters())),
        "q": request.GET.get("q", ""),
    }


def _categories(request: HttpRequest) -> list[dict[str, Any]]:
    current = request.GET.get("category", "").split("/")[0]
    return [
        {"name": c.label, "path": c.path, "is_current": c.path == current}
        for c in Category.objects.filter(is_active=True)
        if c.is_top
    ]


def _shopper(request: HttpRequest) -> dict[str, str] | None:
    visitor = visitor_of(request)
    return {"name": visitor.customer.name, "email": visitor.email} if visitor.customer else None
