"""The staff's start page and the navigation by module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from erp import ownership
from erp.errors import ErpError
from erp.models import CopyModel, OwnedModel
from erp.registry import registry
from erp.replication import positions
from erp.staff.internal import EditableAdmin


@dataclass(frozen=True)
class Figure:
    """A widget with its value, ready to be shown."""

    module: str
    title: str
    value: str
    url: str


def stylesheet(request: HttpRequest) -> str:
    """URL of our own rules beside the theme's."""
    return static("erp/staff.css")


def staff_login(request: HttpRequest) -> HttpResponse:
    """The admin's login; without a page to go to it leads to the start page, not to the shop's account."""
    if REDIRECT_FIELD_NAME not in request.GET:
        query = urlencode({REDIRECT_FIELD_NAME: reverse("admin:index")})
        return HttpResponseRedirect(f"{request.path}?{query}")
    return admin.site.login(request)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Context of the start page: figures that modules registered, and the consistency of all copies."""
    figures = [
        Figure(ownership.MODULE_LABELS[w.module], w.title, _value(w.value), _url(w.url)) for w in registry.widgets
    ]
    return {**context, "title": "Start", "figures": figures, "pairs": _pairs()}


def _value(read: Any) -> str:
    # A figure that cannot be read must not take the whole page down; it is shown as not known.
    try:
        return str(read())
    except (DatabaseError, ErpError):
        return "not known"


def _url(url: str) -> str:
    if not url or url.startswith("/"):
        return url
    try:
        return reverse(url)
    except NoReverseMatch:
        return ""


def _pairs() -> list[positions.PairState]:
    try:
        return positions.all_pairs()
    except DatabaseError:
        return []


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Sidebar: per module what it owns and what it keeps for itself; copies apart; the platform last."""
    pages = [
        ("Start", "home", "admin:index"),
        ("Consistency", "hub", "ownership-board"),
        ("Scrubber runs", "fact_check", "scrub-runs"),
        ("Incidents", "notifications", "incidents"),
        ("Stuck documents", "report", "stuck-documents"),
    ]
    items = [
        # Marked on its own page alone: the others lie below the board's path.
        {"title": title, "icon": icon, "link": reverse(name), "active": request.path == reverse(name)}
        for title, icon, name in pages
    ]
    groups: list[dict[str, Any]] = [{"title": "", "items": items}]
    for module in ownership.MODULES:
        groups += _module_groups(request, module)
    platform = [
        _item(model, "settings")
        for model, page in admin.site._registry.items()
        if ownership.module_of_app(model._meta.app_label) == ownership.PLATFORM and page.has_view_permission(request)
    ]
    return [*groups, *_group("Platform", platform, collapsible=True)]


def _module_groups(request: HttpRequest, module: str) -> list[dict[str, Any]]:
    own, more = [], []
    for model, page in admin.site._registry.items():
        if model._meta.app_label != module or not page.has_view_permission(request):
            continue
        if issubclass(model, OwnedModel) or isinstance(page, EditableAdmin) or getattr(page, "in_front", False):
            own.append(_item(model, getattr(page, "icon", "table_rows")))
        elif issubclass(model, CopyModel):
            more.append(_item(model, "content_copy"))
        else:
            more.append(_item(model, getattr(page, "icon", "inventory_2")))
    pages = [
        {"title": title, "icon": "monitoring", "link": reverse(name)} for title, name in registry_pages(module)
    ]
    label = ownership.MODULE_LABELS[module]
    return [*_group(label, [*own, *pages]), *_group(f"{label}: copies and internals", more, collapsible=True)]


def registry_pages(module: str) -> list[tuple[str, str]]:
    """(title, URL name) of a module's own staff pages, e.g. reports."""
    return [(page.title, page.url) for page in registry.staff_pages if page.module == module]


def _item(model: Any, icon: str) -> dict[str, Any]:
    meta = model._meta
    link = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    title = str(meta.verbose_name_plural)
    return {"title": title[:1].upper() + title[1:], "icon": icon, "link": link}


def _group(title: str, items: list[dict[str, Any]], *, collapsible: bool = False) -> list[dict[str, Any]]:
    if not items:
        return []
    return [{"title": title, "separator": True, "collapsible": collapsible, "items": items}]
