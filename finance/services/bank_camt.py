"""Reads CAMT.053 bank statements (any version): accounts, balances, booked entries, batches by their details."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from finance.errors import BadStatement
from finance.services.bank_files import Entry, Statement, refuse, require_size

_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_VALUED = ("{*}ValDt/{*}Dt", "{*}ValDt/{*}DtTm")
_BOOKED = ("{*}BookgDt/{*}Dt", "{*}BookgDt/{*}DtTm", *_VALUED)


def read_camt(content: bytes) -> list[Statement]:
    """Read all statements of a file.

    Raises:
        BadStatement: not a CAMT.053 file, or with every entry that cannot be read, and balances that do not add up.
    """
    require_size(content)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadStatement(f"The file is not XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None or "camt.053" not in (root.tag + str(root.nsmap)):
        raise BadStatement("The file is not a CAMT.053 statement")
    errors: list[str] = []
    statements = [_statement(element, errors) for element in root.iterfind("{*}BkToCstmrStmt/{*}Stmt")]
    refuse(errors)
    found = [s for s in statements if s.entries]
    if not found:
        raise BadStatement("The file has no booked entries")
    return found


def _statement(element: etree._Element, errors: list[str]) -> Statement:
    account = _text(element, "{*}Acct/{*}Id/{*}IBAN") or _text(element, "{*}Acct/{*}Id/{*}Othr/{*}Id")
    statement = Statement(
        "camt053", account.replace(" ", ""), _text(element, "{*}Id"), _text(element, "{*}Acct/{*}Ccy"),
        opening_balance=_balance(element, _OPENING), closing_balance=_balance(element, _CLOSING),
    )  # fmt: skip
    name = statement.statement_ref or "?"
    if not statement.account or not statement.statement_ref:
        errors.append(f"statement {name}: account or statement reference (Id) is missing")
    for n, entry in enumerate(element.iterfind("{*}Ntry"), start=1):
        if (_text(entry, "{*}Sts/{*}Cd") or _text(entry, "{*}Sts") or "BOOK") != "BOOK":
            continue  # announced only
        try:
            statement.entries += list(_entries(entry, n, statement))
        except ValueError as error:
            errors.append(f"statement {name}, entry {n}: {error}")
    statement.currency = statement.currency or (statement.entries[0].currency if statement.entries else "")
    errors += _contradictions(statement)
    return statement


def _contradictions(statement: Statement) -> list[str]:
    name, found, seen = statement.statement_ref, [], set()
    for entry in statement.entries:
        if entry.entry_ref in seen:
            found.append(f"statement {name}, entry {entry.row}: reference {entry.entry_ref} is used twice")
        seen.add(entry.entry_ref)
    opening, closing = statement.opening_balance, statement.closing_balance
    if not found and opening is not None and closing is not None:
        moved = sum((e.amount for e in statement.entries), Decimal(0))
        if opening + moved != closing:
            found.append(f"statement {name}: {opening} and entries of {moved} do not make the balance {closing}")
    return found


def _entries(entry: etree._Element, n: int, statement: Statement) -> Iterator[Entry]:
    """The entry, or each of its transactions when they tell their amounts and add up to it."""
    amount, currency = _money(entry, "{*}Amt")
    amount *= _sign(entry)
    booked_on = _day(entry, *_BOOKED)
    value_on = _day(entry, *_VALUED) if entry.find("{*}ValDt") is not None else None
    reference = _text(entry, "{*}AcctSvcrRef") or _text(entry, "{*}NtryRef")
    reference = reference or f"{statement.statement_ref}/{n}"
    details = list(entry.iterfind("{*}NtryDtls/{*}TxDtls"))
    parts = [_part(detail, entry) for detail in details]
    if len(details) > 1 and None not in parts and sum(p or 0 for p in parts) == amount:
        for k, (detail, part) in enumerate(zip(details, parts, strict=True), start=1):
            own = _text(detail, "{*}Refs/{*}AcctSvcrRef") or f"{reference}/{k}"
            yield _entry(n, own, booked_on, part or Decimal(0), currency, detail, value_on)
        return
    yield _entry(n, reference, booked_on, amount, currency, details[0] if details else entry, value_on)


def _entry(
    n: int, reference: str, booked_on: date, amount: Decimal, currency: str, detail: etree._Element,
    value_on: date | None,
) -> Entry:  # fmt: skip
    side = "Dbtr" if amount > 0 else "Cdtr"
    parties = f"{{*}}RltdPties/{{*}}{side}"
    name = _text(detail, f"{parties}/{{*}}Nm") or _text(detail, f"{parties}/{{*}}Pty/{{*}}Nm")
    own = f"{parties}Acct/{{*}}Id"
    account = _text(detail, f"{own}/{{*}}IBAN") or _text(detail, f"{own}/{{*}}Othr/{{*}}Id")
    told = [x.text or "" for x in detail.iterfind("{*}RmtInf/{*}Ustrd")]
    told += [x.text or "" for x in detail.iterfind("{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref")]
    end_to_end = _text(detail, "{*}Refs/{*}EndToEndId")
    if end_to_end and end_to_end != "NOTPROVIDED":
        told.append(end_to_end)
    told = told or [_text(detail, "{*}AddtlNtryInf") or _text(detail, "{*}AddtlTxInf")]
    return Entry(
        n, reference[:140], booked_on, amount, currency, name[:200], account.replace(" ", "")[:40],
        " ".join(" ".join(told).split())[:500], value_on,
    )  # fmt: skip


def _part(detail: etree._Element, entry: etree._Element) -> Decimal | None:
    for path in ("{*}Amt", "{*}AmtDtls/{*}TxAmt/{*}Amt"):
        if detail.find(path) is not None:
            own = detail if detail.find("{*}CdtDbtInd") is not None else entry
            return _money(detail, path)[0] * _sign(own)
    return None


def _sign(element: etree._Element) -> int:
    side = _text(element, "{*}CdtDbtInd")
    if side not in {"CRDT", "DBIT"}:
        raise ValueError(f"“{side}” is neither CRDT nor DBIT")
    return 1 if side == "CRDT" else -1


def _money(element: etree._Element, path: str) -> tuple[Decimal, str]:
    found = element.find(path)
    text = "" if found is None else (found.text or "").strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"“{text}” is not an amount") from None
    currency = "" if found is None else found.get("Ccy", "")
    if not amount.is_finite() or amount < 0 or len(currency) != 3:
        raise ValueError(f"“{text} {currency}” is not an amount of money")
    return amount, currency


def _day(entry: etree._Element, *paths: str) -> date:
    for path in paths:
        text = _text(entry, path)
        if text:
            try:
                return date.fromisoformat(text[:10])
            except ValueError:
                raise ValueError(f"“{text}” is not a date") from None
    raise ValueError("the date is missing")


def _balance(element: etree._Element, codes: tuple[str, ...]) -> Decimal | None:
    for balance in element.iterfind("{*}Bal"):
        if _text(balance, "{*}Tp/{*}CdOrPrtry/{*}Cd") in codes:
            try:
                return _money(balance, "{*}Amt")[0] * _sign(balance)
            except ValueError:
                return None
    return None


def _text(element: etree._Element, path: str) -> str:
    found = element.find(path)
    return "" if found is None else (found.text or "").strip()
