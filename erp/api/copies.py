"""Views of an entity at a reader: read-only, with the copy's age; a write is sent to the owner's URL."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from erp import freshness, ownership
from erp.api.base import ActorMixin, etag
from erp.api.paths import owner_url
from erp.api.permissions import EntityPermission
from erp.api.problems import MethodNotOwned
from erp.publishing import copy_model

STALE_PARAMETER = OpenApiParameter(
    "stale", str, enum=["allow"],
    description="`allow`: answer also when the copy is older than its window (header X-ERP-Stale: true).",
)  # fmt: skip


@extend_schema_view(
    list=extend_schema(parameters=[STALE_PARAMETER]), retrieve=extend_schema(parameters=[STALE_PARAMETER])
)
class CopyViewSet(ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """List and detail of a reader's copy, through the freshness guard."""

    permission_classes = (EntityPermission,)
    lookup_value_regex = r"\d{1,18}"
    is_copy = True
    known_parameters = ("stale",)
    entity: ClassVar[ownership.Entity]
    reader: ClassVar[str]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One row of the copy, its version as ETag."""
        response = self._guarded(request, lambda: super(CopyViewSet, self).retrieve(request, *args, **kwargs))
        if isinstance(response.data, dict) and "version" in response.data:
            response["ETag"] = etag(response.data["version"])
        return response

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of the copy in id order."""
        return self._guarded(request, lambda: super(CopyViewSet, self).list(request, *args, **kwargs))

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """A copy is written by its owner alone: name the owner's URL."""
        url = request.build_absolute_uri(owner_url(self.entity.name, kwargs.get("pk")))
        raise MethodNotOwned(
            f"{self.reader} holds a read-only copy of {self.entity.name}; "
            f"{self.entity.owner} owns it: send your {request.method} to {url}",
            entity=self.entity.name,
            owner=self.entity.owner,
            owner_url=url,
        )

    def _guarded(self, request: Request, fetch: Any) -> Response:
        found = freshness.read(self.entity.name, self.reader, fetch)
        if request.query_params.get("stale") != "allow":
            found.required()
        response: Response = found.data
        response["X-ERP-Owner"] = self.entity.owner
        response["X-ERP-Reader"] = self.reader
        response["X-ERP-Window"] = str(self.entity.window_s)
        if found.age.age_s is not None:
            response["X-ERP-Age"] = f"{found.age.age_s:.1f}"
        if found.age.as_of is not None:
            response["X-ERP-As-Of"] = found.age.as_of.isoformat()
        if found.age.tick is not None:
            response["X-ERP-Position"] = str(found.age.tick)
        if not found.age.attached:
            response["X-ERP-Detached"] = self.reader
        if found.too_old:
            response["X-ERP-Stale"] = "true"
        return response


def copy_viewset(entity: str, reader: str) -> type[CopyViewSet]:
    """Viewset of one reader's copy of one entity, made from its copy model."""
    model = copy_model(entity, reader)
    meta = type("Meta", (), {"model": model, "fields": "__all__"})
    name = f"{ownership.MODULE_LABELS[reader]}{model.__name__}"
    serializer = type(f"{name}Serializer", (serializers.ModelSerializer,), {"Meta": meta})
    return type(
        f"{name}ViewSet",
        (CopyViewSet,),
        {
            "__doc__": f"{ownership.MODULE_LABELS[reader]}'s read-only copy of {entity.replace('_', ' ')}.",
            "entity": ownership.entity(entity),
            "reader": reader,
            "queryset": model._default_manager.all(),
            "serializer_class": serializer,
            "filterset_fields": copy_filters(model),
        },
    )


def copy_filters(model: Any) -> list[str]:
    """Columns by which a copy can be filtered: keys, codes, states and dates, not money or documents."""
    kinds = {"BigIntegerField", "CharField", "DateField", "BooleanField", "IntegerField"}
    columns = [f for f in model._meta.concrete_fields if f.name not in {"id", "tick"}]
    return [f.name for f in columns if f.get_internal_type() in kinds]
