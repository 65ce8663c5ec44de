"""Forgotten and changed passwords."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from erp.models import User
from storefront.account_forms import ChangePasswordForm, ForgottenForm, NewPasswordForm
from storefront.services import passwords
from storefront.services.accounts import LinkExpired
from storefront.services.throttle import (
    LOG_IN_ACCOUNT,
    RESET_ACCOUNT,
    RESET_ADDRESS,
    TooManyAttempts,
    count_attempts,
    forget_attempts,
)
from storefront.views.visiting import address_of, refused_for_now, visitor_of


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link; the answer is the same whether there is such an account or not."""
    form = ForgottenForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "storefront/password_forgotten.html", {"form": form}, status=status)
    email = form.cleaned_data["email"]
    try:
        count_attempts((RESET_ACCOUNT, email), (RESET_ADDRESS, address_of(request)))
    except TooManyAttempts as refused:
        return refused_for_now(request, "storefront/password_forgotten.html", form, refused)
    passwords.ask_for_reset(email)
    context = {
        "heading": _("Please check your mail"),
        "text": _("If there is an account with this address, a link to set a new password is on its way."),
    }
    return render(request, "storefront/message.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set a new password by the link of the e-mail."""
    try:
        user = passwords.find_by_token(_user_id(uid), token)
    except LinkExpired as expired:
        context = {
            "heading": _("This link does not work"), "text": _(expired.message), "tone": "bad",
            "action_url": reverse("storefront:password_forgotten"), "action_label": _("Ask for a new link"),
        }  # fmt: skip
        return render(request, "storefront/message.html", context, status=410)
    form = NewPasswordForm(request.POST or None, user=user)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        response = render(request, "storefront/password_new.html", {"form": form}, status=status)
        response["Referrer-Policy"] = "no-referrer"  # the address holds the token
        return response
    passwords.set_password(user, form.cleaned_data["password"])
    forget_attempts(LOG_IN_ACCOUNT, user.email)
    messages.success(request, _("Your new password is set. Please log in with it."))
    return redirect("storefront:login")


def _user_id(uid: str) -> int:
    try:
        return int(urlsafe_base64_decode(uid).decode())
    except (ValueError, UnicodeDecodeError) as error:
        raise LinkExpired from error


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    """Change the password while logged in; this session stays, the others end."""
    user = request.user
    if visitor_of(request).customer is None or not isinstance(user, User):
        return redirect(f"{reverse('storefront:login')}?next={reverse('storefront:password_change')}")
    form = ChangePasswordForm(request.POST or None, user=user)
    if request.method == "POST":
        try:
            count_attempts((LOG_IN_ACCOUNT, user.email))
        except TooManyAttempts as refused:
            return refused_for_now(request, "storefront/password_change.html", form, refused)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "storefront/password_change.html", {"form": form}, status=status)
    passwords.change_password(user, form.cleaned_data["password"])
    forget_attempts(LOG_IN_ACCOUNT, user.email)
    update_session_auth_hash(request, user)
    messages.success(request, _("Your password is changed."))
    return redirect("storefront:account")
