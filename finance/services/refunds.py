"""Money paid back: of a credit note, of what a customer overpaid, or because a payment was recorded by mistake."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum
from django.utils import timezone

from erp import idempotency
from erp.actor import Actor
from erp.db import retrying
from erp.errors import NotFound
from erp.money import round_money
from erp.publishing import open_doors
from finance.errors import PaymentNotAllocatable
from finance.models import Invoice, Payment, PaymentAllocation
from finance.serializers.ledger import check_books, write_entries
from finance.services import accounts
from finance.services.documents import to_base
from finance.services.payment_posting import Allocation, payment_entry, payment_line
from finance.services.payments import (
    lock_documents,
    lock_payment,
    make_payment,
    move_allocations,
    payment_as_data,
    rate_of,
    record,
)
from finance.services.rates import rate_for
from finance.services.settlement import Settlement

ZERO = Decimal(0)


def refund(invoice_id: int, *, actor: Actor, method: str = "transfer", key: str | None = None) -> dict[str, Any]:
    """Pay back all that is open of a credit note; a repeat with the same key gives the same payment.

    Raises:
        PaymentNotAllocatable: it is no issued credit note, or nothing of it is open.
    """

    def run() -> dict[str, Any]:
        open_doors("invoice")
        row = Invoice.objects.filter(pk=invoice_id).first()
        if row is None:
            raise NotFound(f"invoice {invoice_id} does not exist")
        is_issued = row.is_credit and row.state == Invoice.State.ISSUED
        left = lock_documents([invoice_id])[0].open_total if is_issued else ZERO
        if not left:
            raise PaymentNotAllocatable(f"Nothing of {row} is to be paid back")
        return record({"invoice_id": invoice_id, "amount": left, "method": method}, actor)

    if key is None:
        return retrying("finance", run)
    body = [invoice_id, method]
    answer: dict[str, Any] = idempotency.once("finance", key, "refund_invoice", idempotency.hash_request(body), run)[0]
    return answer


def deallocate_payment(payment_id: int, invoice_id: int, *, actor: Actor) -> dict[str, Any]:
    """Take back what a payment settles of a document: the money is on the customer's account again.

    Raises:
        PaymentNotAllocatable: the payment settles nothing of it.
    """

    def run() -> dict[str, Any]:
        open_doors("invoice")
        (settlement,) = lock_documents([invoice_id])
        payment = lock_payment(payment_id)
        take_back(payment, settlement, actor)
        return payment_as_data(payment.pk)

    return retrying("finance", run)


def take_back(payment: Payment, settlement: Settlement, actor: Actor, on_date: date | None = None) -> None:
    """Undo a locked payment's allocations to a locked document, on the day given or that of both documents."""
    found = PaymentAllocation.objects.filter(payment=payment, invoice_id=settlement.invoice_id)
    amount = -(found.aggregate(total=Sum("amount"))["total"] or ZERO)
    if not amount:
        raise PaymentNotAllocatable(f"{payment.number} settles nothing of {settlement.number}")
    move_allocations(payment, [Allocation(settlement, amount, settlement.settle(amount, "payment"))], actor, on_date)


def refund_payment(
    payment_id: int, *, actor: Actor, amount: Decimal | None = None, method: str = "", key: str | None = None
) -> dict[str, Any]:
    """Pay back what is left of a payment on the customer's account, or a part of it.

    Raises:
        PaymentNotAllocatable: less is left.
    """

    def run() -> dict[str, Any]:
        open_doors("invoice")
        payment = lock_payment(payment_id)
        return payment_as_data(_pay_back(payment, amount, method or payment.method, actor).pk)

    if key is None:
        return retrying("finance", run)
    body = [payment_id, amount, method]
    answer: dict[str, Any] = idempotency.once("finance", key, "refund", idempotency.hash_request(body), run)[0]
    return answer


def reverse_payment(payment_id: int, *, actor: Actor, on_date: date | None = None) -> dict[str, Any]:
    """Undo a payment that was recorded by mistake: its documents are open again, the money is booked out.

    Args:
        on_date: when its documents are open again and it is booked out; default today.

    Raises:
        PaymentNotAllocatable: it is reversed or paid back already.
    """

    def run() -> dict[str, Any]:
        open_doors("invoice")
        mine = PaymentAllocation.objects.filter(payment_id=payment_id, invoice__isnull=False)
        settled = mine.values("invoice_id").annotate(total=Sum("amount")).exclude(total=0).order_by("invoice_id")
        documents = lock_documents([row["invoice_id"] for row in settled])
        payment = lock_payment(payment_id)
        for settlement in documents:
            take_back(payment, settlement, actor, on_date)
            payment.refresh_from_db()
        bank_on = payment.bank_on or payment.received_on  # the bank moved nothing back: it stands against that day
        return payment_as_data(_pay_back(payment, None, payment.method, actor, on_date, bank_on).pk)

    return retrying("finance", run)


def _pay_back(
    payment: Payment, wanted: Decimal | None, method: str, actor: Actor, on_date: date | None = None,
    bank_on: date | None = None,
) -> Payment:  # fmt: skip
    left = payment.amount - payment.allocated
    amount = left if wanted is None else round_money(wanted, payment.currency)
    if not left or amount * left <= 0 or abs(amount) > abs(left):
        raise PaymentNotAllocatable(
            f"{left} {payment.currency} of {payment.number} can be paid back"
            + ("" if wanted is None else f", not {amount}")
        )
    day = on_date or timezone.now().date()
    # What is undone was never exchanged: it goes out at the rate at which it came in.
    rate = rate_of(payment) if on_date else rate_for(payment.currency, day)
    counter = make_payment(
        actor, customer_id=payment.customer_id, method=method, received_on=day, currency=payment.currency,
        amount=-amount, exchange_rate=rate.rate, reference=f"{payment.number} paid back",
        bank_on=None if bank_on == day else bank_on,
    )  # fmt: skip
    _settle_each_other(payment, counter, amount)
    # What is left of the payment stays at its own rate, to the unit.
    base = to_base(left, rate_of(payment)) - to_base(left - amount, rate_of(payment))
    lines = [
        payment_line(counter, accounts.UNALLOCATED_PAYMENTS, base, amount, payment.number),
        payment_line(
            counter, accounts.money(method, payment.currency),
            -round_money(amount * rate.rate, accounts.base_currency()), -amount,
        ),
    ]  # fmt: skip
    journal = "CSH" if method == "cash" else "BNK"
    entry = payment_entry(counter, journal, lines, f"payment:{counter.pk}", rate)
    write_entries([entry], accounts.base_currency(), actor)
    check_books()
    return counter


def _settle_each_other(payment: Payment, counter: Payment, amount: Decimal) -> None:
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment=one, counter_payment=other, amount=part, allocated_on=counter.received_on)
        for one, other, part in ((payment, counter, amount), (counter, payment, -amount))
    )
    for one, part in ((payment, amount), (counter, -amount)):
        Payment.objects.filter(pk=one.pk).update(allocated=F("allocated") + part)
