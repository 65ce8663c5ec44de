"""Finance's part of an order's document flow."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from erp.registry import FlowDocument
from finance.models import Invoice, Payment


def documents_of(order_id: int) -> list[FlowDocument]:
    """Invoices, credit notes and payments of an order."""
    invoices = list(Invoice.objects.select_related("settlement").filter(order_id=order_id, state="issued"))
    payments = Payment.objects.filter(allocations__invoice__in=invoices).distinct()
    return [
        *(
            FlowDocument(
                "finance", i.get_kind_display().lower(), i.number or "", i.settlement.state, i.created_at,
                _url("invoice", i.pk),
            )
            for i in invoices
        ),
        *(
            FlowDocument("finance", "payment", p.number, "posted", p.created_at, _url("payment", p.pk))
            for p in payments
        ),
    ]  # fmt: skip


def _url(model: str, key: int) -> str:
    try:
        return reverse(f"admin:finance_{model}_change", args=[key])
    except NoReverseMatch:
        return ""
