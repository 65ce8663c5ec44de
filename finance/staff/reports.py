"""Reports to the NAV: the list with its deadlines, one document's story, repair, annulment, archived files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from erp.actor import actor_of
from erp.errors import NotFound
from erp.staff.desk import duty_button, duty_page, page, perform
from finance.models import NavSubmission
from finance.models.reporting import OPEN_ANNULMENT
from finance.nav.annulment_xml import AnnulmentCode
from finance.services.reporting import channel as nav_channel
from finance.services.reporting import panel, transport
from finance.services.reporting.annulling import request_annulment
from finance.services.reporting.connection import endpoint
from finance.services.reporting.hints import hint
from finance.services.reporting.repairing import BUYER_FIELDS, resubmit

PER_PAGE = 100
_STATUSES = ("", "private", "domestic", "vat_group", "eu", "third_country", "organisation")
_REASONS = {
    AnnulmentCode.DATA: "Wrong data",
    AnnulmentCode.INVOICE_NUMBER: "Wrong number",
    AnnulmentCode.ISSUE_DATE: "Wrong day of issue",
    AnnulmentCode.ELECTRONIC_HASH: "Wrong hash of the electronic invoice",
}


def _text(label: str, most: int) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=most, widget=UnfoldAdminTextInputWidget)


def _measure(name: str) -> forms.DecimalField:
    label = transport.LABELS[name]
    return forms.DecimalField(
        label=label[0].upper() + label[1:], required=False, min_value=0, max_digits=14, decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip


class RepairForm(forms.Form):
    """Data of the buyer to report instead of the document's; what is left empty is reported as on the document."""

    vat_status = forms.ChoiceField(
        label="VAT status", required=False, widget=UnfoldAdminSelectWidget,
        choices=[(s, s.replace("_", " ") or "as on the document") for s in _STATUSES],
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in BUYER_FIELDS[1:]:
            label = name.replace("_", " ").capitalize()
            most = 2 if name == "country" else 200
            self.fields[name] = forms.CharField(
                label=label, required=False, max_length=most, widget=UnfoldAdminTextInputWidget
            )


class TransportForm(forms.Form):
    """A new means of transport on a line, as the NAV wants it described."""

    title = ""

    line_id = forms.IntegerField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="Kind", choices=[("", ""), *transport.KINDS.items()], required=False, widget=UnfoldAdminSelectWidget
    )
    brand = _text("Brand", 50)
    serial_number = _text("Serial or chassis number", 255)
    engine_number = _text("Engine number", 255)
    first_used_on = forms.DateField(label="First used on", required=False, widget=UnfoldAdminSingleDateWidget)
    size = _measure("size")
    power = _measure("power")
    used = _measure("used")
    is_exempt = forms.ChoiceField(
        label="Exempt vessel, or air cargo", choices=[("no", "no"), ("yes", "yes")], required=False,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    def given(self) -> dict[str, str]:
        """What was entered, as text."""
        return {k: str(v) for k, v in self.cleaned_data.items() if k != "line_id" and v not in (None, "")}


class AnnulForm(forms.Form):
    """What was wrong in the report."""

    code = forms.ChoiceField(
        label="What was wrong", choices=[(str(c), text) for c, text in _REASONS.items()], widget=UnfoldAdminSelectWidget
    )
    reason = forms.CharField(
        label="Reason, as the NAV will read it", max_length=1024, widget=UnfoldAdminTextInputWidget
    )


def story(invoice_id: int) -> SafeString | str:
    """The report of a document, for its admin page."""
    found = panel.story_of(invoice_id)
    return mark_safe(render_to_string("finance/_nav_report.html", found)) if found else "–"  # noqa: S308  a template


def links(invoice_id: int) -> list[tuple[str, str]]:
    """(title, URL) of what can be done with a document's report."""
    found = NavSubmission.objects.filter(pk=invoice_id).first()
    if found is None:
        return []
    if found.state in ("refused", "blocked", "annulled"):
        return [("Repair and report again", reverse("finance-nav-repair", args=[invoice_id]))]
    if found.state == "done" and not found.annulments.filter(state__in=OPEN_ANNULMENT).exists():
        return [("Annul the report", reverse("finance-nav-annul", args=[invoice_id]))]
    return []


@duty_page("finance")
def reports(request: HttpRequest) -> HttpResponse:
    """All reports, by state, with their deadlines, and where they go."""
    state, number = request.GET.get("state", "open"), request.GET.get("number", "").strip()
    rows = Paginator(panel.list_reports(state, number), PER_PAGE).get_page(request.GET.get("page"))
    return page(
        request, "finance/nav_reports.html", "Reports to the NAV", rows=rows, state=state, number=number,
        counts=panel.counts(), channel=panel.channel(),
    )  # fmt: skip


@duty_button("finance", "finance-nav-reports")
def try_now(request: HttpRequest) -> str:
    """End the pause after a failure and ring the outbox's bell."""
    nav_channel.try_now(endpoint())
    hint()
    return "The NAV is tried again now."


@duty_page("finance")
def repair(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the buyer's data as reported, and send the report again."""
    found = get_object_or_404(NavSubmission, pk=pk)
    data, lines = request.POST if request.method == "POST" else None, transport.lines_to_describe(pk)
    form, means = RepairForm(data, initial=found.buyer or {}), _transport_forms(data, lines)
    if request.method == "POST" and form.is_valid() and (means is None or means.is_valid()):
        given = None if means is None else {row.cleaned_data["line_id"]: row.given() for row in means.forms}

        def run() -> str:
            number = resubmit(pk, actor=actor_of(request.user), buyer=form.cleaned_data, transport=given)
            return f"The report of {number} is built anew and sent again."

        return perform(request, run, _back(pk))
    return page(request, "finance/nav_repair.html", f"Report {found.number} again", found=found, head=form, rows=means)


def _transport_forms(data: Any, lines: list[dict[str, Any]]) -> Any:
    """A form for each line that sells a new means of transport; None when there is none."""
    if not lines:
        return None
    initial = [{"line_id": line["id"], **line["transport"]} for line in lines]
    rows = forms.formset_factory(TransportForm, extra=0)(data, prefix="transport", initial=initial)
    for row, line in zip(rows.forms, lines, strict=False):
        row.title = f"New means of transport: line {line['line_no']}, {line['name']}"
    return rows


@duty_page("finance")
def annul(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the NAV to annul the report of a document."""
    found = get_object_or_404(NavSubmission, pk=pk)
    form = AnnulForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():

        def run() -> str:
            request_annulment(pk, actor=actor_of(request.user), **form.cleaned_data)
            hint()
            return "The annulment is sent; approve it on the NAV's page, then report the document again here."

        return perform(request, run, _back(pk))
    return page(
        request, "finance/task.html", f"Annul the report of {found.number}", button="Annul the report", head=form,
        rows=None,
    )  # fmt: skip


@duty_page("finance")
def archived(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """An archived XML, request or response."""
    try:
        name, content = panel.file_of(pk, kind)
    except NotFound as error:
        raise Http404(error.message) from error
    return HttpResponse(
        content, content_type="application/xml", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _back(invoice_id: int) -> str:
    return reverse("admin:finance_invoice_change", args=[invoice_id])
