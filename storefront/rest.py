"""Sales orders, categories and shipping methods over REST; copies are read-only and come from the map."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from erp.actor import actor_of
from erp.api.base import ActorMixin, etag
from erp.api.strict import refuse_unknown_fields
from erp.api.views import IDEMPOTENCY_HEADER, OwnerReadViewSet, idempotency_key
from storefront import api
from storefront.models import Category, SalesOrder, SalesOrderLine, ShippingMethod
from storefront.services.integration import as_plain_data


class LineSerializer(serializers.ModelSerializer[SalesOrderLine]):
    """A line of an order as it was confirmed."""

    class Meta:
        model = SalesOrderLine
        exclude = ("id", "order")


class SalesOrderSerializer(serializers.ModelSerializer[SalesOrder]):
    """A sales order as Storefront has it; after the hand-over Logistics has its state."""

    lines = LineSerializer(many=True, read_only=True)

    class Meta:
        model = SalesOrder
        exclude = ("xid", "offered_at", "attempts")


class AddressSerializer(serializers.Serializer[Any]):
    """Where goods or the invoice go."""

    name = serializers.CharField(max_length=200)
    street = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    postcode = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    city = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    country = serializers.RegexField(r"^[A-Z]{2}$")
    tax_number = serializers.CharField(max_length=30, required=False, allow_blank=True, default="")


class NewLineSerializer(serializers.Serializer[Any]):
    """A line to be ordered: product by id or SKU; the price is the product's when not given."""

    product_id = serializers.IntegerField(required=False, min_value=1)
    sku = serializers.CharField(required=False, max_length=60)
    quantity = serializers.IntegerField(min_value=1, max_value=10**9)
    unit_price = serializers.DecimalField(required=False, max_digits=19, decimal_places=6)
    discount = serializers.DecimalField(required=False, max_digits=19, decimal_places=4)
    vat_code = serializers.CharField(required=False, max_length=20)
    name = serializers.CharField(required=False, max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of id and SKU says which product."""
        if not attrs.get("product_id") and not attrs.get("sku"):
            raise serializers.ValidationError("Give product_id or sku.")
        return attrs


class NewOrderSerializer(serializers.Serializer[Any]):
    """An order to be placed."""

    customer_id = serializers.IntegerField(min_value=1)
    lines = NewLineSerializer(many=True, allow_empty=False)
    price_mode = serializers.ChoiceField(choices=["net", "gross"], default="net")
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False)
    email = serializers.EmailField(required=False)
    ship_to = AddressSerializer(required=False)
    bill_to = AddressSerializer(required=False)
    shipping_method = serializers.CharField(required=False, max_length=20)
    payment_method = serializers.CharField(required=False, max_length=20)
    external_ref = serializers.CharField(required=False, max_length=80)
    ordered_on = serializers.DateField(required=False)
    note = serializers.CharField(required=False, allow_blank=True)


class SalesOrderViewSet(OwnerReadViewSet):
    """Sales orders at Storefront. Placing one hands it over to Logistics; it is changed there."""

    queryset = SalesOrder.objects.prefetch_related("lines")
    serializer_class = SalesOrderSerializer
    filterset_fields = ("number", "customer_id", "lifecycle", "custody", "external_ref", "channel", "ordered_on")

    @extend_schema(parameters=[IDEMPOTENCY_HEADER], request=NewOrderSerializer, responses={201: SalesOrderSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Place an order: 201 when Logistics has accepted it, 409 with what is left per line when it refuses."""
        key = idempotency_key(request, required=True)
        assert key is not None
        data = NewOrderSerializer(data=request.data)
        refuse_unknown_fields(data, request.data)
        data.is_valid(raise_exception=True)
        placed = api.place_order(
            data.validated_data, actor=actor_of(request.user), idempotency_key=f"{request.user.pk}:{key}"
        )
        order = SalesOrder.objects.get(pk=placed["order_id"])
        code = status.HTTP_202_ACCEPTED if placed["outcome"] == "pending" else status.HTTP_201_CREATED
        response = self._answer({**as_plain_data(order), "outcome": placed["outcome"]}, code, tag=etag(order.version))
        response["Location"] = request.build_absolute_uri(f"{request.path}{order.pk}/")
        return response


class InternalViewSet(ActorMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """List and detail of an internal table that says nothing about anybody: for every user of the API."""

    permission_classes = (IsAuthenticated,)
    lookup_value_regex = r"\d{1,18}"


class CategorySerializer(serializers.ModelSerializer[Category]):
    """A category."""

    class Meta:
        model = Category
        fields = ("id", "path", "name", "name_hu", "position", "is_active")


class CategoryViewSet(InternalViewSet):
    """Categories of the shop."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    filterset_fields = ("path", "is_active")


class ShippingMethodSerializer(serializers.ModelSerializer[ShippingMethod]):
    """A way of delivery."""

    class Meta:
        model = ShippingMethod
        fields = ("id", "code", "name", "name_hu", "product_id", "free_from", "countries", "position", "is_active")


class ShippingMethodViewSet(InternalViewSet):
    """Ways of delivery."""

    queryset = ShippingMethod.objects.all()
    serializer_class = ShippingMethodSerializer
    filterset_fields = ("code", "is_active")


def internal_routes() -> list[URLPattern | URLResolver]:
    """Routes of the internal tables that integrators may read."""
    router = SimpleRouter()
    router.register("categories", CategoryViewSet, basename="storefront-categories")
    router.register("shipping-methods", ShippingMethodViewSet, basename="storefront-shipping-methods")
    return list(router.urls)
