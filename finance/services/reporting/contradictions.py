"""Where a document contradicts itself, its posting, or the report of it that the NAV holds; each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.money import minor_units
from finance.nav.read_back import ReportedDocument, read_whole
from finance.nav.report_sums import sum_errors
from finance.nav.signing import sha3_512
from finance.services.reporting.ledger_side import Amounts, Booked

ZERO = Decimal(0)
NOTHING = (ZERO, ZERO)


def within(
    header: Mapping[str, Any], summary: Sequence[Mapping[str, Any]], lines: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Header, VAT summary and lines (per VAT code) of one document, and its seal."""
    for name in ("net", "vat", "gross", "base_net", "base_vat"):
        total = sum((rate[name] for rate in summary), ZERO)
        if total != header[f"{name}_total"]:
            yield f"the header's {name} is {header[f'{name}_total']}, its VAT summary says {total}"
    if header["base_gross_total"] != header["base_net_total"] + header["base_vat_total"]:
        yield f"the header's base_gross {header['base_gross_total']} is not the sum of its base_net and base_vat"
    by_code: dict[str, dict[str, Decimal]] = {}
    names = ("net", "vat", "gross", *(("base_net", "base_vat") if header["lines_keep_base"] else ()))
    for rate in summary:
        sums = by_code.setdefault(rate["vat_code"], dict.fromkeys(names, ZERO))
        for name in names:
            sums[name] += rate[name]
    for code in sorted({*lines, *by_code}):
        for name in names:
            says, of_lines = by_code.get(code, {}).get(name, ZERO), Decimal(lines.get(code, {}).get(name) or 0)
            if says != of_lines:
                yield f"the {name} of {code} is {of_lines} on the lines, {says} in the VAT summary"
    if not header["is_as_issued"]:
        yield "the document was changed after it was issued: its seal does not hold"


def with_ledger(header: Mapping[str, Any], native: Amounts, booked: Booked) -> Iterator[str]:
    """The document against its posting: what is owed, and the amounts in the document's currency."""
    owed = booked.owed.get(header["id"], NOTHING)
    if owed != (header["base_gross_total"], header["gross_total"]):
        yield (
            f"the ledger's receivable is {owed[0]} HUF ({owed[1]} {header['currency']}), "
            f"the document's gross {header['base_gross_total']} HUF ({header['gross_total']})"
        )
    posted = booked.native.get(header["id"], {})
    for code in sorted({*posted, *native}):
        if posted.get(code, NOTHING) != native.get(code, NOTHING):
            yield (
                f"{code} in {header['currency']}: net and VAT are {_pair(posted.get(code))} in the ledger, "
                f"{_pair(native.get(code))} on the document"
            )


def of_report(
    report: ReportedDocument,
    xml: bytes,
    native: Amounts,
    held: Amounts,
    *,
    sent_hash: str | None,
    lines_keep_base: bool,
) -> Iterator[str]:
    """The report that the NAV holds: whether it is what was sent, its amounts in the document's currency, its sums.

    ``held``: net and VAT per code in the document's currency, as the report says. The sums within a report that is to
    the byte what was sent are not added up again.
    """
    is_as_sent = sent_hash == sha3_512(xml.decode())
    if sent_hash is not None and not is_as_sent:
        yield "the NAV holds another XML than was sent"
    if minor_units(report.currency) > 2:  # a report carries two decimals, so the rounded sums prove nothing
        return
    if not is_as_sent:
        for text in sum_errors(read_whole(xml), with_line_huf=lines_keep_base):
            yield f"at the NAV: {text}"
    for code in sorted({*held, *native}):
        if held.get(code, NOTHING) != native.get(code, NOTHING):
            yield (
                f"{code} in {report.currency}: net and VAT are {_pair(held.get(code))} at the NAV, "
                f"{_pair(native.get(code))} on the document"
            )


def _pair(amounts: tuple[Decimal, Decimal] | None) -> str:
    return " and ".join(str(amount) for amount in amounts or NOTHING)
