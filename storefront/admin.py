"""Staff pages of Storefront: orders (read-only) with custody and document flow, carts, categories, copies."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from erp.admin import EditableAdmin, InternalAdmin, ReadOnlyAdmin, register_copies, register_standard
from erp.registry import document_flow
from storefront.models import Cart, CartLine, Category, SalesOrder, SalesOrderLine, ShippingMethod, ShopAccount
from storefront.services.handover import finish_hand_overs


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    """Lines that staff see and cannot change."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class SalesOrderLineInline(ReadOnlyInline):
    """Lines of an order."""

    model = SalesOrderLine
    fields = ("line_no", "sku", "name", "quantity", "unit_price", "vat_code", "net", "vat", "gross")


@admin.register(SalesOrder)
class SalesOrderAdmin(ReadOnlyAdmin):
    """Orders as Storefront has them; once handed over Logistics has the state."""

    list_display = (
        "number", "placed_at", "customer_name", "lifecycle", "custody", "gross_total", "currency", "channel",
    )  # fmt: skip
    list_filter = ("custody", "lifecycle", "channel", "ordered_on")
    search_fields = ("number", "customer_name", "email", "external_ref")
    ordering = ("-id",)
    inlines = (SalesOrderLineInline,)
    actions = ("finish_hand_over",)
    readonly_fields = ("flow",)
    fieldsets = (
        (None, {"fields": (("number", "placed_at"), ("lifecycle", "custody", "epoch", "version"), "flow", "refusal")}),
        ("Customer", {"fields": (("customer_name", "customer_id"), ("email", "country"), "ship_to", "bill_to")}),
        ("Amounts", {"fields": (("net_total", "vat_total", "gross_total"), ("currency", "price_mode"))}),
        ("Wishes", {"fields": ("payment_method", "note")}),
        ("Origin", {"fields": (("channel", "external_ref"), ("shipping_method", "ordered_on"), "attempts")}),
    )

    @admin.display(description="Documents")
    def flow(self, order: SalesOrder) -> SafeString:
        """All documents of the order, each from its owner."""
        rows = [(d.url, d.kind, d.number, d.state) for d in document_flow(order.pk)]
        links = format_html_join("", '<li><a href="{}">{} {}</a> – {}</li>', rows)
        return format_html("<ul>{}</ul>", links)

    @admin.action(description="Finish open hand-overs now")
    def finish_hand_over(self, request: HttpRequest, queryset: QuerySet[SalesOrder]) -> None:
        """What the periodic relay does, at once."""
        if not request.user.has_perm("erp.duty_storefront"):
            self.message_user(request, "This needs the duty of the Storefront.", messages.ERROR)
            return
        counts = finish_hand_overs(grace_s=0)
        self.message_user(request, f"Decided: {counts['done']}; still open: {counts['failed']}.", messages.SUCCESS)


class CartLineInline(ReadOnlyInline):
    """Lines of a cart."""

    model = CartLine
    fields = ("product_id", "quantity", "unit_price", "note", "left")


@admin.register(Cart)
class CartAdmin(InternalAdmin):
    """Carts, for support."""

    list_display = ("id", "customer_id", "state", "version", "order_id", "updated_at")
    list_filter = ("state",)
    inlines = (CartLineInline,)


@admin.register(Category)
class CategoryAdmin(EditableAdmin):
    """Branches of the catalogue."""

    list_display = ("path", "name", "name_hu", "position", "is_active")
    list_editable = ("position", "is_active")
    search_fields = ("path", "name", "name_hu")


@admin.register(ShippingMethod)
class ShippingMethodAdmin(EditableAdmin):
    """Ways of delivery."""

    list_display = ("code", "name", "product_id", "free_from", "countries", "position", "is_active")


@admin.register(ShopAccount)
class ShopAccountAdmin(InternalAdmin):
    """Who may log in to the shop as whom."""

    list_display = ("email", "user_id", "customer_id", "confirmed_at", "created_at")
    search_fields = ("email",)


register_copies("storefront")
register_standard("storefront")
