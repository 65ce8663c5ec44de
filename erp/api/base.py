"""What every API view of a module has: the user as actor, and the entity's ownership headers."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from erp import ownership
from erp.actor import acting_as, actor_of, request_id
from erp.api.strict import refuse_unknown_parameters
from erp.replication import positions


class ActorMixin(APIView):
    """Runs the view as the authenticated user: token users are known only after DRF has looked."""

    known_parameters: ClassVar[tuple[str, ...]] = ()  # query parameters besides filters and paging
    _context: ExitStack | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, authorise, refuse what is not known, then act as that user until the response is made."""
        super().initial(request, *args, **kwargs)
        refuse_unknown_parameters(self, request)
        self._context = ExitStack()
        self._context.enter_context(acting_as(actor_of(request.user), request_id()))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Leave the actor's context."""
        if self._context is not None:
            self._context.close()
            self._context = None
        return super().finalize_response(request, response, *args, **kwargs)


def etag(version: int) -> str:
    """ETag of a row at a version."""
    return f'"{version}"'


def detached_readers(entity: ownership.Entity, source: str) -> list[str]:
    """Readers of the entity that staff have detached from this writer."""
    fed = [reader for reader in entity.readers if source in entity.sources_of(reader)]
    return [reader for reader in fed if not positions.attachment(entity, source, reader)[0]]


def add_owner_headers(
    response: Response, entity: ownership.Entity, module: str, confirmed: dict[str, int] | None = None
) -> Response:
    """Name the owner, the readers that confirmed this write with their version, and the detached readers."""
    response["X-ERP-Owner"] = module
    response["X-ERP-Window"] = str(entity.window_s)
    if confirmed is not None:
        response["X-ERP-Confirmed"] = ", ".join(f"{reader}={version}" for reader, version in sorted(confirmed.items()))
    detached = detached_readers(entity, module)
    if detached:
        response["X-ERP-Detached"] = ", ".join(detached)
    return response
