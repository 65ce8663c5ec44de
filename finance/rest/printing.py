"""Documents as PDF over REST."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from erp.api.base import ActorMixin
from erp.api.permissions import EntityPermission
from finance.models import Invoice
from finance.rest.inputs import NothingMore
from finance.services.printing import invoice_pdf

LANGUAGE = OpenApiParameter("language", str, enum=["hu", "en"], description="Default: the document's own")


class PdfRenderer(BaseRenderer):
    """Lets a caller ask for ``application/pdf``; problems are told as JSON all the same."""

    media_type = "application/pdf"
    format = "pdf"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """A problem, as JSON."""
        return JSONRenderer().render(data, renderer_context=renderer_context)


class InvoicePdf(ActorMixin, GenericAPIView[Any]):
    """The printed invoice."""

    queryset = Invoice.objects.all()
    serializer_class = NothingMore
    permission_classes = (EntityPermission,)
    renderer_classes = (PdfRenderer, JSONRenderer)
    known_parameters = ("language",)

    @extend_schema(parameters=[LANGUAGE], responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY)})
    def get(self, request: Request, pk: int) -> HttpResponse:
        """A document as a PDF; a draft as it would be issued, marked as such."""
        return pdf_response(pk, request.query_params.get("language"))


def pdf_response(invoice_id: int, language: str | None) -> HttpResponse:
    """The PDF with a file name by the document's number. Raises NotFound."""
    content = invoice_pdf(invoice_id, language if language in {"hu", "en"} else None)
    number = Invoice.objects.filter(pk=invoice_id).values_list("number", flat=True).first() or f"draft-{invoice_id}"
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{number}.pdf"'
    return response
