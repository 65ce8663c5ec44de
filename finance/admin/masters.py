"""VAT codes, exchange rates, number series."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from erp.admin import EditableAdmin, InternalAdmin, OwnedAdmin
from finance.models import ExchangeRate, InvoiceSettlement, NumberSeries, VatCode
from finance.serializers import VatCodeSerializer


@admin.register(VatCode)
class VatCodeAdmin(OwnedAdmin):
    """VAT codes; Admin and Storefront confirm every change."""

    serializer_class = VatCodeSerializer
    icon = "percent"
    list_display = ("code", "name", "name_hu", "rate", "category", "direction", "valid_from", "valid_to")
    list_filter = ("category", "direction")
    search_fields = ("code", "name", "name_hu")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Code and rate stand on documents: another rate is another code."""
        return ("code", "rate") if obj else ()


@admin.register(ExchangeRate)
class ExchangeRateAdmin(EditableAdmin):
    """Base currency for one unit of a currency, from its day on."""

    icon = "currency_exchange"
    list_display = ("currency", "rate_on", "rate", "source")
    list_filter = ("currency",)


@admin.register(NumberSeries)
class NumberSeriesAdmin(InternalAdmin):
    """Last number of each series and fiscal year."""

    list_display = ("code", "fiscal_year", "last_no")


@admin.register(InvoiceSettlement)
class InvoiceSettlementAdmin(InternalAdmin):
    """What is open of issued documents."""

    list_display = ("invoice", "state", "gross_total", "paid_total", "offset_total", "credited_total")
    list_filter = ("state",)
    list_select_related = ("invoice",)
