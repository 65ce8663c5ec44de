"""What a bank statement is, and CSV files read by a mapping: good as a whole, or refused with every error."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from finance.errors import BadStatement
from finance.models import BankMapping

MAX_BYTES = 10 * 1024 * 1024
MAX_ERRORS = 50


@dataclass(frozen=True)
class Entry:
    """One movement as the bank reports it; money in is positive."""

    row: int  # row of the CSV file, or number of the entry in the statement
    entry_ref: str
    booked_on: date
    amount: Decimal
    currency: str
    payer_name: str = ""
    payer_account: str = ""
    reference: str = ""
    value_on: date | None = None  # where the bank tells it


@dataclass
class Statement:
    """One statement of one account with its entries."""

    format: str
    account: str
    statement_ref: str
    currency: str
    entries: list[Entry] = field(default_factory=list)
    opening_balance: Decimal | None = None
    closing_balance: Decimal | None = None

    @property
    def first_on(self) -> date:
        """Day of the earliest entry."""
        return min(e.booked_on for e in self.entries)

    @property
    def last_on(self) -> date:
        """Day of the latest entry."""
        return max(e.booked_on for e in self.entries)


def refuse(errors: list[str]) -> None:
    """Raise BadStatement that lists the errors, when there are any."""
    if errors:
        shown = errors[:MAX_ERRORS]
        more = f" (and {len(errors) - len(shown)} more)" if len(errors) > len(shown) else ""
        raise BadStatement(f"Nothing was imported: {'; '.join(shown)}{more}", errors=shown)


def require_size(content: bytes) -> None:
    """Raise BadStatement for an empty file, or one that no statement needs."""
    if not content.strip():
        raise BadStatement("The file is empty")
    if len(content) > MAX_BYTES:
        raise BadStatement(f"The file has {len(content)} bytes; at most {MAX_BYTES} are read")


MAPPED = ("booked_on", "value_on", "amount", "currency", "entry_ref", "reference", "payer_name", "payer_account")
"""Fields that a column of a CSV file may be."""


def mapping_problem(columns: Any) -> str:
    """What is wrong with a mapping of fields to headings; empty when nothing is."""
    if not isinstance(columns, dict) or not all(isinstance(v, str) and v for v in columns.values()):
        return 'Give headings by field: {"booked_on": "Date", "amount": "Amount"}.'
    unknown = sorted(set(columns) - set(MAPPED))
    if unknown:
        return f"There is no field {', '.join(unknown)}; fields are {', '.join(MAPPED)}."
    missing = [name for name in ("booked_on", "amount") if name not in columns]
    return f"Say which column is {' and '.join(missing)}." if missing else ""


def encoding_problem(encoding: str) -> str:
    """What is wrong with the name of an encoding; empty when nothing is."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        return "There is no such encoding; try utf-8-sig or cp1250."
    return ""


def read_csv(
    content: bytes, mapping: BankMapping, account: str, currency: str, closing_balance: Decimal | None = None
) -> Statement:
    """Read a CSV file by a bank's mapping.

    Args:
        account: own account that the file is of; CSV files do not say.
        currency: of rows that do not name theirs.
        closing_balance: as the bank states it, when it is known; CSV files do not say.

    Raises:
        BadStatement: with every row that cannot be read, and why.
    """
    require_size(content)
    try:
        text = content.decode(mapping.encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise BadStatement(f"The file is not {mapping.encoding}: {error}") from error
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=mapping.delimiter)
    missing = [v for v in mapping.columns.values() if v not in (rows.fieldnames or [])]
    if missing:
        raise BadStatement(
            f"The file has no column {', '.join(missing)}; it has {', '.join(rows.fieldnames or ['none'])}. "
            f"Check the mapping “{mapping.name}”"
        )
    entries, errors, seen = [], [], Counter[str]()
    for row in rows:
        if not any((value or "").strip() for value in row.values() if isinstance(value, str)):
            continue
        try:
            entries.append(_csv_entry(row, rows.line_num, mapping, currency, seen))
        except ValueError as error:
            errors.append(f"row {rows.line_num}: {error}")
    errors += _repeated(entries)
    refuse(errors)
    if not entries:
        raise BadStatement("The file has no entries")
    digest = hashlib.sha256(content).hexdigest()[:16]
    first, last = min(e.booked_on for e in entries), max(e.booked_on for e in entries)
    return Statement("csv", account, f"{first:%Y%m%d}-{last:%Y%m%d}-{digest}", currency, entries, None, closing_balance)


def _csv_entry(row: Mapping[str, Any], line: int, mapping: BankMapping, currency: str, seen: Counter[str]) -> Entry:
    def value(name: str) -> str:
        heading = mapping.columns.get(name)
        return (row.get(heading) or "").strip() if heading else ""

    booked_on = _day(value("booked_on"), mapping.date_format)
    amount = _amount(value("amount"), mapping.decimal_separator)
    found = value("currency") or currency
    if len(found) != 3 or not found.isalpha():
        raise ValueError(f"“{found}” is not a currency")
    content = "|".join([str(booked_on), str(amount), *(value(n) for n in ("payer_name", "payer_account", "reference"))])
    seen[content] += 1
    value_on = _day(value("value_on"), mapping.date_format) if value("value_on") else None
    # Without a reference of the bank's own, equal rows are told apart by their order within a file.
    made = hashlib.sha256(f"{content}|{seen[content]}".encode()).hexdigest()[:32]
    return Entry(
        line, value("entry_ref")[:140] or made, booked_on, amount, found.upper(), value("payer_name")[:200],
        value("payer_account").replace(" ", "")[:40], value("reference")[:500], value_on,
    )  # fmt: skip


def _day(text: str, date_format: str) -> date:
    try:
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        raise ValueError(f"“{text}” is not a date like {date_format}") from None


def _amount(text: str, separator: str) -> Decimal:
    other = "." if separator == "," else ","
    plain = "".join(text.split()).replace("\u00a0", "").replace(other, "").replace(separator, ".")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"“{text}” is not an amount") from None
    if not amount.is_finite() or not amount or abs(amount) >= Decimal(10) ** 14:
        raise ValueError(f"“{text}” is not an amount of money")
    if amount != round(amount, 4):
        raise ValueError(f"“{text}” has more than four decimals")
    return amount


def _repeated(entries: list[Entry]) -> list[str]:
    """Entries that use a reference a second time."""
    first: dict[str, int] = {}
    errors = []
    for entry in entries:
        if entry.entry_ref in first:
            errors.append(f"row {entry.row}: {entry.entry_ref} is the reference of row {first[entry.entry_ref]}")
        first.setdefault(entry.entry_ref, entry.row)
    return errors
