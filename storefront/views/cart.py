"""The cart's pages: works with plain forms, every change names the version it was made for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from erp.errors import Refused
from storefront.forms import QuantityForm
from storefront.models import Cart, CartLine, ProductCopy
from storefront.services.cards.paying import live_payment
from storefront.services.cart import (
    CartChanged,
    QuantityRefused,
    add_to_cart,
    cart_terms,
    change_cart,
    refresh_cart,
)
from storefront.services.checkout import Basket, price_cart
from storefront.services.order_view import slug_of
from storefront.services.pricing import NotForSale
from storefront.services.stock_view import UNKNOWN, StockFigure, figures_of
from storefront.templatetags.shop import money
from storefront.views.catalogue import product_context
from storefront.views.visiting import cart_of, keep_cart, visitor_of


def safe_next(request: HttpRequest, default: str) -> str:
    """Where to go afterwards: the form's ``next`` if it stays on this site."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if allowed else default


@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    """The cart, at the present prices; what has changed is said on its line."""
    return render(request, "storefront/cart.html", cart_context(request))


def cart_context(request: HttpRequest) -> dict[str, Any]:
    """Context of the cart page, see the head of its template."""
    terms = cart_terms(visitor_of(request))
    found = cart_of(request)
    if found is None:
        return {"lines": [], "currency": terms.currency, "price_mode": terms.price_mode, "cart_version": 0}
    found = refresh_cart(found, terms)
    basket = price_cart(list(found.lines.all()), terms, None)
    lines = shown_lines(basket, terms.currency, terms.price_mode)
    return {
        "lines": lines,
        "totals": shown_totals(basket),
        "currency": terms.currency,
        "price_mode": terms.price_mode,
        "cart_version": found.version,
        "payment": live_payment(found.pk),
        "can_checkout": bool(lines) and not any(line["is_problem"] for line in lines),
    }


def shown_totals(basket: Basket) -> dict[str, Any]:
    """Totals as templates/storefront/_totals.html wants them."""
    totals = basket.totals
    return {
        "net": totals.net, "vat": totals.vat, "gross": totals.gross, "vat_summary": totals.rates,
        "shipping": basket.shipping, "shipping_name": basket.shipping_name, "goods": basket.goods,
    }  # fmt: skip


def shown_lines(basket: Basket, currency: str, price_mode: str) -> list[dict[str, Any]]:
    """Lines of a cart with picture, stock and what must be said about them."""
    ids = [line.product_id for line in basket.cart_lines]
    products = ProductCopy.objects.in_bulk(ids)
    stock = figures_of(products.values())
    priced = {line.product_id: line for line in basket.lines}
    shown = []
    for line in basket.cart_lines:
        product = products.get(line.product_id)
        total = priced.get(line.product_id)
        figure = stock.get(line.product_id, UNKNOWN)
        message, is_problem = _message(line, product, currency, figure)
        shown.append(
            {
                "product_id": line.product_id, "pk": line.product_id, "slug": slug_of(product) if product else "p",
                "sku": product.sku if product else "", "name": product.name if product else "",
                "image": product.image if product else "", "quantity": line.quantity, "max_quantity": None,
                "unit_price": line.unit_price, "stock": figure, "message": message,
                "line_total": (total.gross if price_mode == "gross" else total.net) if total else 0,
                "is_problem": is_problem,
            }
        )  # fmt: skip
    return shown


def _message(line: CartLine, product: ProductCopy | None, currency: str, stock: StockFigure) -> tuple[str, bool]:
    """What must be said about a line, and whether it must be solved before the checkout."""
    if line.note == CartLine.Note.GONE or product is None:
        return _("This product is no longer sold. Please remove it."), True
    if line.note == CartLine.Note.SHORT:
        sold_out = _("Sold out. Please remove it or try again later.")
        return _("Only %(n)d left. Please change the quantity.") % {"n": line.left} if line.left else sold_out, True
    return _mild_message(line, product, currency, stock), False


def _mild_message(line: CartLine, product: ProductCopy, currency: str, stock: StockFigure) -> str:
    if line.note == CartLine.Note.PRICE and line.price_before is not None:
        values = {"before": money(line.price_before, currency), "now": money(line.unit_price, currency)}
        return _("The price has changed from %(before)s to %(now)s.") % values
    if stock.known and product.is_stocked and not product.backorder_allowed and stock.available < line.quantity:
        few = _("Only %(n)d in stock at the moment.") % {"n": stock.available}
        return few if stock.available else _("Out of stock at the moment.")
    return ""


@require_POST
def cart_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a product into the cart."""
    product = ProductCopy.objects.filter(pk=pk, retired_at=None).first()
    if product is None:
        raise Http404
    form = QuantityForm(request.POST)
    if form.is_valid():
        try:
            found = add_to_cart(visitor_of(request), pk, form.cleaned_data["quantity"])
        except (QuantityRefused, NotForSale) as refused:
            form.add_error("quantity", _(refused.message))
        except CartChanged as changed:
            messages.warning(request, _(changed.message))
            return redirect("storefront:cart")
        else:
            keep_cart(request, found)
            messages.success(request, _("%(name)s is in your cart.") % {"name": product.name})
            return HttpResponseRedirect(safe_next(request, request.build_absolute_uri("/cart/")))
    page = render(request, "storefront/product_detail.html", product_context(request, product, form))
    page.status_code = 422
    return page


@require_POST
def cart_update(request: HttpRequest) -> HttpResponse:
    """Set the quantities of the cart's lines."""
    quantities: dict[int, int] = {}
    for name, value in ((name, str(value)) for name, value in request.POST.items()):
        if not name.startswith("quantity-"):
            continue
        if not value.isdecimal() or len(value) > 6 or not name[9:].isdecimal():
            messages.error(request, _("Please give quantities as whole numbers."))
            return redirect("storefront:cart")
        quantities[int(name[9:])] = int(value)
    return _changed(request, quantities)


@require_POST
def cart_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a product out of the cart."""
    return _changed(request, {pk: 0})


def _changed(request: HttpRequest, quantities: dict[int, int]) -> HttpResponse:
    found: Cart | None = cart_of(request)
    if found is not None:
        try:
            change_cart(found, _version(request), quantities)
        except Refused as refused:
            messages.warning(request, _(refused.message))
    return redirect("storefront:cart")


def _version(request: HttpRequest) -> int:
    text = str(request.POST.get("cart_version", ""))
    return int(text) if text.isdecimal() and len(text) < 18 else 0
