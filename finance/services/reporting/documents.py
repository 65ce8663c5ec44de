"""An issued document of Finance as the reporting library sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.conf import settings
from lxml import etree

from erp.errors import NotFound
from finance.errors import NotReportable
from finance.models import Invoice, VatCode
from finance.nav.document import (
    Appearance,
    BaseReference,
    Category,
    Document,
    Operation,
    PaymentMethod,
    References,
)
from finance.nav.invoice_xml import build_invoice_tree
from finance.nav.rules import DocumentNotReportable
from finance.nav.vat import VatElement, VatTreatment, treatment_of_code
from finance.nav.xml_values import InexactValue, to_bytes
from finance.services.reporting.lines import report_lines, report_summary
from finance.services.reporting.parties import buyer_of, supplier_of
from finance.services.reporting.sources import load_documents

HOME = "HU"
_RATE_STEP = Decimal("0.000001")

_METHODS = {
    "transfer": PaymentMethod.TRANSFER, "card": PaymentMethod.CARD, "cash": PaymentMethod.CASH,
    "cod": PaymentMethod.CASH, "voucher": PaymentMethod.VOUCHER,
}  # fmt: skip


def vat_treatments() -> dict[str, VatTreatment]:
    """How every VAT code that the NAV has an element for is reported, by code."""
    names = ("code", "nav_element", "nav_value", "nav_vat_content", "law_ref", "name_hu")
    rows = VatCode.objects.exclude(nav_element="").values(*names)
    return {row["code"]: treatment_of_code(row) for row in rows}


def report_of(document: Mapping[str, Any], treatments: Mapping[str, VatTreatment]) -> Document:
    """Describe one of :func:`~finance.services.reporting.sources.load_documents` to the library.

    Raises:
        NotReportable: something that the report must have is missing; the message tells what.
    """
    _check(document, treatments)
    treatments = _as_issued(document, treatments)
    category = category_of(document)
    buyer = buyer_of({**document["customer"], **(document["buyer"] or {})})
    supplier = document["supplier"]
    return Document(
        number=document["number"],
        operation=Operation(document["operation"]),
        category=category,
        issued_on=document["issued_on"],
        delivered_on=document["fulfilled_on"] or document["issued_on"],
        supplier=supplier_of(supplier, buyer),
        buyer=buyer,
        currency=document["currency"],
        exchange_rate=_rate(document["exchange_rate"]),
        lines=report_lines(document, treatments, category),
        summary=report_summary(document, treatments, category),
        payment_method=_METHODS.get(document["payment_method"], PaymentMethod.OTHER),
        due_on=document["due_on"],
        appearance=Appearance(settings.NAV["appearance"]),
        base=_base(document),
        delivery_period=_period(document),
        is_small_business=True if supplier.get("is_small_business") else None,
        is_cash_accounting=True if supplier.get("is_cash_accounting") else None,
        references=References(order_numbers=(document["order_number"],)) if document["order_number"] else None,
    )


def build_report(document: Mapping[str, Any], treatments: Mapping[str, VatTreatment]) -> bytes:
    """The InvoiceData XML of a loaded document. Raises NotReportable with everything that stands against it."""
    return to_bytes(build_tree(document, treatments))


def build_tree(document: Mapping[str, Any], treatments: Mapping[str, VatTreatment]) -> etree._Element:
    """The same, not written out yet."""
    try:
        return build_invoice_tree(report_of(document, treatments))
    except DocumentNotReportable as error:
        raise NotReportable("; ".join(error.problems)) from error
    except (InexactValue, LookupError) as error:
        raise NotReportable(str(error)) from error


def report_xml(number: str) -> bytes:
    """The report of an issued document as it would be sent now.

    Raises:
        NotFound: there is no issued document with this number.
        NotReportable: the report cannot be made.
    """
    key = Invoice.objects.filter(number=number, state=Invoice.State.ISSUED).values_list("id", flat=True).first()
    if key is None:
        raise NotFound(f"there is no issued document {number}")
    return build_report(load_documents([key])[0], vat_treatments())


def category_of(document: Mapping[str, Any]) -> Category:
    """NORMAL, SIMPLIFIED (tax inside the gross amounts) or AGGREGATE (several supplies); a change is as its base."""
    if document["is_aggregate"]:
        return Category.AGGREGATE
    return Category.SIMPLIFIED if document["is_simplified_chain"] else Category.NORMAL


def _check(document: Mapping[str, Any], treatments: Mapping[str, VatTreatment]) -> None:
    if document["base_currency"] != "HUF":
        raise NotReportable(f"the books are kept in {document['base_currency']}; a report needs every amount in HUF")
    if document["supplier"].get("country", HOME) != HOME:
        raise NotReportable(
            f"the company's seat is in {document['supplier']['country']}: its reports must name a fiscal "
            "representative, which is not kept here; report this document on the NAV's page"
        )
    unknown = sorted({line["vat_code"] for line in document["lines"]} - set(treatments))
    if unknown:
        raise NotReportable(f"VAT code {', '.join(unknown)} has no NAV element: enter it under VAT codes")
    taxed = (VatElement.PERCENTAGE, VatElement.CONTENT, VatElement.AMOUNT_MISMATCH)
    for line in document["lines"]:
        if line["vat"] and treatments[line["vat_code"]].element not in taxed:
            raise NotReportable(f"line {line['line_no']} has VAT under {line['vat_code']}, which carries none")


def _as_issued(document: Mapping[str, Any], treatments: Mapping[str, VatTreatment]) -> dict[str, VatTreatment]:
    """The treatments with the legal ground that stood under their codes when the document was issued."""
    laws = {line["vat_code"]: line["law_ref"] for line in document["lines"] if line["law_ref"]}
    found = dict(treatments)
    for code, law in laws.items():
        if found[code].reason:
            found[code] = replace(found[code], reason=law)
    return found


def _rate(rate: Decimal) -> Decimal:
    return rate.quantize(_RATE_STEP, ROUND_HALF_UP).normalize()


def _period(document: Mapping[str, Any]) -> tuple[date, date] | None:
    first, last = document["delivered_from"], document["delivered_to"]
    return (first, last) if first and last else None


def _base(document: Mapping[str, Any]) -> BaseReference | None:
    if document["base_id"] is None:
        return None
    return BaseReference(document["base_number"], document["modification_index"])
