"""URLs of Logistics: its API under /api/v1/logistics/ and its staff pages under /admin/."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path, re_path

from erp.api.routers import copy_routes, entity_routes
from logistics.rest import operations as do
from logistics.rest import reading as read
from logistics.rest import waiting
from logistics.rest import working as work
from logistics.staff import buttons, counting, lists, packing, pages
from logistics.staff.waiting import waiting_orders

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
    path("shipments/<int:pk>/packing/", work.PackShipment.as_view(), name="logistics-pack-shipment"),
    path("shipments/<int:pk>/delivery-note/", work.DeliveryNote.as_view(), name="logistics-shipment-note"),
    path("count-sheets/", work.CountSheets.as_view(), name="logistics-count-sheets"),
    path("count-sheets/<int:pk>/lines/", work.WriteCounts.as_view(), name="logistics-write-counts"),
    re_path(
        r"^count-sheets/(?P<pk>\d{1,18})/steps/(?P<step>post|count-again|cancel)/$",
        work.CountSheetStep.as_view(),
        name="logistics-count-sheet-step",
    ),
    path("reorder-levels/", work.ReorderLevels.as_view(), name="logistics-rest-reorder-levels"),
    path("low-stock/", work.LowStock.as_view(), name="logistics-rest-low-stock"),
    path("waiting-orders/", waiting.WaitingOrders.as_view(), name="logistics-rest-waiting"),
    path("waiting-orders/allocate/", waiting.AllocateWaiting.as_view(), name="logistics-rest-allocate"),
    path("waiting-orders/expected/", waiting.ExpectGoods.as_view(), name="logistics-rest-expected"),
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

staff_urlpatterns: list[URLPattern | URLResolver] = [
    path("logistics/receive/", pages.receive_goods, name="logistics-receive"),
    path("logistics/adjust/", pages.adjust_stock, name="logistics-adjust"),
    path("logistics/count/", counting.counts, name="logistics-count"),
    path("logistics/count/<int:pk>/", counting.sheet, name="logistics-count-sheet"),
    path("logistics/transfer/", pages.transfer_stock, name="logistics-transfer"),
    path("logistics/reorder-levels/", pages.reorder_levels, name="logistics-reorder-levels"),
    path("logistics/plan/<int:pk>/", packing.plan, name="logistics-plan"),
    path("logistics/pack/<int:pk>/", packing.pack, name="logistics-pack"),
    path("logistics/track/<int:pk>/", packing.track, name="logistics-track"),
    path("logistics/inspect/<int:pk>/", pages.inspect_return, name="logistics-inspect"),
    path("logistics/pick-list/", lists.pick_list, name="logistics-pick-list"),
    path("logistics/waiting/", waiting_orders, name="logistics-waiting"),
    path("logistics/low-stock/", lists.low_stock, name="logistics-low-stock"),
    path("logistics/delivery-note/<int:pk>/", lists.delivery_note, name="logistics-delivery-note"),
    path("logistics/do/<str:model>/<int:pk>/<str:name>/", buttons.operate, name="logistics-operation"),
]

urlpatterns: list[URLPattern | URLResolver] = []
