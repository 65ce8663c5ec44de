"""Warehouse work over REST: packing, count sheets, reorder levels, the low-stock list, delivery notes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from erp.actor import Actor
from erp.api.operations import RowsView
from erp.api.printing import PdfView
from erp.pdf import pdf_response
from logistics.models import ReorderLevel, Shipment, Stock, StockCount
from logistics.rest import inputs
from logistics.rest.operations import CollectionOperation, Data, LogisticsOperation
from logistics.services import counting
from logistics.services.delivery_note import delivery_note
from logistics.services.packing import pack_pieces
from logistics.services.reordering import list_low_stock, set_reorder_levels


class PackShipment(LogisticsOperation):
    """Close a picked shipment with what is in it; what is not stays reserved for the order."""

    serializer_class = inputs.PackInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Pack."""
        packed = {line["line_no"]: line["quantity"] for line in data.pop("lines", None) or []}
        return {"shipment_id": path["pk"], **pack_pieces(path["pk"], packed, actor=actor, **data)}


class StockCountSerializer(serializers.ModelSerializer[StockCount]):
    """A count sheet."""

    class Meta:
        model = StockCount
        fields = "__all__"


class CountSheets(CollectionOperation):
    """Count sheets; POST opens one."""

    queryset = StockCount.objects.all()
    row_serializer = StockCountSerializer
    filterset_fields = ("number", "warehouse", "state", "counted_on")
    serializer_class = inputs.OpenCountInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Open it."""
        return counting.open_count(actor=actor, key=key, **data)


class WriteCounts(LogisticsOperation):
    """Put products on an open sheet and write what was found of them."""

    serializer_class = inputs.CountLinesInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Write."""
        counted = {row["product_id"]: row.get("counted") for row in data["rows"]}
        for product_id in counted:
            counting.put_on_sheet(path["pk"], product_id, actor=actor)
        counting.write_counts(path["pk"], counted, actor=actor)
        return {"count_id": path["pk"], "written": len(counted)}


class CountSheetStep(LogisticsOperation):
    """Post a sheet's differences, empty the lines that moved, or close it without posting."""

    serializer_class = inputs.NothingInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Do what the URL names."""
        pk = int(path["pk"])
        if path["step"] == "post":
            return {"count_id": pk, **counting.post_count(pk, actor=actor)}
        if path["step"] == "count-again":
            return {"count_id": pk, "emptied": counting.count_again(pk, actor=actor)}
        return {"count_id": pk, "number": counting.cancel_count(pk, actor=actor)}


class ReorderLevelSerializer(serializers.ModelSerializer[ReorderLevel]):
    """From which level on a product is bought again."""

    class Meta:
        model = ReorderLevel
        fields = "__all__"


class ReorderLevels(CollectionOperation):
    """Reorder levels; POST sets some of a warehouse, level 0 removes one."""

    queryset = ReorderLevel.objects.all()
    row_serializer = ReorderLevelSerializer
    filterset_fields = ("product_id", "warehouse")
    serializer_class = inputs.ReorderInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Set them."""
        rows = [dict(row) for row in data["rows"]]
        return set_reorder_levels(rows, actor=actor, key=key, warehouse=data.get("warehouse"))


class LowStockRow(serializers.Serializer[Any]):
    """A product that runs low in a warehouse."""

    warehouse = serializers.CharField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField()
    name = serializers.CharField()
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    free = serializers.IntegerField()
    level = serializers.IntegerField(allow_null=True)
    target = serializers.IntegerField(allow_null=True)
    waiting = serializers.IntegerField()
    to_order = serializers.IntegerField()


class LowStock(RowsView):
    """What runs low, most wanted first; ``?warehouse=`` a code."""

    queryset = Stock.objects.all()
    serializer_class = LowStockRow
    known_parameters = ("warehouse",)

    @extend_schema(parameters=[inputs.WAREHOUSE_PARAMETER], responses=LowStockRow(many=True))
    def get(self, request: Request) -> Response:
        """At most 500 rows."""
        return self.rows(list_low_stock(request.query_params.get("warehouse", "")))


class DeliveryNote(PdfView):
    """The delivery note of a shipment as PDF."""

    queryset = Shipment.objects.all()
    serializer_class = inputs.NothingInput

    @extend_schema(parameters=[inputs.LANGUAGE_PARAMETER], responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        """In the customer's language, or in ``language``."""
        return pdf_response(*delivery_note(pk, request.query_params.get("language", "")))
