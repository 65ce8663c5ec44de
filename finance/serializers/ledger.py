"""Set-based writer of the general ledger: any number of entries with their lines in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from erp.actor import Actor, current_actor
from erp.db import cursor, fetch_prepared, sqlstate_error
from erp.fields import dump_json
from erp.permit import write_permit
from finance.errors import (
    AdvanceExceeded,
    AlreadyPosted,
    CreditExceedsInvoice,
    DateBeforeBooks,
    DateTooFarAhead,
    PeriodClosed,
    UnbalancedEntry,
    UnknownAccount,
)
from finance.models import FiscalPeriod

ZERO = Decimal(0)
DAYS_AHEAD = 31
"""So far ahead entries may be dated; a typing error in the year would open that year's months."""

TAX_DAYS_AHEAD = DAYS_AHEAD + 60
"""The same of tax dates: of a supply settled by periods the tax point may be up to 60 days after the period."""


@dataclass(frozen=True)
class LineDraft:
    """A ledger line before it is posted: ``amount`` in base currency, debit positive, credit negative."""

    account: str
    amount: Decimal
    document_amount: Decimal | None = None  # in ``currency``; None: the same as ``amount``
    currency: str = ""  # empty: base currency
    text: str = ""
    customer_id: int | None = None
    product_id: int | None = None
    quantity: int | None = None
    vat_code: str = ""
    due_on: date | None = None
    tax_on: date | None = None  # None: the entry's


@dataclass(frozen=True)
class EntryDraft:
    """An entry before it is posted; the document is what it books, the key makes it single."""

    journal: str
    entry_on: date
    posting_key: str
    lines: Sequence[LineDraft]
    text: str = ""
    document_kind: str = ""
    document_number: str | None = ""  # None: the number that the same statement gives to the document
    document_id: int | None = None
    reverses_id: int | None = None
    kind: str = "normal"
    exchange_rate: Decimal | None = None  # base currency for one unit; None: everything is in base currency
    rate_on: date | None = None
    rate_source: str = ""
    tax_on: date | None = None  # VAT period of the lines that carry a VAT code; None: the posting date's

    def tax_day(self, line: LineDraft) -> date:
        """The day whose VAT period a line belongs to."""
        return line.tax_on or (self.tax_on if line.vat_code else None) or self.entry_on


ENTRIES_SQL = """
d as materialized (
  select nextval('journal_entry_id_seq') as id, x.*
  from jsonb_to_recordset(%s::jsonb) x(n int, journal text, kind text, entry_on date, text text, posting_key text,
    document_kind text, document_number text, document_id bigint, reverses_id bigint, exchange_rate numeric,
    rate_on date, rate_source text, lines jsonb)
), e as (
  insert into journal_entry (id, journal, kind, entry_on, text, posting_key, document_kind, document_number,
    document_id, reverses_id, exchange_rate, rate_on, rate_source, actor_id, actor_name)
  select d.id, d.journal, d.kind, d.entry_on, d.text, d.posting_key, d.document_kind, {number}, d.document_id,
    d.reverses_id, d.exchange_rate, d.rate_on, d.rate_source, %s::bigint, %s::text
  from d order by d.n
  returning id, period, document_kind, document_number, document_id
), b as (
  insert into journal_line (entry_id, line_no, account, account_name, amount, document_amount, currency, text,
    customer_id, product_id, quantity, document_kind, document_number, document_id, vat_code, due_on,
    tax_on)
  select e.id, r.n, a.number, a.name, r.amount, r.document_amount, r.currency, r.text, r.customer_id, r.product_id,
    r.quantity, e.document_kind, e.document_number, e.document_id, r.vat_code, r.due_on, r.tax_on
  from e join d on d.id = e.id
  cross join lateral jsonb_to_recordset(d.lines) r(n int, account text, amount numeric, document_amount numeric,
    currency text, text text, customer_id bigint, product_id bigint, quantity int, vat_code text, due_on date,
    tax_on date)
  left join account a on a.number = r.account and not a.is_group and a.is_active
  order by e.id, r.n
  returning entry_id, line_no, account_name
)"""
"""Common table expressions that post entries; ``{number}`` is the SQL of the document's number.

A line whose account takes no postings fails on its missing account, so the statement is whole or nothing.
"""

_POST = f"""
with {ENTRIES_SQL.format(number="d.document_number")}
select e.id, e.period, (select array_agg(b.account_name order by b.line_no) from b where b.entry_id = e.id)
from e join d on d.id = e.id order by d.n"""


@dataclass(frozen=True)
class PostedEntry:
    """What posting adds to a draft."""

    id: int
    period: str
    account_names: Sequence[str]  # of the lines, in their order


