"""Reads the NAV's answers; raises `LookupError` naming what an answer lacks."""

import base64
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from lxml import etree

from finance.nav.answers import (
    BusinessMessage,
    DigestPage,
    HeldInvoice,
    InvoiceDigest,
    ProcessingResult,
    Taxpayer,
    TaxpayerAddress,
    TransactionPage,
    TransactionStatus,
    TransactionSummary,
)
from finance.nav.errors import TechnicalMessage
from finance.nav.xmlread import required, text_of, unpack


def moment(text: str) -> datetime:
    """Read a time stamp of the interface as an aware moment."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def read_transaction_status(root: etree._Element) -> TransactionStatus | None:
    """Read a queryTransactionStatus answer; None when the NAV does not know the transaction."""
    results = root.find("{*}processingResults")
    if results is None:
        return None
    return TransactionStatus(
        tuple(_processing_result(item) for item in results.iterfind("{*}processingResult")),
        text_of(results, "{*}annulmentData/{*}annulmentVerificationStatus"),
    )


def read_transaction_page(root: etree._Element) -> TransactionPage:
    """Read a queryTransactionList answer."""
    return TransactionPage(
        int(required(root, ".//{*}currentPage")),
        int(required(root, ".//{*}availablePage")),
        tuple(
            TransactionSummary(
                required(item, "{*}transactionId"),
                moment(required(item, "{*}insDate")),
                required(item, "{*}requestStatus"),
                required(item, "{*}technicalAnnulment") in ("true", "1"),
                int(required(item, "{*}itemCount")),
            )
            for item in root.iterfind(".//{*}transaction")
        ),
    )


def read_invoice_data(root: etree._Element) -> HeldInvoice | None:
    """Read a queryInvoiceData answer; None when the NAV holds no such document."""
    result = root.find("{*}invoiceDataResult")
    if result is None:
        return None
    index = text_of(result, "{*}auditData/{*}index")
    return HeldInvoice(
        _content(required(result, "{*}invoiceData"), required(result, "{*}compressedContentIndicator")),
        moment(required(result, "{*}auditData/{*}insdate")),
        text_of(result, "{*}auditData/{*}transactionId") or "",
        int(index) if index else None,
    )


def read_digest_page(root: etree._Element) -> DigestPage:
    """Read a queryInvoiceDigest answer."""
    return DigestPage(
        int(required(root, ".//{*}currentPage")),
        int(required(root, ".//{*}availablePage")),
        tuple(_digest(item) for item in root.iterfind(".//{*}invoiceDigest")),
    )


def read_taxpayer(root: etree._Element) -> Taxpayer:
    """Read a queryTaxpayer answer; an unknown number is a taxpayer that is not valid."""
    data = root.find("{*}taxpayerData")
    is_valid = text_of(root, "{*}taxpayerValidity") in ("true", "1")
    if data is None:
        return Taxpayer(is_valid)
    return Taxpayer(
        is_valid,
        required(data, "{*}taxpayerName"),
        text_of(data, "{*}taxpayerShortName") or "",
        required(data, "{*}taxNumberDetail/{*}taxpayerId"),
        text_of(data, "{*}taxNumberDetail/{*}vatCode") or "",
        text_of(data, "{*}taxNumberDetail/{*}countyCode") or "",
        required(data, "{*}incorporation"),
        text_of(data, "{*}vatGroupMembership") or "",
        tuple(_address(item) for item in data.iterfind("{*}taxpayerAddressList/{*}taxpayerAddressItem")),
    )


def _address(item: etree._Element) -> TaxpayerAddress:
    address = item.find("{*}taxpayerAddress")
    if address is None:
        raise LookupError("taxpayerAddress")
    parts = [text_of(address, f"{{*}}{name}") for name in ("streetName", "publicPlaceCategory", "number")]
    names = ("building", "staircase", "floor", "door", "lotNumber")
    places = {name: text_of(address, f"{{*}}{name}") for name in names}
    street = " ".join(part for part in parts if part)
    return TaxpayerAddress(
        required(item, "{*}taxpayerAddressType"),
        text_of(address, "{*}countryCode") or "",
        text_of(address, "{*}postalCode") or "",
        text_of(address, "{*}city") or "",
        ", ".join([street, *(f"{name} {value}" for name, value in places.items() if value)]),
    )


def read_technical(parent: etree._Element) -> tuple[TechnicalMessage, ...]:
    """Read the technical messages of a refusal or a processing result."""
    return tuple(
        TechnicalMessage(
            text_of(item, "{*}validationResultCode") or "ERROR",
            text_of(item, "{*}validationErrorCode") or "",
            text_of(item, "{*}message") or "",
        )
        for item in parent.iterfind("{*}technicalValidationMessages")
    )


def _processing_result(item: etree._Element) -> ProcessingResult:
    original = text_of(item, "{*}originalRequest")
    compressed = required(item, "{*}compressedContentIndicator")
    return ProcessingResult(
        int(required(item, "{*}index")),
        required(item, "{*}invoiceStatus"),
        read_technical(item),
        tuple(_business(message) for message in item.iterfind("{*}businessValidationMessages")),
        _content(original, compressed) if original else None,
    )


def _business(message: etree._Element) -> BusinessMessage:
    line = text_of(message, "{*}pointer/{*}line")
    return BusinessMessage(
        required(message, "{*}validationResultCode"),
        text_of(message, "{*}validationErrorCode") or "",
        text_of(message, "{*}message") or "",
        text_of(message, "{*}pointer/{*}tag") or "",
        text_of(message, "{*}pointer/{*}value") or "",
        int(line) if line else None,
        text_of(message, "{*}pointer/{*}originalInvoiceNumber") or "",
    )


def _digest(item: etree._Element) -> InvoiceDigest:
    # One walk over the few elements: a search for each takes several times as long.
    texts = {str(element.tag).rpartition("}")[2]: element.text or "" for element in item.iterchildren(etree.Element)}
    index, modification = texts.get("index"), texts.get("modificationIndex")
    return InvoiceDigest(
        number=texts["invoiceNumber"],
        operation=texts["invoiceOperation"],
        category=texts["invoiceCategory"],
        issued_on=date.fromisoformat(texts["invoiceIssueDate"]),
        currency=texts.get("currency", ""),
        net=_decimal(texts, "invoiceNetAmount"),
        vat=_decimal(texts, "invoiceVatAmount"),
        vat_huf=_decimal(texts, "invoiceVatAmountHUF"),
        net_huf=_decimal(texts, "invoiceNetAmountHUF"),
        transaction_id=texts.get("transactionId", ""),
        index=int(index) if index else None,
        original_number=texts.get("originalInvoiceNumber", ""),
        modification_index=int(modification) if modification else None,
    )


def _decimal(texts: Mapping[str, str], name: str) -> Decimal | None:
    return Decimal(texts[name]) if name in texts else None


def _content(base64_text: str, compressed: str) -> bytes:
    content = base64.b64decode(base64_text)
    return unpack(content) if compressed in ("true", "1") else content
