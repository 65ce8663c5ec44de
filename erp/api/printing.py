"""Documents as PDF over REST: whoever asks for a PDF gets one, or a problem as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer

from erp.api.base import ActorMixin
from erp.api.permissions import EntityPermission


class PdfRenderer(BaseRenderer):
    """Lets a caller ask for ``application/pdf``; problems are told as JSON all the same."""

    media_type = "application/pdf"
    format = "pdf"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """A problem, as JSON."""
        return JSONRenderer().render(data, renderer_context=renderer_context)


class PdfView(ActorMixin, GenericAPIView[Any]):
    """A document as PDF for whoever may read its entity; ``language``: hu or en."""

    permission_classes = (EntityPermission,)
    renderer_classes = (PdfRenderer, JSONRenderer)
    pagination_class = None
    filter_backends = ()
    known_parameters = ("language",)
