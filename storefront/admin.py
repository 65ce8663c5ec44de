"""Staff pages of Storefront: orders (read-only) with custody and document flow, carts, categories, copies."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from erp.admin import EditableAdmin, InternalAdmin, ReadOnlyAdmin, ReadOnlyLines, register_copies, register_standard
from erp.formats import format_address
from erp.registry import document_flow
from storefront.models import (
    Cart,
    CartLine,
    Category,
    PaymentAttempt,
    PaymentBooking,
    PaymentCallback,
    SalesOrder,
    SalesOrderLine,
    ShippingMethod,
    ShopAccount,
)
from storefront.services.handover import finish_hand_overs
from storefront.templatetags.shop import money, unit_price


class SalesOrderLineInline(ReadOnlyLines):
    """Lines of an order."""

    model = SalesOrderLine
    hide_title = True
    fields = ("line_no", "sku", "name", "quantity", "price", "vat_code", "net_amount", "vat_amount", "gross_amount")
    readonly_fields = ("price", "net_amount", "vat_amount", "gross_amount")

    @admin.display(description="Unit price")
    def price(self, line: SalesOrderLine) -> str:
        """Price of one unit in the order's currency."""
        return unit_price(line.unit_price, line.order.currency)

    @admin.display(description="Net")
    def net_amount(self, line: SalesOrderLine) -> str:
        """Net amount of the line."""
        return money(line.net, line.order.currency)

    @admin.display(description="VAT")
    def vat_amount(self, line: SalesOrderLine) -> str:
        """VAT of the line."""
        return money(line.vat, line.order.currency)

    @admin.display(description="Gross")
    def gross_amount(self, line: SalesOrderLine) -> str:
        """Gross amount of the line."""
        return money(line.gross, line.order.currency)


@admin.register(SalesOrder)
class SalesOrderAdmin(ReadOnlyAdmin):
    """Orders as Storefront has them; once handed over Logistics has the state."""

    list_display = ("number", "placed_at", "customer_name", "lifecycle", "custody", "total", "channel")
    list_filter = ("custody", "lifecycle", "channel", "ordered_on")
    search_fields = ("number", "customer_name", "email", "external_ref")
    ordering = ("-id",)
    inlines = (SalesOrderLineInline,)
    actions = ("finish_hand_over",)
    readonly_fields = ("flow", "delivery_address", "billing_address", "total", "net_and_vat", "what_was_short")
    fieldsets = (
        (None, {"fields": (("number", "placed_at"), ("lifecycle", "custody"), ("epoch", "attempts"), "flow")}),
        ("Refusal", {"fields": ("what_was_short",), "classes": ("collapse",)}),
        (
            "Customer",
            {"fields": (("customer_name", "customer_id"), ("email", "country"), "delivery_address", "billing_address")},
        ),
        ("Amounts", {"fields": (("total", "net_and_vat"), ("price_mode", "payment_method"))}),
        ("Origin and wishes", {"fields": (("channel", "external_ref"), ("shipping_method", "ordered_on"), "note")}),
    )

    @admin.display(description="Documents")
    def flow(self, order: SalesOrder) -> SafeString:
        """All documents of the order, each from its owner."""
        rows = [(d.url, d.module, d.kind, d.number, d.state) for d in document_flow(order.pk)]
        links = format_html_join("", '<li><a class="underline" href="{}">{}: {} {}</a> – {}</li>', rows)
        return format_html("<ul>{}</ul>", links)

    @admin.display(description="Delivery address")
    def delivery_address(self, order: SalesOrder) -> str:
        """Where the goods go, on one line."""
        return format_address(order.ship_to)

    @admin.display(description="Billing address")
    def billing_address(self, order: SalesOrder) -> str:
        """Who is invoiced, on one line."""
        return format_address(order.bill_to)

    @admin.display(description="Total", ordering="gross_total")
    def total(self, order: SalesOrder) -> str:
        """Gross total."""
        return money(order.gross_total, order.currency)

    @admin.display(description="Net + VAT")
    def net_and_vat(self, order: SalesOrder) -> str:
        """Net total and VAT."""
        return f"{money(order.net_total, order.currency)} + {money(order.vat_total, order.currency)}"

    @admin.display(description="What was short")
    def what_was_short(self, order: SalesOrder) -> str:
        """Reason of a refusal and what was left of each short line."""
        refusal = order.refusal or {}
        short = [f"{s['sku']}: {s['requested']} wanted, {s['available']} left" for s in refusal.get("short", ())]
        return "; ".join([*filter(None, [refusal.get("reason")]), *short])

    @admin.action(description="Finish open hand-overs now")
    def finish_hand_over(self, request: HttpRequest, queryset: QuerySet[SalesOrder]) -> None:
        """What the periodic relay does, at once."""
        if not request.user.has_perm("erp.duty_storefront"):
            self.message_user(request, "This needs the duty of the Storefront.", messages.ERROR)
            return
        counts = finish_hand_overs(grace_s=0)
        self.message_user(request, f"Decided: {counts['done']}; still open: {counts['failed']}.", messages.SUCCESS)


class CartLineInline(ReadOnlyLines):
    """Lines of a cart."""

    model = CartLine
    fields = ("product_id", "quantity", "unit_price", "note", "left")


@admin.register(Cart)
class CartAdmin(InternalAdmin):
    """Carts, for support."""

    list_display = ("id", "customer_id", "state", "version", "order_id", "updated_at")
    list_filter = ("state",)
    inlines = (CartLineInline,)


class PaymentBookingInline(ReadOnlyLines):
    """Captures and refunds of a payment."""

    model = PaymentBooking
    fields = ("kind", "invoice_id", "amount", "created_at", "done_at")


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(InternalAdmin):
    """Card payments: what was confirmed, what the provider said, what was captured and given back."""

    list_display = ("ref", "state", "reason", "amount", "currency", "provider_state", "order_id", "created_at")
    list_filter = ("state", "reason", "provider_state")
    search_fields = ("ref", "order_id")
    inlines = (PaymentBookingInline,)


@admin.register(PaymentCallback)
class PaymentCallbackAdmin(InternalAdmin):
    """What the card provider called us with, each message once."""

    list_display = ("event_id", "ref", "received_at")
    search_fields = ("event_id", "ref")


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
