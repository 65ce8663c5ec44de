"""Refusals and missing pages of the shop, said in the shop's own pages."""

from __future__ import annotations

from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from erp.errors import ErpError

_NOT_OURS = ("/admin/", "/api/", "/static/", "/media/", "/healthz", "/readyz", "/metrics")


class ShopErrors:
    """404 and 503 pages for the shop; other parts of the site keep their own answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace a bare 404 of the shop by its page."""
        response = self.get_response(request)
        if response.status_code != 404 or request.path.startswith(_NOT_OURS):
            return response
        return render(request, "storefront/404.html", status=404)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What must be tried again is said so, with Retry-After; the rest is not ours."""
        if request.path.startswith(_NOT_OURS):
            return None
        if isinstance(error, ErpError) and error.status == 404:
            return HttpResponse(status=404)
        is_busy = isinstance(error, ErpError) and error.status == 503
        if not is_busy and not isinstance(error, OperationalError):
            return None
        retry_after_s = int(getattr(error, "retry_after_s", 5))
        retry_url = request.get_full_path() if request.method == "GET" else ""
        # Without the context processors: they may need the very database that does not answer.
        page = render_to_string("storefront/503.html", {"retry_after_s": retry_after_s, "retry_url": retry_url})
        return HttpResponse(page, status=503, headers={"Retry-After": str(retry_after_s)})
