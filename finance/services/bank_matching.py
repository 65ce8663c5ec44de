"""What a bank entry pays: suggestions by reference, payer and amount, and the booking of one as a payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor, retrying, rows_as_dicts
from erp.errors import ErpError
from finance.errors import NotBookable
from finance.models import BankEntry
from finance.services import payments
from finance.services.bank_posting import lock_entry
from finance.services.open_days import first_open_day

ZERO = Decimal(0)
State = BankEntry.State

# Open documents of the entry's currency and direction, with what of them the entry's text and payer tell.
_CANDIDATES = """
with e as (
  select b.*, upper(regexp_replace(b.reference || ' ' || b.payer_name, '[^A-Za-z0-9]', '', 'g')) as text
  from bank_entry b where b.id = %s
), payers as (
  select distinct p.customer_id from e join bank_entry o on o.payer_account = e.payer_account and o.payer_account <> ''
  join payment p on p.id = o.payment_id
)
select i.id, i.number, i.customer_id, i.customer->>'name' as customer_name, i.due_on,
  s.gross_total - s.paid_total - s.offset_total - s.written_off_total as open,
  position(upper(regexp_replace(i.number, '[^A-Za-z0-9]', '', 'g')) in e.text) > 0 as by_number,
  i.order_number <> '' and position(upper(regexp_replace(i.order_number, '[^A-Za-z0-9]', '', 'g')) in e.text) > 0
    as by_order,
  i.customer_id in (select customer_id from payers)
    or (e.payer_name <> '' and lower(e.payer_name) = lower(i.customer->>'name'))
    or position(upper(coalesce(i.customer->>'number', '-')) in e.text) > 0 as by_payer
from e join invoice i on i.currency = e.currency join invoice_settlement s on s.invoice_id = i.id
where s.state in ('open', 'partly_paid')
  and sign(s.gross_total - s.paid_total - s.offset_total - s.written_off_total) = sign(e.amount)
order by i.due_on, i.id"""


@dataclass(frozen=True)
class Suggestion:
    """Documents of one customer that an entry may pay, in the order in which it settles them."""

    customer_id: int
    customer_name: str
    documents: tuple[tuple[int, str, Decimal], ...]  # id, number, what the entry takes of it
    left: Decimal  # stays on the customer's account
    reason: str
    is_sure: bool

    @property
    def numbers(self) -> str:
        """Numbers of the documents."""
        return ", ".join(number for _, number, _ in self.documents)


def suggest(entry: BankEntry, limit: int = 5) -> list[Suggestion]:
    """What an entry may pay, the likeliest first; the first is sure when number and amount both fit."""
    with cursor("finance") as cur:
        cur.execute(_CANDIDATES, [entry.pk])
        rows = rows_as_dicts(cur)
    named = [r for r in rows if r["by_number"]] or [r for r in rows if r["by_order"]]
    found = [_suggestion(entry.amount, group, "its number stands in the reference") for group in _by_customer(named)]
    for group in _by_customer([r for r in rows if r["by_payer"]]):
        exact = [r for r in group if r["open"] == entry.amount]
        if exact:
            found.append(_suggestion(entry.amount, exact[:1], "same payer, same amount"))
        elif sum(r["open"] for r in group) == entry.amount:
            found.append(_suggestion(entry.amount, group, "all that is open of the payer"))
        else:
            found.append(_suggestion(entry.amount, group, "open documents of the payer, oldest first"))
    exact = [r for r in rows if r["open"] == entry.amount]
    found += [_suggestion(entry.amount, [r], "same amount") for r in exact]
    unique: dict[str, Suggestion] = {}
    for suggestion in found:
        unique.setdefault(suggestion.numbers, suggestion)
    return list(unique.values())[:limit]


def _by_customer(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    groups: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["customer_id"], []).append(row)
    return list(groups.values())


def _suggestion(amount: Decimal, rows: Sequence[Mapping[str, Any]], reason: str) -> Suggestion:
    sign, left = (1 if amount > 0 else -1), amount
    taken = []
    for row in rows:
        part = min(abs(row["open"]), abs(left)) * sign
        if part:
            taken.append((row["id"], row["number"], part))
            left -= part
    whole = sum((row["open"] for row in rows), ZERO)
    is_sure = reason.startswith("its number") and whole == amount
    return Suggestion(rows[0]["customer_id"], rows[0]["customer_name"] or "", tuple(taken), left, reason, is_sure)


def book_entry(
    entry_id: int, *, actor: Actor, documents: Sequence[Mapping[str, Any]] = (), customer_id: int | None = None
) -> dict[str, Any]:
    """Book an entry as a payment, in one transaction; in a month that is closed for good on the first open day after.

    Args:
        documents: ``[{"invoice_id", "amount"}]`` that it settles (without an amount as much as is open); what is
            left over stays on the customer's account.
        customer_id: whose money it is, when it settles nothing yet.

    Raises:
        NotBookable: it is booked or set aside; PaymentNotAllocatable.
    """

    def run() -> dict[str, Any]:
        entry = lock_entry(entry_id)
        received_on = first_open_day(entry.booked_on)
        data = {
            "amount": entry.amount, "currency": entry.currency, "received_on": received_on, "method": "transfer",
            "value_on": None if received_on == entry.booked_on else entry.value_on or entry.booked_on,
            "bank_on": None if received_on == entry.booked_on else entry.booked_on,
            "reference": entry.reference or entry.entry_ref, "customer_id": customer_id,
            "allocations": list(documents),
        }  # fmt: skip
        payment = payments.record(data, actor)
        BankEntry.objects.filter(pk=entry.pk).update(state=State.BOOKED, payment_id=payment["id"])
        return payment

    return retrying("finance", run)


def book_sure(actor: Actor, limit: int = 200) -> dict[str, Any]:
    """Book every open entry whose first suggestion is sure, one transaction each.

    Returns:
        ``booked``; ``refused``: per entry why it could not be booked, which stops none of the others; ``open``.
    """
    done, refused = 0, []
    for entry in BankEntry.objects.filter(state=State.OPEN).order_by("booked_on", "id")[:limit]:
        first = next(iter(suggest(entry, 1)), None)
        if first and first.is_sure:
            documents = [{"invoice_id": key} for key, _, _ in first.documents]
            try:
                book_entry(entry.pk, actor=actor, documents=documents)
            except ErpError as error:
                refused.append(f"{entry}: {error.message}")
            else:
                done += 1
    return {"booked": done, "refused": refused, "open": BankEntry.objects.filter(state=State.OPEN).count()}


def set_aside(entry_id: int, *, actor: Actor, reason: str) -> None:
    """Leave an entry to other books (fees, transfers of our own), with a reason; it can be taken up again."""

    def run() -> None:
        entry = lock_entry(entry_id)
        BankEntry.objects.filter(pk=entry.pk).update(
            state=State.SET_ASIDE, set_aside_reason=f"{reason} ({actor.name})"[:200]
        )

    retrying("finance", run)


def take_up(entry_id: int) -> None:
    """Open an entry again that was set aside."""

    def run() -> None:
        found = BankEntry.objects.filter(pk=entry_id, state=State.SET_ASIDE)
        if not found.update(state=State.OPEN, set_aside_reason=""):
            raise NotBookable("Only an entry that was set aside is taken up again")

    retrying("finance", run)
