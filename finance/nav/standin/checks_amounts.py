"""Checks of arithmetic: they only warn, within the tolerance of 1 % or one forint."""

from collections.abc import Iterator
from decimal import Decimal

from finance.nav.standin.facts import DocumentFacts, Finding, LineFacts

_ZERO = Decimal(0)


def check_amounts(facts: DocumentFacts) -> Iterator[Finding]:
    """Find sums and products that do not hold."""
    least = Decimal(1) if facts.currency == "HUF" else Decimal("0.01")
    for line in facts.lines:
        yield from _check_line(line, least)
    if facts.is_summary_normal and facts.category != "SIMPLIFIED":
        yield from _check_summary(facts, least)


def _check_line(line: LineFacts, least: Decimal) -> Iterator[Finding]:
    if line.net is not None and line.quantity is not None and line.unit_price is not None:
        computed = line.quantity * line.unit_price - line.discount
        if _differs(line.net, computed, least):
            yield _warn("INCORRECT_LINE_CALCULATION_LINE_NET_AMOUNT", line.net, computed, "lineNetAmount", line.number)
    if line.net is not None and line.tax is not None and line.gross is not None:
        if _differs(line.gross, line.net + line.tax, least):
            code = "INCORRECT_LINE_CALCULATION_LINE_GROSS_AMOUNT_NORMAL"
            yield _warn(code, line.gross, line.net + line.tax, "lineGrossAmountNormal", line.number)


def _check_summary(facts: DocumentFacts, least: Decimal) -> Iterator[Finding]:
    net, tax = sum((row.net for row in facts.summary), _ZERO), sum((row.tax for row in facts.summary), _ZERO)
    if _differs(facts.amount("invoiceNetAmount"), net, least):
        code = "INCORRECT_SUMMARY_CALCULATION_INVOICE_NET_AMOUNT"
        yield _warn(code, facts.amount("invoiceNetAmount"), net, "invoiceNetAmount")
    if _differs(facts.amount("invoiceVatAmount"), tax, least):
        code = "INCORRECT_SUMMARY_CALCULATION_INVOICE_VAT_AMOUNT"
        yield _warn(code, facts.amount("invoiceVatAmount"), tax, "invoiceVatAmount")
    for row in facts.summary:
        lines = [line for line in facts.lines if line.vat == row.vat and line.net is not None]
        of_lines = sum((line.net for line in lines if line.net is not None), _ZERO)
        if lines and _differs(row.net, of_lines, least):
            code = "INCORRECT_SUMMARY_CALCULATION_VAT_RATE_NET_AMOUNT"
            yield _warn(code, row.net, of_lines, "vatRateNetAmount")
        if row.vat[0] == "vatPercentage" and _differs(row.tax, row.net * Decimal(row.vat[1]), least):
            code = "INCORRECT_SUMMARY_CALCULATION_VAT_RATE_VAT_AMOUNT"
            yield _warn(code, row.tax, row.net * Decimal(row.vat[1]), "vatRateVatAmount")


def _differs(given: Decimal, computed: Decimal, least: Decimal) -> bool:
    return abs(given - computed) > max(abs(computed) / 100, least)


def _warn(code: str, given: Decimal, computed: Decimal, tag: str, line: int | None = None) -> Finding:
    return Finding("WARN", code, f"{given} given, {computed} computed", tag, line, str(given))
