"""Reconciles a period: VAT per code in the ledger, in the documents, and in what the NAV holds as DONE.

The NAV's side is read back from the NAV: which documents it holds, from its digests (annulled ones are not among
them), and what each says, from the summary of the XML it took in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from finance.errors import BadPeriod
from finance.nav.client import NavClient
from finance.nav.messages import DigestQuery
from finance.nav.read_back import ReportedDocument, read_report
from finance.services.reporting import contradictions
from finance.services.reporting.ahead import Ahead
from finance.services.reporting.connection import connect
from finance.services.reporting.ledger_side import Amounts
from finance.services.reporting.own_side import Books, OwnDocument, VatMap, read_books

ZERO = Decimal(0)
WINDOW_DAYS = 31  # a digest query spans at most 35
AHEAD = 300  # reports read from the NAV that wait for the comparison


Held = tuple[ReportedDocument, bytes]
"""What the NAV holds of a document, read and as XML."""


@dataclass(frozen=True)
class NavSide:
    """What the NAV holds of one document: per VAT code in HUF, and what is wrong with it."""

    amounts: Amounts
    problems: list[str]


@dataclass
class Reconciliation:
    """The three sides of a period, and every document on which they do not agree."""

    first: date
    last: date
    codes: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    pending: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)  # numbers that the NAV holds and the books do not know

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs but what was issued less than 24 hours ago and is under way."""
        return not (self.missing or self.refused or self.differences or self.strays)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"period": [self.first, self.last], **{k: v for k, v in vars(self).items() if k not in _DAYS}}


_DAYS = ("first", "last")


def parse_period(text: str) -> tuple[date, date]:
    """First and last day of ``2026``, ``2026-Q1``, ``2026-03`` or ``2026-03-10``. Raises BadPeriod."""
    year, _, part = text.partition("-")
    try:
        if not part:
            return date(int(year), 1, 1), date(int(year), 12, 31)
        if part.upper() in {"Q1", "Q2", "Q3", "Q4"}:
            start = 3 * int(part[1]) - 2
            return date(int(year), start, 1), _month_end(int(year), start + 2)
        if "-" in part:
            day = date.fromisoformat(text)
            return day, day
        return date(int(year), int(part), 1), _month_end(int(year), int(part))
    except ValueError as error:
        raise BadPeriod(f"{text!r} is no period: give 2026-03, 2026-Q1, 2026 or 2026-03-10") from error


