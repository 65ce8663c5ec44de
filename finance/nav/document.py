"""An issued document, complete: everything its tax-office report needs and nothing it does not.

Amounts are those of the document as it was issued. Nothing is computed again here, so the report
cannot differ from the printed invoice or the ledger by a rounding.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from finance.nav.parties import Buyer, FiscalRepresentative, Supplier
from finance.nav.transport_means import NewTransportMean
from finance.nav.vat import VatTreatment


class Operation(StrEnum):
    """What a document does to its chain."""

    CREATE = "CREATE"
    MODIFY = "MODIFY"  # differences to the base
    STORNO = "STORNO"  # brings the chain to zero and ends it


class Category(StrEnum):
    """The kind of invoice."""

    NORMAL = "NORMAL"
    SIMPLIFIED = "SIMPLIFIED"  # tax inside the gross amounts
    AGGREGATE = "AGGREGATE"  # several supplies, each line with its own delivery date


class PaymentMethod(StrEnum):
    """How the document is paid."""

    TRANSFER = "TRANSFER"
    CASH = "CASH"
    CARD = "CARD"
    VOUCHER = "VOUCHER"
    OTHER = "OTHER"


class Appearance(StrEnum):
    """In what form the document reached the buyer."""

    PAPER = "PAPER"
    ELECTRONIC = "ELECTRONIC"
    EDI = "EDI"
    UNKNOWN = "UNKNOWN"


class LineNature(StrEnum):
    """What a line sells."""

    PRODUCT = "PRODUCT"
    SERVICE = "SERVICE"
    OTHER = "OTHER"


UNITS = frozenset(
    {
        "PIECE", "KILOGRAM", "TON", "KWH", "DAY", "HOUR", "MINUTE", "MONTH", "LITER", "KILOMETER",
        "CUBIC_METER", "METER", "LINEAR_METER", "CARTON", "PACK",
    }
)  # fmt: skip
"""Units the interface has a name for; any other text is reported as the document's own unit."""


@dataclass(frozen=True, slots=True)
class Money:
    """One amount in the document's currency and in HUF (the same figure twice for HUF documents)."""

    amount: Decimal
    huf: Decimal

    @classmethod
    def of(cls, amount: Decimal | int | str, huf: Decimal | int | str | None = None) -> "Money":
        """Return the pair; without `huf` the document is in HUF."""
        return cls(Decimal(amount), Decimal(amount if huf is None else huf))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + other.amount, self.huf + other.huf)


@dataclass(frozen=True, slots=True)
class ProductCode:
    """A product's number in a register (VTSZ, TESZOR, EJ...) or the company's OWN."""

    category: str
    value: str


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount already taken off the line's amounts."""

    description: str = ""
    value: Decimal | None = None  # in the document's currency
    rate: Decimal | None = None  # a fraction, 0.1 = 10 %


@dataclass(frozen=True, slots=True)
class AdvancePayment:
    """The advance invoice that a final invoice's line deducts."""

    invoice_number: str
    paid_on: date
    exchange_rate: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Advance:
    """Marks a line of an advance invoice, or a final invoice's deduction of one."""

    payment: AdvancePayment | None = None


@dataclass(frozen=True, slots=True)
class AggregateSupply:
    """The supply behind a line of an aggregate invoice."""

    delivered_on: date
    exchange_rate: Decimal | None = None  # only in foreign currency


@dataclass(frozen=True, slots=True)
class References:
    """Numbers of related papers; each a list, all optional."""

    order_numbers: tuple[str, ...] = ()
    delivery_notes: tuple[str, ...] = ()
    contract_numbers: tuple[str, ...] = ()
    project_numbers: tuple[str, ...] = ()
    ekaer_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdditionalData:
    """A note the interface has no element for; `name` is like `X00001_NOTE`."""

    name: str
    description: str
    value: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document; NORMAL and AGGREGATE give `net`, SIMPLIFIED only `gross`."""

    number: int  # from 1 in each document
    description: str
    vat: VatTreatment
    net: Money | None = None
    vat_amount: Money | None = None
    gross: Money | None = None
    quantity: Decimal | None = None
    unit: str = ""  # one of UNITS, or the document's own word
    unit_price: Money | None = None  # up to 10 decimals
    nature: LineNature | None = LineNature.PRODUCT
    # Whether quantity and unit are natural measures, so that quantity times price can be checked.
    is_measurable: bool = True
    product_codes: tuple[ProductCode, ...] = ()
    discount: Discount | None = None
    advance: Advance | None = None
    # MODIFY and STORNO: this line's number in the whole chain, after the highest so far.
    chain_number: int | None = None
    refers_to: tuple[int, ...] = ()
    aggregate: AggregateSupply | None = None
    new_transport_mean: NewTransportMean | None = None
    is_intermediated_service: bool | None = None
    is_deposit: bool | None = None
    references: References | None = None
    additional: tuple[AdditionalData, ...] = ()


@dataclass(frozen=True, slots=True)
class VatSummary:
    """A document's total under one VAT treatment; a SIMPLIFIED document gives only `gross`."""

    vat: VatTreatment
    gross: Money
    net: Money | None = None
    vat_amount: Money | None = None


@dataclass(frozen=True, slots=True)
class BaseReference:
    """The chain a MODIFY or STORNO belongs to."""

    original_number: str  # the first CREATE, also for the second modification
    modification_index: int  # 1, 2, ... in the chain, over MODIFY and STORNO
    is_base_unreported: bool = False  # true only when the base never was and never will be reported


@dataclass(frozen=True, slots=True)
class Document:
    """An issued invoice, credit note or cancellation as it must be reported."""

    number: str
    operation: Operation
    category: Category
    issued_on: date
    delivered_on: date  # = issued_on when there is no date of supply
    supplier: Supplier
    buyer: Buyer | None
    currency: str
    exchange_rate: Decimal  # HUF for one unit; 1 for HUF
    lines: tuple[Line, ...]
    summary: tuple[VatSummary, ...]
    payment_method: PaymentMethod | None = None
    due_on: date | None = None
    appearance: Appearance = Appearance.ELECTRONIC
    base: BaseReference | None = None
    fiscal_representative: FiscalRepresentative | None = None
    delivery_period: tuple[date, date] | None = None
    accounting_delivered_on: date | None = None
    is_periodical_settlement: bool | None = None
    is_small_business: bool | None = None
    is_utility_settlement: bool | None = None
    is_self_billing: bool | None = None
    is_cash_accounting: bool | None = None
    # The report itself is the electronic invoice; then it needs its hash and cannot be annulled.
    is_complete_invoice: bool = False
    has_merged_lines: bool = False
    references: References | None = None
    additional: tuple[AdditionalData, ...] = ()
