"""Addresses of staff pages, as messages that leave the house give them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse


def page_url(name: str, *arguments: Any) -> str:
    """Absolute URL of a page, by the name of its route."""
    return f"{settings.SHOP_URL.rstrip('/')}{reverse(name, args=arguments)}"


def stuck_page() -> str:
    """Where staff try again what went wrong or does not go on."""
    return page_url("stuck-documents")
