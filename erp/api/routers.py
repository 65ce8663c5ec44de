"""URL patterns of a module's API: its entities by their viewsets, its copies straight from the ownership map."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver
from drf_spectacular.utils import extend_schema_serializer
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ViewSetMixin

from erp import ownership
from erp.api.copies import copy_viewset
from erp.api.paths import collection, copy_collection
from erp.api.views import OwnerReadViewSet


def entity_routes(module: str, *viewsets: type[OwnerReadViewSet]) -> list[URLPattern | URLResolver]:
    """Routes of the entities that ``module`` owns: ``<collection>/`` and ``<collection>/<id>/``."""
    for viewset in viewsets:
        serializer = viewset.serializer_class
        if ownership.entity(viewset.entity_name()).custodians and serializer is not None:
            # Owner and custodian have a serializer each; the document needs two names.
            name = f"{ownership.MODULE_LABELS[module]}{serializer.__name__.removesuffix('Serializer')}"
            extend_schema_serializer(component_name=name)(serializer)
    return _routes(module, {collection(v.entity_name()): v for v in viewsets})


def copy_routes(reader: str) -> list[URLPattern | URLResolver]:
    """Read-only routes of every copy that ``reader`` holds."""
    found: dict[str, type[ViewSetMixin]] = {
        copy_collection(entity.name, reader): copy_viewset(entity.name, reader)
        for entity in ownership.entities_read_by(reader)
    }
    return _routes(reader, found)


def _routes(module: str, viewsets: Any) -> list[URLPattern | URLResolver]:
    router = SimpleRouter()
    for path, viewset in viewsets.items():
        router.register(path, viewset, basename=f"{module}-{path}")
    return list(router.urls)
