"""What staff see of reports: one document's whole story, and the list with its deadlines."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.utils import timezone

from erp.errors import NotFound
from finance.models import NavAnnulment, NavBatch, NavChannel, NavItem, NavSubmission
from finance.services.reporting.connection import describe
from finance.services.reporting.repairing import REPAIRABLE

FILES = ("xml", "request", "response")


def story_of(invoice_id: int) -> dict[str, Any]:
    """The report of one document with every request it was in; empty for a document without report."""
    found = NavSubmission.objects.filter(pk=invoice_id).select_related("base").first()
    if found is None:
        return {}
    items = NavItem.objects.filter(submission=found).select_related("batch")
    items = items.annotate(has_request=_holds("request"), has_response=_holds("response"))
    return {
        "report": found,
        "is_late": found.state not in ("done", "annulled") and found.due_at < timezone.now(),
        "may_repair": found.state in REPAIRABLE,
        "items": items.defer("xml", "batch__request", "batch__response").order_by("-id"),
        "annulments": NavAnnulment.objects.filter(submission=found).select_related("batch"),
    }


def _holds(file: str) -> ExpressionWrapper[Q]:
    return ExpressionWrapper(~Q(**{f"batch__{file}": b""}), BooleanField())


def list_reports(state: str = "", number: str = "") -> QuerySet[NavSubmission]:
    """Reports, newest first; ``state`` may also be ``open`` (all not done, by deadline) or ``warnings``."""
    reports = NavSubmission.objects.all()
    if state == "open":
        reports = reports.exclude(state="done")
    elif state == "warnings":
        reports = reports.filter(state="done", has_warnings=True)
    elif state:
        reports = reports.filter(state=state)
    if number:
        reports = reports.filter(number__icontains=number)
    return reports.order_by("due_at", "invoice_id") if state == "open" else reports.order_by("-invoice_id")


def counts() -> list[tuple[str, str, int]]:
    """(state, label, number of reports), in the order of their lives."""
    found = dict(NavSubmission.objects.values_list("state").annotate(n=Count("pk")))
    return [(str(value), str(label), found.get(value, 0)) for value, label in NavSubmission.State.choices]


def channel() -> dict[str, Any]:
    """Where reports go, and what stands in the way."""
    shown = describe()
    row = NavChannel.objects.filter(endpoint=shown["endpoint"]).first()
    is_paused = bool(row and row.paused_until and row.paused_until > timezone.now())
    unknown = NavBatch.objects.filter(state__in=("unknown", "prepared")).count()
    return {**shown, "pause": row if is_paused else None, "unknown": unknown}


def file_of(item_id: int, kind: str) -> tuple[str, bytes]:
    """Name and content of an archived XML, request or response. Raises NotFound."""
    item = NavItem.objects.select_related("batch", "submission").filter(pk=item_id).first()
    if item is None or kind not in FILES:
        raise NotFound("There is no such file")
    content = item.content if kind == "xml" else getattr(item.batch, kind)
    if not content:
        raise NotFound(f"There is no {kind} of this request: no answer came")
    return f"{item.submission.number}-{item.batch_id}-{kind}.xml".replace("/", "-"), bytes(content)
