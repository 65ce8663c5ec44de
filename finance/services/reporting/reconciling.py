"""Reconciles a period: VAT per code in the ledger, in the documents, and in what the NAV holds as DONE.

The NAV's side is read back from the NAV: which documents it holds, from its digests (annulled ones are not among
them), and what each says, from the summary of the XML it took in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from finance.errors import BadPeriod
from finance.models import NavSubmission
from finance.nav.client import NavClient
from finance.services.reporting.ahead import Ahead
from finance.services.reporting.archive import altered_in
from finance.services.reporting.connection import connect
from finance.services.reporting.ledger_side import Amounts
from finance.services.reporting.nav_side import Held, NavSide, amounts_of, held_reports, nav_side
from finance.services.reporting.own_side import Books, OwnDocument, read_books

ZERO = Decimal(0)
AHEAD = 300  # reports read from the NAV that wait for the comparison


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
    """Compare the documents issued in a period with the ledger and what the NAV holds, the archive with its hashes.

    The books are read as of one moment before the first question to the NAV; documents that the NAV has and they had
    not are looked up again, since they may have been issued and reported meanwhile.

    Raises:
        BadPeriod, ReportingNotSetUp: nothing was compared.
        NavError: the NAV cannot be asked; the same.
    """
    first, last = parse_period(period)
    ours = client or connect()
    with Ahead(lambda: altered_in(first, last), AHEAD) as altered:  # the archive is read while the NAV answers
        altered.start()
        found = reconcile_days(first, last, ours, progress)
        found.differences += [_problem(number, "archive", text) for number, text in altered]
    return found


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
        _problem(number, "nav", "the NAV holds this number more than once") for number in sorted(twice)
    ]
    found.differences += _held_though(books, nav)
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


def _compare(found: Reconciliation, document: OwnDocument, booked: Amounts, side: NavSide | None) -> None:
    nav = side.amounts if side else None
    found.differences += [
        _difference(document.number, code, booked, document.amounts, nav)
        for code in sorted({*booked, *document.amounts, *(nav or {})})
        if not _agree(code, booked, document.amounts, nav)
    ]
    for where, problems in (("books", document.contradictions), ("nav", side.problems if side else ())):
        found.differences += [_problem(document.number, where, text) for text in problems]
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


def _problem(number: str, side: str, text: str) -> dict[str, Any]:
    return {"number": number, "code": "", "side": side, "problem": text}


def _held_though(books: Books, nav: Mapping[str, NavSide]) -> Iterator[dict[str, Any]]:
    """What the NAV holds although its report here is not one that it can have; under way for a day at most."""
    odd = {d.number for d in books.documents if d.number in nav and not _may_be_held(d.state, is_late=d.is_late)}
    late = {d.number for d in books.documents if d.number in odd and d.is_late}
    now = NavSubmission.objects.filter(number__in=odd).order_by("pk").values_list("number", "state")
    states = dict.fromkeys(sorted(odd), "missing") | dict(now)  # it may have been sent again meanwhile
    for number, state in states.items():
        if not _may_be_held(state, is_late=number in late):
            text = f"the NAV holds it, but its report here is {state}: Repair and report again on the document's page"
            yield {**_problem(number, "nav", text), "state": state}


def _may_be_held(state: str, *, is_late: bool) -> bool:
    return state == "done" or (state in {"waiting", "sending", "sent"} and not is_late)


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
