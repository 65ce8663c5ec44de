"""Reports to the NAV that were refused or cannot be made, for the page of stuck documents."""

from __future__ import annotations

from erp.actor import Actor
from erp.errors import NotFound
from erp.registry import StuckDocument, StuckSource, registry
from erp.stuck import document_page
from finance.models import NavSubmission
from finance.services.reporting.repairing import resubmit


def find_reports(limit: int) -> list[StuckDocument]:
    """Reports that wait for somebody to mend them."""
    found = NavSubmission.objects.filter(state__in=["refused", "blocked"]).order_by("created_at", "invoice_id")
    return [
        StuckDocument(
            key=str(report.pk), what=f"Report of {report.number} to the NAV", since=report.created_at,
            reason=_why(report), attempts=report.attempts, state="stuck",
            url=document_page("finance_invoice", report.invoice_id),
        )
        for report in found[:limit]
    ]  # fmt: skip


def _why(report: NavSubmission) -> str:
    told = [": ".join(m[name] for name in ("code", "message") if m.get(name)) for m in report.messages]
    return "; ".join([report.get_state_display(), *told])[:500]


def retry_report(key: str, actor: Actor) -> str:
    """Build the report anew and send it again."""
    if not key.isdecimal():
        raise NotFound(f"There is no report {key}")
    return f"The report of {resubmit(int(key), actor=actor)} is sent again."


def register_stuck() -> None:
    """Tell the platform of these reports."""
    registry.stuck_sources.append(
        StuckSource("finance.nav-reports", "finance", "Reports to the NAV", find_reports, retry_report)
    )
