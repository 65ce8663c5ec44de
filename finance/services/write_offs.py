"""Small amounts that are given up: written off up to a limit, with a reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from erp import idempotency
from erp.actor import Actor
from erp.db import retrying
from erp.money import round_money
from erp.publishing import open_doors
from finance.errors import PaymentNotAllocatable, WriteOffTooHigh
from finance.models import Invoice, PaymentAllocation, WriteOff
from finance.serializers.invoices import publish_invoices, write_settlements
from finance.serializers.ledger import EntryDraft, LineDraft, check_books, write_entries
from finance.services import accounts
from finance.services.payments import lock_documents
from finance.services.rates import Rate
from finance.services.settlement import Settlement


def write_off(
    invoice_id: int, *, actor: Actor, reason: str, amount: Decimal | None = None, key: str | None = None
) -> dict[str, Any]:
    """Give up what is open of a document, or a part of it.

    Args:
        amount: positive, in the document's currency; None: all that is open.

    Returns:
        ``id``, ``amount``, ``currency``, ``number``, ``open``.

    Raises:
        WriteOffTooHigh: all that was written off of the document is, in base currency, above ``ERP_WRITE_OFF_LIMIT``.
        PaymentNotAllocatable: less is open.
    """

    def run() -> dict[str, Any]:
        open_doors("invoice")
        (settlement,) = lock_documents([invoice_id])
        return _write_off(settlement, amount, reason, actor)

    if key is None:
        return retrying("finance", run)
    body = [invoice_id, amount, reason]
    answer: dict[str, Any] = idempotency.once("finance", key, "write_off", idempotency.hash_request(body), run)[0]
    return answer


def _write_off(settlement: Settlement, wanted: Decimal | None, reason: str, actor: Actor) -> dict[str, Any]:
    part = settlement.open_total
    if wanted is not None:
        part = round_money(abs(wanted), settlement.currency) * (1 if part > 0 else -1)
    if not part or abs(part) > abs(settlement.open_total):
        raise PaymentNotAllocatable(
            f"{settlement.open_total} {settlement.currency} is open of {settlement.number}; "
            + (f"{part} cannot be written off" if part else "there is nothing to write off")
        )
    base = settlement.settle(part, "write_off")
    _require_small(settlement)
    today = timezone.now().date()
    made = WriteOff.objects.create(
        invoice_id=settlement.invoice_id, amount=part, written_off_on=today, reason=reason, actor_name=actor.name
    )
    PaymentAllocation.objects.create(invoice_id=settlement.invoice_id, write_off=made, amount=part, allocated_on=today)
    write_entries([_entry(settlement, made, base)], accounts.base_currency(), actor)
    write_settlements([settlement.as_row()])
    publish_invoices([settlement.invoice_id], actor)
    check_books()
    return {
        "id": made.pk, "amount": part, "currency": settlement.currency, "number": settlement.number,
        "open": settlement.open_total,
    }  # fmt: skip


def _require_small(settlement: Settlement) -> None:
    limit, total = settings.WRITE_OFF_LIMIT, abs(settlement.base_written_off)
    if total > limit:
        raise WriteOffTooHigh(
            f"{total} {accounts.base_currency()} written off of {settlement.number} in all is above the limit of "
            f"{limit}; collect it, or issue a credit note",
            limit=str(limit),
        )


def _entry(settlement: Settlement, made: WriteOff, base: Decimal) -> EntryDraft:
    """Dr bad debts, Cr receivables; what a customer does not ask back is a rounding gain."""
    result = accounts.BAD_DEBTS if base > 0 else accounts.ROUNDING_GAIN
    rate = _rate_of(settlement)
    common: dict[str, Any] = {"currency": settlement.currency, "customer_id": settlement.customer_id}
    return EntryDraft(
        journal="GEN",
        entry_on=made.written_off_on,
        posting_key=f"write_off:{made.pk}",
        text=made.reason,
        document_kind="write_off",
        document_number=settlement.number,
        document_id=made.pk,
        exchange_rate=rate.rate if rate else None,
        rate_on=rate.rate_on if rate else None,
        rate_source=rate.source if rate else "",
        lines=[
            LineDraft(account=result, amount=base, document_amount=made.amount, **common),
            LineDraft(account=settlement.account, amount=-base, document_amount=-made.amount, **common),
        ],
    )


def _rate_of(settlement: Settlement) -> Rate | None:
    """The rate of a document in foreign currency."""
    if settlement.currency == accounts.base_currency():
        return None
    row = Invoice.objects.only("exchange_rate", "rate_on", "rate_source", "issued_on").get(pk=settlement.invoice_id)
    return Rate(row.exchange_rate, row.rate_on or settlement.issued_on, row.rate_source)
