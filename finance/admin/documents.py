"""Invoices and payments."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from erp.admin import InternalAdmin, OwnedAdmin, ReadOnlyLines
from erp.errors import ErpError
from finance.admin.parts import WithButtons, flow, postings, shown, table
from finance.models import Invoice, InvoiceLine, Payment, PaymentAllocation
from finance.serializers import InvoiceSerializer
from finance.services.accounts import base_currency
from finance.services.invoicing import preview_of
from finance.staff import reports
from finance.staff.forms import DraftForm, DraftLineForm


class DraftLines(TabularInline):  # type: ignore[misc]
    """Lines of a draft."""

    model = InvoiceLine
    form = DraftLineForm
    extra = 3
    fk_name = "invoice"


class IssuedLines(ReadOnlyLines):
    """Lines of an issued document."""

    model = InvoiceLine
    fk_name = "invoice"
    fields = (
        "line_no", "sku", "name", "quantity", "price", "less", "vat_code", "net_amount", "vat_amount", "gross_amount",
    )  # fmt: skip

    @admin.display(description="Unit price")
    def price(self, row: InvoiceLine) -> str:
        """Without the zeros that it does not need."""
        return f"{row.unit_price.normalize():,f}"

    @admin.display(description="Discount")
    def less(self, row: InvoiceLine) -> str:
        """Taken off the line."""
        return shown(row.discount, row.invoice.currency) if row.discount else ""

    @admin.display(description="Net")
    def net_amount(self, row: InvoiceLine) -> str:
        """Net amount."""
        return shown(row.net, row.invoice.currency)

    @admin.display(description="VAT")
    def vat_amount(self, row: InvoiceLine) -> str:
        """VAT of the line."""
        return shown(row.vat, row.invoice.currency)

    @admin.display(description="Gross")
    def gross_amount(self, row: InvoiceLine) -> str:
        """Gross amount."""
        return shown(row.gross, row.invoice.currency)


class SettledBy(ReadOnlyLines):
    """Payments and credit notes that settle a document."""

    model = PaymentAllocation
    fk_name = "invoice"
    fields = ("payment", "credit_note", "write_off", "amount", "allocated_on")


class ReportFilter(admin.ChoicesFieldListFilter):
    """By how far the report to the NAV has come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "report to the NAV"


