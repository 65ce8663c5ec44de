"""Bank entries that are no customer's payment: fees, interest, suppliers, own transfers are posted to accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor, retrying
from erp.errors import NotFound
from erp.money import round_money
from finance.errors import NotBookable, UnknownAccount
from finance.models import Account, BankEntry, JournalEntry
from finance.serializers.ledger import EntryDraft, LineDraft
from finance.services import accounts, posting, refunds
from finance.services.open_days import first_open_day
from finance.services.rates import rate_for

ZERO = Decimal(0)
State = BankEntry.State

OF_DOCUMENTS = {
    **dict.fromkeys(accounts.RECEIVABLES, "book the entry to the customer's documents instead"),
    accounts.UNALLOCATED_PAYMENTS: "book the entry to the customer instead",
    accounts.ADVANCES_RECEIVED: "issue an advance invoice and book the entry to it instead",
    accounts.VOUCHERS_SOLD: "book the entry to the voucher's invoice instead",
    accounts.INVENTORY: "goods are valued when they are received; book the supplier instead",
    accounts.OUTPUT_VAT: "it holds the VAT of documents; VAT paid goes to 468",
    accounts.INPUT_VAT: "it holds the VAT of suppliers' invoices, by VAT code; VAT paid goes to 468",
}
"""Accounts that tie out with their documents: whatever else is posted there could never be explained by one."""


def lock_entry(entry_id: int, state: str = State.OPEN) -> BankEntry:
    """The entry, locked, in the state that is asked for. Raises NotFound, NotBookable."""
    entry = BankEntry.objects.select_for_update().filter(pk=entry_id).first()
    if entry is None:
        raise NotFound(f"bank entry {entry_id} does not exist")
    if entry.state != state:
        raise NotBookable(f"The entry {entry} is {entry.get_state_display().lower()} already")
    return entry


def ledger_account(currency: str) -> str:
    """The ledger's account of money at the bank in a currency."""
    return accounts.money("transfer", currency)


def post_to_accounts(
    entry_id: int, lines: Sequence[Mapping[str, Any]], *, actor: Actor, text: str = ""
) -> dict[str, Any]:
    """Book an entry to one or more accounts, in one transaction, on its day or the first open day after it.

    Args:
        lines: ``[{"account", "amount", "text"}]``; amounts are positive, in the entry's currency; one line may come
            without an amount and takes the rest.
        text: of the journal entry; default what the bank tells.

    Returns:
        The journal entry as :func:`finance.services.posting.entry_as_data` gives it; its document is the bank entry.

    Raises:
        NotBookable: it is booked or set aside, the amounts do not add up, or an account belongs to documents.
        UnknownAccount, PeriodClosed, NoExchangeRate.
    """

    def run() -> dict[str, Any]:
        entry = lock_entry(entry_id)
        draft = _entry_of(entry, _shares(entry, lines), text)
        (posted,) = posting.post([draft], actor)
        BankEntry.objects.filter(pk=entry.pk).update(state=State.BOOKED, journal_entry_id=posted)
        return posting.entry_as_data(JournalEntry.objects.get(pk=posted))

    return retrying("finance", run)


def _shares(entry: BankEntry, lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, Decimal, str]]:
    """(account, positive amount, text) per line."""
    own, total = ledger_account(entry.currency), abs(entry.amount)
    known = {number for number, _ in account_choices()}
    shares = [
        (str(row["account"]).strip(), row.get("amount"), str(row.get("text") or "")) for row in lines
        if row.get("account")
    ]  # fmt: skip
    for account, _, _ in shares:
        if account in OF_DOCUMENTS:
            raise NotBookable(f"Account {account} agrees with documents: {OF_DOCUMENTS[account]}")
        if account == own:
            raise NotBookable(f"Account {account} is the bank account itself; own transfers go to 389")
        if account not in known:
            raise UnknownAccount(f"No account {account} takes postings")
    given = sum((round_money(Decimal(a), entry.currency) for _, a, _ in shares if a is not None), ZERO)
    rest = [account for account, amount, _ in shares if amount is None]
    left = total - given
    if not shares or len(rest) > 1 or (left <= 0 if rest else left):
        raise NotBookable(
            f"Name accounts for {total} {entry.currency}; the amounts given are {given}"
            + (" and only one line may come without" if len(rest) > 1 else "")
        )
    return [(account, left if a is None else round_money(Decimal(a), entry.currency), t) for account, a, t in shares]


