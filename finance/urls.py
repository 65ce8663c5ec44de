"""URLs of Finance: its API under /api/v1/finance/ and its own pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from erp.api.routers import copy_routes

api_urlpatterns: list[URLPattern | URLResolver] = [*copy_routes("finance")]

urlpatterns: list[URLPattern | URLResolver] = []
