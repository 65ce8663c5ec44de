"""What the checks look at in an InvoiceData document, read once. Independent of the code that writes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from lxml import etree

from finance.nav.names import BASE, DATA

VatFacts = tuple[str, str, str]
"""Element, value (rate, case code or flag) and mismatch case."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a document."""

    result: str  # ERROR or WARN
    code: str
    message: str
    tag: str = ""
    line: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line."""

    number: int
    chain_number: int | None
    line_operation: str
    kind: str  # normal, simplified or empty
    vat: VatFacts | None
    net: Decimal | None
    tax: Decimal | None
    gross: Decimal | None
    quantity: Decimal | None
    unit_price: Decimal | None
    discount: Decimal


@dataclass(frozen=True, slots=True)
class SummaryFacts:
    """One summary row."""

    vat: VatFacts
    net: Decimal
    net_huf: Decimal
    tax: Decimal
    tax_huf: Decimal


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """The buyer as reported."""

    status: str
    has_vat_data: bool
    has_name: bool
    has_address: bool
    tax_number: etree._Element | None
    community_number: str
    member_tax_number: str

    @property
    def taxpayer_id(self) -> str:
        """The Hungarian taxpayer id, or empty."""
        return "" if self.tax_number is None else self.tax_number.findtext(f"{{{BASE}}}taxpayerId") or ""

    @property
    def has_full_tax_number(self) -> bool:
        """Whether VAT code and county code stand with the id."""
        number = self.tax_number
        return number is not None and all(
            number.findtext(f"{{{BASE}}}{part}") for part in ("taxpayerId", "vatCode", "countyCode")
        )


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """A schema-valid document."""

    invoice: etree._Element
    detail: Mapping[str, str]  # elements of invoiceDetail and, in totals, of summaryNormal that hold a text
    totals: Mapping[str, str]
    number: str
    issued_on: date
    delivered_on: date
    category: str
    currency: str
    exchange_rate: Decimal
    is_complete: bool
    supplier_id: str
    customer: CustomerFacts | None
    original_number: str | None
    without_master: bool
    modification_index: int
    lines: tuple[LineFacts, ...]
    summary: tuple[SummaryFacts, ...]
    simplified_vat: tuple[VatFacts, ...]
    is_summary_normal: bool

    def amount(self, name: str) -> Decimal:
        """Return an amount of the normal summary, 0 when it is not there."""
        return Decimal(self.totals.get(name) or 0)


@cache
def _q(name: str) -> str:
    return f"{{{DATA}}}{name}"


_LINE_VAT_RATE, _LINE_NUMBER, _LINE_REFERENCE, _LINE_OPERATION, _LINE_NORMAL = (
    f"{{{DATA}}}{name}"
    for name in ("lineVatRate", "lineNumber", "lineNumberReference", "lineOperation", "lineAmountsNormal")
)


def text_at(parent: etree._Element, *names: str) -> str | None:
    """Return the text at a path of InvoiceData elements."""
    return parent.findtext(_path(names))


@cache
def _path(names: tuple[str, ...]) -> str:
    return "/".join(_q(name) for name in names)


def read_facts(root: etree._Element) -> DocumentFacts | None:
    """Read a schema-valid InvoiceData; None for a batch invoice (several bases in one document)."""
    invoice = root.find(f"{_q('invoiceMain')}/{_q('invoice')}")
    if invoice is None:
        return None
    head = invoice.find(_q("invoiceHead"))
    assert head is not None
    original = text_at(invoice, "invoiceReference", "originalInvoiceNumber")
    detail = _texts(head.find(_q("invoiceDetail")))
    normal = invoice.find(f"{_q('invoiceSummary')}/{_q('summaryNormal')}")
    return DocumentFacts(
        invoice=invoice,
        detail=detail,
        totals=_texts(normal),
        number=text_at(root, "invoiceNumber") or "",
        issued_on=date.fromisoformat(text_at(root, "invoiceIssueDate") or ""),
        delivered_on=date.fromisoformat(detail.get("invoiceDeliveryDate", "")),
        category=detail.get("invoiceCategory", ""),
        currency=detail.get("currencyCode", ""),
        exchange_rate=Decimal(detail.get("exchangeRate") or 1),
        is_complete=text_at(root, "completenessIndicator") in ("true", "1"),
        supplier_id=head.findtext(f"{_q('supplierInfo')}/{_q('supplierTaxNumber')}/{{{BASE}}}taxpayerId") or "",
        customer=_customer(head.find(_q("customerInfo"))),
        original_number=original,
        without_master=text_at(invoice, "invoiceReference", "modifyWithoutMaster") in ("true", "1"),
        modification_index=int(text_at(invoice, "invoiceReference", "modificationIndex") or 0),
        lines=tuple(_line(line) for line in invoice.iterfind(f"{_q('invoiceLines')}/{_q('line')}")),
        summary=tuple(_summary_row(row) for row in invoice.iter(_q("summaryByVatRate"))),
        simplified_vat=tuple(
            _vat(row)
            for found in invoice.iter(_q("summarySimplified"))
            if (row := found.find(_q("vatRate"))) is not None
        ),
        is_summary_normal=normal is not None,
    )


def _texts(parent: etree._Element | None) -> dict[str, str]:
    if parent is None:
        return {}
    return {str(e.tag).rpartition("}")[2]: e.text for e in parent.iterchildren(etree.Element) if e.text}


def _customer(info: etree._Element | None) -> CustomerFacts | None:
    if info is None:
        return None
    number = info.find(f"{_q('customerVatData')}/{_q('customerTaxNumber')}")
    member = "" if number is None else number.findtext(f"{_q('groupMemberTaxNumber')}/{{{BASE}}}taxpayerId") or ""
    return CustomerFacts(
        status=text_at(info, "customerVatStatus") or "",
        has_vat_data=info.find(_q("customerVatData")) is not None,
        has_name=info.find(_q("customerName")) is not None,
        has_address=info.find(_q("customerAddress")) is not None,
        tax_number=number,
        community_number=text_at(info, "customerVatData", "communityVatNumber") or "",
        member_tax_number=member,
    )


def _line(line: etree._Element) -> LineFacts:
    # One walk over the line instead of a search for each value: this is where the stand-in's time goes.
    found = {element.tag: element for element in line.iter()}
    texts = {tag: element.text for tag, element in found.items()}
    rate = found.get(_LINE_VAT_RATE)
    chain = texts.get(_LINE_REFERENCE)
    kind = "normal" if _LINE_NORMAL in found else "simplified" if rate is not None else ""
    return LineFacts(
        number=int(texts[_LINE_NUMBER] or 0),
        chain_number=int(chain) if chain else None,
        line_operation=texts.get(_LINE_OPERATION) or "",
        kind=kind,
        vat=None if rate is None else _vat(rate),
        net=_number(texts, "lineNetAmount"),
        tax=_number(texts, "lineVatAmount"),
        gross=_number(texts, "lineGrossAmountNormal"),
        quantity=_number(texts, "quantity"),
        unit_price=_number(texts, "unitPrice"),
        discount=_number(texts, "discountValue") or Decimal(0),
    )


def _summary_row(row: etree._Element) -> SummaryFacts:
    texts = {element.tag: element.text for element in row.iter()}
    zero = Decimal(0)
    return SummaryFacts(
        _vat(row[0]),
        _number(texts, "vatRateNetAmount") or zero,
        _number(texts, "vatRateNetAmountHUF") or zero,
        _number(texts, "vatRateVatAmount") or zero,
        _number(texts, "vatRateVatAmountHUF") or zero,
    )


def _number(texts: Mapping[str, str | None], name: str) -> Decimal | None:
    text = texts.get(_q(name))
    return Decimal(text) if text else None


def _vat(rate: etree._Element) -> VatFacts:
    child = rate[0]
    name = str(child.tag).rpartition("}")[2]
    if name in ("vatExemption", "vatOutOfScope"):
        return (name, text_at(child, "case") or "", "")
    if name == "vatAmountMismatch":
        return (name, text_at(child, "vatRate") or "", text_at(child, "case") or "")
    return (name, child.text or "", "")
