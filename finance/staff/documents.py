"""The bookkeeper's pages around one document: its print, what is taken off it, collective invoices."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from erp.errors import ErpError
from erp.staff.desk import duty_page
from finance.rest.printing import pdf_response


@duty_page("finance")
def print_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """The document as a PDF; what forbids issuing a draft is told on its page."""
    try:
        return pdf_response(pk, request.GET.get("language"))
    except ErpError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:finance_invoice_change", args=[pk]))
