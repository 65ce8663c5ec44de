"""The general ledger's own business: manual entries and reversals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from erp.actor import Actor
from erp.db import in_transaction, retried, retrying
from erp.errors import NotFound, Refused
from erp.money import round_money
from finance.errors import AlreadyPosted, NotReversible, UnbalancedEntry
from finance.models import JournalEntry, JournalLine
from finance.serializers.ledger import EntryDraft, LineDraft, PostedEntry, check_books, post_entries
from finance.services.accounts import VAT_ACCOUNTS, base_currency
from finance.services.rates import rate_for

_DOCUMENT_KEYS = frozenset(
    {
        "invoice", "shipment", "return", "payment", "allocation", "offset", "moves", "write_off", "year-result",
        "year-close", "year-open", "bank_entry", "accrual",
    }
)  # fmt: skip
ZERO = Decimal(0)
_DIMENSIONS = ("text", "customer_id", "product_id", "quantity", "vat_code", "due_on")


def post_journal_entry(data: Mapping[str, Any], *, actor: Actor, posting_key: str) -> dict[str, Any]:
    """Post one entry, in one statement; a repeat with the same key returns the entry that is there.

    Args:
        data: ``entry_on``, ``lines`` (``account`` and either ``amount`` signed, or ``debit``/``credit``; optional
            dimensions); optional ``tax_on`` (VAT period of its lines with a VAT code, default the posting date),
            ``journal`` (default GEN), ``text``, ``currency``, ``document_kind``, ``document_number``,
            ``document_id``, ``kind`` (normal, closing, opening).
        posting_key: whatever is posted under it is posted once.

    Raises:
        UnbalancedEntry, UnknownAccount, PeriodClosed, NoExchangeRate.
    """
    return post_journal_entries([(data, posting_key)], actor=actor)[0]


def post_journal_entries(entries: Sequence[tuple[Mapping[str, Any], str]], *, actor: Actor) -> list[dict[str, Any]]:
    """Post several entries, each with its posting key, all or none; see :func:`post_journal_entry`.

    When one of them cannot be posted, those that are posted already are left out and the others tried once more.
    """
    try:
        drafts = [_entry_of(data, key) for data, key in entries]
        posted = retrying("finance", lambda: _post(drafts, actor), own=False)
    except Refused:
        keys = [key for _, key in entries]
        found = {e.posting_key: {**entry_as_data(e), "repeated": True} for e in _posted_under(keys)}
        if not found:
            raise
        rest = [(data, key) for data, key in entries if key not in found]
        done = post_journal_entries(rest, actor=actor) if rest else []
        found |= {row["posting_key"]: row for row in done}
        return [found[key] for key in keys]
    return [_as_posted(draft, row) for draft, row in zip(drafts, posted, strict=True)]


def _posted_under(keys: Sequence[str]) -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(posting_key__in=keys))


def post(entries: Sequence[EntryDraft], actor: Actor | None = None) -> list[int]:
    """Post entries in one statement and run the deferred checks; returns their ids."""
    return [row.id for row in _post(entries, actor)]


def _post(entries: Sequence[EntryDraft], actor: Actor | None) -> list[PostedEntry]:
    posted = post_entries(entries, base_currency(), actor)
    if in_transaction("finance"):  # otherwise the statement was a transaction by itself
        check_books()
    return posted


def _as_posted(draft: EntryDraft, posted: PostedEntry) -> dict[str, Any]:
    """The same as :func:`entry_as_data`, of an entry just posted."""
    lines = [
        {
            "line_no": n, "account": line.account, "account_name": name, "amount": line.amount,
            "document_amount": line.amount if line.document_amount is None else line.document_amount,
            "currency": line.currency or base_currency(), **{d: getattr(line, d) for d in _DIMENSIONS},
            "tax_on": draft.tax_day(line),
        }
        for n, (line, name) in enumerate(zip(draft.lines, posted.account_names, strict=True), start=1)
    ]  # fmt: skip
    return {
        "id": posted.id, "entry_no": posted.id, "journal": draft.journal, "entry_on": draft.entry_on,
        "period": posted.period, "text": draft.text, "posting_key": draft.posting_key,
        "reverses_id": draft.reverses_id, "lines": lines, "repeated": False,
    }  # fmt: skip


def _entry_of(data: Mapping[str, Any], posting_key: str) -> EntryDraft:
    entry_on = as_day(data["entry_on"])
    currency = data.get("currency") or base_currency()
    rate = rate_for(currency, entry_on)
    lines = _even([_line_of(row, currency, rate.rate) for row in data["lines"]])
    _require_balance(lines)
    is_foreign = currency != base_currency()
    return EntryDraft(
        journal=data.get("journal") or "GEN", kind=data.get("kind") or "normal", entry_on=entry_on,
        posting_key=posting_key, lines=lines, text=data.get("text") or "",
        document_kind=data.get("document_kind") or "manual", document_number=data.get("document_number") or "",
        document_id=data.get("document_id"), exchange_rate=rate.rate if is_foreign else None,
        rate_on=rate.rate_on if is_foreign else None, rate_source=rate.source if is_foreign else "",
        tax_on=as_day(data["tax_on"]) if data.get("tax_on") else None,
    )  # fmt: skip


def as_day(value: date | str) -> date:
    """A date given as such or in ISO form."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _line_of(row: Mapping[str, Any], currency: str, rate: Decimal) -> LineDraft:
    amount = row.get("amount")
    if amount is None:
        amount = Decimal(row.get("debit") or 0) - Decimal(row.get("credit") or 0)
    amount = round_money(Decimal(amount), currency)
    given = {name: row[name] for name in _DIMENSIONS if row.get(name) not in (None, "")}
    base = round_money(amount * rate, base_currency())
    return LineDraft(account=str(row["account"]), amount=base, document_amount=amount, currency=currency, **given)


