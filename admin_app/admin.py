"""Admin's staff pages: customers with their addresses, products; its copies, read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.decorators import action, display

from admin_app.models import Customer, CustomerAddress, InvoiceCopy, Product, StockCopy
from admin_app.product_form import ProductForm
from admin_app.resources import CustomerResource, ProductResource
from admin_app.serializers import CustomerSerializer, ProductSerializer
from admin_app.services.erasure import erase_customer
from erp.admin import CopyAdmin, OwnedAdmin, register_copies, register_standard
from erp.errors import ErpError
from erp.staff.imports import OwnerImportMixin
from erp.staff.links import WithRecordLinks


class CustomerAddressInline(TabularInline):  # type: ignore[misc]
    """Further addresses, written with the customer in one call."""

    model = CustomerAddress
    extra = 0


@admin.register(Customer)
class CustomerAdmin(WithRecordLinks, OwnerImportMixin, OwnedAdmin):
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
    form = ProductForm
    icon = "sell"
    resource_classes = (ProductResource,)
    list_display = ("sku", "name", "product_class", "base_price", "currency", "vat_code", "is_sellable", "category")
    list_filter = ("product_class", "is_sellable", "is_stocked")
    search_fields = ("sku", "name", "barcode", "external_ref")
    fieldsets = (
        (None, {"fields": (("sku", "name"), ("product_class", "category"), "description")}),
        ("Price", {"fields": (("base_price", "currency"), ("vat_code", "unit"))}),
        ("Stock and sale", {"fields": (("is_stocked", "is_sellable"), ("backorder_allowed", "weight_g"), "barcode")}),
        ("Pictures", {"fields": ("new_pictures", "remove_pictures", "first_picture")}),
        ("More", {"fields": ("attributes", "external_ref")}),
    )


class StockCopyAdmin(CopyAdmin):
    """Stock by the product's own name."""

    list_display = ("product", "warehouse_code", "on_hand", "reserved", "available")
    list_filter = ("warehouse_code",)
    search_fields = ("sku",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockCopy]:
        """With the SKU and name from Admin's own product master."""
        mine = Product.objects.filter(pk=OuterRef("product_id"))
        found: QuerySet[StockCopy] = super().get_queryset(request)
        return found.annotate(sku=Subquery(mine.values("sku")[:1]), product_name=Subquery(mine.values("name")[:1]))

    @display(description="Product", ordering="sku")  # type: ignore[untyped-decorator]
    def product(self, stock: Any) -> str:
        """SKU and name."""
        return f"{stock.sku} {stock.product_name}"

    @display(description="Available")  # type: ignore[untyped-decorator]
    def available(self, stock: StockCopy) -> int:
        """On hand less reserved."""
        return stock.on_hand - stock.reserved


class InvoiceCopyAdmin(CopyAdmin):
    """Invoices as Finance issued them."""

    list_display = (
        "number", "kind", "customer_name", "issued_on", "due_on", "gross_total", "currency", "payment_state",
    )  # fmt: skip
    list_filter = ("kind", "payment_state", "issued_on")
    search_fields = ("number", "order_number")

    @display(description="Customer")  # type: ignore[untyped-decorator]
    def customer_name(self, invoice: InvoiceCopy) -> str:
        """Name as frozen on the invoice."""
        return str((invoice.customer or {}).get("name", ""))


class LedgerCopyAdmin(CopyAdmin):
    """Posted lines of the general ledger."""

    list_display = ("entry_no", "line_no", "entry_on", "account", "account_name", "amount", "document_number", "text")
    list_filter = ("journal", "document_kind", "entry_on")
    search_fields = ("document_number", "account")


register_copies("admin_app", stock=StockCopyAdmin, invoice=InvoiceCopyAdmin, ledger=LedgerCopyAdmin)
register_standard("admin_app")
