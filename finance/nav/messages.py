"""The XML of the eight requests: header, user, software, and each operation's own part."""

import base64
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

from lxml import etree

from finance.nav.credentials import Credentials, Software
from finance.nav.names import API, COMMON, HEADER_VERSION, REQUEST_VERSION, request_name
from finance.nav.signing import index_hash, request_signature, sha3_512
from finance.nav.xml_values import new_root, to_bytes

Part = Callable[[etree._Element], None]
"""Appends an operation's own elements to the request."""


@dataclass(frozen=True)
class InvoiceOperation:
    """One document of a manageInvoice batch."""

    operation: str  # CREATE, MODIFY or STORNO
    xml: bytes = field(repr=False)
    # Only for a report that is itself the electronic invoice; the hash is made of what is sent.
    is_complete_invoice: bool = False

    @cached_property
    def packed(self) -> bytes:
        """The document GZIP-ped; the same document always gives the same bytes."""
        # Level 1 and no time stamp: harder compression goes to the back of the NAV's queue.
        return gzip.compress(self.xml, compresslevel=1, mtime=0)

    def base64_text(self, *, compressed: bool) -> str:
        """Return the document as it is sent."""
        return base64.b64encode(self.packed if compressed else self.xml).decode("ascii")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every request of one caller has in common."""

    credentials: Credentials
    software: Software

    def request(
        self,
        operation: str,
        request_id: str,
        timestamp: datetime,
        *parts: Part,
        index_hashes: Sequence[str] = (),
    ) -> bytes:
        """Return a complete, signed request."""
        root = new_root(request_name(operation), API, common=COMMON)
        self._add_header(root, request_id, timestamp)
        self._add_user(root, request_id, timestamp, index_hashes)
        self._add_software(root)
        for part in parts:
            part(root)
        return to_bytes(root)

    def _add_header(self, root: etree._Element, request_id: str, timestamp: datetime) -> None:
        header = _common(root, "header")
        _common(header, "requestId", request_id)
        _common(header, "timestamp", timestamp_text(timestamp))
        _common(header, "requestVersion", REQUEST_VERSION)
        _common(header, "headerVersion", HEADER_VERSION)

    def _add_user(
        self, root: etree._Element, request_id: str, timestamp: datetime, index_hashes: Sequence[str]
    ) -> None:
        mine = self.credentials
        user = _common(root, "user")
        _common(user, "login", mine.login)
        _common(user, "passwordHash", mine.password_hash).set("cryptoType", "SHA-512")
        _common(user, "taxNumber", mine.tax_number)
        signature = request_signature(request_id, timestamp, mine.sign_key, index_hashes)
        _common(user, "requestSignature", signature).set("cryptoType", "SHA3-512")

    def _add_software(self, root: etree._Element) -> None:
        software = _api(root, "software")
        mine = self.software
        _api(software, "softwareId", mine.id)
        _api(software, "softwareName", mine.name)
        _api(software, "softwareOperation", mine.operation)
        _api(software, "softwareMainVersion", mine.version)
        _api(software, "softwareDevName", mine.developer)
        _api(software, "softwareDevContact", mine.contact)
        if mine.country:
            _api(software, "softwareDevCountryCode", mine.country)
        if mine.developer_tax_number:
            _api(software, "softwareDevTaxNumber", mine.developer_tax_number)


def timestamp_text(moment: datetime) -> str:
    """Return an aware moment as the interface writes it: UTC, milliseconds, `Z`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def invoice_batch(
    token: str, operations: Sequence[InvoiceOperation], *, compressed: bool
) -> tuple[Part, tuple[str, ...]]:
    """Return the manageInvoice part and the index hashes its signature covers."""
    texts = [item.base64_text(compressed=compressed) for item in operations]
    hashes = tuple(index_hash(item.operation, text) for item, text in zip(operations, texts, strict=True))

    def part(root: etree._Element) -> None:
        _api(root, "exchangeToken", token)
        batch = _api(root, "invoiceOperations")
        _api(batch, "compressedContent", "true" if compressed else "false")
        for index, (item, text) in enumerate(zip(operations, texts, strict=True), start=1):
            element = _api(batch, "invoiceOperation")
            _api(element, "index", str(index))
            _api(element, "invoiceOperation", item.operation)
            _api(element, "invoiceData", text)
            if item.is_complete_invoice:
                _api(element, "electronicInvoiceHash", sha3_512(text)).set("cryptoType", "SHA3-512")

    return part, hashes


