"""Replay of a real retail history: orders and lines per second, and where the time goes."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from bench.environment import PROJECT_DIR
from bench.harness import Result, fresh_database, report, run_clients, tell

DATABASE = "erp_bench_replay"
EXCERPT = PROJECT_DIR / "tests" / "data" / "online-retail" / "excerpt.csv"
LIMIT = 150

STEPS = ("place", "accept", "ship", "invoice", "copies")
"""Steps of an order, each without the steps that it calls."""

RUN = """
import functools
import finance.api, finance.services.issuing, logistics.api
from storefront.services import integration
from storefront.services.replay.assumptions import Assumptions
from storefront.services.replay.booking import Booker
from storefront.services.replay.documents import Order
from storefront.services.replay.running import replay

inside, own_s = [], {{}}

def timed(module, name, step):
    run = getattr(module, name)
    @functools.wraps(run)
    def wrapper(*args, **kwargs):
        began = time.perf_counter()
        inside.append(0.0)
        try:
            return run(*args, **kwargs)
        finally:
            took = time.perf_counter() - began
            own_s[step] = own_s.get(step, 0.0) + took - inside.pop()
            if inside:
                inside[-1] += took
    setattr(module, name, wrapper)

timed(integration, 'place_order', 'place')
timed(logistics.api, 'accept_order', 'accept')
timed(logistics.api, 'ship', 'ship')
timed(finance.api, 'invoice_goods_issue', 'invoice')
timed(finance.services.issuing, 'publish_invoices', 'copies')

orders, book = [], Booker.book
def timed_book(self, document):
    if not isinstance(document, Order):
        return book(self, document)
    before, began = dict(own_s), time.perf_counter()
    book(self, document)
    steps = {{step: 1000 * (took - before.get(step, 0.0)) for step, took in own_s.items()}}
    orders.append({{'number': document.header.number, 'lines': len(document.lines),
                   'ms': 1000 * (time.perf_counter() - began), 'steps': steps}})
Booker.book = timed_book

from decimal import Decimal
assumed = Assumptions(currency='GBP', cost_ratio=Decimal('0.6'), vat_code='ATK', rate=Decimal(320))
outcome = replay({name!r}, assumed, limit={limit})
print(json.dumps({{'outcome': outcome.as_json(), 'orders': orders}}, default=str))
"""


@cache
def replayed() -> dict[str, Any]:
    """Replay the history once into a database of its own: ``outcome``, and ``orders`` with times and steps."""
    fresh_database(DATABASE)
    name, limit = history()
    answer: dict[str, Any] = run_clients(RUN.format(name=str(name), limit=limit), 1)[0]
    return answer


def history() -> tuple[Path, int | None]:
    """The whole history's first invoices where it is at hand, else the committed excerpt."""
    shared = os.environ.get("ERP_SHARED_DIR")
    whole = Path(shared) / "data" / "online-retail" / "orders.csv.gz" if shared else EXCERPT
    return (whole, LIMIT) if whole != EXCERPT and whole.is_file() else (EXCERPT, None)


def measure() -> list[Result]:
    """All rows of this benchmark."""
    answer = replayed()
    orders, outcome = answer["orders"], answer["outcome"]
    seconds = sum(order["ms"] for order in orders) / 1000
    lines = sum(order["lines"] for order in orders)
    results = [
        tell("orders replayed", len(orders) / seconds, unit="/s", note=f"{len(orders)} orders, {history()[0].name}"),
        tell("lines of replayed orders", lines / seconds, unit="/s", note=f"{lines} lines"),
        tell("whole replay, invoices of every kind", outcome["booked"] / outcome["seconds"], unit="/s",
             note=f"{outcome['booked']} invoices with masters, opening stock and tying out"),
    ]  # fmt: skip
    left = seconds
    for step in STEPS:
        took = sum(order["steps"].get(step, 0.0) for order in orders) / 1000
        left -= took
        results.append(tell(f"share of {step}", took, seconds, unit="s"))
    results.append(tell("share of the rest", left, seconds, unit="s"))
    return results


if __name__ == "__main__":
    report(measure(), "replay")
