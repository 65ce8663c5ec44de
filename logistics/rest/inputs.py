"""Bodies of Logistics' operations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, DateField, DecimalField, IntegerField

Input = serializers.Serializer[Any]


class LineQuantity(Input):
    """Pieces of an order line."""

    line_no = IntegerField(min_value=1)
    quantity = IntegerField(min_value=1)


class ShipInput(Input):
    """What to ship; without ``lines`` everything that is reserved."""

    lines = LineQuantity(many=True, required=False, allow_null=True)
    warehouse = CharField(required=False, allow_null=True, help_text="Code; ship only what lies there")
    issued_on = DateField(required=False, allow_null=True)
    plan_only = BooleanField(default=False, help_text="Plan shipments to be picked and packed; nothing leaves yet")


class ReasonInput(Input):
    """Why."""

    reason = CharField(required=False, allow_blank=True, default="", max_length=200)


class DateInput(Input):
    """When, if not today."""

    on_date = DateField(required=False, allow_null=True)


class TrackingInput(Input):
    """Who carries the parcel."""

    carrier = CharField(max_length=60)
    tracking_number = CharField(max_length=80)


class ReceiptRow(Input):
    """Goods that arrived."""

    product_id = IntegerField()
    quantity = IntegerField(min_value=1)
    unit_cost = DecimalField(19, 6, required=False, allow_null=True, min_value=0)


class ReceiptInput(Input):
    """A delivery."""

    rows = ReceiptRow(many=True, allow_empty=False)
    warehouse = CharField(required=False, allow_null=True)
    received_on = DateField(required=False, allow_null=True)
    supplier_ref = CharField(required=False, default="", allow_blank=True, max_length=80)
    note = CharField(required=False, default="", allow_blank=True)


class AdjustmentRow(Input):
    """A signed change of what is on hand."""

    product_id = IntegerField()
    quantity = IntegerField()
    reason = CharField(required=False, allow_blank=True, max_length=200)


class AdjustmentInput(Input):
    """A correction, or scrap."""

    rows = AdjustmentRow(many=True, allow_empty=False)
    kind = serializers.ChoiceField(["adjustment", "scrap"], default="adjustment")
    warehouse = CharField(required=False, allow_null=True)
    adjusted_on = DateField(required=False, allow_null=True)
    reason = CharField(required=False, default="", allow_blank=True, max_length=200)


class CountRow(Input):
    """Pieces found on the shelf."""

    product_id = IntegerField()
    counted = IntegerField(min_value=0)


class CountInput(Input):
    """A stock count of one warehouse."""

    rows = CountRow(many=True, allow_empty=False)
    warehouse = CharField(required=False, allow_null=True)
    counted_on = DateField(required=False, allow_null=True)


class TransferRow(Input):
    """Pieces to move."""

    product_id = IntegerField()
    quantity = IntegerField(min_value=1)


class TransferInput(Input):
    """Goods from one warehouse to another."""

    rows = TransferRow(many=True, allow_empty=False)
    from_warehouse = CharField()
    to_warehouse = CharField()
    moved_on = DateField(required=False, allow_null=True)


class ReturnInput(Input):
    """Goods of one order that come back."""

    order_id = IntegerField()
    lines = LineQuantity(many=True, allow_empty=False)
    reason = CharField(required=False, default="", allow_blank=True, max_length=200)
    warehouse = CharField(required=False, allow_null=True)
    is_received = BooleanField(default=False, help_text="The goods are here and fine: restock and credit them at once")
    returned_on = DateField(required=False, allow_null=True)


class Decision(Input):
    """What becomes of a returned line."""

    line_no = IntegerField(min_value=1)
    restock = IntegerField(min_value=0, default=0)
    scrap = IntegerField(min_value=0, default=0)


class InspectionInput(Input):
    """What becomes of a received return; without ``decisions`` everything is restocked."""

    decisions = Decision(many=True, required=False, allow_null=True)
    on_date = DateField(required=False, allow_null=True)


class WarehouseInput(Input):
    """A warehouse, made or changed by its code."""

    code = CharField(max_length=20)
    name = CharField(max_length=120)
    priority = IntegerField(min_value=0, max_value=32767, default=100)
    is_active = BooleanField(default=True)
    country = CharField(required=False, max_length=2)
    postcode = CharField(required=False, max_length=16, allow_blank=True)
    city = CharField(required=False, max_length=80, allow_blank=True)
    street = CharField(required=False, max_length=200, allow_blank=True)


class PackedLine(Input):
    """Pieces of an order line in the parcel."""

    line_no = IntegerField(min_value=1)
    quantity = IntegerField(min_value=0)


class PackInput(Input):
    """What is in the parcel; a line left out is packed as planned."""

    lines = PackedLine(many=True, required=False, allow_null=True)
    parcels = IntegerField(min_value=1, max_value=999, default=1)
    weight_g = IntegerField(min_value=0, max_value=2_000_000_000, required=False, allow_null=True)
    carrier = CharField(required=False, default="", allow_blank=True, max_length=60)
    tracking_number = CharField(required=False, default="", allow_blank=True, max_length=80)


class OpenCountInput(Input):
    """Which products are put on a sheet."""

    warehouse = CharField(required=False, allow_null=True)
    sku_prefix = CharField(
        required=False, allow_null=True, allow_blank=True, max_length=60,
        help_text="Beginning of the SKUs; empty: everything that lies there; null or left out: an empty sheet",
    )  # fmt: skip
    counted_on = DateField(required=False, allow_null=True)


class CountLine(Input):
    """Pieces found; null: not counted (yet)."""

    product_id = IntegerField()
    counted = IntegerField(min_value=0, max_value=1_000_000_000, required=False, allow_null=True)


class CountLinesInput(Input):
    """Lines of a sheet."""

    rows = CountLine(many=True, allow_empty=False)


class NothingInput(Input):
    """Nothing to say."""


class ReorderLine(Input):
    """From which level on a product is bought again, and up to how many free pieces."""

    product_id = IntegerField()
    level = IntegerField(min_value=0, max_value=1_000_000_000)
    target = IntegerField(min_value=0, max_value=1_000_000_000, required=False, allow_null=True)


class ReorderInput(Input):
    """Levels of one warehouse."""

    rows = ReorderLine(many=True, allow_empty=False)
    warehouse = CharField(required=False, allow_null=True)


WAREHOUSE_PARAMETER = OpenApiParameter("warehouse", str, description="Code of a warehouse; all of them without it.")
LANGUAGE_PARAMETER = OpenApiParameter("language", str, description="`hu` or `en`; the customer's without it.")
