"""Pages of warehouses, stock and its moves, receipts and counts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from erp.admin import EditableAdmin, InternalAdmin, OwnedAdmin, ReadOnlyLines
from logistics.admin.documents import DocumentAdmin
from logistics.models import (
    ExpectedGoods,
    GoodsReceipt,
    ProductCopy,
    ReorderLevel,
    Stock,
    StockCount,
    StockCountLine,
    StockMove,
    Warehouse,
)
from logistics.serializers import StockSerializer


@admin.register(Warehouse)
class WarehouseAdmin(EditableAdmin):
    """Warehouses and the order in which they are emptied."""

    icon = "warehouse"
    list_display = ("code", "name", "priority", "is_active", "city")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A code stands on documents: it is given once."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: make it inactive."""
        return False


@admin.register(Stock)
class StockAdmin(OwnedAdmin):
    """Live figures per warehouse and product; they change through moves and reservations alone."""

    serializer_class = StockSerializer
    icon = "inventory_2"
    list_display = ("sku", "warehouse", "on_hand", "reserved", "free_pieces", "updated_at")
    list_filter = ("warehouse",)
    list_select_related = ("warehouse",)
    search_fields = ("=product_id",)
    search_help_text = "SKU, beginning of a product's name, or product id"
    fields = ("warehouse", "sku", "on_hand", "reserved", "free_pieces", "moves")
    readonly_fields = ("warehouse", "sku", "on_hand", "reserved", "free_pieces", "moves")
    actions = ()  # type: ignore[assignment]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A stock row is made by the first goods receipt."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Goods are received, counted, moved and scrapped on pages of their own."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Search by SKU and name in the product copy."""
        if not search_term:
            return queryset, False
        named = ProductCopy.objects.filter(sku__iexact=search_term) | ProductCopy.objects.filter(
            name__istartswith=search_term
        )
        keys = list(named.values_list("pk", flat=True)[:500])
        if search_term.isdecimal():
            keys.append(int(search_term))
        return queryset.filter(product_id__in=keys), False

    @admin.display(description="Product")
    def sku(self, row: Stock) -> str:
        """SKU and name."""
        found = ProductCopy.objects.filter(pk=row.product_id).first()
        return str(found) if found else str(row.product_id)

    @admin.display(description="Free")
    def free_pieces(self, row: Stock) -> int:
        """On hand less reserved."""
        return row.free

    @admin.display(description="Latest moves")
    def moves(self, row: Stock) -> str:
        """The last ten moves here."""
        found = StockMove.objects.filter(product_id=row.product_id, warehouse=row.warehouse_id).order_by("-id")[:10]
        return "; ".join(f"{m.moved_on} {m.get_kind_display()} {m.quantity:+d} ({m.document_number})" for m in found)


@admin.register(StockMove)
class StockMoveAdmin(InternalAdmin):
    """The append-only ledger of stock."""

    in_front = True
    icon = "swap_vert"
    list_display = (
        "moved_on", "warehouse", "product_id", "seq", "kind", "quantity", "document_number", "reason", "actor_name",
    )  # fmt: skip
    list_filter = ("kind", "warehouse")
    list_select_related = ("warehouse",)
    search_fields = ("document_number", "=product_id")


@admin.register(GoodsReceipt)
class GoodsReceiptAdmin(InternalAdmin):
    """Deliveries."""

    in_front = True
    icon = "input"
    list_display = ("number", "warehouse", "received_on", "supplier_ref", "actor_name")
    list_filter = ("warehouse",)
    search_fields = ("number", "supplier_ref")


class CountLines(ReadOnlyLines):
    """Products on a count sheet."""

    model = StockCountLine
    fields = ("product_id", "expected", "counted", "counted_by")


@admin.register(StockCount)
class StockCountAdmin(DocumentAdmin):
    """Count sheets, open and posted."""

    in_front = True
    icon = "checklist"
    list_display = ("number", "warehouse", "scope", "state", "counted_on", "actor_name", "posted_by")
    list_filter = ("state", "warehouse")
    list_select_related = ("warehouse",)
    search_fields = ("number", "scope")
    inlines = (CountLines,)

    def links_of(self, row: StockCount) -> list[tuple[str, str]]:
        """The sheet to write on."""
        return [("Sheet", reverse("logistics-count-sheet", args=[row.pk]))]


@admin.register(ReorderLevel)
class ReorderLevelAdmin(InternalAdmin):
    """From which level on a product is bought again; set on a page of its own."""

    list_display = ("product_id", "warehouse", "level", "target")
    list_filter = ("warehouse",)
    list_select_related = ("warehouse",)
    search_fields = ("=product_id",)


@admin.register(ExpectedGoods)
class ExpectedGoodsAdmin(InternalAdmin):
    """When more of a product is expected; noted on the page of waiting orders."""

    list_display = ("product_id", "expected_on", "actor_name", "noted_at")
    search_fields = ("=product_id",)
