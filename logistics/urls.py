"""URLs of Logistics: its API under /api/v1/logistics/ and its staff pages under /admin/."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path, re_path

from erp.api.routers import copy_routes, entity_routes
from logistics.rest import operations as do
from logistics.rest import reading as read

_LIST: dict[str, Any] = {"get": "list"}
_DETAIL: dict[str, Any] = {"get": "retrieve"}

api_urlpatterns: list[URLPattern | URLResolver] = [
    *entity_routes("logistics", read.StockViewSet, read.SalesOrderViewSet),
    *copy_routes("logistics"),
    path("sales-orders/<int:pk>/shipments/", do.ShipOrder.as_view(), name="logistics-ship-order"),
    path("sales-orders/<int:pk>/cancel/", do.CancelOrder.as_view(), name="logistics-cancel-order"),
    path("sales-orders/<int:pk>/cancel-rest/", do.CancelRest.as_view(), name="logistics-cancel-rest"),
    path("shipments/", read.ShipmentViewSet.as_view(_LIST), name="logistics-shipments"),
    path("shipments/<int:pk>/", read.ShipmentViewSet.as_view(_DETAIL), name="logistics-shipment"),
    path("shipments/<int:pk>/tracking/", do.TrackShipment.as_view(), name="logistics-track-shipment"),
    re_path(
        r"^shipments/(?P<pk>\d{1,18})/(?P<step>pick|pack|issue|deliver|cancel)/$",
        do.ShipmentStep.as_view(),
        name="logistics-shipment-step",
    ),
    path("goods-receipts/", do.GoodsReceipts.as_view(), name="logistics-goods-receipts"),
    path("stock-moves/", read.StockMoveViewSet.as_view(_LIST), name="logistics-stock-moves"),
    path("stock-adjustments/", do.AdjustStock.as_view(), name="logistics-adjust-stock"),
    path("stock-counts/", do.CountStock.as_view(), name="logistics-count-stock"),
    path("stock-transfers/", do.TransferStock.as_view(), name="logistics-transfer-stock"),
    path("returns/", do.Returns.as_view(), name="logistics-returns"),
    path("returns/<int:pk>/", read.ReturnViewSet.as_view(_DETAIL), name="logistics-return"),
    path("returns/<int:pk>/receive/", do.ReceiveParcel.as_view(), name="logistics-receive-parcel"),
    path("returns/<int:pk>/inspect/", do.InspectReturn.as_view(), name="logistics-inspect-return"),
    path("returns/<int:pk>/reject/", do.RejectReturn.as_view(), name="logistics-reject-return"),
    path("warehouses/", do.Warehouses.as_view(), name="logistics-warehouses"),
]

urlpatterns: list[URLPattern | URLResolver] = []
