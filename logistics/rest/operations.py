"""Logistics' operations over REST; each POST is one call of a service with the caller's key."""

from __future__ import annotations

from typing import Any

from erp.actor import Actor
from erp.api import operations
from logistics import api
from logistics.models import GoodsReceipt, ReturnOrder, Warehouse
from logistics.rest import inputs, reading
from logistics.services.fulfilment import cancel_shipment, deliver_shipment, set_tracking
from logistics.services.returns import reject_return

Data = operations.Data


class LogisticsOperation(operations.OperationView):
    """An operation that needs Logistics' duty."""

    module = "logistics"


class CollectionOperation(operations.CollectionOperation, LogisticsOperation):
    """A collection of Logistics'."""


class ShipOrder(LogisticsOperation):
    """Ship an order or a part of it: at once, or planned for the warehouse to pick."""

    serializer_class = inputs.ShipInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Plan, or plan and issue."""
        lines, place = data.get("lines"), data.get("warehouse")
        if data["plan_only"]:
            planned = api.create_shipments(path["pk"], lines, actor=actor, key=key, warehouse=place)
            return {"order_id": path["pk"], "shipments": planned}
        return api.ship(path["pk"], lines, actor=actor, key=key, on_date=data.get("issued_on"), warehouse=place)


class CancelOrder(LogisticsOperation):
    """Cancel an order of which nothing is picked; a repeat changes nothing."""

    serializer_class = inputs.ReasonInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Cancel."""
        return api.cancel_order(path["pk"], actor=actor, reason=data["reason"])


class CancelRest(LogisticsOperation):
    """Cancel what has not left of a partly shipped order."""

    serializer_class = inputs.ReasonInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Cancel the rest."""
        return api.cancel_rest(path["pk"], actor=actor, reason=data["reason"])


class ShipmentStep(LogisticsOperation):
    """One step of a shipment: pick, pack, issue, deliver or cancel; a repeat changes nothing."""

    serializer_class = inputs.DateInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Take the step that the URL names."""
        pk, on = int(path["pk"]), data.get("on_date")
        steps = {
            "pick": lambda: api.pick_shipment(pk, actor=actor),
            "pack": lambda: api.pack_shipment(pk, actor=actor),
            "issue": lambda: api.issue_shipment(pk, actor=actor, on_date=on),
            "deliver": lambda: deliver_shipment(pk, actor=actor, delivered_on=on),
            "cancel": lambda: cancel_shipment(pk, actor=actor),
        }
        return {"shipment_id": pk, "number": steps[path["step"]](), "step": path["step"]}


class TrackShipment(LogisticsOperation):
    """Record carrier and tracking number."""

    serializer_class = inputs.TrackingInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Record them."""
        return {"shipment_id": path["pk"], "number": set_tracking(path["pk"], actor=actor, **data)}


class GoodsReceipts(CollectionOperation):
    """Deliveries; POST receives one."""

    queryset = GoodsReceipt.objects.all()
    row_serializer = reading.GoodsReceiptSerializer
    filterset_fields = ("number", "warehouse", "supplier_ref", "received_on")
    serializer_class = inputs.ReceiptInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Receive it."""
        return api.receive_goods(actor=actor, key=key, **_plain(data))


class AdjustStock(LogisticsOperation):
    """Correct or scrap stock."""

    serializer_class = inputs.AdjustmentInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Adjust it."""
        return api.adjust_stock(actor=actor, key=key, **_plain(data))


class CountStock(LogisticsOperation):
    """Post the differences of a stock count."""

    serializer_class = inputs.CountInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Post them."""
        return api.count_stock(actor=actor, key=key, **_plain(data))


class TransferStock(LogisticsOperation):
    """Move goods between warehouses."""

    serializer_class = inputs.TransferInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Move them."""
        plain = _plain(data)
        return api.transfer_stock(
            plain["rows"], source=plain["from_warehouse"], target=plain["to_warehouse"], actor=actor, key=key,
            moved_on=plain.get("moved_on"),
        )  # fmt: skip


class Returns(CollectionOperation):
    """Returns; POST notes one, or takes it back, restocks and credits it at once."""

    queryset = ReturnOrder.objects.prefetch_related("lines")
    row_serializer = reading.ReturnSerializer
    filterset_fields = ("number", "order", "state", "customer_id", "external_ref", "credit_note_number")
    serializer_class = inputs.ReturnInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Request or receive it."""
        plain = _plain(data)
        common = {"actor": actor, "key": key, "reason": plain["reason"], "warehouse": plain.get("warehouse")}
        if plain["is_received"]:
            on = plain.get("returned_on")
            return api.receive_return(plain["order_id"], plain["lines"], on_date=on, **common)
        return api.request_return(plain["order_id"], plain["lines"], **common)


class ReceiveParcel(LogisticsOperation):
    """The parcel of a return is here."""

    serializer_class = inputs.ReasonInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Receive it."""
        return api.receive_parcel(path["pk"], actor=actor)


class InspectReturn(LogisticsOperation):
    """Restock, scrap or send back what came; what is kept is credited."""

    serializer_class = inputs.InspectionInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Decide."""
        given = data.get("decisions")
        decisions = None if given is None else {d["line_no"]: (d["restock"], d["scrap"]) for d in given}
        return api.inspect_return(path["pk"], decisions, actor=actor, on_date=data.get("on_date"))


class RejectReturn(LogisticsOperation):
    """Refuse a return."""

    serializer_class = inputs.ReasonInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Reject it."""
        return reject_return(path["pk"], actor=actor, reason=data["reason"])


class Warehouses(CollectionOperation):
    """Warehouses; POST creates one, or changes the one with this code."""

    queryset = Warehouse.objects.all()
    row_serializer = reading.WarehouseSerializer
    filterset_fields = ("code", "is_active")
    serializer_class = inputs.WarehouseInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Save it."""
        return api.save_warehouse(data)


def _plain(data: Data) -> Data:
    """Validated data without DRF's ordered dicts."""
    return {k: [dict(row) for row in v] if isinstance(v, list) else v for k, v in data.items()}
