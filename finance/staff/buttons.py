"""Buttons on documents: one POST each, a refusal comes back as a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from erp.actor import Actor, actor_of
from erp.staff.desk import duty_page, perform
from finance.models import SALES_KINDS, BankEntry, FiscalPeriod, Invoice, JournalEntry, Payment
from finance.services import bank_matching, bank_posting, crediting, invoicing, posting, refunds
from finance.services.drafts import deductible
from finance.staff import reports

Do = Callable[[int, Actor], str]


def _issue(pk: int, actor: Actor) -> str:
    return f"Invoice {invoicing.issue_draft(pk, actor)['number']} is issued and visible to the customer."


def _cancel(pk: int, actor: Actor) -> str:
    done = crediting.issue_credit_note(pk, actor=actor, reason="Cancelled by staff")
    return f"Cancellation invoice {done['number']} is issued over {done['gross_total']} {done['currency']}."


def _refund(pk: int, actor: Actor) -> str:
    done = refunds.refund(pk, actor=actor)
    return f"Payment {done['number']}: {-done['amount']} {done['currency']} is paid back."


def _reverse_payment(pk: int, actor: Actor) -> str:
    done = refunds.reverse_payment(pk, actor=actor)
    return f"The payment is reversed by {done['number']}; what it settled is open again."


def _pay_back(pk: int, actor: Actor) -> str:
    done = refunds.refund_payment(pk, actor=actor)
    return f"Payment {done['number']}: {-done['amount']} {done['currency']} is paid back."


def _take_up(pk: int, actor: Actor) -> str:
    bank_matching.take_up(pk)
    return "The entry is open again."


def _take_back(pk: int, actor: Actor) -> str:
    return f"The booking is undone by {bank_posting.take_back(pk, actor=actor)['number']}; the entry is open again."


def _reverse(pk: int, actor: Actor) -> str:
    return f"Entry {posting.reverse_entry(pk, actor=actor)['entry_no']} reverses entry {pk}."


OPERATIONS: dict[str, dict[str, tuple[str, Do]]] = {
    "invoice": {
        "issue": ("Issue", _issue),
        "cancel": ("Cancel the whole invoice", _cancel),
        "refund": ("Pay back", _refund),
    },
    "payment": {"pay-back": ("Pay back what is left", _pay_back), "reverse": ("Reverse the payment", _reverse_payment)},
    "bankentry": {"take-up": ("Open again", _take_up), "take-back": ("Undo the booking", _take_back)},
    "journalentry": {"reverse": ("Reverse", _reverse)},
}
"""Model → operation → (label, what it does)."""

_DANGEROUS = frozenset({"cancel", "reverse", "pay-back", "take-back"})


def buttons_of(row: Any) -> list[dict[str, str]]:
    """Buttons that make sense for a document in its state: ``{"label", "url", "is_danger"}``."""
    model = row._meta.model_name
    return [
        {
            "label": OPERATIONS[model][name][0],
            "url": reverse("finance-operation", args=[model, row.pk, name]),
            "is_danger": "yes" if name in _DANGEROUS else "",
        }
        for name in _names(row)
    ]


def links_of(row: Any) -> list[tuple[str, str]]:
    """(title, URL) of the forms that belong to a document."""
    nav = reports.links(row.pk) if isinstance(row, Invoice) else []
    return [*_prints(row), *_forms(row), *nav]


def _prints(invoice: Any) -> list[tuple[str, str]]:
    if not isinstance(invoice, Invoice):
        return []
    url = reverse("finance-print-invoice", args=[invoice.pk])
    if invoice.state == Invoice.State.DRAFT:
        return [("Preview", url)]
    other = ("en", "PDF in English") if invoice.language == "hu" else ("hu", "PDF in Hungarian")
    return [("PDF", url), (other[1], f"{url}?language={other[0]}")]


def _forms(row: Any) -> list[tuple[str, str]]:
    if isinstance(row, Invoice) and row.state == Invoice.State.ISSUED and not row.is_credit:
        return [
            ("Record payment", f"{reverse('finance-record-payment')}?invoice={row.number}"),
            *_changes(row),
            *([("Write off", reverse("finance-write-off", args=[row.pk]))] if row.settlement.open_total else []),
            _statement_of(row.customer_id),
        ]
    if isinstance(row, Invoice) and row.state == Invoice.State.DRAFT:
        return [("Take off an advance", reverse("finance-take-off", args=[row.pk]))] if deductible(row) else []
    if isinstance(row, Payment):
        return [*_allocation_links(row), _statement_of(row.customer_id)]
    if isinstance(row, BankEntry) and row.state == BankEntry.State.OPEN:
        return [("Book", reverse("finance-bank-entry", args=[row.pk]))]
    return _of_books(row)


def _changes(row: Invoice) -> list[tuple[str, str]]:
    """Forms that change an invoice; a correction is changed by way of the invoice that it corrects."""
    key = row.pk if row.kind in SALES_KINDS else row.original_id
    if key is None:
        return []
    of = "" if key == row.pk else f" of {row.original}"
    return [
        (f"Credit lines{of}", reverse("finance-credit", args=[key])),
        (f"Correct lines{of}", reverse("finance-correct", args=[key])),
    ]


def _of_books(row: Any) -> list[tuple[str, str]]:
    if isinstance(row, JournalEntry):
        return [("Attach a file", reverse("finance-attach", args=[row.pk]))]
    if isinstance(row, FiscalPeriod):
        return [("Calendar of periods", reverse("finance-periods"))]
    return []


def _statement_of(customer_id: int) -> tuple[str, str]:
    return ("Customer's statement", reverse("finance-statement", args=[customer_id]))


def _allocation_links(row: Payment) -> list[tuple[str, str]]:
    links = []
    if row.amount != row.allocated:
        links.append(("Allocate", reverse("finance-allocate", args=[row.pk])))
    if row.allocations.filter(invoice__isnull=False).exists():
        links.append(("Take back an allocation", reverse("finance-deallocate", args=[row.pk])))
    return links


def _names(row: Any) -> tuple[str, ...]:
    if isinstance(row, Invoice):
        return _of_invoice(row)
    if isinstance(row, JournalEntry):
        return ("reverse",) if posting.is_reversible(row) else ()
    if isinstance(row, Payment):
        return _of_payment(row)
    if isinstance(row, BankEntry):
        return _OF_BANK_ENTRY.get(str(row.state), ())
    return ()


_OF_BANK_ENTRY: dict[str, tuple[str, ...]] = {
    BankEntry.State.SET_ASIDE: ("take-up",),
    BankEntry.State.BOOKED: ("take-back",),
}


def _of_invoice(invoice: Invoice) -> tuple[str, ...]:
    if invoice.state == Invoice.State.DRAFT:
        return ("issue",)
    if invoice.kind not in SALES_KINDS:
        return ("refund",) if invoice.is_credit and invoice.settlement.open_total else ()
    return ("cancel",) if invoice.settlement.credited_total < invoice.gross_total or not invoice.gross_total else ()


def _of_payment(payment: Payment) -> tuple[str, ...]:
    if payment.allocations.filter(counter_payment__isnull=False).exists():
        return ("pay-back",) if payment.amount > payment.allocated else ()
    return ("pay-back", "reverse") if payment.amount > payment.allocated else ("reverse",)


@require_POST
@duty_page("finance")
def operate(request: HttpRequest, model: str, pk: int, name: str) -> HttpResponse:
    """Run one operation on a document and go back to it."""
    try:
        _, run = OPERATIONS[model][name]
    except KeyError as error:
        raise Http404 from error
    back = reverse(f"admin:finance_{model}_change", args=[pk])
    return perform(request, lambda: run(pk, actor_of(request.user)), back)
