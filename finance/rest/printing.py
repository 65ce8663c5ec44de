"""Documents as PDF over REST."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from erp import pdf
from erp.api.printing import PdfView
from finance.models import Invoice
from finance.rest.inputs import NothingMore
from finance.services.printing import invoice_pdf

LANGUAGE = OpenApiParameter("language", str, enum=["hu", "en"], description="Default: the document's own")


class InvoicePdf(PdfView):
    """The printed invoice."""

    queryset = Invoice.objects.all()
    serializer_class = NothingMore

    @extend_schema(parameters=[LANGUAGE], responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY)})
    def get(self, request: Request, pk: int) -> HttpResponse:
        """A document as a PDF; a draft as it would be issued, marked as such."""
        return pdf_response(pk, request.query_params.get("language"))


def pdf_response(invoice_id: int, language: str | None) -> HttpResponse:
    """The PDF with a file name by the document's number. Raises NotFound."""
    content = invoice_pdf(invoice_id, language if language in {"hu", "en"} else None)
    number = Invoice.objects.filter(pk=invoice_id).values_list("number", flat=True).first() or f"draft-{invoice_id}"
    return pdf.pdf_response(f"{number}.pdf", content)
