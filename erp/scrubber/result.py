"""What a check reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from erp.ownership import MODULE_LABELS

SAMPLES = 20  # sample keys kept per check

CAUSES = ("lost", "duplicated", "reordered", "rogue write", "owner corrupt")


@dataclass(frozen=True)
class Sample:
    """One row that differs, as each side has it."""

    key: str  # e.g. finance/customer 17
    expected: Any  # the owner's value, or the value computed from the tables
    found: Any
    cause: str = ""  # one of CAUSES


@dataclass
class Findings:
    """Running result of one check; a check adds to it while it compares."""

    compared: int = 0
    mismatched: int = 0
    amount: Decimal | None = None  # sum of absolute differences, where the check is about money
    in_flight: int = 0  # differences that the copy's window or a relay still explains
    position: str = ""
    samples: list[Sample] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)  # "reader/entity" → (compared, mismatched)
    skipped: list[str] = field(default_factory=list)  # "reader/entity" left out: what is not compared is not clean
    failures: list[str] = field(default_factory=list)  # what could not be compared although it should have been
    pause: Callable[[], None] = lambda: None  # a check over many rows calls this between its steps: the throttle

    def add(self, key: str, expected: Any, found: Any, cause: str, *, amount: Decimal | None = None) -> None:
        """Count one mismatch and keep it as a sample while there is room."""
        self.mismatched += 1
        if amount is not None:
            self.amount = (self.amount or Decimal(0)) + abs(amount)
        if len(self.samples) < SAMPLES:
            self.samples.append(Sample(key, expected, found, cause))

    def skip(self, reader: str, entity: str) -> None:
        """Note that a detached reader's copy is not compared."""
        if self._leave_out(reader, entity, f"{MODULE_LABELS[reader]} is detached from {entity} and was not compared. "):
            self.repair_with(f"manage.py resync {entity} {reader} --attach")

    def wait_for_first_fill(self, reader: str, entity: str) -> None:
        """Note that a copy is being filled for the first time, and not compared yet."""
        label = MODULE_LABELS[reader]
        self._leave_out(reader, entity, f"{label}'s copy of {entity} is being filled for the first time. ")

    def fail(self, problem: str, repair: str) -> None:
        """Note what could not be compared: the check is failed, whatever else it finds clean."""
        self.failures.append(problem)
        self.repair_with(repair)

    def _leave_out(self, reader: str, entity: str, why: str) -> bool:
        part = f"{reader}/{entity}"
        if part in self.skipped:
            return False
        self.skipped.append(part)
        self.position += why
        return True

    def repair_with(self, command: str) -> None:
        """Name the command that repairs what was found."""
        if command not in self.repairs:
            self.repairs.append(command)

    @property
    def drift(self) -> float:
        """Mismatched rows as a share of the rows compared."""
        return self.mismatched / self.compared if self.compared else float(self.mismatched > 0)


@dataclass(frozen=True)
class CheckResult:
    """A finished check."""

    name: str
    status: str  # ok | warning | alert | failed
    compared: int
    mismatched: int
    drift: float
    amount: Decimal | None
    samples: list[Sample]
    cause: str
    repair: str
    seconds: float
    position: str = ""
    error: str = ""
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class CheckSpec:
    """A declared check: ``run`` fills the findings; ``is_exact`` alerts on any difference (money, custody)."""

    name: str
    title: str
    number: int  # 1 to 11, the order in reports
    run: Callable[[Findings], None]
    is_exact: bool = False
    threshold: float = 0.001  # unless the settings say otherwise
    entity: str = ""  # the entity whose copies it compares: the board and a repair find the check by it
    repair: str = ""  # what to do where the findings name nothing better
