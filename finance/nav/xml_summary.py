"""invoiceSummary of a report: totals per VAT treatment and of the document."""

from functools import reduce
from operator import add as plus

from lxml import etree

from finance.nav.document import Category, Document, Money, VatSummary
from finance.nav.xml_values import add, money_text
from finance.nav.xml_vat import add_vat_rate

_ZERO = Money.of(0)


def add_summary(invoice: etree._Element, document: Document) -> None:
    """Append `invoiceSummary` from the document's own summary rows."""
    summary = add(invoice, "invoiceSummary")
    if document.category is Category.SIMPLIFIED:
        for row in document.summary:
            _add_simplified_row(summary, row)
    else:
        _add_normal(summary, document)
    gross = add(summary, "summaryGrossData")
    _add_money(gross, "invoiceGrossAmount", _total([row.gross for row in document.summary]))


def _add_normal(summary: etree._Element, document: Document) -> None:
    normal = add(summary, "summaryNormal")
    for row in document.summary:
        element = add(normal, "summaryByVatRate")
        add_vat_rate(element, "vatRate", row.vat, document.category)
        _add_money(add(element, "vatRateNetData"), "vatRateNetAmount", row.net or _ZERO)
        _add_money(add(element, "vatRateVatData"), "vatRateVatAmount", row.vat_amount or _ZERO)
        _add_money(add(element, "vatRateGrossData"), "vatRateGrossAmount", row.gross)
    _add_money(normal, "invoiceNetAmount", _total([row.net or _ZERO for row in document.summary]))
    _add_money(normal, "invoiceVatAmount", _total([row.vat_amount or _ZERO for row in document.summary]))


def _add_simplified_row(summary: etree._Element, row: VatSummary) -> None:
    element = add(summary, "summarySimplified")
    add_vat_rate(element, "vatRate", row.vat, Category.SIMPLIFIED)
    _add_money(element, "vatContentGrossAmount", row.gross)


def _add_money(parent: etree._Element, name: str, money: Money) -> None:
    add(parent, name, money_text(money.amount))
    add(parent, f"{name}HUF", money_text(money.huf))


def _total(amounts: list[Money]) -> Money:
    return reduce(plus, amounts, _ZERO)
