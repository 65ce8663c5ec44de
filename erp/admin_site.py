"""The staff's start page, the navigation by module, and the board of owners, readers and ages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from erp import ownership
from erp.duties import has_duty
from erp.errors import ErpError
from erp.models import CopyModel, OwnedModel
from erp.registry import registry
from erp.replication import positions, resync
from erp.staff.copies import owner_page
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
    groups: list[dict[str, Any]] = [
        {
            "title": "",
            "items": [
                {"title": "Start", "icon": "home", "link": reverse("admin:index")},
                {"title": "Ownership and ages", "icon": "hub", "link": reverse("ownership-board")},
            ],
        }
    ]
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


@dataclass(frozen=True)
class BoardLine:
    """One entity of the map, its owner's page and its readers' states."""

    entity: ownership.Entity
    url: str
    pairs: list[positions.PairState]
    may_attach: bool


def ownership_board(request: HttpRequest) -> HttpResponse:
    """Staff page: who owns what, who reads it, how old each copy is; POST detaches or attaches a reader."""
    if request.method == "POST":
        _change_attachment(request)
        return HttpResponseRedirect(reverse("ownership-board"))
    states = positions.all_pairs()
    lines = [
        BoardLine(
            entity,
            owner_page(entity.name),
            [state for state in states if state.entity == entity.name],
            has_duty(request.user, entity.owner),
        )
        for entity in ownership.ENTITIES
    ]
    internal = [(module, [i.table for i in tables]) for module, tables in ownership.INTERNAL.items()]
    context = {**admin.site.each_context(request), "title": "Ownership and ages", "lines": lines, "internal": internal}
    return TemplateResponse(request, "erp/admin/ownership.html", context)


def _change_attachment(request: HttpRequest) -> None:
    name, reader = request.POST.get("entity", ""), request.POST.get("reader", "")
    try:
        entity = ownership.entity(name)
    except ownership.UnknownEntity as error:
        raise PermissionDenied from error
    if not has_duty(request.user, entity.owner):
        raise PermissionDenied
    try:
        if request.POST.get("verb") == "attach":
            done = resync.attach(name, reader)
            messages.success(request, f"{reader} is attached to {name} again; {done.changed} rows were repaired.")
        else:
            resync.detach(name, reader, request.POST.get("reason", "").strip())
            messages.warning(request, f"{reader} is detached from {name}: writes no longer wait for it.")
    except ErpError as error:
        messages.error(request, error.message)
