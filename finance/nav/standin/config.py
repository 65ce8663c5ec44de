"""What a stand-in is told at the start: users, times, limits, switches, faults."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from finance.nav.credentials import Credentials
from finance.nav.names import MAX_BATCH


class FaultKind(StrEnum):
    """What can go wrong. The first group acts on a request, the second on a document, the last on a batch."""

    MAINTENANCE = "maintenance"  # 503 with MAINTENANCE_MODE, nothing done
    BARE_503 = "bare_503"  # 503 without a body, nothing done
    OPERATION_FAILED = "operation_failed"  # 500 with OPERATION_FAILED, nothing done
    LOST_REQUEST = "lost_request"  # connection closed, nothing done
    SLOW = "slow"  # answered after delay_s
    LOST_ANSWER = "lost_answer"  # done, then the connection is closed without an answer
    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"  # done, then silence until the client gives up
    BARE_504_AFTER_ACCEPT = "bare_504_after_accept"  # done, then 504 without a body
    BROKEN_ANSWER = "broken_answer"  # done, then half of the answer
    ABORT = "abort"  # a document without fault is refused
    WARN = "warn"  # a document is reported with a warning
    STUCK = "stuck"  # a batch stays in PROCESSING until it is released


BEFORE_KINDS = frozenset(
    {FaultKind.MAINTENANCE, FaultKind.BARE_503, FaultKind.OPERATION_FAILED, FaultKind.LOST_REQUEST, FaultKind.SLOW}
)
AFTER_KINDS = frozenset(
    {
        FaultKind.LOST_ANSWER,
        FaultKind.TIMEOUT_AFTER_ACCEPT,
        FaultKind.BARE_504_AFTER_ACCEPT,
        FaultKind.BROKEN_ANSWER,
    }
)
DOCUMENT_KINDS = frozenset({FaultKind.ABORT, FaultKind.WARN})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault to inject."""

    kind: FaultKind
    operation: str = ""  # manageInvoice...; empty = any
    number: str = ""  # this document only; ABORT and WARN
    times: int | None = None  # how often; None = without end
    probability: float = 1.0
    delay_s: float = 0.0  # SLOW
    code: str = ""  # the code that ABORT and WARN report


@dataclass(frozen=True, slots=True)
class StandInUser:
    """A technical user the stand-in knows; no rights listed = all operations."""

    credentials: Credentials
    rights: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RegisteredTaxpayer:
    """A taxpayer the stand-in knows; unknown ones get NOT_REGISTERED_CUSTOMER."""

    tax_number: str  # 8 digits
    name: str
    vat_code: str = "2"
    county_code: str = "41"
    is_valid: bool = True
    vat_group: str = ""
    address: tuple[str, str, str, str, str] | None = None  # postcode, city, street, kind of street, number


@dataclass(slots=True)
class StandInClock:
    """The stand-in's own time: real time plus an offset that tests may move."""

    offset: timedelta = field(default_factory=timedelta)
    frozen_at: datetime | None = None

    def now(self) -> datetime:
        """Return the stand-in's time (aware UTC)."""
        return self.frozen_at or datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        """Move on by some seconds."""
        self.offset += timedelta(seconds=seconds)
        if self.frozen_at:
            self.frozen_at += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Stand still at `moment` until moved."""
        self.frozen_at = moment


@dataclass(frozen=True, slots=True)
class StandInConfig:
    """Everything about one stand-in; times in seconds of its own clock."""

    schema_dir: Path | None  # the NAV's XSD files; without them requests are not schema-checked
    database: Path
    users: tuple[StandInUser, ...]
    taxpayers: tuple[RegisteredTaxpayer, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0  # 0 = any free port
    base_path: str = "/invoiceService/v3"
    token_validity_s: float = 300.0
    received_s: float = 0.0  # how long an item stays RECEIVED
    processing_s: float = 0.0  # then PROCESSING
    saved_s: float = 0.0  # then SAVED before DONE
    max_batch: int = MAX_BATCH
    page_size: int = 100
    # Announced checks whose blocking date is open: True = ERROR, False = WARN.
    candidates_block: bool = False
    has_worker: bool = True  # work through batches without waiting for a question
    faults: tuple[Fault, ...] = ()
    fault_seed: int = 0
