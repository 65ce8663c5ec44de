"""Admin's staff pages: customers with their addresses, products; its copies, read-only."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.decorators import action, display

from admin_app.models import Customer, CustomerAddress, Product
from admin_app.resources import CustomerResource, ProductResource
from admin_app.serializers import CustomerSerializer, ProductSerializer
from admin_app.services.erasure import erase_customer
from erp.admin import OwnedAdmin, register_copies, register_standard
from erp.errors import ErpError
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
    list_display = ("number", "name", "email", "country", "vat_status", "payment_terms_days", "state")
    list_filter = ("vat_status", "is_company", "is_blocked")
    search_fields = ("number", "name", "email", "external_ref")
    fieldsets = (
        (None, {"fields": (("name", "email"), ("phone", "language"), ("is_company", "is_blocked"))}),
        ("Address", {"fields": (("country", "postcode"), ("city", "street"))}),
        ("Invoicing", {"fields": (("vat_status", "tax_number"), ("currency", "payment_terms_days"))}),
        ("Internal", {"fields": ("external_ref", "note")}),
    )

    actions_detail = ("erase",)

    @action(description="Erase personal data", url_path="erase", permissions=("change",))  # type: ignore[untyped-decorator]
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask once, then overwrite the person's data everywhere."""
        customer = self.get_object(request, object_id)
        back = HttpResponseRedirect(reverse("admin:admin_app_customer_change", args=[object_id]))
        if customer is None or not object_id.isdecimal():
            return back
        if request.method == "POST":
            try:
                erase_customer(int(object_id))
                messages.success(request, f"The personal data of {customer.number} is erased here and at every reader.")
            except ErpError as error:
                messages.error(request, error.message)
            return back
        context = {**self.admin_site.each_context(request), "title": "Erase personal data", "customer": customer}
        return TemplateResponse(request, "admin_app/erase.html", context)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """By duty; also asked by Unfold with an object's id instead of the object."""
        return bool(super().has_change_permission(request))

    @display(description="State", label={"retired": "warning", "blocked": "danger"})  # type: ignore[untyped-decorator]
    def state(self, customer: Customer) -> str:
        """Why this customer cannot buy; empty for most."""
        if customer.retired_at:
            return "retired"
        return "blocked" if customer.is_blocked else ""


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
