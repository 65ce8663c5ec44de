"""The visitor of a request: who shops, which cart is his, which orders a guest may see."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from storefront.models import Cart, SalesOrder
from storefront.services.cart import find_cart
from storefront.services.throttle import TooManyAttempts
from storefront.services.visitors import Visitor, find_visitor

TOKEN_KEY = "cart_token"  # noqa: S105  name of a session entry
SEEN_ORDERS_KEY = "guest_orders"
MAX_SEEN_ORDERS = 50


def visitor_of(request: HttpRequest) -> Visitor:
    """The visitor, looked up once per request."""
    found: Visitor | None = getattr(request, "_visitor", None)
    if found is None:
        user_id = request.user.pk if request.user.is_authenticated else None
        found = find_visitor(user_id, _token(request))
        request._visitor = found  # type: ignore[attr-defined]
    return found


def forget_visitor(request: HttpRequest) -> None:
    """Look the visitor up again (after log-in, log-out or a new cart)."""
    request._visitor = None  # type: ignore[attr-defined]


def _token(request: HttpRequest) -> UUID | None:
    try:
        return UUID(str(request.session.get(TOKEN_KEY)))
    except ValueError:
        return None


def cart_of(request: HttpRequest) -> Cart | None:
    """The visitor's open cart."""
    return find_cart(visitor_of(request))


def keep_cart(request: HttpRequest, cart: Cart) -> None:
    """Remember a guest's cart in the session."""
    if cart.customer_id is None:
        request.session[TOKEN_KEY] = str(cart.token)
        forget_visitor(request)


def show_order_to_guest(request: HttpRequest, number: str) -> None:
    """Let this session see an order that its visitor placed or found with number and e-mail."""
    seen = [n for n in request.session.get(SEEN_ORDERS_KEY, []) if n != number]
    request.session[SEEN_ORDERS_KEY] = [*seen, number][-MAX_SEEN_ORDERS:]


def address_of(request: HttpRequest) -> str:
    """The visitor's network address; behind proxies of our own, what the outermost of them saw."""
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    proxies = settings.TRUSTED_PROXIES
    if proxies and seen:
        return seen[-min(proxies, len(seen))]
    return str(request.META.get("REMOTE_ADDR", ""))


def refused_for_now(request: HttpRequest, template: str, form: Form, refused: TooManyAttempts) -> HttpResponse:
    """The form again, saying when the next attempt is allowed."""
    form.full_clean()
    form.add_error(None, refused.message)
    page = render(request, template, {"form": form}, status=429)
    page["Retry-After"] = str(refused.retry_after_s)
    return page


def may_see(request: HttpRequest, order: SalesOrder) -> bool:
    """Whether the visitor may see an order: his own, or one this session proved to know."""
    customer_id = visitor_of(request).customer_id
    if customer_id is not None and order.customer_id == customer_id:
        return True
    return order.number in request.session.get(SEEN_ORDERS_KEY, [])
