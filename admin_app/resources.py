"""Files of customers and products: import through the bulk serializers, export of the same columns."""

from __future__ import annotations

from admin_app.models import Customer, Product
from admin_app.serializers import CustomerSerializer, ProductSerializer
from erp.staff.imports import OwnerResource


class CustomerResource(OwnerResource):
    """Customers by ``external_ref``."""

    serializer_class = CustomerSerializer

    class Meta:
        model = Customer
        fields = (
            "number", "external_ref", "name", "email", "phone", "is_company", "country", "tax_number", "vat_status",
            "currency", "payment_terms_days", "language", "postcode", "city", "street", "is_blocked", "note",
        )  # fmt: skip
        export_order = fields


class ProductResource(OwnerResource):
    """Products by ``sku``."""

    serializer_class = ProductSerializer

    class Meta:
        model = Product
        fields = (
            "sku", "name", "description", "unit", "product_class", "vat_code", "base_price", "currency",
            "is_stocked", "is_sellable", "backorder_allowed", "weight_g", "category", "attributes", "image", "images",
            "barcode", "external_ref",
        )  # fmt: skip
        export_order = fields
