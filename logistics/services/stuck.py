"""What Logistics' relay work is called on the page of stuck documents, and which document it is about."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from erp.registry import RelayKind, registry
from erp.stuck import document_page


def _shipment(payload: dict[str, Any], key: str) -> tuple[str, str]:
    return payload["shipment_number"], document_page("logistics_shipment", payload["shipment_id"])


def _return(payload: dict[str, Any], key: str) -> tuple[str, str]:
    return payload["return_number"], document_page("logistics_returnorder", payload["return_id"])


def _moves(payload: dict[str, Any], key: str) -> tuple[str, str]:
    number = payload["moves"][0]["document_number"]
    return number, f"{reverse('admin:logistics_stockmove_changelist')}?{urlencode({'q': number})}"


def register_stuck() -> None:
    """Name the kinds of relay work."""
    registry.relay_kinds["logistics", "invoice_issue"] = RelayKind("Invoice for shipment", _shipment)
    registry.relay_kinds["logistics", "credit_return"] = RelayKind("Credit note for return", _return)
    registry.relay_kinds["logistics", "value_moves"] = RelayKind("Valuation of stock moves", _moves)
    registry.relay_kinds["logistics", "allocate_backorders"] = RelayKind("Goods for waiting orders")
