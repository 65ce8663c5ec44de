"""The stock figure on a page: from the copy while it is fresh, else one question to Logistics, else not known."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections
from django.db.models import F, Sum
from django.utils import timezone

from erp import freshness
from logistics import api as logistics
from storefront.models import ProductCopy, StockCopy

BUDGET_S = 0.3  # a page waits this long for Logistics' answer, no longer
REUSE_S = 2.0  # an answer serves everybody who asks within this time
MARGIN_S = 2.0  # a page under load is rendered and sent for so long: a figure must still be fresh when it arrives
PAUSE_S = 2.0  # after a question that failed nobody asks again for this time


@dataclass(frozen=True)
class StockFigure:
    """What a page may say about a product's stock; nothing when not ``known``."""

    known: bool
    available: int = 0
    age_s: float = 0.0
    as_of: datetime | None = None
    always: bool = False  # nothing to count: a service, or goods that are made to order


UNKNOWN = StockFigure(known=False)


ALWAYS = StockFigure(known=False, always=True)


def figures_of(products: Iterable[ProductCopy]) -> dict[int, StockFigure]:
    """Product id → figure; what is not stocked can always be had."""
    rows = list(products)
    counted = stock_figures(p.pk for p in rows if p.is_stocked)
    return {p.pk: counted.get(p.pk, ALWAYS) for p in rows}


def stock_figures(product_ids: Iterable[int]) -> dict[int, StockFigure]:
    """Product id → figure, never older than the window of the stock entity."""
    ids = sorted(set(product_ids))
    if not ids:
        return {}
    found = freshness.read("stock", "storefront", lambda: _from_copy(ids))
    age = found.age
    if not found.too_old and age.age_s is not None and age.age_s <= age.window_s - MARGIN_S:
        return {
            key: StockFigure(True, max(0, found.data.get(key, 0)), age.age_s, age.as_of) for key in ids
        }
    return live.ask(ids)


def _from_copy(ids: list[int]) -> dict[int, int]:
    rows = StockCopy.objects.filter(product_id__in=ids).values("product_id")
    return {r["product_id"]: r["free"] for r in rows.annotate(free=Sum(F("on_hand") - F("reserved")))}


class LiveStock:
    """Asks Logistics on behalf of every page of this process: one question at a time, answers shared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._asking: tuple[frozenset[int], Future[None]] | None = None
        self._answers: dict[int, tuple[int, float]] = {}  # product → (available, monotonic time of the question)
        self._paused_until = 0.0
        self.questions = 0

    def ask(self, ids: list[int]) -> dict[int, StockFigure]:
        """Figures that are known within the budget; the others are UNKNOWN."""
        deadline = time.monotonic() + BUDGET_S
        while missing := [key for key in ids if self._answer(key) is None]:
            question = self._join_or_start(missing)
            if question is None:
                break
            try:
                question.result(timeout=max(0.0, deadline - time.monotonic()))
            except FutureTimeout:
                self._paused_until = time.monotonic() + PAUSE_S
                break
            except Exception:  # noqa: BLE001  whatever Logistics' trouble is, the page says "not known"
                break
            if time.monotonic() >= deadline:
                break
        return {key: self._answer(key) or UNKNOWN for key in ids}

    def _answer(self, key: int) -> StockFigure | None:
        known = self._answers.get(key)
        if known is None:
            return None
        age_s = time.monotonic() - known[1]
        if age_s > REUSE_S:
            return None
        return StockFigure(True, max(0, known[0]), age_s, timezone.now() - timedelta(seconds=age_s))

    def _join_or_start(self, missing: list[int]) -> Future[None] | None:
        with self._lock:
            if time.monotonic() < self._paused_until:
                return None
            if self._asking is not None and not self._asking[1].done():
                return self._asking[1]
            if self._pool is None:
                self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live-stock")
            self.questions += 1
            self._asking = (frozenset(missing), self._pool.submit(self._question, missing))
            return self._asking[1]

    def _question(self, ids: list[int]) -> None:
        began = time.monotonic()
        try:
            available = logistics.available(ids)
        except Exception:
            self._paused_until = time.monotonic() + PAUSE_S
            raise
        finally:
            connections.close_all()  # this thread lives as long as the process, its connections need not
        fresh = {key: (int(available.get(key, 0)), began) for key in ids}
        kept = {key: value for key, value in self._answers.items() if began - value[1] < REUSE_S}
        self._answers = {**kept, **fresh}


live = LiveStock()
