"""A credit note settles what is open of its originals and their corrections; the rest of it is to be paid back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from finance.models import Invoice, PaymentAllocation
from finance.serializers.invoices import lock_settlements, write_settlements
from finance.serializers.ledger import EntryDraft, LineDraft, write_entries
from finance.services import accounts
from finance.services.settlement import Settlement


def offset_credit(credit_id: int, credited: Mapping[int, Decimal]) -> Sequence[int]:
    """Net a new credit note against its originals, each on the day on which both are there.

    Args:
        credited: original invoice id → gross (positive) that the credit note takes of it and of its corrections.

    Returns:
        Ids of the documents whose settlements and versions have moved.
    """
    if not credited:
        return ()
    members = _members(credited)
    touched = [key for keys in members.values() for key in keys]
    rows = {r["invoice_id"]: Settlement.of(r) for r in lock_settlements([credit_id, *touched])}
    credit = rows[credit_id]
    for invoice_id, gross in sorted(credited.items()):
        charged = [rows[key] for key in members[invoice_id]]
        _count_credit(charged, gross)
        left = gross
        for document in charged:
            amount = max(min(left, document.open_total, -credit.open_total), Decimal(0))
            if amount:
                _offset(document, credit, amount)
                left -= amount
    write_settlements([s.as_row() for s in rows.values()], new_ids=[credit_id])
    return tuple(touched)


def _members(invoice_ids: Iterable[int]) -> dict[int, list[int]]:
    """Of each invoice itself and the corrections by which more is owed, in their order."""
    found = {key: [key] for key in invoice_ids}
    more = Invoice.objects.filter(original__in=found, kind=Invoice.Kind.CORRECTION, gross_total__gt=0).order_by("id")
    for key, original_id in more.values_list("id", "original_id"):
        found[original_id or 0].append(key)
    return found


def _count_credit(charged: Sequence[Settlement], gross: Decimal) -> None:
    """Note down what is credited, on each document at most what it is over."""
    for document in charged:
        part = min(gross, max(document.gross_total - document.credited_total, Decimal(0)))
        document.credited_total += part
        gross -= part


def _offset(original: Settlement, credit: Settlement, amount: Decimal) -> None:
    on_date = max(original.issued_on, credit.issued_on)
    difference = original.settle(amount, "document") + credit.settle(-amount, "document")
    PaymentAllocation.objects.create(
        invoice_id=original.invoice_id, credit_note_id=credit.invoice_id, amount=amount, allocated_on=on_date
    )
    if difference:
        write_entries([_exchange_entry(original, credit, difference, on_date)], accounts.base_currency())


def _exchange_entry(original: Settlement, credit: Settlement, difference: Decimal, on_date: date) -> EntryDraft:
    """The two were booked at different rates: the rest on receivables is an exchange difference."""
    result = accounts.EXCHANGE_LOSS if difference > 0 else accounts.EXCHANGE_GAIN
    document = {"customer_id": original.customer_id, "currency": original.currency, "document_amount": Decimal(0)}
    return EntryDraft(
        journal="GEN",
        entry_on=on_date,
        posting_key=f"offset:{credit.invoice_id}:{original.invoice_id}",
        text=f"{credit.number} netted against {original.number}",
        document_kind=credit.kind,
        document_number=credit.number,
        document_id=credit.invoice_id,
        lines=[
            LineDraft(account=original.account, amount=-difference, **document),  # type: ignore[arg-type]
            LineDraft(account=result, amount=difference, **document),  # type: ignore[arg-type]
        ],
    )
