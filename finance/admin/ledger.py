"""The general ledger, its chart, periods and the value of stock."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from erp.admin import EditableAdmin, InternalAdmin, ReadOnlyAdmin, ReadOnlyLines
from finance.admin.parts import WithButtons, flow
from finance.models import (
    Account,
    ClosedYear,
    EntryAttachment,
    EntrySeal,
    FiscalPeriod,
    InvoiceSeal,
    Journal,
    JournalEntry,
    JournalLine,
    PeriodChange,
    ProductCost,
    ValuedMove,
)


class ChartAdmin(EditableAdmin):
    """Master data of the books: never deleted, taken out of use instead."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Account)
class AccountAdmin(ChartAdmin):
    """The chart of accounts."""

    icon = "account_tree"
    list_display = ("number", "name", "name_hu", "type", "normal_balance", "is_group", "is_active")
    list_filter = ("type", "is_group", "is_active")
    search_fields = ("number", "name", "name_hu")
    autocomplete_fields = ("parent",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A number stands in the ledger: it is given once."""
        return ("number",) if obj else ()


@admin.register(Journal)
class JournalAdmin(ChartAdmin):
    """Journals."""

    icon = "menu_book"
    list_display = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A code stands in the ledger: it is given once."""
        return ("code",) if obj else ()


class Changes(ReadOnlyLines):
    """Who locked, opened or closed a month."""

    model = PeriodChange
    fields = ("at", "state", "actor_name", "reason")


@admin.register(FiscalPeriod)
class FiscalPeriodAdmin(WithButtons, ReadOnlyAdmin):
    """The calendar of months; opened, locked and closed by buttons."""

    in_front = True
    icon = "calendar_month"
    list_display = ("code", "fiscal_year", "starts_on", "ends_on", "state")
    list_filter = ("fiscal_year", "state")
    ordering = ("-starts_on",)
    inlines = (Changes,)


class EntryLines(ReadOnlyLines):
    """Lines of an entry."""

    model = JournalLine
    fields = (
        "line_no", "account", "account_name", "amount", "document_amount", "currency", "text", "customer_id",
        "product_id", "quantity", "vat_code", "tax_on", "due_on",
    )  # fmt: skip


class Attachments(ReadOnlyLines):
    """Papers of an entry."""

    model = EntryAttachment
    fields = ("download", "content_type", "size", "actor_name", "at")

    @admin.display(description="File")
    def download(self, row: EntryAttachment) -> SafeString:
        """Leads to the file."""
        return format_html(
            '<a class="underline" href="{}">{}</a>', reverse("finance-attachment", args=[row.pk]), row.name
        )


@admin.register(JournalEntry)
class JournalEntryAdmin(WithButtons, InternalAdmin):
    """Posted entries; corrected by a reversal."""

    in_front = True
    icon = "balance"
    list_display = ("id", "journal", "entry_on", "period", "document_kind", "document_number", "text", "actor_name")
    list_filter = ("journal", "document_kind")
    list_select_related = ("journal", "period")
    search_fields = ("document_number", "=posting_key", "=id")
    exclude = ("xid",)
    inlines = (EntryLines, Attachments)
    readonly_fields = ("documents",)

    @admin.display(description="Document flow")
    def documents(self, row: JournalEntry) -> SafeString | str:
        """What it books, and what that came from and led to."""
        return flow(row)


@admin.register(JournalLine)
class JournalLineAdmin(ReadOnlyAdmin):
    """The general ledger, line by line."""

    icon = "format_list_numbered"
    list_display = (
        "entry_no", "entry_on", "account", "account_name", "amount", "document_number", "customer_id", "vat_code",
        "tax_on",
    )  # fmt: skip
    list_filter = ("journal", "document_kind")
    search_fields = ("=account__number", "=document_number", "=entry_no")
    exclude = ("xid",)


@admin.register(ClosedYear)
class ClosedYearAdmin(InternalAdmin):
    """Fiscal years that are closed for good."""

    list_display = ("year", "result", "closed_at", "actor_name")


@admin.register(EntrySeal)
class EntrySealAdmin(InternalAdmin):
    """The chain of posted entries."""

    list_display = ("no", "entry_id", "digest", "sealed_at")
    search_fields = ("=entry_id", "=no")
    fields = ("no", "entry_id", "digest", "sealed_at")
    readonly_fields = ("digest",)

    @admin.display(description="SHA-256")
    def digest(self, row: EntrySeal) -> str:
        """The chained hash."""
        return bytes(row.hash).hex()


@admin.register(InvoiceSeal)
class InvoiceSealAdmin(InternalAdmin):
    """The chains of issued documents, one per series and year."""

    list_display = ("number", "series", "fiscal_year", "sequence_no", "digest")
    search_fields = ("number",)
    fields = ("number", "series", "fiscal_year", "sequence_no", "digest")
    readonly_fields = ("digest",)

    @admin.display(description="SHA-256")
    def digest(self, row: InvoiceSeal) -> str:
        """The chained hash."""
        return bytes(row.hash).hex()


@admin.register(ProductCost)
class ProductCostAdmin(InternalAdmin):
    """Quantity and value of every product's stock."""

    list_display = ("product_id", "quantity", "value", "unit_cost", "last_seq")
    search_fields = ("=product_id",)


@admin.register(ValuedMove)
class ValuedMoveAdmin(InternalAdmin):
    """Stock moves at their cost."""

    list_display = ("moved_on", "product_id", "move_seq", "kind", "quantity", "unit_cost", "value", "document_number")
    list_filter = ("kind",)
    search_fields = ("=product_id", "document_number")