def _entry_of(entry: BankEntry, shares: Sequence[tuple[str, Decimal, str]], text: str) -> EntryDraft:
    sign = 1 if entry.amount > 0 else -1
    rate = rate_for(entry.currency, entry.booked_on)
    base = round_money(entry.amount * rate.rate, accounts.base_currency())
    lines = [_line(entry, ledger_account(entry.currency), base, entry.amount, "")]
    left = base
    for n, (account, amount, told) in enumerate(shares, start=1):
        part = round_money(sign * amount * rate.rate, accounts.base_currency()) if n < len(shares) else left
        left -= part
        lines.append(_line(entry, account, -part, -sign * amount, told))
    entry_on = first_open_day(entry.booked_on)
    words = text.strip() or " ".join(filter(None, [entry.payer_name, entry.reference])) or entry.entry_ref
    if entry_on != entry.booked_on:
        words = f"{words[:160]} (value date {entry.value_on or entry.booked_on})"
    is_foreign = entry.currency != accounts.base_currency()
    return EntryDraft(
        journal="BNK", entry_on=entry_on, posting_key=f"bank_entry:{entry.pk}:{_postings(entry.pk) + 1}", lines=lines,
        text=words[:200], document_kind="bank_entry", document_number=entry.entry_ref[:40], document_id=entry.pk,
        exchange_rate=rate.rate if is_foreign else None, rate_on=rate.rate_on if is_foreign else None,
        rate_source=rate.source if is_foreign else "",
    )  # fmt: skip


def _line(entry: BankEntry, account: str, base: Decimal, amount: Decimal, text: str) -> LineDraft:
    return LineDraft(account=account, amount=base, document_amount=amount, currency=entry.currency, text=text[:200])


def _postings(entry_id: int) -> int:
    found = JournalEntry.objects.filter(document_kind="bank_entry", document_id=entry_id, reverses=None)
    return found.count()


def take_back(entry_id: int, *, actor: Actor) -> dict[str, Any]:
    """Undo the booking of an entry, on the day it was booked or the first open day after it: it is open again.

    Returns:
        ``number``: what undoes it, a payment's number or a journal entry's.

    Raises:
        NotBookable: it is not booked. PaymentNotAllocatable: its payment was paid back in part.
    """

    def run() -> dict[str, Any]:
        entry = lock_entry(entry_id, State.BOOKED)
        if entry.payment_id:
            number = _reverse_payment(entry, actor)
        else:
            assert entry.journal_entry
            posted = entry.journal_entry
            undo = posting.reversal_of(posted, first_open_day(posted.entry_on))
            number = str(posting.post([undo], actor)[0])
        BankEntry.objects.filter(pk=entry.pk).update(state=State.OPEN, payment=None, journal_entry=None)
        return {"number": number}

    return retrying("finance", run)


def _reverse_payment(entry: BankEntry, actor: Actor) -> str:
    """The number of the payment that undoes the entry's."""
    assert entry.payment
    whole = entry.payment.allocations.filter(counter_payment__isnull=False, amount=entry.payment.amount).first()
    if whole:  # reversed before, on the payment's own page
        return str(whole.counter_payment)
    days = list(entry.payment.allocations.values_list("allocated_on", flat=True))
    on_date = first_open_day(max([entry.payment.received_on, *days]))
    return str(refunds.reverse_payment(entry.payment.pk, actor=actor, on_date=on_date)["number"])


_USUAL = """
select array_agg(distinct l.account) from journal_line l
where l.account <> %(own)s and l.entry_id = (
  select max(o.journal_entry_id) from bank_entry o
  where sign(o.amount) = %(sign)s and o.currency = %(currency)s and o.state = 'booked' and (
    (o.payer_account <> '' and o.payer_account = %(payer_account)s)
    or (o.payer_account = '' and lower(o.payer_name) = lower(%(payer_name)s) and o.reference = %(reference)s)))"""


def usual_account(entry: BankEntry) -> str:
    """The account to which the last entry of the same other side went; empty when there is none, or several."""
    arguments = {
        "own": ledger_account(entry.currency), "sign": 1 if entry.amount > 0 else -1, "currency": entry.currency,
        "payer_account": entry.payer_account, "payer_name": entry.payer_name, "reference": entry.reference,
    }  # fmt: skip
    with cursor("finance") as cur:
        cur.execute(_USUAL, arguments)
        found = cur.fetchone()[0] or []
    return found[0] if len(found) == 1 else ""


def account_choices() -> list[tuple[str, str]]:
    """(number, name) of the accounts to which entries may be posted."""
    found = Account.objects.filter(is_group=False, is_active=True).exclude(number__in=OF_DOCUMENTS)
    return list(found.values_list("number", "name"))
