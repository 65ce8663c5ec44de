"""Bank statements, their entries, and how banks' CSV files are read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from erp.admin import EditableAdmin, InternalAdmin
from finance.admin.parts import WithButtons, flow, shown
from finance.models import BankEntry, BankMapping, BankStatement, WriteOff
from finance.services.bank_balances import check_balance
from finance.staff.forms import MappingForm


@admin.register(BankMapping)
class BankMappingAdmin(EditableAdmin):
    """Which column of a bank's CSV file is what."""

    icon = "table_chart"
    form = MappingForm
    list_display = ("name", "delimiter", "encoding", "decimal_separator", "date_format")


@admin.register(BankStatement)
class BankStatementAdmin(InternalAdmin):
    """Imported statements."""

    list_display = (
        "account", "statement_ref", "currency", "format", "first_on", "last_on", "closing_balance", "imported_at",
    )  # fmt: skip
    list_filter = ("account", "format")
    readonly_fields = ("in_the_ledger",)

    @admin.display(description="In the ledger")
    def in_the_ledger(self, row: Any) -> str:
        """The ledger's balance on the statement's last day, and what differs."""
        check = check_balance(row)
        told = f"{shown(check.ledger, row.currency)} {row.currency} on account {check.account}"
        if check.open_count:
            return f"{told}; {check.open_count} entries until {row.last_on} are open"
        return f"{told}; difference {shown(check.difference, row.currency)}" if check.is_known else told


@admin.register(BankEntry)
class BankEntryAdmin(WithButtons, InternalAdmin):
    """Movements on the bank account, and what became of them."""

    icon = "account_balance"
    list_display = ("booked_on", "amount", "currency", "payer_name", "reference", "state", "payment", "journal_entry")
    list_filter = ("state", "account")
    list_select_related = ("payment", "journal_entry")
    search_fields = ("reference", "payer_name", "=entry_ref")
    readonly_fields = ("documents",)

    @admin.display(description="Document flow")
    def documents(self, row: Any) -> SafeString | str:
        """The payment it became, and what that settles."""
        return flow(row)


@admin.register(WriteOff)
class WriteOffAdmin(InternalAdmin):
    """What was given up of documents."""

    list_display = ("written_off_on", "invoice", "amount", "reason", "actor_name")
    list_select_related = ("invoice",)
