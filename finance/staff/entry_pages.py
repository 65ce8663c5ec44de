"""Recurring entries, papers of entries, import of the chart of accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from erp.actor import actor_of
from erp.errors import ErpError
from erp.fields import dump_json, load_json
from erp.staff.desk import duty_button, duty_page, page, perform
from finance.models import EntryAttachment, JournalEntry, RecurringEntry
from finance.services import attachments, posting, recurring
from finance.services.chart_import import import_chart
from finance.staff.book_forms import FileForm, RecurringForm
from finance.staff.forms import EntryLineForm

LINES = 6


@duty_page("finance")
def recurring_entries(request: HttpRequest) -> HttpResponse:
    """Every plan: what it posts, what it has posted last, and why it could not."""
    rows = []
    for plan in RecurringEntry.objects.select_related("journal"):
        posted = JournalEntry.objects.filter(posting_key__startswith=f"recurring:{plan.pk}:")
        total = sum((row.get("debit") or 0 for row in _amounts(plan.lines)), 0)
        rows.append({"plan": plan, "last": posted.order_by("-entry_on").first(), "total": total})
    return page(request, "finance/recurring.html", "Recurring entries", rows=rows)


def _amounts(lines: Any) -> list[dict[str, Any]]:
    return [{**row, "debit": forms.DecimalField().to_python(row.get("debit"))} for row in lines]


@duty_page("finance")
def edit_recurring(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change a plan; entries that it has posted stay."""
    plan = get_object_or_404(RecurringEntry, pk=pk) if pk else None
    many = forms.formset_factory(EntryLineForm, extra=LINES if plan is None else 2)
    start = {"starts_on": timezone.now().date(), "day": 31, "journal": "GEN"}
    head = RecurringForm(request.POST or None, instance=plan, initial=None if plan else start)
    rows = many(request.POST or None, prefix="rows", initial=plan.lines if plan else None)
    if request.method == "POST" and head.is_valid() and rows.is_valid():
        lines = [row for row in rows.cleaned_data if row.get("account")]
        try:
            posting.require_postable(lines)
        except ErpError as error:
            messages.error(request, error.message)
        else:
            row, actor = head.save(commit=False), actor_of(request.user)
            row.lines, row.actor_id, row.actor_name = load_json(dump_json(lines)), actor.id, actor.name
            row.save()
            messages.success(request, f"{row.name} is kept; what is due is posted within the hour.")
            return HttpResponseRedirect(reverse("finance-recurring"))
    title = f"Recurring entry: {plan.name}" if plan else "New recurring entry"
    return page(request, "finance/task.html", title, button="Keep", head=head, rows=rows)


@duty_button("finance", "finance-recurring")
def run_recurring(request: HttpRequest, pk: int, what: str) -> str:
    """Post what is due now, pause a plan, or take it up again."""
    plan = get_object_or_404(RecurringEntry, pk=pk)
    if what == "post":
        return f"{recurring.post_due()} entries are posted."
    RecurringEntry.objects.filter(pk=pk).update(is_active=what == "resume")
    return f"{plan.name} {'goes on' if what == 'resume' else 'is paused'}."


@duty_page("finance")
def attach_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a paper to an entry."""
    entry = get_object_or_404(JournalEntry, pk=pk)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > attachments.MAX_BYTES:
            messages.error(request, f"The file has {file.size:,} bytes; at most {attachments.MAX_BYTES:,} are taken.")
        else:
            back = reverse("admin:finance_journalentry_change", args=[pk])

            def run() -> str:
                done = attachments.attach(pk, file.name, file.read(), actor=actor_of(request.user))
                return f"{done.name} is attached."

            return perform(request, run, back)
    return page(request, "finance/upload.html", f"Attach a file to entry {entry.pk}", button="Attach", form=form)


@duty_page("finance")
def download_attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as it was attached, as a download."""
    attachment = get_object_or_404(EntryAttachment, pk=pk)
    try:
        content = attachments.read(attachment)
    except ErpError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:finance_journalentry_change", args=[attachment.entry_id]))
    return HttpResponse(
        content, content_type=attachment.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{attachment.name.encode("ascii", "replace").decode()}"',
            "X-Content-Type-Options": "nosniff",
        },
    )  # fmt: skip


@duty_page("finance")
def import_chart_page(request: HttpRequest) -> HttpResponse:
    """Import a chart of accounts from a CSV."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            done = import_chart(form.cleaned_data["file"].read().decode("utf-8"))
        except UnicodeDecodeError:
            messages.error(request, "The file is not text in UTF-8; save it as CSV (UTF-8).")
        except ErpError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"{done.added} accounts added, {done.changed} changed, {done.same} as they were.")
            return HttpResponseRedirect(reverse("admin:finance_account_changelist"))
    hint = "A CSV with the columns number, name, name_hu, type, normal_balance, parent, is_group."
    return page(request, "finance/upload.html", "Import the chart of accounts", button="Import", form=form, hint=hint)
