"""Views of an entity at its owner: read, create, change under If-Match, retire; every write by the serializer."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from erp import idempotency, ownership
from erp.actor import actor_of
from erp.api.base import ActorMixin, add_owner_headers, etag
from erp.api.permissions import EntityPermission
from erp.api.problems import IdempotencyKeyRequired, PreconditionRequired
from erp.api.strict import refuse_unknown_fields
from erp.errors import StaleVersion
from erp.serializers import OwnerSerializer

IDEMPOTENCY_HEADER = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description="Your key of this request: repeating it gives the same answer and has one effect.",
)  # fmt: skip
IF_MATCH_HEADER = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True,
    description='Version your change is based on, as the ETag gave it, e.g. `"3"`; `*` for any.',
)  # fmt: skip

_ENTITY_TAG = re.compile(r'^(?:W/)?"?(\d{1,18})"?$')


def expected_version(request: Request) -> int | None:
    """Version in If-Match; None for ``*``.

    Raises:
        PreconditionRequired: there is no If-Match.
        StaleVersion: it is not a version of ours, so it cannot be the present one.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionRequired
    if given == "*":
        return None
    found = _ENTITY_TAG.match(given)
    if not found:
        raise StaleVersion(f"{given} is not an ETag of this record")
    return int(found.group(1))


def idempotency_key(request: Request, *, required: bool = False) -> str | None:
    """The request's Idempotency-Key, None when not given. Raises IdempotencyKeyRequired."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if key and len(key) <= 200:
        return key
    if required or key:
        raise IdempotencyKeyRequired("An Idempotency-Key has 1 to 200 characters.")
    return None


def idempotency_scope(request: Request) -> str:
    """Scope of a key: one user's requests to one URL."""
    return f"{request.user.pk} {request.method} {request.path}"[:100]


class OwnerReadViewSet(ActorMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """List and detail of an entity at its owner; for entities that are written by operations only."""

    permission_classes = (EntityPermission,)
    lookup_value_regex = r"\d{1,18}"

    @classmethod
    def entity_name(cls) -> str:
        """Entity of this viewset's queryset."""
        return str(cls.queryset.model.entity)  # type: ignore[union-attr]

    @classmethod
    def module(cls) -> str:
        """Module that serves and owns it."""
        return str(cls.queryset.model._meta.app_label)  # type: ignore[union-attr]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One row with its version as ETag; 304 when If-None-Match names that version."""
        row = self.get_object()
        tag = etag(row.version)
        if tag in [given.strip() for given in request.headers.get("If-None-Match", "").split(",")]:
            return self._answer(None, status.HTTP_304_NOT_MODIFIED, tag=tag)
        return self._answer(self.get_serializer(row).data, tag=tag)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of rows in id order."""
        response = super().list(request, *args, **kwargs)
        return add_owner_headers(response, ownership.entity(self.entity_name()), self.module())

    def _answer(
        self, body: Any, status_code: int = 200, *, tag: str = "", confirmed: dict[str, int] | None = None
    ) -> Response:
        response = Response(body, status=status_code)
        if tag:
            response["ETag"] = tag
        return add_owner_headers(response, ownership.entity(self.entity_name()), self.module(), confirmed)


class OwnerViewSet(OwnerReadViewSet):
    """Full access to an entity at its owner; ``serializer_class`` is its OwnerSerializer."""

    @extend_schema(parameters=[IDEMPOTENCY_HEADER])
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a row; with an Idempotency-Key a repeat gives the same answer."""

        def run() -> dict[str, Any]:
            serializer = self._serializer(data=request.data)
            refuse_unknown_fields(serializer, request.data)
            serializer.is_valid(raise_exception=True)
            serializer.save(actor=actor_of(request.user))
            return {"body": dict(serializer.data), "confirmed": serializer.confirmed}

        key = idempotency_key(request)
        replayed = False
        if key is None:
            answer = run()
        else:
            answer, replayed = idempotency.once(
                self.module(), key, idempotency_scope(request), idempotency.hash_request(request.data), run,
                status=status.HTTP_201_CREATED,
            )  # fmt: skip
        body = answer["body"]
        response = self._answer(body, status.HTTP_201_CREATED, tag=etag(body["version"]), confirmed=answer["confirmed"])
        response["Location"] = request.build_absolute_uri(f"{request.path}{body['id']}/")
        if replayed:
            response["Idempotency-Replayed"] = "true"
        return response

    @extend_schema(parameters=[IF_MATCH_HEADER])
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Replace the row's fields, based on the version in If-Match."""
        return self._change(request, partial=False)

    @extend_schema(parameters=[IF_MATCH_HEADER])
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change some fields, based on the version in If-Match."""
        return self._change(request, partial=True)

    @extend_schema(parameters=[IF_MATCH_HEADER], responses={200: OpenApiResponse(description="The retired row")})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Retire the row: it stays readable and `retired_at` is set; rows are never deleted."""
        serializer = self._serializer(self.get_object(), expected_version=expected_version(request))
        serializer.retire(actor=actor_of(request.user))
        return self._written(serializer)

    def _change(self, request: Request, *, partial: bool) -> Response:
        serializer = self._serializer(
            self.get_object(), data=request.data, partial=partial, expected_version=expected_version(request)
        )
        refuse_unknown_fields(serializer, request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save(actor=actor_of(request.user))
        return self._written(serializer)

    def _written(self, serializer: OwnerSerializer[Any]) -> Response:
        row: Any = serializer.instance
        data = self._serializer(row).data
        return self._answer(data, tag=etag(row.version), confirmed=serializer.confirmed)

    def _serializer(self, *args: Any, **kwargs: Any) -> OwnerSerializer[Any]:
        made = self.get_serializer(*args, **kwargs)
        assert isinstance(made, OwnerSerializer)
        return made