def annulment_batch(token: str, annulments: Sequence[bytes]) -> tuple[Part, tuple[str, ...]]:
    """Return the manageAnnulment part and the index hashes its signature covers."""
    texts = [base64.b64encode(xml).decode("ascii") for xml in annulments]

    def part(root: etree._Element) -> None:
        _api(root, "exchangeToken", token)
        batch = _api(root, "annulmentOperations")
        for index, text in enumerate(texts, start=1):
            element = _api(batch, "annulmentOperation")
            _api(element, "index", str(index))
            _api(element, "annulmentOperation", "ANNUL")
            _api(element, "invoiceAnnulment", text)

    return part, tuple(index_hash("ANNUL", text) for text in texts)


def transaction_status(transaction_id: str, *, with_original: bool) -> Part:
    """Return the queryTransactionStatus part."""

    def part(root: etree._Element) -> None:
        _api(root, "transactionId", transaction_id)
        _api(root, "returnOriginalRequest", "true" if with_original else "false")

    return part


def transaction_list(page: int, since: datetime, until: datetime) -> Part:
    """Return the queryTransactionList part for requests taken in from `since` to `until`."""

    def part(root: etree._Element) -> None:
        _api(root, "page", str(page))
        _interval(root, "insDate", "dateTime", timestamp_text(since), timestamp_text(until))

    return part


def invoice_data(number: str, direction: str, supplier_tax_number: str | None) -> Part:
    """Return the queryInvoiceData part; `direction` is OUTBOUND or INBOUND."""

    def part(root: etree._Element) -> None:
        query = _api(root, "invoiceNumberQuery")
        _api(query, "invoiceNumber", number)
        _api(query, "invoiceDirection", direction)
        if supplier_tax_number:
            _api(query, "supplierTaxNumber", supplier_tax_number)

    return part


@dataclass(frozen=True, slots=True)
class DigestQuery:
    """What a queryInvoiceDigest looks for: exactly one of the three."""

    issued: tuple[date, date] | None = None  # at most 35 days, both ends included
    taken_in: tuple[datetime, datetime] | None = None  # at most 35 days
    original_number: str | None = None  # the chain of this invoice
    direction: str = "OUTBOUND"

    def part(self, page: int) -> Part:
        """Return the queryInvoiceDigest part for one page (from 1); raises `ValueError` unless one is given."""
        if sum(choice is not None for choice in (self.issued, self.taken_in, self.original_number)) != 1:
            raise ValueError("a digest query needs exactly one of issued, taken_in, original_number")

        def part(root: etree._Element) -> None:
            _api(root, "page", str(page))
            _api(root, "invoiceDirection", self.direction)
            mandatory = _api(_api(root, "invoiceQueryParams"), "mandatoryQueryParams")
            if self.issued:
                _interval(mandatory, "invoiceIssueDate", "date", *(day.isoformat() for day in self.issued))
            elif self.taken_in:
                _interval(mandatory, "insDate", "dateTime", *(timestamp_text(moment) for moment in self.taken_in))
            else:
                _api(mandatory, "originalInvoiceNumber", self.original_number)

        return part


def taxpayer(tax_number: str) -> Part:
    """Return the queryTaxpayer part."""

    def part(root: etree._Element) -> None:
        _api(root, "taxNumber", tax_number[:8])

    return part


def _interval(parent: etree._Element, name: str, prefix: str, *ends: str) -> None:
    interval = _api(parent, name)
    for suffix, end in zip(("From", "To"), ends, strict=True):
        _api(interval, prefix + suffix, end)


def _api(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{API}}}{name}")
    element.text = text
    return element


def _common(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{COMMON}}}{name}")
    element.text = text
    return element