@admin.register(Invoice)
class InvoiceAdmin(WithButtons, OwnedAdmin):
    """Drafts are written here; issued documents are read, corrected and settled by operations."""

    serializer_class = InvoiceSerializer
    form = DraftForm
    icon = "receipt_long"
    list_display = (
        "__str__", "kind", "state", "customer_name", "issued_on", "due_on", "gross", "currency", "payment_state",
        "nav_state",
    )  # fmt: skip
    list_filter = ("state", "kind", "settlement__state", ("submission__state", ReportFilter), "channel")
    list_select_related = ("settlement", "submission")
    search_fields = ("number", "order_number", "=external_ref")
    ordering = ("-id",)
    actions = ()  # type: ignore[assignment]
    date_hierarchy = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An issued document never changes."""
        if obj is not None and obj.state == Invoice.State.ISSUED:
            return False
        return bool(super().has_change_permission(request, obj))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A draft's header, or the whole document."""
        header = (
            ("customer_id", "kind"), ("issued_on", "fulfilled_on"), ("due_on", "payment_method"),
            ("language", "order_number"), ("currency", "price_mode"), ("discount_percent", "discount"),
            ("is_simplified", "external_ref"),
            "note",
        )  # fmt: skip
        if obj is None:
            return ((None, {"fields": header}),)
        if obj.state == Invoice.State.DRAFT:
            return ((None, {"fields": header}), ("As it would be issued now", {"fields": ("preview",)}))
        document = (
            ("number", "kind", "payment_state"), ("customer_name", "original"), ("issued_on", "fulfilled_on", "due_on"),
            ("net", "vat", "gross"), ("currency", "price_mode", "payment_method"), ("rate", "document_discount"),
            ("paid_total", "credited_total", "open_total"), ("order_number", "external_ref"), "note",
        )  # fmt: skip
        return (
            (None, {"fields": document}),
            ("VAT summary", {"fields": ("vat_table",)}),
            ("Postings", {"fields": ("ledger_lines",)}),
            ("Report to the NAV", {"fields": ("nav_report",)}),
            ("Document flow", {"fields": ("documents",)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything of an issued document."""
        if obj is None:
            return ()
        if obj.state == Invoice.State.DRAFT:
            return ("preview",)
        fieldsets = self.get_fieldsets(request, obj)
        rows = [row for _, options in fieldsets for row in options["fields"]]
        return tuple(name for row in rows for name in ((row,) if isinstance(row, str) else row))

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """Editable lines for a draft."""
        is_draft = obj is None or obj.state == Invoice.State.DRAFT
        return (DraftLines,) if is_draft else (IssuedLines, SettledBy)

    @admin.display(description="Customer")
    def customer_name(self, row: Invoice) -> str:
        """Name as frozen on the document."""
        return str(row.customer.get("name") or row.customer_id)

    @admin.display(description="Payment")
    def payment_state(self, row: Invoice) -> str:
        """Payment state; a draft has none."""
        return row.settlement.get_state_display() if hasattr(row, "settlement") else "–"

    @admin.display(description="Net")
    def net(self, row: Invoice) -> str:
        """Net total."""
        return shown(row.net_total, row.currency)

    @admin.display(description="VAT")
    def vat(self, row: Invoice) -> str:
        """VAT total."""
        return shown(row.vat_total, row.currency)

    @admin.display(description="Gross", ordering="gross_total")
    def gross(self, row: Invoice) -> str:
        """Gross total."""
        return shown(row.gross_total, row.currency)

    @admin.display(description="Paid")
    def paid_total(self, row: Invoice) -> str:
        """Allocated payments."""
        return shown(row.settlement.paid_total, row.currency)

    @admin.display(description="Credited")
    def credited_total(self, row: Invoice) -> str:
        """Credit notes against it."""
        return shown(row.settlement.credited_total, row.currency)

    @admin.display(description="Open")
    def open_total(self, row: Invoice) -> str:
        """What is still to be paid, or paid back."""
        return shown(row.settlement.open_total, row.currency)

    @admin.display(description="Exchange rate")
    def rate(self, row: Invoice) -> str:
        """Rate, its day and source; nothing in base currency."""
        if row.currency == row.base_currency:
            return "–"
        return f"{row.exchange_rate.normalize():f} of {row.rate_on} ({row.rate_source})"

    @admin.display(description="Document discount")
    def document_discount(self, row: Invoice) -> str:
        """What was taken off the whole; the lines contain it."""
        return shown(row.discount, row.currency) if row.discount else "–"

    @admin.display(description="Totals")
    def preview(self, row: Invoice) -> SafeString | str:
        """VAT per rate and totals, or what forbids issuing."""
        try:
            found = preview_of(row.pk)
        except ErpError as error:
            return f"It cannot be issued yet: {error.message}"
        names = ("net", "vat", "gross")
        rows = [[r["vat_code"], *(shown(r[n], found["currency"]) for n in names)] for r in found["vat_summary"]]
        rows.append(["Total", *(shown(found[f"{n}_total"], found["currency"]) for n in names)])
        told = f"{Invoice.Kind(found['kind']).label} in {found['currency']}, due on {found['due_on']}"
        return format_html("{}{}", told, table(["VAT code", "Net", "VAT", "Gross"], rows))

    @admin.display(description="VAT per rate")
    def vat_table(self, row: Invoice) -> SafeString:
        """The VAT summary, also in base currency."""
        rows = [
            [
                r["vat_code"], f"{r['vat_rate'].normalize():f}",
                *(shown(r[n], row.currency) for n in ("net", "vat", "gross")),
                *(shown(r[n], row.base_currency) for n in ("base_net", "base_vat")),
            ]
            for r in row.vat_summary
        ]  # fmt: skip
        base = row.base_currency
        return table(["Code", "%", "Net", "VAT", "Gross", f"Net {base}", f"VAT {base}"], rows)

    @admin.display(description="Ledger lines")
    def ledger_lines(self, row: Invoice) -> SafeString:
        """What the document posted."""
        return postings((row.kind,), row.pk, base_currency())

    @admin.display(description="NAV")
    def nav_state(self, row: Invoice) -> str:
        """How far its report has come; a draft has none."""
        return row.submission.get_state_display() if hasattr(row, "submission") else "–"

    @admin.display(description="Report")
    def nav_report(self, row: Invoice) -> SafeString | str:
        """Status, messages and archive of its report."""
        return reports.story(row.pk)

    @admin.display(description="Documents around this one")
    def documents(self, row: Invoice) -> SafeString | str:
        """What it came from and led to, in every module."""
        return flow(row)


class Allocations(ReadOnlyLines):
    """What a payment settles."""

    model = PaymentAllocation
    fk_name = "payment"
    fields = ("invoice", "counter_payment", "amount", "allocated_on")


@admin.register(Payment)
class PaymentAdmin(WithButtons, InternalAdmin):
    """Payments; recorded by a form of their own."""

    in_front = True
    icon = "payments"
    list_display = ("number", "received_on", "customer_id", "method", "amount", "currency", "allocated", "reference")
    list_filter = ("method", "currency")
    search_fields = ("number", "reference", "=customer_id")
    inlines = (Allocations,)
    readonly_fields = ("ledger_lines", "documents")

    @admin.display(description="Document flow")
    def documents(self, row: Payment) -> SafeString | str:
        """What it came from and led to."""
        return flow(row)

    @admin.display(description="Postings")
    def ledger_lines(self, row: Payment) -> SafeString:
        """What the payment posted."""
        return postings(("payment",), row.pk, base_currency())


@admin.register(PaymentAllocation)
class PaymentAllocationAdmin(InternalAdmin):
    """Which payment or credit note settles which document."""

    list_display = ("invoice", "payment", "credit_note", "amount", "allocated_on")
    list_select_related = ("invoice", "payment", "credit_note")
