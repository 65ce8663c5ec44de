"""Admin's staff pages: customers with their addresses, products; its copies, read-only."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import TabularInline

from admin_app.models import Customer, CustomerAddress, Product
from admin_app.resources import CustomerResource, ProductResource
from admin_app.serializers import CustomerSerializer, ProductSerializer
from erp.admin import OwnedAdmin, register_copies, register_standard
from erp.staff.imports import OwnerImportMixin


class CustomerAddressInline(TabularInline):  # type: ignore[misc]
    """Further addresses, written with the customer in one call."""

    model = CustomerAddress
    extra = 0


@admin.register(Customer)
class CustomerAdmin(OwnerImportMixin, OwnedAdmin):
    """The customer master."""

    serializer_class = CustomerSerializer
    icon = "group"
    resource_classes = (CustomerResource,)
    inlines = (CustomerAddressInline,)
    list_display = ("number", "name", "email", "country", "vat_status", "payment_terms_days", "is_blocked")
    list_filter = ("vat_status", "is_company", "is_blocked")
    search_fields = ("number", "name", "email", "external_ref")
    fieldsets = (
        (None, {"fields": (("name", "email"), ("phone", "language"), ("is_company", "is_blocked"))}),
        ("Address", {"fields": (("country", "postcode"), ("city", "street"))}),
        ("Invoicing", {"fields": (("vat_status", "tax_number"), ("currency", "payment_terms_days"))}),
        ("Internal", {"fields": ("external_ref", "note")}),
    )


@admin.register(Product)
class ProductAdmin(OwnerImportMixin, OwnedAdmin):
    """The product master."""

    serializer_class = ProductSerializer
    icon = "sell"
    resource_classes = (ProductResource,)
    list_display = ("sku", "name", "product_class", "base_price", "currency", "vat_code", "is_sellable", "category")
    list_filter = ("product_class", "is_sellable", "is_stocked")
    search_fields = ("sku", "name", "barcode", "external_ref")
    fieldsets = (
        (None, {"fields": (("sku", "name"), ("product_class", "category"), "description")}),
        ("Price", {"fields": (("base_price", "currency"), ("vat_code", "unit"))}),
        ("Stock and sale", {"fields": (("is_stocked", "is_sellable"), ("backorder_allowed", "weight_g"), "barcode")}),
        ("More", {"fields": ("image", "attributes", "external_ref")}),
    )


register_copies("admin_app")
register_standard("admin_app")
