"""The one-page checkout: an order button that may be pressed twice, in several tabs, and after a time-out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from erp.actor import actor_of
from erp.errors import Refused
from storefront.countries import COUNTRIES
from storefront.forms import CheckoutForm, checkout_initial
from storefront.models import Cart, ShippingMethod
from storefront.services.address_book import list_addresses
from storefront.services.cards.paying import begin_payment
from storefront.services.cart import CartChanged, cart_terms, find_cart, refresh_cart
from storefront.services.checkout import (
    Confirmation,
    delivery_cost,
    order_key,
    order_of_key,
    place_from_cart,
    price_cart,
    shipping_methods,
)
from storefront.services.handover import Outcome
from storefront.services.pricing import Terms
from storefront.services.visitors import Visitor
from storefront.templatetags.shop import money
from storefront.views.cart import shown_lines, shown_totals
from storefront.views.visiting import may_see, show_order_to_guest, visitor_of

_COUNTRY_CODES = {code for code, _name in COUNTRIES}


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the checkout, or place the order."""
    visitor = visitor_of(request)
    if request.method == "POST":
        return _place(request, visitor)
    cart = find_cart(visitor)
    if cart is None or not cart.lines.exists():
        return redirect("storefront:cart")
    chosen = {k: request.GET[k] for k in ("shipping_method", "ship_country") if request.GET.get(k)}
    initial = {**checkout_initial(visitor.customer, visitor.email), **_from_book(request, visitor), **chosen}
    return _page(request, visitor, cart, _form(visitor, cart, initial=initial))


def _from_book(request: HttpRequest, visitor: Visitor) -> dict[str, Any]:
    """Fields filled from the saved address that was chosen by its link."""
    chosen = request.GET.get("address", "")
    if visitor.customer is None or not chosen.isdecimal() or len(chosen) > 18:
        return {}
    found = next((a for a in list_addresses(visitor.customer) if a["id"] == int(chosen)), None)
    if found is None:
        return {}
    prefix = "bill" if found["kind"] == "billing" else "ship"
    parts = {f"{prefix}_{part}": found[part] for part in ("name", "street", "postcode", "city", "country")}
    return {**parts, "bill_same": False} if prefix == "bill" else parts


def _form(
    visitor: Visitor, cart: Cart, *, data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
) -> CheckoutForm:
    """The form with the ways of delivery to the chosen country and what each costs for this cart."""
    terms = _terms(visitor, (data or initial or {}).get("ship_country", ""))
    goods = price_cart(list(cart.lines.all()), terms, None).totals
    methods = shipping_methods(terms.country)
    costs = {m.code: delivery_cost(m, goods, terms) for m in methods}
    free = str(_("free"))
    labels = {code: money(c, terms.currency) if c else free for code, c in costs.items() if c is not None}
    return CheckoutForm(data, initial=initial, methods=methods, costs=labels)


def _terms(visitor: Visitor, country: Any) -> Terms:
    return cart_terms(visitor, str(country) if country in _COUNTRY_CODES else "")


