"""Whether lines, VAT summary and totals of a report agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from finance.nav.document import Money
from finance.nav.read_back import ReportedDocument, ReportedTotal
from finance.nav.vat import VatKey

_NOTHING = Money.of(0)
_AMOUNTS = ("net", "vat", "gross")


def sum_errors(report: ReportedDocument, *, with_line_huf: bool = True) -> Iterator[str]:
    """One sentence for each sum that is not what stands in the report.

    ``with_line_huf=False``: the lines' HUF are not added up, for documents whose lines were converted one by one.
    """
    for row in report.totals:
        yield from _own_sum(row, f"the summary of {_name(row.key)}")
    for name, total in (("net", report.net), ("vat", report.vat), ("gross", report.gross)):
        found = _sum(report.totals, name)
        if total is not None and found is not None and total != found:
            yield f"the {name} total is {_text(total)}, its summary adds up to {_text(found)}"
    lines, rows = _by_key(report.lines), _by_key(report.totals)
    for number, line in enumerate(report.lines, start=1):
        yield from _own_sum(line, f"line {number}", with_huf=with_line_huf)
    for key in sorted({*lines, *rows}):
        for name in _AMOUNTS:
            of_lines, says = _sum(lines.get(key, []), name), _sum(rows.get(key, []), name)
            if not _agree(of_lines, says, with_huf=with_line_huf):
                yield f"the {name} of {_name(key)} is {_text(of_lines)} on the lines, {_text(says)} in the summary"


def _own_sum(row: ReportedTotal, where: str, *, with_huf: bool = True) -> Iterator[str]:
    if row.net is None or row.vat is None or row.gross is None:
        return
    if not _agree(row.net + row.vat, row.gross, with_huf=with_huf):
        yield f"net and VAT of {where} add up to {_text(row.net + row.vat)}, its gross is {_text(row.gross)}"


def _by_key(rows: tuple[ReportedTotal, ...]) -> dict[VatKey, list[ReportedTotal]]:
    found: dict[VatKey, list[ReportedTotal]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    return found


def _sum(rows: tuple[ReportedTotal, ...] | list[ReportedTotal], name: str) -> Money | None:
    """The sum of what the rows say; None when one does not say it."""
    total = _NOTHING
    for row in rows:
        amount: Money | None = getattr(row, name)
        if amount is None:
            return None
        total = total + amount
    return total


def _agree(one: Money | None, other: Money | None, *, with_huf: bool) -> bool:
    if one is None or other is None:
        return True
    return one.amount == other.amount and (one.huf == other.huf or not with_huf)


def _name(key: VatKey) -> str:
    return " ".join(part for part in key if part)


def _text(money: Money | None) -> Decimal | str:
    return "nothing" if money is None else f"{money.amount} ({money.huf} HUF)"
