"""The VAT choice of a line or a summary row."""

from lxml import etree

from finance.nav.document import Category
from finance.nav.vat import VatElement, VatTreatment
from finance.nav.xml_values import add, add_text


def add_vat_rate(parent: etree._Element, name: str, vat: VatTreatment, category: Category) -> None:
    """Append `name` (lineVatRate or vatRate) with the one element of this treatment."""
    if category is Category.SIMPLIFIED:
        vat = vat.simplified()
    rate = add(parent, name)
    match vat.element:
        case VatElement.EXEMPTION | VatElement.OUT_OF_SCOPE:
            detail = add(rate, vat.element)
            add(detail, "case", vat.value)
            add_text(detail, "reason", vat.reason or vat.value, 200)
        case VatElement.AMOUNT_MISMATCH:
            detail = add(rate, vat.element)
            add(detail, "vatRate", vat.value)
            add(detail, "case", vat.case)
        case _:
            add(rate, vat.element, vat.value)
