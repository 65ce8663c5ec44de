"""Registration, log-in, log-out and the customer's own page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from erp.actor import actor_of
from storefront.forms import LogInForm, RegisterForm
from storefront.services import accounts
from storefront.services.accounts import AccountExists, LinkExpired
from storefront.services.cart import find_cart, merge_at_log_in
from storefront.services.order_view import order_summaries
from storefront.services.throttle import (
    LOG_IN_ACCOUNT,
    LOG_IN_ADDRESS,
    REGISTER_ADDRESS,
    RESET_ACCOUNT,
    TooManyAttempts,
    count_attempts,
    forget_attempts,
)
from storefront.services.visitors import Visitor
from storefront.views.cart import safe_next
from storefront.views.visiting import TOKEN_KEY, address_of, forget_visitor, refused_for_now, visitor_of


@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in; what the guest had in the cart goes into the customer's."""
    form = LogInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            count_attempts((LOG_IN_ACCOUNT, said["email"]), (LOG_IN_ADDRESS, address_of(request)))
        except TooManyAttempts as refused:
            return refused_for_now(request, "storefront/login.html", form, refused)
        user = authenticate(request, username=said["email"].lower(), password=said["password"])
        if user is not None:
            forget_attempts(LOG_IN_ACCOUNT, said["email"])
            _enter(request, user)
            return HttpResponseRedirect(safe_next(request, reverse("storefront:account")))
        form.add_error(None, _("E-mail address or password is not right."))
    status = 422 if request.method == "POST" else 200
    context = {
        "form": form, "next": safe_next(request, ""), "password_reset_url": reverse("storefront:password_forgotten")
    }  # fmt: skip
    return render(request, "storefront/login.html", context, status=status)


def _enter(request: HttpRequest, user: object) -> None:
    guest = visitor_of(request)
    seen = {key: request.session.get(key) for key in ("guest_orders",) if key in request.session}
    login(request, user)  # type: ignore[arg-type]
    request.session.update(seen)
    forget_visitor(request)
    brought = find_cart(Visitor(guest.token, None)) is not None
    waiting = find_cart(visitor_of(request)) is not None
    merge_at_log_in(guest, visitor_of(request))
    if brought and waiting:
        messages.info(request, _("What you had put into your cart at your last visit is there, too."))
    if find_cart(Visitor(guest.token, None)) is None:  # else it is being paid for, and its payment is still his
        request.session.pop(TOKEN_KEY, None)
    forget_visitor(request)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out; the customer's cart waits for the next log-in."""
    logout(request)
    forget_visitor(request)
    return redirect("storefront:product_list")


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Open an account."""
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            count_attempts((REGISTER_ADDRESS, address_of(request)))
            done = accounts.register(
                said["name"], said["email"], said["password"],
                language=(get_language() or "en")[:2], actor=actor_of(request.user),
            )  # fmt: skip
        except AccountExists as exists:
            form.add_error("email", _(exists.message))
        except TooManyAttempts as refused:
            return refused_for_now(request, "storefront/register.html", form, refused)
        else:
            return _registered(request, said["email"], said["password"], done.must_confirm)
    context = {"form": form, "next": safe_next(request, "")}
    return render(request, "storefront/register.html", context, status=422 if form.errors else 200)


def _registered(request: HttpRequest, email: str, password: str, must_confirm: bool) -> HttpResponse:
    if must_confirm:
        context = {
            "heading": _("Please check your mail"),
            "text": _("This address has ordered here before. Open the link that we have sent to it."),
        }
        return render(request, "storefront/message.html", context)
    user = authenticate(request, username=email.lower(), password=password)
    if user is not None:
        _enter(request, user)
        messages.success(request, _("Welcome! Your account is ready."))
    return HttpResponseRedirect(safe_next(request, reverse("storefront:account")))


@require_safe
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the confirmation mail."""
    try:
        accounts.confirm(token)
    except LinkExpired as expired:
        context = {"heading": _("This link does not work"), "text": _(expired.message), "tone": "bad"}
        return render(request, "storefront/message.html", context, status=410)
    context = {
        "heading": _("Thank you"),
        "text": _("Your e-mail address is confirmed. You can log in now."),
        "action_url": reverse("storefront:login"),
        "action_label": _("Log in"),
        "tone": "good",
    }
    return render(request, "storefront/message.html", context)


@require_POST
def confirm_again(request: HttpRequest) -> HttpResponse:
    """Send the confirmation mail once more."""
    visitor = visitor_of(request)
    if visitor.customer is not None and request.user.pk is not None and not visitor.is_confirmed:
        try:
            count_attempts((RESET_ACCOUNT, f"confirm {visitor.email}"))
        except TooManyAttempts as refused:
            messages.warning(request, _(refused.message))
        else:
            accounts.send_confirmation(request.user.pk)
            messages.success(request, _("The e-mail is on its way."))
    return redirect("storefront:account")


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """The customer's details and latest orders."""
    visitor = visitor_of(request)
    if visitor.customer is None:
        return redirect(f"{reverse('storefront:login')}?next={reverse('storefront:account')}")
    customer = visitor.customer
    orders, _following = order_summaries(customer.pk)
    context = {
        "customer": {
            "number": customer.number, "name": customer.name, "email": visitor.email, "phone": customer.phone,
            "address": {
                "name": customer.name, "street": customer.street, "postcode": customer.postcode,
                "city": customer.city, "country": customer.country, "tax_number": customer.tax_number,
            },
        },
        "is_confirmed": visitor.is_confirmed,
        "orders": orders[:5],
    }  # fmt: skip
    return render(request, "storefront/account.html", context)
