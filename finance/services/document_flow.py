"""Document flow: what belongs to an order, and what belongs to one document, oldest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import NoReverseMatch, reverse

from erp.registry import FlowDocument, document_flow
from finance.models import BankEntry, Invoice, JournalEntry, Payment, WaitingIssue, WriteOff

_ENTRIES_SHOWN = 20


def documents_of(order_id: int) -> list[FlowDocument]:
    """Invoices, credit notes and payments of an order; goods issues that wait for a collective invoice."""
    invoices = list(
        Invoice.objects.select_related("settlement")
        .filter(Q(order_id=order_id) | Q(lines__order_id=order_id), state="issued")
        .distinct()
    )
    waiting = WaitingIssue.objects.filter(order_id=order_id, invoice=None)
    return [
        *(_of_invoice(i) for i in invoices),
        *(_of_payment(p) for p in Payment.objects.filter(allocations__invoice__in=invoices).distinct()),
        *(
            FlowDocument(
                "finance", "goods issue", w.shipment_number, "waits for a collective invoice", w.created_at, ""
            )
            for w in waiting
        ),
    ]


def flow_of(row: Any) -> list[FlowDocument]:
    """Everything that a document of Finance came from or led to, in every module; itself included."""
    if isinstance(row, Invoice):
        found = _around_invoice(row)
    elif isinstance(row, Payment):
        found = _around_payment(row)
    elif isinstance(row, JournalEntry):
        found = _around_entry(row)
    elif isinstance(row, BankEntry):
        found = [_of_bank(row), *(_around_payment(row.payment) if row.payment else []), *_postings_of(row)]
    else:
        found = []
    unique = {(d.module, d.kind, d.number): d for d in found}
    return sorted(unique.values(), key=lambda d: (d.at is None, d.at))


def _around_invoice(invoice: Invoice) -> list[FlowDocument]:
    linked = Q(pk=invoice.pk) | Q(original=invoice) | Q(lines__original_line__invoice=invoice)
    linked |= Q(lines__credit_lines__invoice=invoice) | Q(deductions__invoice=invoice)
    linked |= Q(lines__advance_invoice=invoice)
    invoices = list(Invoice.objects.select_related("settlement").filter(linked).distinct())
    payments = Payment.objects.filter(allocations__invoice=invoice).distinct()
    of_lines = invoice.lines.filter(order_id__isnull=False).values_list("order_id", flat=True)
    orders = {key for key in (invoice.order_id, *of_lines[:_ENTRIES_SHOWN]) if key is not None}
    return [
        *(d for order_id in sorted(orders) for d in document_flow(order_id)),
        *(_of_invoice(i) for i in invoices),
        *(_of_payment(p) for p in payments),
        *(_of_bank(b) for b in BankEntry.objects.filter(payment__in=payments)),
        *(
            FlowDocument("finance", "write-off", f"{w.amount} {invoice.currency}", w.reason, w.created_at, "")
            for w in WriteOff.objects.filter(invoice=invoice)
        ),
        *_entries(JournalEntry.objects.filter(document_kind=invoice.kind, document_id=invoice.pk)),
    ]


def _around_payment(payment: Payment) -> list[FlowDocument]:
    invoices = Invoice.objects.select_related("settlement").filter(allocations__payment=payment).distinct()
    counters = Payment.objects.filter(allocations__counter_payment=payment).distinct()
    return [
        _of_payment(payment),
        *(_of_invoice(i) for i in invoices),
        *(_of_payment(p) for p in counters),
        *(_of_bank(b) for b in BankEntry.objects.filter(payment=payment)),
        *_entries(JournalEntry.objects.filter(document_kind="payment", document_id=payment.pk)),
    ]


def _around_entry(entry: JournalEntry) -> list[FlowDocument]:
    found = _entries([entry, *JournalEntry.objects.filter(reverses=entry)])
    if entry.reverses:
        found += _entries([entry.reverses])
    key = entry.document_id or 0
    invoice = Invoice.objects.filter(pk=key, kind=entry.document_kind).first()
    if invoice:
        return found + _around_invoice(invoice)
    if entry.document_kind == "bank_entry":
        return found + [_of_bank(row) for row in BankEntry.objects.filter(pk=key)]
    if entry.document_kind == "payment":
        payment = Payment.objects.filter(pk=key).first()
        return found + (_around_payment(payment) if payment else [])
    return found


def _postings_of(entry: BankEntry) -> list[FlowDocument]:
    return _entries(JournalEntry.objects.filter(document_kind="bank_entry", document_id=entry.pk).order_by("id"))


def _of_invoice(invoice: Invoice) -> FlowDocument:
    is_issued = invoice.state == Invoice.State.ISSUED
    state = invoice.settlement.get_state_display().lower() if is_issued else "draft"
    return FlowDocument(
        "finance", invoice.get_kind_display().lower(), str(invoice), state, invoice.created_at,
        _url("invoice", invoice.pk),
    )  # fmt: skip


def _of_payment(payment: Payment) -> FlowDocument:
    state = "allocated" if payment.amount == payment.allocated else "not wholly allocated"
    kind = "payment" if payment.amount > 0 else "money paid back"
    return FlowDocument("finance", kind, payment.number, state, payment.created_at, _url("payment", payment.pk))


def _of_bank(entry: BankEntry) -> FlowDocument:
    at = entry.statement.imported_at
    return FlowDocument(
        "finance", "bank entry", str(entry), entry.get_state_display().lower(), at, _url("bankentry", entry.pk)
    )


def _entries(rows: Iterable[JournalEntry]) -> list[FlowDocument]:
    return [
        FlowDocument("finance", "journal entry", str(e), "posted", e.created_at, _url("journalentry", e.pk))
        for e in list(rows)[:_ENTRIES_SHOWN]
    ]


def _url(model: str, key: int) -> str:
    try:
        return reverse(f"admin:finance_{model}_change", args=[key])
    except NoReverseMatch:
        return ""
