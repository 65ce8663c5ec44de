"""What this module registers with the platform."""

from __future__ import annotations

from erp.money import minor_units
from erp.registry import PeriodicTask, RecordLink, StaffPage, Watch, Widget, registry
from erp.schedule import OUTSIDE_QUEUE

REPORT_EVERY_S = 3

_PAGES = (
    ("Open items", "finance-open-items"),
    ("Ageing", "finance-ageing"),
    ("Bank entries", "finance-bank"),
    ("Collective invoices", "finance-collective"),
    ("Record payment", "finance-record-payment"),
    ("Manual entry", "finance-post-entry"),
    ("Trial balance (live)", "finance-trial-balance"),
    ("Reports to the NAV", "finance-nav-reports"),
    ("Check a tax number", "finance-nav-check"),
    ("VAT return", "finance-vat-return"),
    ("Periods", "finance-periods"),
    ("Recurring entries", "finance-recurring"),
    ("Import chart of accounts", "finance-import-chart"),
)


def register() -> None:
    """Register the document flow, pages, figures and checks of this module."""
    from finance.checks import CHECKS
    from finance.services.document_flow import documents_of
    from finance.services.reporting import watching
    from finance.services.reporting.stuck import register_stuck

    _register_books()
    registry.watches.append(
        Watch(
            "nav:deadline",
            "Reports to the NAV (due 24 h after the issue)",
            watching.oldest_unreported_s,
            watching.alarm_s(),
            watching.REMEDY,
        )  # fmt: skip
    )
    register_stuck()
    registry.document_flows.append(documents_of)
    registry.checks.extend(CHECKS)
    registry.periodic_tasks.append(
        PeriodicTask("report to the NAV", "finance.report_to_nav", OUTSIDE_QUEUE, every_s=REPORT_EVERY_S)
    )
    registry.staff_pages += [StaffPage("finance", title, url) for title, url in _PAGES]
    registry.record_links += [
        RecordLink("admin_app.customer", "finance", "Check the tax number at the NAV", "finance-nav-taxpayer"),
        RecordLink("admin_app.customer", "finance", "Statement of account", "finance-statement"),
    ]
    registry.widgets += [
        Widget("finance", "Open receivables", _receivables, "finance-open-items"),
        Widget("finance", "Documents not settled", _open_documents, "finance-open-items"),
        Widget("finance", "Documents not reported to the NAV", _unreported, "finance-nav-reports"),
    ]


def _register_books() -> None:
    """What keeps the ledger: sealing with its lag, and entries that recur."""
    from finance.services import sealing

    registry.periodic_tasks += [
        PeriodicTask("seal entries", "finance.seal", "finance", every_s=sealing.SEAL_EVERY_S),
        PeriodicTask("recurring entries", "finance.post_recurring", "finance", every_s=1800),
    ]
    registry.watches.append(
        Watch(
            "seal",
            "Sealing of journal entries",
            sealing.lag_s,
            sealing.LAG_LIMIT_S,
            "see that beat and Finance's worker run; manage.py verify_books seals what waits",
        )  # fmt: skip
    )


def _receivables() -> str:
    from finance.services import accounts, open_items

    currency = accounts.base_currency()
    return f"{open_items.receivables_balance():,.{minor_units(currency)}f} {currency}"


def _open_documents() -> str:
    from finance.models import InvoiceSettlement

    states = (InvoiceSettlement.State.OPEN, InvoiceSettlement.State.PARTLY_PAID)
    return f"{InvoiceSettlement.objects.filter(state__in=states).count():,}"


def _unreported() -> str:
    from finance.models import NavSubmission

    return f"{NavSubmission.objects.exclude(state='done').count():,}"
