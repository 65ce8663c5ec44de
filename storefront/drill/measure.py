"""What the drill writes down of every page, and the figures that come of it."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """Value below which ``share`` of the values lie; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True)
class Sample:
    """One answer of the shop."""

    at_s: float  # since the start
    kind: str  # list, product, stock, cart, add, checkout, order…
    status: int  # 0: no answer
    took_s: float
    oldest_shown_s: float | None  # the oldest stock figure on the page, as it stood there; None: it showed none

    @property
    def at_arrival_s(self) -> float | None:
        """Age of the oldest stock figure when the page had arrived: at most the time of the whole request more."""
        return None if self.oldest_shown_s is None else self.oldest_shown_s + self.took_s


@dataclass(frozen=True)
class Bought:
    """An order that the shop has taken."""

    at_s: float
    number: str
    lines: tuple[tuple[int, int], ...]  # (product, pieces)


@dataclass
class Log:
    """Everything that was seen; safe for many threads."""

    began: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)
    bought: list[Bought] = field(default_factory=list)
    refused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    def page(self, kind: str, status: int, took_s: float, oldest_shown_s: float | None) -> None:
        """Note an answer."""
        with self._lock:
            self.samples.append(Sample(self.now_s(), kind, status, took_s, oldest_shown_s))

    def order(self, number: str, lines: Sequence[tuple[int, int]]) -> None:
        """Note an order that was taken."""
        with self._lock:
            self.bought.append(Bought(self.now_s(), number, tuple(lines)))

    def refusal(self) -> None:
        """Note an order that was refused because something had run out, or had changed."""
        with self._lock:
            self.refused += 1

    def failure(self, what: str) -> None:
        """Note something that should not happen."""
        with self._lock:
            self.failures[what] += 1


def summary(log: Log, seconds: float) -> dict[str, Any]:
    """The figures that follow from the pages alone."""
    took = [s.took_s for s in log.samples]
    shown = [s.oldest_shown_s for s in log.samples if s.oldest_shown_s is not None]
    arrived = [s.at_arrival_s for s in log.samples if s.at_arrival_s is not None]
    by_kind: dict[str, list[float]] = defaultdict(list)
    for sample in log.samples:
        by_kind[sample.kind].append(sample.took_s)
    return {
        "seconds": round(seconds, 1),
        "pages": len(took),
        "pages_per_s": round(len(took) / seconds, 2),
        "orders": len(log.bought),
        "orders_per_s": round(len(log.bought) / seconds, 2),
        "orders_refused": log.refused,
        "latency_s": _figures(took),
        "latency_by_page_s": {kind: _figures(values) for kind, values in sorted(by_kind.items())},
        "oldest_stock_shown_s": _figures(shown),
        "oldest_stock_at_arrival_s": _figures(arrived),
        "pages_with_stock": len(shown),
        "errors_5xx": sum(s.status >= 500 for s in log.samples),
        "no_answer": sum(s.status == 0 for s in log.samples),
        "failures": dict(log.failures),
    }


def _figures(values: Sequence[float]) -> dict[str, float]:
    return {
        "p50": round(percentile(values, 0.5), 3),
        "p99": round(percentile(values, 0.99), 3),
        "max": round(max(values, default=0.0), 3),
    }


def per_second(
    log: Log, value: Callable[[Sample], float | None], of: Callable[[Sequence[float]], float]
) -> list[tuple[float, float]]:
    """(second, figure) over the run, for a plot."""
    buckets: dict[int, list[float]] = defaultdict(list)
    for sample in log.samples:
        found = value(sample)
        if found is not None:
            buckets[int(sample.at_s)].append(found)
    return [(float(second), of(values)) for second, values in sorted(buckets.items())]