def _month_end(year: int, month: int) -> date:
    return (date(year, month, 1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def reconcile(
    period: str, client: NavClient | None = None, progress: Callable[[int, int], None] = lambda done, of: None
) -> Reconciliation:
    """Compare the documents issued in a period with the ledger and with what the NAV holds.

    The books are read as of one moment before the first question to the NAV; documents that the NAV has and they had
    not are looked up again, since they may have been issued and reported meanwhile.

    Raises:
        BadPeriod, ReportingNotSetUp: nothing was compared.
        NavError: the NAV cannot be asked; the same.
    """
    first, last = parse_period(period)
    return reconcile_days(first, last, client or connect(), progress)


def reconcile_days(
    first: date, last: date, client: NavClient, progress: Callable[[int, int], None] = lambda done, of: None
) -> Reconciliation:
    """The same for the documents issued from one day to another; ``progress`` is told in another thread."""
    found = Reconciliation(first, last)
    nav: dict[str, NavSide] = {}
    strays: dict[str, Held] = {}
    twice: set[str] = set()
    with Ahead(lambda: held_reports(client, first, last, progress), AHEAD) as held:
        books = read_books(first, last, begun=held.start)
        own = {document.number: document for document in books.documents}
        for report, xml in held:
            if report.number in nav or report.number in strays:
                twice.add(report.number)
            if report.number in own:
                nav[report.number] = nav_side((report, xml), own[report.number], books.codes)
            else:
                strays[report.number] = (report, xml)
    if strays:
        _issued_meanwhile(found, books, strays, nav)
    _compare_all(found, books, nav, strays)
    found.differences += [
        {"number": number, "code": "", "side": "nav", "problem": "the NAV holds this number more than once"}
        for number in sorted(twice)
    ]
    return found


def _issued_meanwhile(found: Reconciliation, books: Books, strays: dict[str, Held], nav: dict[str, NavSide]) -> None:
    """Take in what was issued since the books were read; only what the books do not know stays a stray."""
    fresh = read_books(found.first, found.last, list(strays))
    books.documents += fresh.documents
    books.booked.amounts |= {key: amounts for key, amounts in fresh.booked.amounts.items() if key}
    for document in fresh.documents:
        nav[document.number] = nav_side(strays.pop(document.number), document, fresh.codes)


def _compare_all(found: Reconciliation, books: Books, nav: dict[str, NavSide], strays: dict[str, Held]) -> None:
    sums: dict[str, list[Decimal]] = {}
    ledger = dict(books.booked.amounts)
    for document in books.documents:
        side = nav.get(document.number)
        booked = ledger.pop(document.id, {})
        for n, amounts in enumerate((booked, document.amounts, side.amounts if side else {})):
            _add(sums, n, amounts)
        _compare(found, document, booked, side)
    for key, booked in ledger.items():  # VAT that no document of the period stands behind
        _add(sums, 0, booked)
        found.differences += [_difference(f"document {key}", code, booked, {}, None) for code in booked]
    for key, booked in books.booked.entries.items():
        _add(sums, 0, booked)
        found.differences += [_difference(f"entry {key}", code, booked, {}, None) for code in booked]
    found.strays = list(strays)
    for report, _ in strays.values():
        stray = amounts_of(report, None, books.codes, "huf")
        _add(sums, 2, stray)
        found.differences += [_difference(report.number, code, {}, {}, stray) for code in stray]
    found.codes = [{"code": code, "ledger": s[0], "documents": s[1], "nav": s[2]} for code, s in sorted(sums.items())]


def held_reports(
    client: NavClient, first: date, last: date, progress: Callable[[int, int], None] = lambda done, of: None
) -> Iterator[Held]:
    """What the NAV holds as DONE of documents issued in these days, each request of ours fetched once.

    A digest need not say in which request a document came: such a document is asked for by its number.
    """
    wanted: dict[str, set[int]] = {}
    by_number: set[str] = set()
    day = first
    while day <= last:
        end = min(last, day + timedelta(days=WINDOW_DAYS - 1))
        for digest in client.list_digests(DigestQuery(issued=(day, end))):
            if digest.transaction_id and digest.index is not None:
                wanted.setdefault(digest.transaction_id, set()).add(digest.index)
            else:
                by_number.add(digest.number)
        day = end + timedelta(days=1)
    for done, (transaction_id, indices) in enumerate(wanted.items(), start=1):
        status = client.query_transaction_status(transaction_id, with_original=True)
        for result in status.results if status else ():
            if result.index in indices and result.original is not None:
                yield read_report(result.original), result.original
        progress(done, len(wanted) + len(by_number))
    for done, number in enumerate(sorted(by_number), start=len(wanted) + 1):
        document = client.query_invoice_data(number)
        if document is not None:
            yield read_report(document.xml), document.xml
        progress(done, len(wanted) + len(by_number))


def nav_side(of_nav: Held, document: OwnDocument, codes: VatMap) -> NavSide:
    """What the NAV holds of a document, and where it contradicts itself, the document, or what was sent."""
    report, xml = of_nav
    held = amounts_of(report, document, codes, "amount")
    problems = contradictions.of_report(
        report, xml, document.native, held, sent_hash=document.sent_hash, lines_keep_base=document.lines_keep_base
    )
    return NavSide(amounts_of(report, document, codes, "huf"), list(problems))


def amounts_of(
    report: ReportedDocument, document: OwnDocument | None, codes: VatMap, unit: Literal["huf", "amount"]
) -> Amounts:
    """Net and VAT that a report says per VAT code, in HUF or in its currency; of a simplified one from the gross."""
    amounts: Amounts = {}
    own_amounts = {} if document is None else document.amounts if unit == "huf" else document.native
    for total in report.totals:
        code = codes.code_of(total.key)
        if total.net is not None and total.vat is not None:
            pair = (getattr(total.net, unit), getattr(total.vat, unit))
        else:
            gross = getattr(total.gross, unit) if total.gross else ZERO
            own = own_amounts.get(code)
            # The same gross amount under the same rate: the VAT inside is the document's.
            pair = own if own and sum(own) == gross else codes.inside(gross, code)
        before = amounts.get(code, (ZERO, ZERO))
        amounts[code] = (before[0] + pair[0], before[1] + pair[1])
    return amounts


def _compare(found: Reconciliation, document: OwnDocument, booked: Amounts, side: NavSide | None) -> None:
    nav = side.amounts if side else None
    found.differences += [
        _difference(document.number, code, booked, document.amounts, nav)
        for code in sorted({*booked, *document.amounts, *(nav or {})})
        if not _agree(code, booked, document.amounts, nav)
    ]
    for where, problems in (("books", document.contradictions), ("nav", side.problems if side else ())):
        found.differences += [
            {"number": document.number, "code": "", "side": where, "problem": text} for text in problems
        ]
    if side is None:
        _list_unreported(found, document)


def _agree(code: str, booked: Amounts, own: Amounts, nav: Amounts | None) -> bool:
    nothing = (ZERO, ZERO)
    sides = [booked.get(code, nothing), own.get(code, nothing)]
    if nav is not None:
        sides.append(nav.get(code, nothing))
    return all(side == sides[0] for side in sides)


def _difference(number: str, code: str, booked: Amounts, own: Amounts, nav: Amounts | None) -> dict[str, Any]:
    nothing = (ZERO, ZERO)
    row: dict[str, Any] = {"number": number, "code": code}
    for name, side in (("ledger", booked), ("documents", own), ("nav", nav)):
        net, vat = (None, None) if side is None else side.get(code, nothing)
        row |= {name: vat, f"{name}_net": net}
    return row


def _list_unreported(found: Reconciliation, document: OwnDocument) -> None:
    row = {"number": document.number, "state": document.state, "vat": sum(v for _, v in document.amounts.values())}
    if document.state in {"refused", "blocked"}:
        found.refused.append({**row, "messages": document.messages})
    elif document.state in {"waiting", "sending", "sent"} and not document.is_late:
        found.pending.append({**row, "due_at": document.due_at})
    else:
        found.missing.append(row)


def _add(sums: dict[str, list[Decimal]], side: int, amounts: Amounts) -> None:
    for code, (_, vat) in amounts.items():
        sums.setdefault(code, [ZERO, ZERO, ZERO])[side] += vat
