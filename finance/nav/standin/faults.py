"""Decides which fault strikes; the same seed and the same calls give the same faults."""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast

from finance.nav.standin.config import DOCUMENT_KINDS, Fault, FaultKind


class FaultPlan:
    """The faults in force, with what is left of each."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._faults = tuple(faults)
        self._left = [fault.times for fault in faults]
        self.struck: dict[str, int] = {}

    def replace(self, faults: Sequence[Fault]) -> None:
        """Put other faults in force."""
        with self._lock:
            self._faults = tuple(faults)
            self._left = [fault.times for fault in faults]

    def strike(self, kinds: frozenset[FaultKind], operation: str) -> Fault | None:
        """Return the fault of these kinds that hits this request, if any."""
        return self._first(lambda fault: fault.kind in kinds and fault.operation in ("", operation))

    def strike_document(self, number: str) -> list[Fault]:
        """Return the faults that hit this document: at most one of each kind."""
        hits = [self._first(partial(_hits_document, kind=kind, number=number)) for kind in sorted(DOCUMENT_KINDS)]
        return [fault for fault in hits if fault]

    def _first(self, fits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for position, fault in enumerate(self._faults):
                left = self._left[position]
                if not fits(fault) or left == 0:
                    continue
                if fault.probability < 1.0 and self._random.random() >= fault.probability:
                    continue
                if left is not None:
                    self._left[position] = left - 1
                self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
                return fault
        return None


def _hits_document(fault: Fault, *, kind: FaultKind, number: str) -> bool:
    return fault.kind is kind and fault.number in ("", number)


def fault_from_json(data: Mapping[str, object]) -> Fault:
    """Read one fault of the control endpoint; raises `ValueError` or `KeyError`."""
    times = data.get("times")
    return Fault(
        kind=FaultKind(str(data["kind"])),
        operation=str(data.get("operation", "")),
        number=str(data.get("number", "")),
        times=None if times is None else int(cast(int, times)),
        probability=float(cast(float, data.get("probability", 1.0))),
        delay_s=float(cast(float, data.get("delay_s", 0.0))),
        code=str(data.get("code", "")),
    )
