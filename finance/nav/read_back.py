"""Reads what a report says back from its XML: number, chain, and totals per VAT treatment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from lxml import etree

from finance.nav.document import Money
from finance.nav.names import DATA
from finance.nav.vat import VatElement, VatKey
from finance.nav.xmlread import parse_xml, required, text_of


@dataclass(frozen=True, slots=True)
class ReportedTotal:
    """One summary row, or one line; for a simplified invoice the tax is not reported, so `vat` is None."""

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
    # Of read_whole only:
    lines: tuple[ReportedTotal, ...] = ()
    net: Money | None = None
    vat: Money | None = None
    gross: Money | None = None


def read_report(xml: bytes) -> ReportedDocument:
    """What an InvoiceData XML says in total; raises `NotXml` or `LookupError` when it is none."""
    return read_tree(parse_xml(xml))


def read_whole(xml: bytes) -> ReportedDocument:
    """Like `read_report`, with lines and totals."""
    root = parse_xml(xml)
    summary = root.find("{*}invoiceMain/{*}invoice/{*}invoiceSummary")
    if summary is None:
        raise LookupError("invoiceSummary")
    return replace(
        read_tree(root),
        lines=tuple(_lines(root)),
        net=_money(summary, "summaryNormal/invoiceNetAmount"),
        vat=_money(summary, "summaryNormal/invoiceVatAmount"),
        gross=_money(summary, "summaryGrossData/invoiceGrossAmount"),
    )


def read_tree(root: etree._Element) -> ReportedDocument:
    """What a parsed document says in total, without its lines."""
    # Full paths: a search through all lines of a document takes several times as long.
    return ReportedDocument(
        number=required(root, _q("invoiceNumber")),
        original_number=text_of(root, _q("invoiceMain/invoice/invoiceReference/originalInvoiceNumber")),
        category=required(root, _q("invoiceMain/invoice/invoiceHead/invoiceDetail/invoiceCategory")),
        currency=required(root, _q("invoiceMain/invoice/invoiceHead/invoiceDetail/currencyCode")),
        totals=tuple(_totals(root)),
    )


@cache
def _q(path: str) -> str:
    """A path of elements of InvoiceData."""
    return "/".join(f"{{{DATA}}}{name}" for name in path.split("/"))


def vat_key(rate: etree._Element) -> VatKey:
    """Return the key of a `vatRate` or `lineVatRate` element: element, value and case."""
    child = rate[0]
    name = str(child.tag).rpartition("}")[2]
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
    summary = root.find(_q("invoiceMain/invoice/invoiceSummary"))
    if summary is None:
        return
    for row in summary.iterfind(_q("summaryNormal/summaryByVatRate")):
        found = _by_name(row)
        amounts = (_pair(found, f"vatRate{name}Amount") for name in ("Net", "Vat", "Gross"))
        yield ReportedTotal(vat_key(row[0]), *amounts)
    for row in summary.iterfind(_q("summarySimplified")):
        yield ReportedTotal(vat_key(row[0]), None, None, _money(row, "vatContentGrossAmount"))


def _lines(root: etree._Element) -> Iterator[ReportedTotal]:
    for line in root.iterfind("{*}invoiceMain/{*}invoice/{*}invoiceLines/{*}line"):
        for amounts in line.iterchildren("{*}lineAmountsNormal", "{*}lineAmountsSimplified"):
            found = _by_name(amounts)
            yield ReportedTotal(
                vat_key(found["lineVatRate"]),
                _pair(found, "lineNetAmount"),
                _pair(found, "lineVatAmount"),
                _pair(found, "lineGrossAmountNormal") or _pair(found, "lineGrossAmountSimplified"),
            )


def _by_name(part: etree._Element) -> dict[str, etree._Element]:
    """The few elements of a line or summary row: one walk is several times faster than a search for each."""
    return {str(e.tag).rpartition("}")[2]: e for e in part.iter(etree.Element)}


def _pair(found: Mapping[str, etree._Element], name: str) -> Money | None:
    if name not in found:
        return None
    return Money(Decimal(found[name].text or ""), Decimal(found[f"{name}HUF"].text or ""))


def _money(row: etree._Element, path: str) -> Money | None:
    amount = text_of(row, _q(path))
    return None if amount is None else Money(Decimal(amount), Decimal(required(row, _q(f"{path}HUF"))))
