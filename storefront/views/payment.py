"""The payment step: what is set aside until when, the way to the provider and back, and the provider's callbacks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from erp.errors import ErpError, Refused
from storefront.models import PaymentAttempt, SalesOrder
from storefront.services.cards.callbacks import CallbackRefused, take_callback
from storefront.services.cards.completing import look_after
from storefront.services.cards.ending import Reason, State
from storefront.services.cards.paying import PaymentOver, go_to_provider, try_again
from storefront.services.cards.provider import ProviderUnavailable
from storefront.services.cards.signing import HEADER
from storefront.views.visiting import show_order_to_guest, visitor_of

MAX_CALLBACK = 65_536
WAIT_S = 3  # a page that waits for the provider asks again so often


def _attempt(request: HttpRequest, ref: UUID) -> PaymentAttempt:
    """The attempt, if this visitor began it: its cart is his."""
    found = PaymentAttempt.objects.select_related("cart").filter(ref=ref).first()
    visitor = visitor_of(request)
    if found is None:
        raise Http404
    cart = found.cart
    is_mine = cart.token == visitor.token if cart.customer_id is None else cart.customer_id == visitor.customer_id
    if not is_mine:
        raise Http404
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: HttpRequest, ref: UUID) -> HttpResponse:
    """Show the payment step; its button (POST) leads to the provider."""
    attempt = _attempt(request, ref)
    if attempt.state != State.OPEN:
        return _where_it_stands(request, attempt)
    if request.method != "POST":
        return _page(request, attempt)
    try:
        return HttpResponseRedirect(go_to_provider(attempt))
    except PaymentOver:
        return _where_it_stands(request, attempt)
    except ProviderUnavailable as error:
        messages.error(request, _("The card service does not answer. Your pieces stay set aside; please try again."))
        return _page(request, attempt, status=503, retry_after_s=error.retry_after_s)
    except Refused as refused:
        messages.warning(request, _(refused.message))
        return redirect("storefront:cart")


@never_cache
@require_safe
def payment_return(request: HttpRequest, ref: UUID) -> HttpResponse:
    """The browser is back from the provider: ask what became of it, whether its callback has come or not."""
    found = PaymentAttempt.objects.filter(ref=ref).first()
    if found is None:
        raise Http404
    if found.state in {State.OPEN, State.AUTHORISED}:
        try:
            found = look_after(found)
        except ErpError:
            found.refresh_from_db()
    return _where_it_stands(request, found)


@require_POST
def payment_again(request: HttpRequest, ref: UUID) -> HttpResponse:
    """Pay again for what a failed attempt had confirmed."""
    attempt = _attempt(request, ref)
    if attempt.state != State.FAILED:
        return _where_it_stands(request, attempt)
    try:
        return redirect("storefront:payment", try_again(visitor_of(request), attempt).ref)
    except Refused as refused:
        messages.warning(request, _(refused.message))
        return redirect("storefront:cart")


@csrf_exempt
@require_POST
def payment_callback(request: HttpRequest) -> HttpResponse:
    """The provider's word; 200 once it is kept, also for a repeat."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_CALLBACK:
        return HttpResponse(status=413)
    try:
        take_callback(request.body, request.headers.get(HEADER, ""))
    except CallbackRefused as refused:
        return HttpResponse(refused.message, status=refused.status, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


def _where_it_stands(request: HttpRequest, attempt: PaymentAttempt) -> HttpResponse:
    """The order, once there is one; else the payment's page."""
    if attempt.order_id is None or attempt.state == State.FAILED:
        return _page(request, attempt)
    order = SalesOrder.objects.get(pk=attempt.order_id)
    visitor = visitor_of(request)
    cart = attempt.cart
    if cart.token == visitor.token or (cart.customer_id and cart.customer_id == visitor.customer_id):
        show_order_to_guest(request, order.number)
        request.session["just_placed"] = order.number
        return redirect("storefront:order_detail", order.number)
    # Another browser than the one that ordered: the number alone opens nothing.
    messages.success(request, _("Your payment has arrived. Please open your order with its number and your e-mail."))
    return HttpResponseRedirect(f"/orders/find/?number={order.number}")


def _page(request: HttpRequest, attempt: PaymentAttempt, *, status: int = 200, retry_after_s: int = 0) -> HttpResponse:
    attempt.refresh_from_db()
    left_s = int((attempt.hold_until - timezone.now()).total_seconds()) if attempt.hold_until else 0
    is_back = request.resolver_match is not None and request.resolver_match.url_name == "payment_return"
    is_open, is_waiting = attempt.state == State.OPEN, attempt.state == State.AUTHORISED
    is_unsure = is_open and is_back and left_s > 0
    context: dict[str, Any] = {
        "attempt": attempt,
        "lines": attempt.basket["lines"],
        "price_mode": attempt.basket["price_mode"],
        "is_waiting": is_waiting,
        "is_unsure": is_unsure,
        "is_failed": attempt.state == State.FAILED,
        "reason": _reason(attempt),
        "left_s": max(0, left_s),
        "refresh_s": WAIT_S if is_waiting or is_unsure else left_s + 1 if is_open and left_s > 0 else 0,
    }
    response = render(request, "storefront/payment.html", context, status=status)
    if retry_after_s:
        response["Retry-After"] = str(retry_after_s)
    return response


def _reason(attempt: PaymentAttempt) -> str:
    return {
        Reason.DECLINED: _("Your bank declined the card. Nothing is charged."),
        Reason.EXPIRED: _("The time for this payment is over. Nothing is charged."),
        Reason.NO_STOCK: _("Some of it ran out before the payment was confirmed. Nothing is charged."),
        Reason.SUPERSEDED: _("You went on in another way. This payment is called off; nothing is charged."),
        Reason.REFUSED: _("We could not take this order. Nothing is charged."),
    }.get(Reason(attempt.reason), "")
