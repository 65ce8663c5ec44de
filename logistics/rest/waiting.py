"""Orders that wait for goods, over REST: the list, serving them now, and when more is expected."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from erp.actor import Actor
from erp.api.operations import RowsView
from logistics.models import SalesOrder
from logistics.rest.operations import Data, LogisticsOperation
from logistics.services.backorders import allocate_backorders
from logistics.services.waiting import expect_goods, list_waiting


class WaitingOrder(serializers.Serializer[Any]):
    """An order that waits."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    customer_name = serializers.CharField()
    ordered_on = serializers.DateField()
    waiting = serializers.IntegerField()


class WaitingRow(serializers.Serializer[Any]):
    """A product that is waited for."""

    product_id = serializers.IntegerField()
    sku = serializers.CharField()
    name = serializers.CharField()
    ordered = serializers.IntegerField()
    waiting = serializers.IntegerField()
    free = serializers.IntegerField()
    since = serializers.DateField()
    expected_on = serializers.DateField(allow_null=True)
    orders = WaitingOrder(many=True)


class WaitingOrders(RowsView):
    """What open orders wait for, by product, the longest waiting first."""

    queryset = SalesOrder.objects.all()
    serializer_class = WaitingRow

    @extend_schema(responses=WaitingRow(many=True))
    def get(self, request: Request) -> Response:
        """At most 500 rows."""
        return self.rows(list_waiting())


class AllocateInput(serializers.Serializer[Any]):
    """For which products; all that are waited for without it."""

    product_ids = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, allow_null=True)


class AllocateWaiting(LogisticsOperation):
    """Reserve what is free for the orders that wait for it, oldest first; a repeat finds nothing left to do."""

    serializer_class = AllocateInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Allocate."""
        wanted = data.get("product_ids")
        return {"served": allocate_backorders(wanted or [row["product_id"] for row in list_waiting()])}


class ExpectedInput(serializers.Serializer[Any]):
    """When more of a product comes; null: nobody knows."""

    product_id = serializers.IntegerField(min_value=1)
    expected_on = serializers.DateField(allow_null=True)


class ExpectGoods(LogisticsOperation):
    """Note on which day more of a product is expected."""

    serializer_class = ExpectedInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Note it."""
        expect_goods(data["product_id"], data["expected_on"], actor=actor)
        return {"product_id": data["product_id"], "expected_on": data["expected_on"]}
