"""Orders and invoices as their customer sees them; a guest finds an order by number and e-mail."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from erp.actor import actor_of
from erp.errors import Refused
from finance import api as finance
from storefront.forms import LookupForm
from storefront.models import InvoiceCopy, SalesOrder
from storefront.services.cancelling import cancel_order
from storefront.services.order_view import order_context, order_summaries, payment_names
from storefront.services.returning import announce_return
from storefront.services.throttle import LOOK_UP_ADDRESS, TooManyAttempts, count_attempts
from storefront.services.transfers import transfers_of
from storefront.views.visiting import address_of, may_see, refused_for_now, show_order_to_guest, visitor_of


def _visible_order(request: HttpRequest, number: str) -> SalesOrder:
    order = SalesOrder.objects.filter(number=number).first()
    if order is None or not may_see(request, order):
        raise Http404
    return order


@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    """The customer's orders, newest first."""
    customer_id = visitor_of(request).customer_id
    if customer_id is None:
        return redirect(f"{reverse('storefront:login')}?next={reverse('storefront:order_list')}")
    before = request.GET.get("before", "")
    before_id = int(before) if before.isdecimal() and len(before) < 18 else None
    orders, following = order_summaries(customer_id, before_id)
    base = reverse("storefront:order_list")
    context = {
        "orders": orders,
        "next_url": f"{base}?before={following}" if following else "",
        "first_url": base if before_id else "",
    }
    return render(request, "storefront/order_list.html", context)


@require_safe
def order_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One order on its four axes."""
    order = _visible_order(request, number)
    context = order_context(order)
    just_placed = request.session.get("just_placed") == number and order.lifecycle != "cancelled"
    if request.session.get("just_placed") == number:
        del request.session["just_placed"]
    context["just_placed"] = just_placed
    invoices = context["invoices"]
    visible = [i for i in invoices if _may_see_invoice(request, i)]  # a collective one shows other orders too
    context["payment_instructions"] = _payment_instructions(order, context["order"], invoices, visible)
    context["invoices"], context["has_hidden_invoices"] = visible, len(visible) < len(invoices)
    context["idempotency_key"] = uuid.uuid4().hex
    if order.refusal:
        messages.warning(request, _("This order could not be accepted: some of it had run out. Nothing is charged."))
    return render(request, "storefront/order_detail.html", context)


def _payment_instructions(
    order: SalesOrder, state: Mapping[str, str], invoices: Sequence[InvoiceCopy], visible: Sequence[InvoiceCopy]
) -> dict[str, Any] | None:
    shown = {order.number, *(i.number for i in visible)}
    transfers = [t for t in transfers_of(order, state, invoices) if t.reference in shown]
    if not transfers:
        return None
    company = settings.COMPANY
    return {"account_name": company["name"], "iban": company["bank_account"], "transfers": transfers}


@require_POST
def order_cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Cancel an order that is not being packed yet."""
    order = _visible_order(request, number)
    try:
        cancel_order(order.pk, actor=actor_of(request.user), reason="Cancelled by the customer")
    except Refused:
        messages.error(request, _("Your order is being packed or has left already; it cannot be cancelled any more."))
    else:
        messages.success(request, _("Your order is cancelled."))
    return redirect("storefront:order_detail", number)


@require_POST
def return_request(request: HttpRequest, number: str) -> HttpResponse:
    """Announce that some pieces come back; Logistics notes it and waits for the parcel."""
    order = _visible_order(request, number)
    lines = []
    for name, value in ((name, str(value)) for name, value in request.POST.items()):
        if name.startswith("quantity-") and name[9:].isdecimal() and value.isdecimal() and 0 < int(value[:9]):
            lines.append({"line_no": int(name[9:][:9]), "quantity": int(value[:9])})
    if not lines:
        messages.warning(request, _("Please say how many pieces you send back."))
        return redirect("storefront:order_detail", number)
    try:
        announce_return(
            order, lines, str(request.POST.get("reason", ""))[:500],
            key=str(request.POST.get("idempotency_key", "")), actor=actor_of(request.user),
        )  # fmt: skip
    except Refused:
        messages.error(request, _("Not as many can come back any more; please look at the numbers again."))
    else:
        messages.success(request, _("Your return is noted. Please put the order number into the parcel."))
    return redirect("storefront:order_detail", number)


@require_http_methods(["GET", "HEAD", "POST"])
def order_lookup(request: HttpRequest) -> HttpResponse:
    """A guest finds an order; a wrong pair never tells which of the two was wrong."""
    if request.method != "POST":
        form = LookupForm(initial={"number": request.GET.get("number", "")})
        return render(request, "storefront/order_lookup.html", {"form": form})
    form = LookupForm(request.POST)
    if form.is_valid():
        try:
            count_attempts((LOOK_UP_ADDRESS, address_of(request)))
        except TooManyAttempts as refused:
            return refused_for_now(request, "storefront/order_lookup.html", form, refused)
        number = form.cleaned_data["number"].strip().upper()
        order = SalesOrder.objects.filter(number=number, email__iexact=form.cleaned_data["email"]).first()
        if order is not None:
            show_order_to_guest(request, order.number)
            return redirect("storefront:order_detail", order.number)
        form.add_error(None, _("We find no order with this number and e-mail address."))
    return render(request, "storefront/order_lookup.html", {"form": form}, status=422)


@require_safe
def invoice_detail(request: HttpRequest, number: str) -> HttpResponse:
    """An invoice or credit note, from the copy of what Finance issued."""
    invoice = _visible_invoice(request, number)
    original = InvoiceCopy.objects.filter(pk=invoice.original_id).first() if invoice.original_id else None
    notes = list(InvoiceCopy.objects.filter(original_id=invoice.pk).order_by("id"))
    context = {
        "invoice": _shown_invoice(invoice),
        "outstanding": max(Decimal(0), invoice.gross_total - invoice.paid_total - invoice.credited_total),
        "original": original,
        "credit_notes": notes,
        "pdf_url": reverse("storefront:invoice_pdf", args=[invoice.number]),
    }
    return render(request, "storefront/invoice_detail.html", context)


@require_safe
def invoice_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The document as Finance prints it, in the shopper's language."""
    invoice = _visible_invoice(request, number)
    pdf = finance.invoice_pdf(invoice.pk, (get_language() or "en")[:2])
    name = f"{invoice.number.replace('/', '-')}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


def _visible_invoice(request: HttpRequest, number: str) -> InvoiceCopy:
    invoice = InvoiceCopy.objects.filter(number=number).first()
    if invoice is None or not _may_see_invoice(request, invoice):
        raise Http404
    return invoice


def _may_see_invoice(request: HttpRequest, invoice: InvoiceCopy) -> bool:
    customer_id = visitor_of(request).customer_id
    if customer_id is not None and invoice.customer_id == customer_id:
        return True
    order = SalesOrder.objects.filter(pk=invoice.order_id).first() if invoice.order_id else None
    return order is not None and may_see(request, order)


def _shown_invoice(invoice: InvoiceCopy) -> dict[str, Any]:
    shown = {f.name: getattr(invoice, f.name) for f in InvoiceCopy._meta.concrete_fields}
    return {
        **shown,
        "payment_method_name": payment_names().get(invoice.payment_method, invoice.payment_method),
    }
