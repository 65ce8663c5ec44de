"""Reads what a report says back from its XML: number, chain, and totals per VAT treatment."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from finance.nav.document import Money
from finance.nav.vat import VatElement, VatKey
from finance.nav.xmlread import parse_xml, required, text_of


@dataclass(frozen=True, slots=True)
class ReportedTotal:
    """One summary row; for a simplified invoice the tax is not reported, so `vat` is None."""

    key: VatKey
    net: Money | None
    vat: Money | None
    gross: Money | None


@dataclass(frozen=True, slots=True)
class ReportedDocument:
    """What a report holds, as far as the books are compared with it."""

    number: str
    original_number: str | None
    category: str
    currency: str
    totals: tuple[ReportedTotal, ...]


def read_report(xml: bytes) -> ReportedDocument:
    """Read an InvoiceData XML; raises `NotXml` or `LookupError` when it is none."""
    return read_tree(parse_xml(xml))


def read_tree(root: etree._Element) -> ReportedDocument:
    """Like `read_report`, of a document that is parsed already."""
    return ReportedDocument(
        number=required(root, "{*}invoiceNumber"),
        original_number=text_of(root, ".//{*}invoiceReference/{*}originalInvoiceNumber"),
        category=required(root, ".//{*}invoiceDetail/{*}invoiceCategory"),
        currency=required(root, ".//{*}invoiceDetail/{*}currencyCode"),
        totals=tuple(_totals(root)),
    )


def vat_key(rate: etree._Element) -> VatKey:
    """Return the key of a `vatRate` or `lineVatRate` element: element, value and case."""
    child = rate[0]
    name = etree.QName(child).localname
    if name in (VatElement.EXEMPTION, VatElement.OUT_OF_SCOPE):
        return (name, required(child, "{*}case"), "")
    if name == VatElement.AMOUNT_MISMATCH:
        return (name, _plain(required(child, "{*}vatRate")), required(child, "{*}case"))
    if name in (VatElement.PERCENTAGE, VatElement.CONTENT):
        return (name, _plain(child.text or ""), "")
    return (name, child.text or "", "")


def _plain(number: str) -> str:
    return f"{Decimal(number).normalize():f}"


def _totals(root: etree._Element) -> Iterator[ReportedTotal]:
    for row in root.iterfind(".//{*}summaryByVatRate"):
        yield ReportedTotal(
            key=vat_key(row[0]),
            net=_money(row, "{*}vatRateNetData/{*}vatRateNetAmount"),
            vat=_money(row, "{*}vatRateVatData/{*}vatRateVatAmount"),
            gross=_money(row, "{*}vatRateGrossData/{*}vatRateGrossAmount"),
        )
    for row in root.iterfind(".//{*}summarySimplified"):
        yield ReportedTotal(vat_key(row[0]), None, None, _money(row, "{*}vatContentGrossAmount"))


def _money(row: etree._Element, path: str) -> Money | None:
    amount = text_of(row, path)
    return None if amount is None else Money(Decimal(amount), Decimal(required(row, f"{path}HUF")))
