"""The scrubber over big data: one copy, all eleven checks, planted rows, and what checkout feels of it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench import environment
from bench.harness import Result, fresh_database, judge, median, percentile, report, run_clients, tell

SCALE = float(os.environ.get("BENCH_SCRUB_SCALE", "0.05"))  # 1 = the goal's 1 M customers, 2 M stock rows…
COPY_ROWS = 2_000_000
ROUNDS = 3
PAIRS = 5  # runs of checkout with and without the scrubber, in turn
ORDERS_S = 20  # length of one run of checkout

READ = {
    "admin_app": ("customer", "product", "ledger_copy", "stock_copy", "invoice_copy", "vat_code_copy"),
    "finance": (
        "customer_copy", "product_copy", "vat_code", "invoice", "invoice_line", "invoice_settlement", "journal_entry",
        "journal_line", "product_cost", "valued_move", "payment", "number_series", "sales_order_copy", "entry_seal",
        "invoice_seal", "nav_submission", "account", "ledger_balance",
    ),
    "logistics": (
        "customer_copy", "product_copy", "stock", "stock_move", "product_sequence", "reservation", "sales_order",
        "sales_order_line", "shipment", "shipment_line",
    ),
    "storefront": (
        "customer_copy", "product_copy", "vat_code_copy", "stock_copy", "invoice_copy", "sales_order",
        "sales_order_line", "sales_order_copy",
    ),
}  # fmt: skip
"""Every table that a check reads."""

PLANTED = {
    "lost": "delete from storefront.stock_copy where id = any(%s)",
    "changed under an equal version": "update storefront.stock_copy set on_hand = on_hand + 1 where id = any(%s)",
    "stale": "update storefront.stock_copy set version = version - 1 where id = any(%s)",
    "extra": "insert into storefront.stock_copy select -id, version, tick, warehouse_id, product_id, on_hand, reserved "
    "from storefront.stock_copy where id = any(%s)",
}

CHECKOUT = """
from decimal import Decimal
from storefront import api
from erp.actor import SYSTEM
times, began, n = [], time.perf_counter(), 0
while (now := time.perf_counter()) - began < {seconds}:
    due = began + n * {pause}
    if now < due:
        time.sleep(due - now)
    start = max(due, began) if {pause} else time.perf_counter()
    body = {{'customer_id': 1 + (client * 1000 + n) % 1000,
             'lines': [{{'product_id': 1 + (client * 7919 + n * 13) % {products}, 'quantity': 1}}]}}
    api.place_order(body, actor=SYSTEM, idempotency_key=f'{run}:{{client}}:{{n}}')
    times.append((time.perf_counter() - start) * 1000)
    n += 1
print(json.dumps({{'ms': times}}))
"""

SCRUBBING = """
from django.conf import settings
from erp.scrubber.engine import _gently, run_scrub
from erp.scrubber.throttle import Throttle
began = time.perf_counter()
with _gently():
    while time.perf_counter() - began < {seconds}:
        run_scrub(pause=Throttle(settings.SCRUB_REST))
print(json.dumps({{}}))
"""


def seconds_of(run: Callable[[], Any]) -> float:
    """Median of some rounds, after one that warms up."""
    run()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return median(taken)


def count_s(module: str, *tables: str) -> float:
    """Seconds of a plain count(*) of each of a module's tables."""
    from erp.db import cursor

    def run() -> None:
        with cursor(module) as cur:
            cur.execute("set statement_timeout = 0")
            for table in tables:
                cur.execute(f"select count(*) from {table}")

    return seconds_of(run)


