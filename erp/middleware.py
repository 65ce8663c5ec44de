"""Request context: who acts, and under which request id."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from erp.actor import acting_as, actor_of

_SAFE_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


class ActorMiddleware:
    """Everything a request does is journalled under its user and its ``X-Request-ID``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Run the request inside its actor's context."""
        given = request.headers.get("X-Request-ID", "")
        with acting_as(actor_of(request.user), given if _SAFE_ID.match(given) else None):
            from erp.actor import request_id

            response = self.get_response(request)
            response["X-Request-ID"] = request_id()
            return response
