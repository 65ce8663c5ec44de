"""What changes an issued invoice (credit note, cancellation, correction): its original, and its own header."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from erp.errors import NotFound
from finance.errors import DatedBeforeOriginal, NotCreditable
from finance.models import SALES_KINDS, Invoice
from finance.serializers.invoices import lock_settlements
from finance.services.credit_lines import Original, originals_of
from finance.services.documents import Document, Line
from finance.services.issuing import SERIES
from finance.services.rates import Rate

_COPIED = ("order_id", "order_number", "fulfilled_on", "payment_method", "channel", "language")


def lock_original(invoice_id: int) -> tuple[Invoice, list[Original]]:
    """An issued invoice, locked against other changes, and all that it and its corrections charge.

    Raises:
        NotFound; NotCreditable: it is a draft, or changes another document itself.
    """
    original = Invoice.objects.filter(pk=invoice_id).first()
    if original is None:
        raise NotFound(f"invoice {invoice_id} does not exist")
    if original.state != Invoice.State.ISSUED:
        raise NotCreditable(f"{original} is not issued; change the draft itself")
    if original.kind not in SALES_KINDS:
        of = Invoice.objects.filter(credit_notes=original).values_list("number", flat=True).first()
        raise NotCreditable(
            f"{original} is not an invoice"
            + (f"; credit or correct {of}, with which its lines are listed" if of else "; issue an invoice instead")
        )
    lock_settlements([original.pk])
    return original, originals_of([original.pk])


def day_of_change(original: Invoice, charged: Sequence[Original], lines: Sequence[Line], wanted: date | None) -> date:
    """The day of a document that changes an invoice: as wanted, else today, and not before what it changes.

    Raises:
        DatedBeforeOriginal: another day is wanted, before the invoice or a correction whose lines it changes.
    """
    changed = {line.original_line_id for line in lines}
    days = {o.issued_on: o.number for o in charged if o.id in changed}
    if original.issued_on:
        days.setdefault(original.issued_on, str(original.number))
    earliest = max(days)
    if wanted is None:
        return max(timezone.now().date(), earliest)
    if wanted < earliest:
        raise DatedBeforeOriginal(f"{days[earliest]} is of {earliest}: date its change on that day or later")
    return wanted


def change_of(
    original: Invoice, kind: str, lines: Sequence[Line], issued_on: date, due_on: date, reason: str
) -> Document:
    """A document over priced lines that changes an invoice: same customer, currency and rate."""
    return Document(
        kind=kind,
        series=SERIES[Invoice.Kind(kind)],
        customer_id=original.customer_id,
        customer=original.customer,
        issued_on=issued_on,
        due_on=due_on,
        currency=original.currency,
        price_mode=original.price_mode,
        rate=Rate(original.exchange_rate, original.rate_on or issued_on, original.rate_source),
        lines=lines,
        header={**{n: getattr(original, n) for n in _COPIED}, "original_id": original.pk, "note": reason},
    )