def _place(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    ordered = order_of_key(request.POST.get("idempotency_key", "")[:200])
    if ordered is not None and may_see(request, ordered):  # this button was pressed before
        return redirect("storefront:order_detail", ordered.number)
    cart = _confirmed_cart(request, visitor)
    if cart is None:
        messages.warning(request, _("Your cart is empty."))
        return redirect("storefront:cart")
    form = _form(visitor, cart, data=request.POST)
    if not form.is_valid():
        return _page(request, visitor, cart, form, status=422)
    try:
        return _ordered(request, visitor, cart, form)
    except CartChanged:
        form.add_error(None, _("Your cart or a price has changed. Please look at it again and then order."))
        return _page(request, visitor, cart, form, status=409)
    except Refused as refused:
        form.add_error(None, _(refused.message))
        return _page(request, visitor, cart, form, status=409)


def _ordered(request: HttpRequest, visitor: Visitor, cart: Cart, form: CheckoutForm) -> HttpResponse:
    """Place the order; one that is paid by card goes to the payment step first."""
    said, actor = _confirmation(request, cart, form), actor_of(request.user)
    if said.payment_method == "card":
        return redirect("storefront:payment", begin_payment(visitor, cart.pk, said, actor=actor).ref)
    outcome = place_from_cart(visitor, cart.pk, said, actor=actor)
    return _answer(request, visitor, cart, form, outcome)


def _confirmed_cart(request: HttpRequest, visitor: Visitor) -> Cart | None:
    """The cart that the pressed button belongs to: also one that the first press has just turned into an order."""
    token = request.POST.get("idempotency_key", "").partition(":")[0]
    mine = Cart.objects.exclude(state=Cart.State.MERGED)
    if visitor.customer_id is not None:
        mine = mine.filter(customer_id=visitor.customer_id)
    elif visitor.token is not None:
        mine = mine.filter(customer_id=None, token=visitor.token)
    else:
        return None
    pressed = next((c for c in mine.order_by("-pk")[:20] if str(c.token) == token), None)
    return pressed or find_cart(visitor)


def _confirmation(request: HttpRequest, cart: Cart, form: CheckoutForm) -> Confirmation:
    said = form.cleaned_data
    version = request.POST.get("cart_version", "")
    key = request.POST.get("idempotency_key", "")[:200]
    is_ours = key.startswith(f"{cart.token}:")
    return Confirmation(
        # A page of another cart confirms nothing of this one.
        cart_version=int(version) if is_ours and version.isdecimal() and len(version) < 18 else 0,
        key=key if is_ours else order_key(cart),
        email=said["email"], phone=said["phone"], ship_to=form.address("ship"), bill_to=form.address("bill"),
        shipping_method=said["shipping_method"], payment_method=said["payment_method"],
        total=_amount(request.POST.get("total", "")), note=said["note"], language=(get_language() or "en")[:2],
    )  # fmt: skip


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _answer(request: HttpRequest, visitor: Visitor, cart: Cart, form: CheckoutForm, outcome: Outcome) -> HttpResponse:
    if outcome.result in {"accepted", "pending"}:
        show_order_to_guest(request, outcome.number)
        request.session["just_placed"] = outcome.number
        return redirect("storefront:order_detail", outcome.number)
    cart.refresh_from_db()
    if cart.state != Cart.State.OPEN:
        messages.warning(request, _("This order was not accepted."))
        return redirect("storefront:cart")
    if outcome.short:
        form.add_error(None, _("Some of it has run out meanwhile. Nothing was ordered; please see what is left."))
    else:
        form.add_error(None, _("We cannot take this order at the moment. Nothing was ordered."))
    return _page(request, visitor, cart, form, status=409)


def _page(request: HttpRequest, visitor: Visitor, cart: Cart, form: CheckoutForm, *, status: int = 200) -> HttpResponse:
    cart.refresh_from_db()
    if cart.state != Cart.State.OPEN:
        return redirect("storefront:cart")
    terms = _terms(visitor, form["ship_country"].value())
    cart = refresh_cart(cart, terms)
    method = ShippingMethod.objects.filter(code=str(form["shipping_method"].value()), is_active=True).first()
    basket = price_cart(list(cart.lines.all()), terms, method)
    lines = shown_lines(basket, terms.currency, terms.price_mode)
    context: dict[str, Any] = {
        "form": form,
        "lines": lines,
        "line_problems": any(line["message"] for line in lines),
        "totals": shown_totals(basket),
        "currency": terms.currency,
        "price_mode": terms.price_mode,
        "saved_addresses": list_addresses(visitor.customer) if visitor.customer else [],
        "idempotency_key": order_key(cart),
        "cart_version": cart.version,
    }
    return render(request, "storefront/checkout.html", context, status=status)
