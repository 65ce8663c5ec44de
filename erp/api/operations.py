"""Operations of a module over REST: a POST of plain data with the caller's key is one call of a service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer

from erp import idempotency
from erp.actor import Actor, actor_of
from erp.api.base import ActorMixin
from erp.api.permissions import DutyPermission, EntityPermission
from erp.api.strict import refuse_unknown_fields
from erp.api.views import IDEMPOTENCY_HEADER, idempotency_key

Data = dict[str, Any]


class OperationView(ActorMixin, GenericAPIView[Any]):
    """A business operation of a module: POST of plain data to its service, always with an Idempotency-Key.

    Subclasses set ``module``, ``serializer_class`` (the input) and implement :meth:`run`. Who has the
    module's duty may call it, or whoever has ``entity_permission``.
    """

    permission_classes = (DutyPermission,)
    module: ClassVar[str]
    entity_permission: ClassVar[str] = ""
    success_status: ClassVar[int] = status.HTTP_200_OK

    @extend_schema(parameters=[IDEMPOTENCY_HEADER])
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Run the operation; a repeat with the same key gives the same answer and has no second effect."""
        key = idempotency_key(request, required=True)
        assert key is not None
        serializer = self.get_serializer(data=request.data)
        refuse_unknown_fields(serializer, request.data)
        serializer.is_valid(raise_exception=True)
        mine = f"{request.user.pk}:{key}"  # keys of different callers are kept apart
        answer = self.run(dict(serializer.validated_data), actor_of(request.user), mine, **kwargs)
        return Response(answer, status=self.success_status)

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Call the service as the authenticated user; it stores ``key`` in the effect's own transaction."""
        raise NotImplementedError

    def once(self, key: str, body: Any, run: Callable[[], Any]) -> Data:
        """Run a service that stores no key of its own, once per key."""
        answer: Data
        answer, _ = idempotency.once(self.module, key, type(self).__name__, idempotency.hash_request(body), run)
        return answer


class CollectionOperation(mixins.ListModelMixin, OperationView):
    """A collection: GET lists the rows (``row_serializer``), POST makes one by an operation."""

    row_serializer: ClassVar[type[ModelSerializer[Any]]]

    def get_serializer_class(self) -> Any:
        """Input of the operation, or a row."""
        return self.serializer_class if self.request.method == "POST" else self.row_serializer

    def get_permissions(self) -> list[BasePermission]:
        """Reading needs the view permission, the operation the duty."""
        return [DutyPermission() if self.request.method == "POST" else EntityPermission()]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of rows."""
        return self.list(request, *args, **kwargs)


class RowsView(ActorMixin, GenericAPIView[Any]):
    """Rows that a service works out, all at once, for whoever may read the entity they are about."""

    permission_classes = (EntityPermission,)
    pagination_class = None
    filter_backends = ()

    def rows(self, found: Sequence[Any]) -> Response:
        """The answer."""
        return Response({"results": found})
