"""The head of a document as queryInvoiceDigest shows it."""

from datetime import datetime

from finance.nav.messages import timestamp_text
from finance.nav.standin.facts import DocumentFacts, text_at

_FROM_DETAIL = ("paymentMethod", "paymentDate", "invoiceAppearance", "invoiceDeliveryDate")
_FROM_SUMMARY = ("invoiceNetAmount", "invoiceNetAmountHUF", "invoiceVatAmount", "invoiceVatAmountHUF")


def digest_of(facts: DocumentFacts, taken_in_at: datetime) -> dict[str, str]:
    """Return what a digest shows, by element name."""
    shown = {
        "supplierTaxNumber": facts.supplier_id,
        "supplierName": text_at(facts.invoice, "invoiceHead", "supplierInfo", "supplierName") or "",
        "customerName": text_at(facts.invoice, "invoiceHead", "customerInfo", "customerName") or "",
        "currency": facts.currency,
        "insDate": timestamp_text(taken_in_at),
        "completenessIndicator": "true" if facts.is_complete else "false",
    }
    if facts.customer and facts.customer.taxpayer_id:
        shown["customerTaxNumber"] = facts.customer.taxpayer_id
        shown["customerGroupMemberTaxNumber"] = facts.customer.member_tax_number
    for name in _FROM_DETAIL:
        shown[name] = facts.detail.get(name, "")
    for name in _FROM_SUMMARY:
        shown[name] = facts.totals.get(name, "")
    return {name: value for name, value in shown.items() if value}
