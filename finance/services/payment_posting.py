"""The entries of payments and their allocations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp.money import round_money
from finance.models import Payment
from finance.serializers.ledger import EntryDraft, LineDraft
from finance.services import accounts
from finance.services.rates import Rate
from finance.services.settlement import Settlement

ZERO = Decimal(0)


@dataclass
class Allocation:
    """Part of a payment that settles a document, in the document's currency and in base at the document's rate."""

    settlement: Settlement
    amount: Decimal
    base: Decimal = ZERO


def received_entry(payment: Payment, allocations: Sequence[Allocation], rate: Rate) -> EntryDraft:
    """Dr bank, Cr receivables per document, Cr the customer's account for the rest, and the exchange difference."""
    base = round_money(payment.amount * rate.rate, accounts.base_currency())
    left = payment.amount - sum((a.amount for a in allocations), ZERO)
    base_left = round_money(left * rate.rate, accounts.base_currency())
    lines = [payment_line(payment, accounts.money(payment.method, payment.currency), base, payment.amount)]
    lines += [payment_line(payment, a.settlement.account, -a.base, -a.amount, a.settlement.number) for a in allocations]
    if left:
        lines.append(payment_line(payment, accounts.UNALLOCATED_PAYMENTS, -base_left, -left))
    journal = "CSH" if payment.method == "cash" else "BNK"
    return payment_entry(payment, journal, lines, f"payment:{payment.pk}", rate)


def allocation_entry(payment: Payment, allocations: Sequence[Allocation], rate: Rate, key: str) -> EntryDraft:
    """Dr the customer's account, Cr receivables per document."""
    currency = accounts.base_currency()
    before = round_money((payment.amount - payment.allocated) * rate.rate, currency)
    total = sum((a.amount for a in allocations), ZERO)
    base = before - round_money((payment.amount - payment.allocated - total) * rate.rate, currency)
    lines = [payment_line(payment, accounts.UNALLOCATED_PAYMENTS, base, total)]
    lines += [payment_line(payment, a.settlement.account, -a.base, -a.amount, a.settlement.number) for a in allocations]
    return payment_entry(payment, "GEN", lines, key, rate)


def payment_entry(payment: Payment, journal: str, lines: list[LineDraft], key: str, rate: Rate) -> EntryDraft:
    """The entry of a payment; what its lines do not balance is the realised exchange difference."""
    difference = sum((line.amount for line in lines), ZERO)
    if difference:  # realised: the documents were booked at another rate than the payment
        account = accounts.EXCHANGE_GAIN if difference > 0 else accounts.EXCHANGE_LOSS
        lines.append(payment_line(payment, account, -difference, ZERO))
    is_foreign = payment.currency != accounts.base_currency()
    return EntryDraft(
        journal=journal,
        entry_on=payment.received_on,
        posting_key=key,
        lines=lines,
        text=payment.reference,
        document_kind="payment",
        document_number=payment.number,
        document_id=payment.pk,
        exchange_rate=rate.rate if is_foreign else None,
        rate_on=rate.rate_on if is_foreign else None,
        rate_source=rate.source if is_foreign else "",
    )


def payment_line(payment: Payment, account: str, base: Decimal, amount: Decimal, text: str = "") -> LineDraft:
    """A line of a payment's entry, in base currency and in the payment's own."""
    return LineDraft(
        account=account, amount=base, document_amount=amount, currency=payment.currency,
        customer_id=payment.customer_id, text=text,
    )  # fmt: skip
