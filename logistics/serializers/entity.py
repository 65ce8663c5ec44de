"""Row-wise serializers of Logistics' entities, for the admin and the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from erp.serializers import OwnerSerializer
from logistics.models import SalesOrder, SalesOrderLine, Stock


class StockSerializer(OwnerSerializer[Stock]):
    """A stock row; its figures change through moves and reservations, nothing is written here."""

    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)
    free = serializers.IntegerField(read_only=True)

    class Meta:
        model = Stock
        fields = (
            "id", "version", "warehouse_id", "warehouse_code", "product_id", "on_hand", "reserved", "free",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("warehouse_id", "product_id", "on_hand", "reserved", "created_at", "updated_at")


class SalesOrderLineSerializer(serializers.ModelSerializer[SalesOrderLine]):
    """A line of an order, read-only."""

    backordered = serializers.IntegerField(read_only=True)

    class Meta:
        model = SalesOrderLine
        exclude = ("id", "order")


class SalesOrderSerializer(OwnerSerializer[SalesOrder]):
    """An order in Logistics' custody; changed by operations (ship, cancel, return) only, read-only here."""

    lines = SalesOrderLineSerializer(many=True, read_only=True)
    shipments = serializers.SerializerMethodField()

    class Meta:
        model = SalesOrder
        exclude = ("xid",)
        read_only_fields = [f.name for f in SalesOrder._meta.concrete_fields]

    def get_shipments(self, order: SalesOrder) -> list[dict[str, Any]]:
        """Shipments of the order with state and invoice."""
        return [
            {
                "id": s.pk, "number": s.number, "state": s.state, "warehouse_code": s.warehouse.code,
                "issued_on": s.issued_on, "tracking_number": s.tracking_number, "invoice_number": s.invoice_number,
            }
            for s in order.shipments.all()
        ]  # fmt: skip
