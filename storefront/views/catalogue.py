"""Product list, product page, and the stock text that refreshes itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from erp.freshness import copy_age
from storefront.forms import FilterForm
from storefront.models import Category, ProductCopy
from storefront.services.browsing import Filter, Page, list_products
from storefront.services.cart import cart_terms
from storefront.services.order_view import slug_of
from storefront.services.pricing import Terms, is_for_sale, unit_price, vat_code_of, vat_rates
from storefront.services.stock_view import figures_of
from storefront.services.structured_data import breadcrumb_data, product_data
from storefront.templatetags.shop import money
from storefront.views.visiting import cart_of, visitor_of

RELATED_PRODUCTS = 4


@require_safe
def product_list(request: HttpRequest) -> HttpResponse:
    """Products of a category, of a search, or all."""
    form = FilterForm(request.GET or None)
    wanted = _filter(request, form)
    terms = cart_terms(visitor_of(request))
    rates = vat_rates(terms.on_date)
    if wanted.in_stock and copy_age("stock", "storefront").too_old:
        messages.info(request, _("We cannot tell what is in stock at the moment, so all products are shown."))
        wanted = Filter(**{**wanted.__dict__, "in_stock": False})
    page = list_products(wanted, rates, terms.currency, terms.price_mode)
    context = {
        "products": _cards(page.products, terms, rates),
        "price_mode": terms.price_mode,
        **_list_context(request, form, wanted, page, terms),
    }
    is_refresh = request.headers.get("HX-Request") == "true"
    return render(request, "storefront/_product_grid.html" if is_refresh else "storefront/product_list.html", context)


def _filter(request: HttpRequest, form: FilterForm) -> Filter:
    form.is_valid()  # a filter that cannot be read does not hide the shop
    data = form.cleaned_data if form.is_bound else {}
    return Filter(
        q=data.get("q") or "", price_min=data.get("price_min"),
        category=request.GET.get("category", "")[:120].replace("\x00", ""),
        price_max=data.get("price_max"), in_stock=bool(data.get("in_stock")), sort=data.get("sort") or "",
        after=request.GET.get("after", "")[:400],
    )  # fmt: skip


def _cards(products: Iterable[ProductCopy], terms: Terms, rates: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    rows = list(products)
    stock = figures_of(rows)
    cards = []
    for product in rows:
        rate = rates.get(vat_code_of(product.product_class, product.vat_code, terms))
        if rate is None:
            continue
        cards.append(
            {
                "pk": product.pk, "slug": slug_of(product), "sku": product.sku, "name": product.name,
                "category": product.category, "image": product.image, "currency": terms.currency,
                "price": unit_price(product, rate, terms.price_mode), "can_buy": is_for_sale(product),
                "stock": stock.get(product.pk),
            }
        )  # fmt: skip
    return cards


def _list_context(
    request: HttpRequest, form: FilterForm, wanted: Filter, page: Page, terms: Terms
) -> dict[str, Any]:
    category = Category.objects.filter(path=wanted.category).first() if wanted.category else None
    heading = category.label if category else ""
    if wanted.q:
        heading = _("Results for “%(q)s”") % {"q": wanted.q}
    suggestion = None
    if page.corrected:
        suggestion = {"text": page.corrected, "url": _url(request, q=page.corrected, after=None)}
    base = reverse("storefront:product_list")
    canonical = f"{base}?{urlencode({'category': category.path})}" if category else base
    is_refined = bool(wanted.q or wanted.sort or wanted.in_stock or wanted.price_min or wanted.price_max)
    return {
        "heading": heading,
        "breadcrumbs": _breadcrumbs(category.path if category else "", with_self=False),
        "result_count": page.count,
        "filters": form,
        "active_filters": _active_filters(request, wanted, category, terms),
        "clear_url": base,
        "next_url": _url(request, after=page.next_cursor) if page.next_cursor else "",
        "first_url": _url(request, after=None) if wanted.after else "",
        "suggestion": suggestion,
        "canonical_url": "" if is_refined else request.build_absolute_uri(canonical),
    }


def _active_filters(
    request: HttpRequest, wanted: Filter, category: Category | None, terms: Terms
) -> list[dict[str, str]]:
    found = []
    if wanted.q:
        found.append((f"“{wanted.q}”", {"q": None}))
    if category:
        found.append((category.label, {"category": None}))
    if wanted.price_min is not None:
        label = _("from %(price)s") % {"price": money(wanted.price_min, terms.currency)}
        found.append((label, {"price_min": None}))
    if wanted.price_max is not None:
        label = _("up to %(price)s") % {"price": money(wanted.price_max, terms.currency)}
        found.append((label, {"price_max": None}))
    if wanted.in_stock:
        found.append((_("in stock"), {"in_stock": None}))
    return [{"label": label, "remove_url": _url(request, after=None, **change)} for label, change in found]


def _url(request: HttpRequest, **changes: str | None) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    for name in [name for name, value in query.items() if value == ""]:
        query.pop(name)
    text = query.urlencode()
    return reverse("storefront:product_list") + (f"?{text}" if text else "")


def _breadcrumbs(path: str, *, with_self: bool) -> list[dict[str, str]]:
    parts = path.split("/") if path else []
    if not with_self:
        parts = parts[:-1]
    paths = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    named = {c.path: c.label for c in Category.objects.filter(path__in=paths)}
    base = reverse("storefront:product_list")
    crumbs = [
        {"name": named.get(p, p.rsplit("/", 1)[-1]), "url": f"{base}?{urlencode({'category': p})}"} for p in paths
    ]
    return [{"name": _("All products"), "url": base}, *crumbs] if with_self or crumbs or path else []


@require_safe
def product_detail(request: HttpRequest, slug: str, pk: int, form: Any = None) -> HttpResponse:
    """One product; an outdated slug is sent to the present address."""
    product = ProductCopy.objects.filter(pk=pk, retired_at=None).first()
    if product is None or product.product_class not in {"goods", "service", "voucher"}:
        raise Http404
    canonical = reverse("storefront:product_detail", args=[slug_of(product), pk])
    if request.path != canonical and request.method == "GET":
        return HttpResponsePermanentRedirect(canonical)
    return render(request, "storefront/product_detail.html", product_context(request, product, form))


def product_context(request: HttpRequest, product: ProductCopy, form: Any = None) -> dict[str, Any]:
    """Context of the product page, see the head of its template."""
    terms = cart_terms(visitor_of(request))
    rates = vat_rates(terms.on_date)
    rate = rates.get(vat_code_of(product.product_class, product.vat_code, terms))
    can_buy = is_for_sale(product) and rate is not None and product.currency == terms.currency
    rate = rate or Decimal(0)
    cart = cart_of(request)
    in_cart = cart.lines.filter(product_id=product.pk).values_list("quantity", flat=True).first() if cart else None
    stock_figure = figures_of([product])[product.pk]
    canonical = request.build_absolute_uri(reverse("storefront:product_detail", args=[slug_of(product), product.pk]))
    price_gross = unit_price(product, rate, "gross")
    breadcrumbs = _breadcrumbs(product.category, with_self=True)
    return {
        "product": {
            "pk": product.pk, "slug": slug_of(product), "sku": product.sku, "name": product.name,
            "description": product.description, "image": product.image, "images": product.images or [],
            "currency": product.currency,
            "price_net": product.base_price, "price_gross": price_gross, "vat_rate": rate,
            "unit": product.unit, "can_buy": can_buy, "max_quantity": None,
            "attributes": [{"name": str(k), "value": str(v)} for k, v in (product.attributes or {}).items()],
        },
        "stock": stock_figure,
        "price_mode": terms.price_mode,
        "form": form,
        "in_cart": in_cart or 0,
        "breadcrumbs": breadcrumbs,
        "related": _cards(_related(product), terms, rates),
        "canonical_url": canonical,
        "structured_data": [
            product_data(product, canonical, price_gross if can_buy else None, stock_figure, request),
            breadcrumb_data(breadcrumbs, product.name, canonical, request),
        ],
    }  # fmt: skip


def _related(product: ProductCopy) -> list[ProductCopy]:
    same = ProductCopy.objects.filter(category=product.category, is_sellable=True, retired_at=None)
    if not product.category:
        return []
    goods = same.exclude(pk=product.pk).filter(product_class="goods", base_price__gt=0)
    return list(goods.order_by("-pk")[:RELATED_PRODUCTS])


@require_safe
def stock(request: HttpRequest, pk: int) -> HttpResponse:
    """The stock text of one product, for htmx."""
    product = ProductCopy.objects.filter(pk=pk, retired_at=None).first()
    if product is None:
        raise Http404
    context = {"product": product, "stock": figures_of([product])[pk]}
    response = render(request, "storefront/_stock.html", context)
    response["Cache-Control"] = "no-store"
    return response
