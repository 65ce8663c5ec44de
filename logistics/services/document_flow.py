"""Logistics' part of an order's document flow."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from erp.registry import FlowDocument
from logistics.models import ReturnOrder, SalesOrder, Shipment


def documents_of(order_id: int) -> list[FlowDocument]:
    """The order as Logistics has it, its shipments and its returns."""
    found = [
        FlowDocument("logistics", "sales order", o.number, o.lifecycle, o.created_at, _url("salesorder", o.pk))
        for o in SalesOrder.objects.filter(pk=order_id)
    ]
    found += [
        FlowDocument("logistics", "shipment", s.number, s.state, s.issued_at or s.created_at, _url("shipment", s.pk))
        for s in Shipment.objects.filter(order_id=order_id)
    ]
    found += [
        FlowDocument("logistics", "return", r.number, r.state, r.created_at, _url("returnorder", r.pk))
        for r in ReturnOrder.objects.filter(lines__order_id=order_id).distinct()
    ]
    return found


def _url(model: str, key: int) -> str:
    try:
        return reverse(f"admin:logistics_{model}_change", args=[key])
    except NoReverseMatch:
        return ""