def require_postable(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse lines, in base currency, that could never be posted. Raises UnbalancedEntry."""
    _require_balance([_line_of(row, base_currency(), Decimal(1)) for row in rows])


def _even(lines: list[LineDraft]) -> list[LineDraft]:
    """What rounding to base currency leaves of an entry that balances in its own goes to its largest line."""
    residual = sum((line.amount for line in lines), ZERO)
    if residual and not sum((line.document_amount or ZERO for line in lines), ZERO):
        largest = max(range(len(lines)), key=lambda n: abs(lines[n].amount))
        lines[largest] = replace(lines[largest], amount=lines[largest].amount - residual)
    return lines


def _require_balance(lines: Sequence[LineDraft]) -> None:
    difference = sum((line.amount for line in lines), Decimal(0))
    if difference or len(lines) < 2:
        raise UnbalancedEntry(
            f"Debits exceed credits by {difference}" if difference else "An entry needs at least two lines",
            difference=str(difference),
        )


@retried("finance")
def reverse_entry(entry_id: int, *, actor: Actor, on_date: date | None = None, reason: str = "") -> dict[str, Any]:
    """Post the opposite of an entry, once.

    Raises:
        NotFound; NotReversible: a document stands behind it, which has its own correction; AlreadyPosted: it is
        reversed already, or is a reversal; PeriodClosed.
    """
    entry = JournalEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound(f"entry {entry_id} does not exist")
    if entry.reverses_id is not None:
        raise AlreadyPosted(f"Entry {entry_id} is a reversal itself; post a new entry instead")
    if entry.posting_key.split(":")[0] in _DOCUMENT_KEYS:
        raise NotReversible(
            f"Entry {entry_id} books {entry.document_kind} {entry.document_number}: correct that instead"
        )
    if JournalEntry.objects.filter(reverses_id=entry_id).exists():
        raise AlreadyPosted(f"Entry {entry_id} is reversed already")
    (new_id,) = post([reversal_of(entry, on_date or timezone.now().date(), reason)], actor)
    return entry_as_data(JournalEntry.objects.get(pk=new_id))


def reversal_of(entry: JournalEntry, on_date: date, reason: str = "") -> EntryDraft:
    """The opposite of an entry; whether it may be reversed is the caller's business."""
    lines = [
        LineDraft(
            account=line.account_id, amount=-line.amount, document_amount=-line.document_amount,
            currency=line.currency, text=line.text, customer_id=line.customer_id, product_id=line.product_id,
            quantity=None if line.quantity is None else -line.quantity, vat_code=line.vat_code, due_on=line.due_on,
            # A mistake leaves the VAT period that it stood in; a settlement taken back is owed by its own month again.
            tax_on=line.tax_on if line.vat_code or line.account_id in VAT_ACCOUNTS else None,
        )
        for line in JournalLine.objects.filter(entry_id=entry.pk).order_by("line_no")
    ]  # fmt: skip
    return EntryDraft(
        journal=entry.journal_id, entry_on=on_date, posting_key=f"reversal:{entry.pk}",
        lines=lines, text=reason or f"Reversal of entry {entry.pk}", document_kind=entry.document_kind,
        document_number=entry.document_number, document_id=entry.document_id, reverses_id=entry.pk,
        exchange_rate=entry.exchange_rate, rate_on=entry.rate_on, rate_source=entry.rate_source,
    )  # fmt: skip


def is_reversible(entry: JournalEntry) -> bool:
    """Whether :func:`reverse_entry` would take the entry."""
    is_document = entry.posting_key.split(":")[0] in _DOCUMENT_KEYS
    return not is_document and entry.reverses_id is None and not hasattr(entry, "reversed_by")


def entry_as_data(entry: JournalEntry) -> dict[str, Any]:
    """An entry with its lines as plain data."""
    names = ("line_no", "account_id", "account_name", "amount", "document_amount", "currency", *_DIMENSIONS, "tax_on")
    lines = JournalLine.objects.filter(entry_id=entry.pk).order_by("line_no").values(*names)
    return {
        "id": entry.pk,
        "entry_no": entry.pk,
        "journal": entry.journal_id,
        "entry_on": entry.entry_on,
        "period": entry.period_id,
        "text": entry.text,
        "posting_key": entry.posting_key,
        "reverses_id": entry.reverses_id,
        "lines": [{("account" if k == "account_id" else k): v for k, v in line.items()} for line in lines],
    }