def entry_arguments(entries: Sequence[EntryDraft], base_currency: str, actor: Actor | None = None) -> list[Any]:
    """Arguments of :data:`ENTRIES_SQL`: the entries as JSON, actor id, actor name.

    Raises DateTooFarAhead, DateBeforeBooks.
    """
    latest = timezone.now().date() + timedelta(days=DAYS_AHEAD)
    for entry in entries:
        if entry.entry_on > latest:
            raise DateTooFarAhead(f"{entry.entry_on} is too far ahead: entries may be dated until {latest}")
        _require_tax_period(entry, latest + timedelta(days=TAX_DAYS_AHEAD - DAYS_AHEAD))
    who = actor or current_actor()
    rows = [_entry_row(n, entry, base_currency) for n, entry in enumerate(entries, start=1)]
    return [dump_json(rows), who.id, who.name]


def _require_tax_period(entry: EntryDraft, latest: date) -> None:
    days = [entry.entry_on, *(entry.tax_day(line) for line in entry.lines)]
    if max(days) > latest:
        raise DateTooFarAhead(f"{max(days)} is too far ahead: the tax point may lie until {latest}")
    year = entry.entry_on.replace(month=1, day=1)  # months are opened by years, so a tax point in this year has one
    if min(days) < year and entry.reverses_id is None:
        first = FiscalPeriod.objects.order_by("starts_on").values_list("starts_on", flat=True).first()
        begun = min(first or year, year)
        if min(days) < begun:
            raise DateBeforeBooks(
                f"The day of fulfilment {min(days)} lies before the books begin, on {begun}: no VAT return would hold "
                "it. Look at the year; VAT of an earlier supply belongs to the return of the books before"
            )


def _entry_row(n: int, entry: EntryDraft, base_currency: str) -> dict[str, Any]:
    return {
        "n": n,
        "journal": entry.journal,
        "kind": entry.kind,
        "entry_on": entry.entry_on,
        "text": entry.text[:200],
        "posting_key": entry.posting_key,
        "document_kind": entry.document_kind,
        "document_number": entry.document_number,
        "document_id": entry.document_id,
        "reverses_id": entry.reverses_id,
        "exchange_rate": entry.exchange_rate,
        "rate_on": entry.rate_on,
        "rate_source": entry.rate_source,
        "lines": [_line_row(i, line, entry, base_currency) for i, line in enumerate(entry.lines, start=1)],
    }


def _line_row(n: int, line: LineDraft, entry: EntryDraft, base_currency: str) -> dict[str, Any]:
    return {
        "n": n,
        "account": line.account,
        "amount": line.amount,
        "document_amount": line.amount if line.document_amount is None else line.document_amount,
        "currency": line.currency or base_currency,
        "text": line.text[:200],
        "customer_id": line.customer_id,
        "product_id": line.product_id,
        "quantity": line.quantity,
        "vat_code": line.vat_code,
        "due_on": line.due_on,
        "tax_on": entry.tax_day(line),
    }


def write_entries(entries: Sequence[EntryDraft], base_currency: str, actor: Actor | None = None) -> list[int]:
    """Post entries in one statement inside the caller's transaction; returns their ids in the order given.

    Raises:
        AlreadyPosted, PeriodClosed, UnknownAccount; UnbalancedEntry comes when deferred checks run.
    """
    return [posted.id for posted in post_entries(entries, base_currency, actor)]


def post_entries(entries: Sequence[EntryDraft], base_currency: str, actor: Actor | None = None) -> list[PostedEntry]:
    """Like :func:`write_entries`, with what posting has added.

    Outside a transaction the statement is one by itself: all checks have run when it returns.
    """
    if not entries:
        return []
    with write_permit("ledger"), posting_errors(entries):
        rows = fetch_prepared("finance", _POST, entry_arguments(entries, base_currency, actor))
    return [PostedEntry(*row) for row in rows]


@contextmanager
def posting_errors(entries: Sequence[EntryDraft] = ()) -> Iterator[None]:
    """Turn PostgreSQL's refusals of Finance's rules into the business errors they are."""
    try:
        yield
    except DatabaseError as error:
        cause = sqlstate_error(error)
        message = (cause.diag.message_primary or "") if cause else ""
        code = cause.sqlstate if cause else None
        if code in {"FI001", "FI002"}:
            raise PeriodClosed(message) from error
        if code in {"FI003", "FI004"}:
            raise UnbalancedEntry(message) from error
        if code == "FI007":
            raise AdvanceExceeded(message) from error
        if code == "FI005":
            raise CreditExceedsInvoice(message) from error
        if code == "23502" and cause and cause.diag.table_name == "journal_line":
            numbers = sorted({line.account for entry in entries for line in entry.lines})
            raise UnknownAccount(
                f"not every account of {', '.join(numbers)} exists, is in use and takes postings", accounts=numbers
            ) from error
        if cause and cause.diag.constraint_name in _POSTED_ONCE:
            raise AlreadyPosted(cause.diag.message_detail) from error
        raise


def check_books() -> None:
    """Run the checks that PostgreSQL would make at commit now, so that a refusal comes from the service.

    Later postings of the same transaction are checked at its end again.
    """
    with posting_errors(), cursor("finance") as cur:
        cur.execute("set constraints all immediate; set constraints all deferred")


_POSTED_ONCE = {"journal_entry_posting_key_key", "journal_entry_reverses_id_key"}