def one_copy(rows: int) -> list[Result]:
    """Comparing the stock copy, clean and with rows planted, and descending into one bucket."""
    from bench.scrub_data import fill_stock, superuser
    from erp import ownership
    from erp.scrubber.copies import compare_copy
    from erp.scrubber.sides import copy_side, key_range, owner_side

    fill_stock(rows)
    stock, note = ownership.entity("stock"), f"{rows:,} rows"
    compared = seconds_of(lambda: compare_copy(stock, "storefront"))
    counted = count_s("logistics", "stock") + count_s("storefront", "stock_copy")
    owner, copy = owner_side(stock, "logistics", "storefront"), copy_side(stock, "storefront")
    lo, hi = key_range(1)
    drill_ms = seconds_of(lambda: (owner.rows(lo, hi), copy.rows(lo, hi))) * 1000
    with superuser() as c:
        highest = c.execute("select max(id) from logistics.stock").fetchone()
        assert highest is not None
        planted = 0
        for at, statement in enumerate(PLANTED.values()):
            keys = [1 + (at * 97 + n * 4099 * len(PLANTED)) % highest[0] for n in range(5)]
            planted += c.execute(statement, [keys]).rowcount  # type: ignore[arg-type]
    found = compare_copy(stock, "storefront").mismatched
    return [
        judge("copy of stock compared, vs count(*) of both sides", compared, counted, "<= 15", unit="s", note=note),
        judge("rows planted in the copy and found", found, planted, "== 1", unit="rows", note=", ".join(PLANTED)),
        judge("descending into one bucket that differs", drill_ms, 100, "<= 1", unit="ms"),
    ]


def all_checks_over(note: str) -> list[Result]:
    """Every check once, against one count(*) of every table that they read."""
    from erp.scrubber.checks import all_checks
    from erp.scrubber.engine import run_check

    for spec in all_checks():  # warms up, and verifies the chain in full: the run that counts goes on from there
        first = run_check(spec)
        if first.status != "ok":
            raise RuntimeError(f"{spec.name} is not clean: {first.samples[:3]} {first.error}")
    results = [run_check(spec) for spec in all_checks()]
    counted = sum(count_s(module, *tables) for module, tables in READ.items())
    total = sum(r.seconds for r in results)
    rows = [judge("eleven checks, vs one count(*) of every table", total, counted, "<= 20", unit="s", note=note)]
    return rows + [
        tell(f"check {r.name}", r.seconds, counted, unit="s", note=f"{r.compared} compared") for r in results
    ]


def checkout(products: int) -> list[Result]:
    """p99 of placing orders at half of the peak rate, with and without a throttled scrub beside it."""

    def orders(run: str, pause: float, seconds: int) -> list[float]:
        code = CHECKOUT.format(seconds=seconds, pause=pause, products=products, run=run)
        answers: list[Any] = run_clients(code, 2)
        return [ms for answer in answers for ms in answer["ms"]]

    peak = len(orders("peak", 0, ORDERS_S)) / ORDERS_S
    pause = 2 / (peak / 2)  # two clients, half of the peak together
    growths, p99s = [], []
    for n in range(PAIRS):
        alone = percentile(orders(f"alone{n}", pause, ORDERS_S), 0.99)
        with scrubbing(ORDERS_S + 5):
            beside = percentile(orders(f"beside{n}", pause, ORDERS_S), 0.99)
        growths.append(beside / alone)
        p99s.append((alone, beside))
    note = f"at {peak / 2:.1f}/s, half of the peak; pairs " + ", ".join(f"{a:.0f}→{b:.0f}" for a, b in p99s)
    return [judge("checkout p99 beside a throttled scrub, median of pairs", median(growths), 1, "<= 1.1", note=note)]


@contextmanager
def scrubbing(seconds: int) -> Iterator[None]:
    """A process that scrubs gently for a while; ends with the block."""
    head = "import json, time, bench.environment, django; django.setup()\nprint('ready', flush=True)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", head + SCRUBBING.format(seconds=seconds)],
        cwd=environment.PROJECT_DIR, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        process.wait()


def measure(scale: float = SCALE, copy_rows: int = COPY_ROWS) -> list[Result]:
    """All rows of this benchmark."""
    import django
    from django.db import connections

    fresh_database("erp_bench_copy")
    django.setup()
    results = one_copy(copy_rows)
    name = fresh_database("erp_bench_scrub")
    for alias in connections:
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
    from bench.scrub_data import fill

    rows = fill(scale)
    note = f"scale {scale:g}: " + ", ".join(f"{count:,} {name}" for name, count in rows.items())
    results += all_checks_over(note)
    return results + checkout(rows["products"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=SCALE, help="1 = 1 M customers, 1 M products, 2 M stock, 5 M lines"
    )
    parser.add_argument("--copy-rows", type=int, default=COPY_ROWS, help="rows of the one copy that is compared")
    options = parser.parse_args()
    report(measure(options.scale, options.copy_rows), "scrub")
