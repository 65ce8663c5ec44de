"""URLs of Admin: its API under /api/v1/admin_app/, its reports under /admin/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from admin_app import views
from admin_app.media import product_picture
from admin_app.rest import CustomerViewSet, ProductViewSet
from erp.api.routers import copy_routes, entity_routes

api_urlpatterns: list[URLPattern | URLResolver] = [
    *entity_routes("admin_app", CustomerViewSet, ProductViewSet),
    *copy_routes("admin_app"),
]

staff_urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/trial-balance/", views.trial_balance, name="report-trial-balance"),
    path("reports/sales/", views.sales, name="report-sales"),
    path("reports/margin/", views.margin, name="report-margin"),
    path("reports/receivables/", views.receivables, name="report-receivables"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^media/products/(?P<digest>[0-9a-f]{32})-(?P<side>480|1200)\.webp$", product_picture),
]
