"""Payments: recorded, allocated to documents, paid back. What is not allocated stays on the customer's account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from erp import idempotency
from erp.actor import Actor
from erp.db import fetch_prepared, retrying
from erp.errors import NotFound
from erp.money import round_money
from erp.publishing import open_doors
from finance.errors import PaymentNotAllocatable
from finance.models import Invoice, JournalEntry, Payment, PaymentAllocation
from finance.serializers.invoices import lock_settlements, publish_invoices, write_settlements
from finance.serializers.ledger import EntryDraft, check_books, write_entries
from finance.services import accounts
from finance.services.customers import get_customer
from finance.services.open_days import open_day
from finance.services.payment_posting import Allocation, allocation_entry, received_entry
from finance.services.rates import Rate, rate_for
from finance.services.settlement import Settlement

ZERO = Decimal(0)

_NUMBER = """
insert into number_series (code, fiscal_year, last_no) values ('PAY', %s::int, 1)
on conflict (code, fiscal_year) do update set last_no = number_series.last_no + 1
returning 'PAY-' || fiscal_year || '-' || lpad(last_no::text, greatest(6, length(last_no::text)), '0')"""


def record_payment(data: Mapping[str, Any], *, actor: Actor, idempotency_key: str | None = None) -> dict[str, Any]:
    """Record money received (``amount`` > 0) or paid back (< 0), post it, and settle documents with it.

    Args:
        data: ``amount``; either ``invoice_id`` / ``invoice_number``, or ``allocations`` = ``[{"invoice_id",
            "amount"}]``, or ``customer_id`` alone; optional ``currency`` (default: the document's), ``method``
            (transfer, card, cod, cash), ``received_on``, ``value_on`` (of the bank, when it is booked on a later day;
            the rate is that day's), ``reference``.
        idempotency_key: a repeat with the same key gives the same payment.

    Returns:
        The payment with its allocations; what exceeds the documents is ``unallocated``.

    Raises:
        PaymentNotAllocatable: other customer or currency, or nothing is open.
        ReaderUnavailable: nothing has changed.
    """

    def run() -> dict[str, Any]:
        return record(data, actor)

    if idempotency_key is None:
        return retrying("finance", run)
    answer: dict[str, Any] = idempotency.once(
        "finance", idempotency_key, "record_payment", idempotency.hash_request(data), run
    )[0]
    return answer


def allocate_payment(payment_id: int, wanted: Sequence[Mapping[str, Any]], *, actor: Actor) -> dict[str, Any]:
    """Settle documents with what is still unallocated of a payment.

    Args:
        wanted: ``[{"invoice_id", "amount"}]``; without an amount as much as is open.
    """

    def run() -> dict[str, Any]:
        open_doors("invoice")
        settlements = lock_documents(_resolve({"allocations": wanted}))
        payment = lock_payment(payment_id)
        allocations = _allocate(payment.amount - payment.allocated, payment.currency, settlements, wanted)
        _require_same(allocations, payment.customer_id, payment.currency)
        move_allocations(payment, allocations, actor)
        return payment_as_data(payment.pk)

    return retrying("finance", run)


def lock_payment(payment_id: int) -> Payment:
    """The payment, locked. Raises NotFound."""
    payment = Payment.objects.select_for_update().filter(pk=payment_id).first()
    if payment is None:
        raise NotFound(f"payment {payment_id} does not exist")
    return payment


def move_allocations(
    payment: Payment, allocations: Sequence[Allocation], actor: Actor, on_date: date | None = None
) -> None:
    """Post and write allocations of a payment that is there; default day: what :func:`allocation_day` gives."""
    before = PaymentAllocation.objects.filter(payment=payment).count()
    entry = allocation_entry(payment, allocations, rate_of(payment), f"allocation:{payment.pk}:{before + 1}")
    _settle(payment, allocations, actor, [replace(entry, entry_on=on_date or allocation_day(payment, allocations))])


def rate_of(payment: Payment) -> Rate:
    """The rate a payment was booked at, with the day and source that its first entry names."""
    if payment.currency == accounts.base_currency():
        return Rate(payment.exchange_rate, payment.received_on, "base")
    first = JournalEntry.objects.filter(posting_key=f"payment:{payment.pk}").values_list("rate_on", "rate_source").get()
    return Rate(payment.exchange_rate, first[0] or payment.received_on, first[1])


def allocation_day(payment: Payment, allocations: Sequence[Allocation]) -> date:
    """When payment and documents are all there, or today when that month is shut."""
    return open_day(max([payment.received_on, *(a.settlement.issued_on for a in allocations)]))


def record(data: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """:func:`record_payment` inside the caller's transaction."""
    open_doors("invoice")
    wanted = _wanted(data)
    settlements = lock_documents([row["invoice_id"] for row in wanted])
    first = settlements[0] if settlements else None
    customer_id = data.get("customer_id") or (first.customer_id if first else None)
    if customer_id is None:
        raise PaymentNotAllocatable("Say which customer or which document the payment is for")
    received_on = _as_date(data.get("received_on"))
    currency = data.get("currency") or (first.currency if first else get_customer(customer_id).currency)
    amount = round_money(Decimal(data["amount"]), currency)
    if not amount:
        raise PaymentNotAllocatable("A payment of zero settles nothing")
    allocations = _allocate(amount, currency, settlements, wanted)
    _require_same(allocations, customer_id, currency)
    value_on = data.get("value_on")
    rate = rate_for(currency, value_on or received_on)
    payment = make_payment(
        actor, customer_id=customer_id, method=data.get("method") or "transfer", received_on=received_on,
        currency=currency, amount=amount, exchange_rate=rate.rate, reference=(data.get("reference") or "")[:140],
        value_on=value_on, bank_on=data.get("bank_on"),
    )  # fmt: skip
    _settle(payment, allocations, actor, _entries(payment, allocations, rate))
    return payment_as_data(payment.pk)


def _entries(payment: Payment, allocations: Sequence[Allocation], rate: Rate) -> list[EntryDraft]:
    """One entry; two when a document is later than the money: it waits on the customer's account until then."""
    if all(a.settlement.issued_on <= payment.received_on for a in allocations):
        return [received_entry(payment, allocations, rate)]
    later = allocation_entry(payment, allocations, rate, f"allocation:{payment.pk}:1")
    on_account = received_entry(payment, [], rate)
    return [on_account, replace(later, entry_on=allocation_day(payment, allocations))]


def make_payment(actor: Actor, **columns: Any) -> Payment:
    """Write the payment's row under its series' next number."""
    number = fetch_prepared("finance", _NUMBER, [columns["received_on"].year])[0][0]
    return Payment.objects.create(number=number, actor_name=actor.name, **columns)


def _wanted(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    if data.get("allocations"):
        rows = [dict(row) for row in data["allocations"]]
    elif data.get("invoice_id") or data.get("invoice_number"):
        rows = [{"invoice_id": data.get("invoice_id"), "invoice_number": data.get("invoice_number")}]
    else:
        return []
    ids = _resolve({"allocations": rows})
    return [{**row, "invoice_id": invoice_id} for row, invoice_id in zip(rows, ids, strict=True)]


def _resolve(data: Mapping[str, Any]) -> list[int]:
    """Ids of the documents named by id or number, each once. Raises NotFound and PaymentNotAllocatable."""
    numbers = [r["invoice_number"] for r in data["allocations"] if not r.get("invoice_id")]
    by_number = dict(Invoice.objects.filter(number__in=numbers).values_list("number", "id")) if numbers else {}
    ids = []
    for row in data["allocations"]:
        found = row.get("invoice_id") or by_number.get(row.get("invoice_number"))
        if not found:
            raise NotFound(f"invoice {row.get('invoice_number')} does not exist")
        if int(found) in ids:
            raise PaymentNotAllocatable(
                f"{row.get('invoice_number') or f'invoice {found}'} is named twice: give one amount for each document"
            )
        ids.append(int(found))
    return ids


def lock_documents(invoice_ids: Sequence[int]) -> list[Settlement]:
    """Settlements of issued documents, locked in key order; in the order given. Raises NotFound."""
    rows = {r["invoice_id"]: Settlement.of(r) for r in lock_settlements(invoice_ids)}
    missing = set(invoice_ids) - set(rows)
    if missing:
        raise NotFound(f"invoice {min(missing)} is not issued or does not exist")
    return [rows[key] for key in dict.fromkeys(invoice_ids)]


def _allocate(
    available: Decimal, currency: str, settlements: Sequence[Settlement], wanted: Sequence[Mapping[str, Any]]
) -> list[Allocation]:
    """Spread what is available over the documents, as wanted or as much as is open of each, in the order given."""
    asked = {s.invoice_id: row.get("amount") for s, row in zip(settlements, wanted, strict=True)}
    sign = 1 if available > 0 else -1
    allocations = []
    for settlement in settlements:
        limit = min(max(settlement.open_total * sign, ZERO), available * sign)
        amount = limit
        if asked.get(settlement.invoice_id) is not None:
            amount = round_money(abs(Decimal(asked[settlement.invoice_id])), currency)  # type: ignore[arg-type]
        if not amount or amount > limit:
            raise PaymentNotAllocatable(
                f"{settlement.number}: {settlement.open_total} {settlement.currency} is open and "
                f"{available} {currency} is available; {amount * sign} cannot be allocated",
                invoice=settlement.number, open=str(settlement.open_total),
            )  # fmt: skip
        available -= amount * sign
        allocations.append(Allocation(settlement, amount * sign, settlement.settle(amount * sign, "payment")))
    return allocations


def _require_same(allocations: Sequence[Allocation], customer_id: int, currency: str) -> None:
    for allocation in allocations:
        s = allocation.settlement
        if (s.customer_id, s.currency) != (customer_id, currency):
            raise PaymentNotAllocatable(
                f"{s.number} is in {s.currency} for customer {s.customer_id}; the payment is in {currency} "
                f"for customer {customer_id}"
            )


def _settle(payment: Payment, allocations: Sequence[Allocation], actor: Actor, entries: list[EntryDraft]) -> None:
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(
            payment=payment, invoice_id=a.settlement.invoice_id, amount=a.amount, allocated_on=entries[-1].entry_on
        )
        for a in allocations
    )
    total = sum((a.amount for a in allocations), ZERO)
    if total:
        Payment.objects.filter(pk=payment.pk).update(allocated=F("allocated") + total)
    write_entries(entries, accounts.base_currency(), actor)
    write_settlements([a.settlement.as_row() for a in allocations])
    publish_invoices([a.settlement.invoice_id for a in allocations], actor)
    check_books()


def payment_as_data(payment_id: int) -> dict[str, Any]:
    """A payment with its allocations as plain data."""
    payment = Payment.objects.get(pk=payment_id)
    allocations = payment.allocations.order_by("id").values(
        "invoice_id", "amount", number=F("invoice__number"), payment_state=F("invoice__settlement__state")
    )
    names = ("id", "number", "customer_id", "method", "received_on", "value_on", "currency", "amount", "reference")
    return {
        **{name: getattr(payment, name) for name in names},
        "allocations": list(allocations),
        "unallocated": payment.amount - payment.allocated,
    }


def _as_date(value: date | str | None) -> date:
    if value is None:
        return timezone.now().date()
    return date.fromisoformat(value) if isinstance(value, str) else value
