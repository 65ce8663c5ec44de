"""URLs of the whole: the shop at the root, staff under /admin/, integrators under /api/v1/."""

from __future__ import annotations

from importlib import import_module

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from erp import health
from erp.admin_site import staff_login
from erp.api.index import IndexView
from erp.api.tokens import TokenView
from erp.ownership import MODULES
from erp.staff.stuck import retry, stuck_documents


def _staff_urls() -> list[URLPattern | URLResolver]:
    """Modules' own staff pages (``staff_urlpatterns``), below /admin/ and before the admin's catch-all."""
    found = [getattr(import_module(f"{module}.urls"), "staff_urlpatterns", []) for module in MODULES]
    return [path("admin/", include(patterns)) for patterns in found if patterns]


def _module_urls() -> list[URLPattern | URLResolver]:
    """Every module's API, then its own pages, highest module first: the shop has the root."""
    found: list[URLPattern | URLResolver] = []
    for module in reversed(MODULES):
        urls = import_module(f"{module}.urls")
        found.append(path(f"api/v1/{module}/", include(urls.api_urlpatterns)))
        found.append(path("", include(urls.urlpatterns)))
    return found


urlpatterns = [
    path("admin/login/", staff_login),
    path("admin/ownership/", include("erp.board.urls")),
    path("admin/stuck/", admin.site.admin_view(stuck_documents), name="stuck-documents"),
    path("admin/stuck/retry/", admin.site.admin_view(retry), name="stuck-retry"),
    *_staff_urls(),
    path("admin/", admin.site.urls),
    path("api/v1/", IndexView.as_view(), name="api-index"),
    path("api/v1/token/", TokenView.as_view(), name="api-token"),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    *_module_urls(),
]

handler404 = "erp.api.problems.page_not_found"
handler500 = "erp.api.problems.server_error"
