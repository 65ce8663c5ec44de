"""Customers and products over REST, at their owner."""

from __future__ import annotations

from admin_app.models import Customer, Product
from admin_app.serializers import CustomerSerializer, ProductSerializer
from erp.api.views import OwnerViewSet


class CustomerViewSet(OwnerViewSet):
    """Customers; a write returns when every attached reader has confirmed it."""

    queryset = Customer.objects.prefetch_related("addresses")
    serializer_class = CustomerSerializer
    filterset_fields = ("number", "email", "country", "vat_status", "external_ref", "is_blocked")


class ProductViewSet(OwnerViewSet):
    """Products; a write returns when every attached reader has confirmed it."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_fields = ("sku", "product_class", "vat_code", "category", "is_sellable", "barcode", "external_ref")
