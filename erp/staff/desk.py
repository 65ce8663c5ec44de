"""What modules' own staff pages share: who may use them, the admin's frame, and how a refusal is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from erp.duties import has_duty
from erp.errors import ErpError

View = Callable[..., HttpResponse]


def duty_page(module: str) -> Callable[[View], View]:
    """Decorator: only staff with the module's duty get in; others are sent to log in, or refused."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            def inner(inner_request: HttpRequest) -> HttpResponse:
                if not has_duty(inner_request.user, module):
                    raise PermissionDenied
                return view(inner_request, *args, **kwargs)

            return admin.site.admin_view(inner)(request)

        return checked

    return decorate


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """A staff page inside the admin's frame."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})


def perform(request: HttpRequest, run: Callable[[], str], back: str) -> HttpResponse:
    """Run an operation, tell its result or its refusal, and go back."""
    try:
        messages.success(request, run())
    except ErpError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(back)


def duty_button(module: str, back: str | Callable[..., str]) -> Callable[[Callable[..., str]], View]:
    """Decorator of what a button of a page does (POST): its text is told, or its refusal, and the page shown again.

    Args:
        back: name of the page's URL, or what gives its address, called as the operation is.
    """

    def decorate(run: Callable[..., str]) -> View:
        @duty_page(module)
        @wraps(run)
        def press(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            where = reverse(back) if isinstance(back, str) else back(request, *args, **kwargs)
            return perform(request, lambda: run(request, *args, **kwargs), where)

        return require_POST(press)

    return decorate
