"""Template context that every page has."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def company(request: HttpRequest) -> dict[str, Any]:
    """The company this installation belongs to."""
    return {"company": settings.COMPANY}
