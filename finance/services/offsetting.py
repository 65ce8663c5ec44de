"""A credit note settles what is open of its originals; what is left of it is to be paid back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from finance.models import PaymentAllocation
from finance.serializers.invoices import lock_settlements, write_settlements
from finance.serializers.ledger import EntryDraft, LineDraft, write_entries
from finance.services import accounts
from finance.services.settlement import Settlement


def offset_credit(credit_id: int, credited: Mapping[int, Decimal], on_date: date) -> Sequence[int]:
    """Net a new credit note against its originals.

    Args:
        credited: original invoice id → gross (positive) that the credit note takes of it.

    Returns:
        Ids of the originals, whose settlements and versions have moved.
    """
    if not credited:
        return ()
    rows = {r["invoice_id"]: Settlement.of(r) for r in lock_settlements([credit_id, *credited])}
    credit = rows[credit_id]
    for invoice_id, gross in sorted(credited.items()):
        original = rows[invoice_id]
        original.credited_total += gross
        amount = max(min(gross, original.open_total, -credit.open_total), Decimal(0))
        if amount:
            _offset(original, credit, amount, on_date)
    write_settlements([s.as_row() for s in rows.values()], new_ids=[credit_id])
    return tuple(credited)


def _offset(original: Settlement, credit: Settlement, amount: Decimal, on_date: date) -> None:
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
