"""URLs of Admin: its API under /api/v1/admin_app/ and its own pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from admin_app.rest import CustomerViewSet, ProductViewSet
from erp.api.routers import copy_routes, entity_routes

api_urlpatterns: list[URLPattern | URLResolver] = [
    *entity_routes("admin_app", CustomerViewSet, ProductViewSet),
    *copy_routes("admin_app"),
]

urlpatterns: list[URLPattern | URLResolver] = []
