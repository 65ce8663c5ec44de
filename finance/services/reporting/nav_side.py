"""The NAV's side of a reconciliation: which documents it holds, and what each says, read back from the NAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from finance.nav.answers import TransactionStatus
from finance.nav.client import NavClient
from finance.nav.messages import DigestQuery
from finance.nav.read_back import ReportedDocument, read_report
from finance.services.reporting import contradictions
from finance.services.reporting.ahead import Ahead
from finance.services.reporting.ledger_side import Amounts
from finance.services.reporting.own_side import OwnDocument, VatMap

ZERO = Decimal(0)
REQUESTS_AHEAD = 1
WINDOW_DAYS = 31  # a digest query spans at most 35

Held = tuple[ReportedDocument, bytes]
"""What the NAV holds of a document, read and as XML."""


@dataclass(frozen=True)
class NavSide:
    """What the NAV holds of one document: per VAT code in HUF, and what is wrong with it."""

    amounts: Amounts
    problems: list[str]


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
    with Ahead(lambda: _answers(client, list(wanted)), REQUESTS_AHEAD) as answers:
        answers.start()
        for done, (transaction_id, status) in enumerate(answers, start=1):
            for result in status.results if status else ():
                if result.index in wanted[transaction_id] and result.original is not None:
                    yield read_report(result.original), result.original
            progress(done, len(wanted) + len(by_number))
    for done, number in enumerate(sorted(by_number), start=len(wanted) + 1):
        document = client.query_invoice_data(number)
        if document is not None:
            yield read_report(document.xml), document.xml
        progress(done, len(wanted) + len(by_number))


def _answers(client: NavClient, transaction_ids: Sequence[str]) -> Iterator[tuple[str, TransactionStatus | None]]:
    """What the NAV says of each request: the next is asked for while the last answer is read."""
    for transaction_id in transaction_ids:
        yield transaction_id, client.query_transaction_status(transaction_id, with_original=True)


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
