"""What Logistics owns, read-only over REST: its rows change by operations."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers, viewsets

from erp.api.base import ActorMixin
from erp.api.permissions import EntityPermission
from erp.api.views import OwnerReadViewSet
from logistics.models import (
    GoodsReceipt,
    ReturnLine,
    ReturnOrder,
    SalesOrder,
    Shipment,
    ShipmentLine,
    Stock,
    StockMove,
    Warehouse,
)
from logistics.serializers import SalesOrderSerializer, StockSerializer


class StockViewSet(OwnerReadViewSet):
    """Stock per warehouse and product: live figures, not a copy."""

    queryset = Stock.objects.select_related("warehouse")
    serializer_class = StockSerializer
    filterset_fields = ("product_id", "warehouse__code")


class SalesOrderViewSet(OwnerReadViewSet):
    """Orders in Logistics' custody."""

    queryset = SalesOrder.objects.prefetch_related("lines", "shipments__warehouse")
    serializer_class = SalesOrderSerializer
    filterset_fields = ("number", "lifecycle", "fulfilment", "invoicing", "payment", "customer_id", "external_ref")


class InternalReadViewSet(ActorMixin, viewsets.ReadOnlyModelViewSet[Any]):
    """List and detail of a table that Logistics keeps for itself."""

    permission_classes = (EntityPermission,)
    lookup_value_regex = r"\d{1,18}"


class WarehouseSerializer(serializers.ModelSerializer[Warehouse]):
    """A warehouse."""

    class Meta:
        model = Warehouse
        fields = "__all__"


class StockMoveSerializer(serializers.ModelSerializer[StockMove]):
    """A numbered change of on hand."""

    class Meta:
        model = StockMove
        fields = "__all__"


class GoodsReceiptSerializer(serializers.ModelSerializer[GoodsReceipt]):
    """A delivery."""

    class Meta:
        model = GoodsReceipt
        fields = "__all__"


class ShipmentLineSerializer(serializers.ModelSerializer[ShipmentLine]):
    """Pieces of an order line."""

    class Meta:
        model = ShipmentLine
        exclude = ("shipment", "order_line")


class ShipmentSerializer(serializers.ModelSerializer[Shipment]):
    """A shipment with its lines."""

    lines = ShipmentLineSerializer(many=True, read_only=True)

    class Meta:
        model = Shipment
        fields = "__all__"


class ReturnLineSerializer(serializers.ModelSerializer[ReturnLine]):
    """Returned pieces."""

    class Meta:
        model = ReturnLine
        exclude = ("return_order",)


class ReturnSerializer(serializers.ModelSerializer[ReturnOrder]):
    """A return with its lines."""

    lines = ReturnLineSerializer(many=True, read_only=True)

    class Meta:
        model = ReturnOrder
        fields = "__all__"


class StockMoveViewSet(InternalReadViewSet):
    """The append-only ledger of stock."""

    queryset = StockMove.objects.all()
    serializer_class = StockMoveSerializer
    filterset_fields = ("product_id", "warehouse", "kind", "document_number", "moved_on")


class ShipmentViewSet(InternalReadViewSet):
    """Shipments."""

    queryset = Shipment.objects.prefetch_related("lines")
    serializer_class = ShipmentSerializer
    filterset_fields = ("number", "order", "warehouse", "state", "tracking_number", "invoice_number")


class ReturnViewSet(InternalReadViewSet):
    """One return."""

    queryset = ReturnOrder.objects.prefetch_related("lines")
    serializer_class = ReturnSerializer
