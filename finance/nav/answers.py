"""What the NAV answers, as plain data."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from finance.nav.errors import TechnicalMessage

FINAL_STATUSES = frozenset({"DONE", "ABORTED"})


@dataclass(frozen=True, slots=True)
class ExchangeToken:
    """A token for one batch."""

    token: str = field(repr=False)
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class BusinessMessage:
    """A finding about a document, with a pointer to the place it means."""

    result: str  # ERROR, WARN or INFO
    code: str
    message: str
    tag: str = ""
    value: str = ""
    line: int | None = None
    original_number: str = ""


@dataclass(frozen=True, slots=True)
class ProcessingResult:
    """The fate of one item of a batch."""

    index: int  # from 1, as sent
    status: str  # RECEIVED, PROCESSING, SAVED, DONE or ABORTED
    technical: tuple[TechnicalMessage, ...]
    business: tuple[BusinessMessage, ...]
    original: bytes | None = field(default=None, repr=False)  # the document, unpacked, when asked for

    @property
    def is_final(self) -> bool:
        """Whether the status will not change any more."""
        return self.status in FINAL_STATUSES

    @property
    def has_warnings(self) -> bool:
        """Whether the document is reported but should be looked at."""
        return any(message.result == "WARN" for message in self.business)


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """The fate of a batch; `annulment` (VERIFICATION_PENDING...) for technical annulments."""

    results: tuple[ProcessingResult, ...]
    annulment: str | None = None


@dataclass(frozen=True, slots=True)
class TransactionSummary:
    """One batch that the NAV took in."""

    transaction_id: str
    taken_in_at: datetime
    request_status: str
    is_annulment: bool
    item_count: int


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """One page of batches."""

    page: int
    pages: int
    transactions: tuple[TransactionSummary, ...]


@dataclass(frozen=True, slots=True)
class HeldInvoice:
    """A document as the NAV holds it."""

    xml: bytes = field(repr=False)
    taken_in_at: datetime
    transaction_id: str
    index: int | None


@dataclass(frozen=True, slots=True)
class InvoiceDigest:
    """The head of a document that the NAV holds; totals are not per VAT rate."""

    number: str
    operation: str
    category: str
    issued_on: date
    currency: str
    net: Decimal | None
    vat: Decimal | None
    vat_huf: Decimal | None
    net_huf: Decimal | None
    transaction_id: str
    index: int | None
    original_number: str
    modification_index: int | None


@dataclass(frozen=True, slots=True)
class DigestPage:
    """One page of digests."""

    page: int
    pages: int
    digests: tuple[InvoiceDigest, ...]


@dataclass(frozen=True, slots=True)
class TaxpayerAddress:
    """Where a taxpayer is registered."""

    kind: str  # HQ, SITE or BRANCH
    country: str
    postcode: str
    city: str
    street: str  # with house number and what else the NAV knows


@dataclass(frozen=True, slots=True)
class Taxpayer:
    """What the NAV says about a tax number."""

    is_valid: bool
    name: str = ""
    short_name: str = ""
    taxpayer_id: str = ""
    vat_code: str = ""
    county_code: str = ""
    incorporation: str = ""
    vat_group: str = ""
    addresses: tuple[TaxpayerAddress, ...] = ()
