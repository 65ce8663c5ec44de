"""One drill from start to end, and the stairs: more shoppers until the shop is slow or fails."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections

from logistics import api as logistics
from storefront.drill.around import Surroundings, deadlocks, hot_products
from storefront.drill.measure import Log, summary
from storefront.drill.shopper import Shopper
from storefront.models import ProductCopy, SalesOrder
from storefront.services.order_view import slug_of

MAX_SHOPPERS, MAX_MINUTES = 500, 240.0
SLOW_S = 2.0  # p99 of a page from which on the shop counts as too slow
WINDOW_S = 15.0
RAMP_S = 2.0
STAFF_BUSY = ("staff: OwnerBusy",)


@dataclass(frozen=True)
class Drill:
    """What is asked for."""

    base: str
    shoppers: int
    minutes: float
    seed: int
    think_s: float


def run(drill: Drill, say: Callable[[str], None]) -> tuple[dict[str, Any], Log]:
    """Run one drill; returns its figures and everything that was seen."""
    hot = hot_products()
    free, before = logistics.available(hot), deadlocks()
    paths = [f"/p/{slug_of(p)}/{p.pk}/" for p in ProductCopy.objects.filter(pk__in=hot)]
    log, stopping = Log(), threading.Event()
    around = Surroundings(hot, log, seed=drill.seed)
    threads = around.threads(stopping)
    for n in range(drill.shoppers):
        shopper = Shopper(n, drill.base, log, seed=drill.seed, hot=paths, think_s=drill.think_s)
        threads.append(threading.Thread(target=shopper.run, args=(stopping,)))
    connections.close_all()
    began = time.monotonic()
    for thread in threads:
        thread.start()
        time.sleep(RAMP_S / len(threads))
    _wait(log, began + drill.minutes * 60, say)
    stopping.set()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    around.put_back()
    figures = {
        "shoppers": drill.shoppers, "minutes": drill.minutes, **summary(log, seconds),
        "oversold": logistics.oversold_pieces() + _sold_beyond(log, hot, free, around.received),
        "deadlocks_seen": deadlocks() - before, "received": sum(around.received.values()), "edits": around.edits,
    }  # fmt: skip
    return {**figures, "passed": passed(figures)}, log


def _wait(log: Log, until: float, say: Callable[[str], None]) -> None:
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(5.0, left))
        say(f"{len(log.samples)} pages, {len(log.bought)} orders, {max(0.0, left - 5):.0f} s to go")


def _sold_beyond(log: Log, hot: list[int], free: dict[int, int], received: Counter[int]) -> int:
    """Pieces of the hot products that shoppers were promised beyond what there was, by what they were told."""
    numbers = {bought.number for bought in log.bought}
    accepted = set(
        SalesOrder.objects.filter(number__in=numbers).exclude(custody="refused").values_list("number", flat=True)
    )
    sold: Counter[int] = Counter()
    for bought in log.bought:
        if bought.number in accepted:
            sold.update(dict(bought.lines))
    return sum(max(0, sold[p] - free[p] - received[p]) for p in hot)


def passed(figures: dict[str, Any]) -> bool:
    """Whether it sold, and nothing happened that must never happen; staff who met a busy row try again."""
    unexpected = [what for what in figures["failures"] if what not in STAFF_BUSY]
    return bool(
        figures["orders"] > 0
        and not unexpected
        and figures["oversold"] == 0
        and figures["errors_5xx"] == 0
        and figures["no_answer"] == 0
        and figures["oldest_stock_at_arrival_s"]["max"] < WINDOW_S
    )


def is_slow(figures: dict[str, Any]) -> bool:
    """Whether the slowest of a hundred pages took too long."""
    return bool(figures["latency_s"]["p99"] > SLOW_S)


def _told(step: dict[str, Any]) -> str:
    took, stock = step["latency_s"], step["oldest_stock_at_arrival_s"]
    return (
        f"{step['shoppers']} shoppers {'held' if step['held'] else 'did not hold'}: {step['orders_per_s']} orders/s, "
        f"pages p50 {took['p50']} s, p99 {took['p99']} s; oldest stock shown p50 {stock['p50']} s, "
        f"p99 {stock['p99']} s, max {stock['max']} s; {step['oversold']} oversold, {step['errors_5xx']} errors"
    )


def climb(drill: Drill, say: Callable[[str], None]) -> tuple[list[dict[str, Any]], Log]:
    """Double the shoppers from step to step until p99 passes 2 s or an error appears; returns every step's figures.

    The log is the one of the last step that held.
    """
    steps: list[dict[str, Any]] = []
    shoppers, kept = drill.shoppers, Log()
    while shoppers <= MAX_SHOPPERS:
        say(f"step: {shoppers} shoppers")
        figures, log = run(Drill(drill.base, shoppers, drill.minutes, drill.seed, drill.think_s), say)
        figures["held"] = figures["passed"] and not is_slow(figures)
        steps.append(figures)
        say(_told(figures))
        if not figures["held"]:
            break
        kept, shoppers = log, shoppers * 2
    return steps, kept
