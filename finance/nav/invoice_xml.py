"""The InvoiceData XML of an issued document."""

from lxml import etree

from finance.nav.document import Document
from finance.nav.names import BASE, COMMON, DATA
from finance.nav.rules import check_document
from finance.nav.xml_lines import add_additional, add_lines, add_references
from finance.nav.xml_parties import add_customer, add_fiscal_representative, add_supplier
from finance.nav.xml_summary import add_summary
from finance.nav.xml_values import add, add_flag, boolean_text, decimal_text, new_root, to_bytes


def build_invoice_xml(document: Document) -> bytes:
    """Return the report of one document, UTF-8 with its XML declaration: see `build_invoice_tree`."""
    return to_bytes(build_invoice_tree(document))


def build_invoice_tree(document: Document) -> etree._Element:
    """Return the report of one document.

    The same document always gives the same bytes. Raises `DocumentNotReportable` when the document
    breaks a rule of the NAV that the XSD cannot express, `InexactValue` when an amount is unrounded.
    """
    check_document(document)
    root = new_root("InvoiceData", DATA, common=COMMON, base=BASE)
    add(root, "invoiceNumber", document.number)
    add(root, "invoiceIssueDate", document.issued_on.isoformat())
    add(root, "completenessIndicator", boolean_text(document.is_complete_invoice))
    invoice = add(add(root, "invoiceMain"), "invoice")
    _add_base_reference(invoice, document)
    _add_head(invoice, document)
    add_lines(invoice, document)
    add_summary(invoice, document)
    return root


def _add_base_reference(invoice: etree._Element, document: Document) -> None:
    if document.base is None:
        return
    reference = add(invoice, "invoiceReference")
    add(reference, "originalInvoiceNumber", document.base.original_number)
    add(reference, "modifyWithoutMaster", boolean_text(document.base.is_base_unreported))
    add(reference, "modificationIndex", str(document.base.modification_index))


def _add_head(invoice: etree._Element, document: Document) -> None:
    head = add(invoice, "invoiceHead")
    add_supplier(head, document.supplier)
    if document.buyer is not None:
        add_customer(head, document.buyer)
    if document.fiscal_representative:
        add_fiscal_representative(head, document.fiscal_representative)
    _add_detail(head, document)


def _add_detail(head: etree._Element, document: Document) -> None:
    detail = add(head, "invoiceDetail")
    add(detail, "invoiceCategory", document.category)
    add(detail, "invoiceDeliveryDate", document.delivered_on.isoformat())
    if document.delivery_period:
        add(detail, "invoiceDeliveryPeriodStart", document.delivery_period[0].isoformat())
        add(detail, "invoiceDeliveryPeriodEnd", document.delivery_period[1].isoformat())
    if document.accounting_delivered_on:
        add(detail, "invoiceAccountingDeliveryDate", document.accounting_delivered_on.isoformat())
    add_flag(detail, "periodicalSettlement", document.is_periodical_settlement)
    add_flag(detail, "smallBusinessIndicator", document.is_small_business)
    add(detail, "currencyCode", document.currency)
    add(detail, "exchangeRate", decimal_text(document.exchange_rate, 6))
    add_flag(detail, "utilitySettlementIndicator", document.is_utility_settlement)
    add_flag(detail, "selfBillingIndicator", document.is_self_billing)
    if document.payment_method:
        add(detail, "paymentMethod", document.payment_method)
    if document.due_on:
        add(detail, "paymentDate", document.due_on.isoformat())
    add_flag(detail, "cashAccountingIndicator", document.is_cash_accounting)
    add(detail, "invoiceAppearance", document.appearance)
    add_references(detail, "conventionalInvoiceInfo", document.references)
    add_additional(detail, "additionalInvoiceData", document.additional)
