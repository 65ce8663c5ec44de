"""Issuing invoices with gapless numbers: the real service against a plain ORM implementation, clients side by side."""

from __future__ import annotations

import subprocess
import sys

from bench.environment import PROJECT_DIR
from bench.harness import Result, fresh_database, judge, median, report, run_clients, tell

CLIENTS = 8
SECONDS = 5
ROUNDS = 3
GOAL = ">= 3"

LINES = """
lines = [{"name": f"Item {n}", "quantity": 2, "unit_price": "199.5", "vat_code": "27" if n % 2 else "5"}
         for n in range(5)]
"""

LOOP = """
for _ in range(3): issue()
began, end, done, times = time.perf_counter(), time.perf_counter() + SECONDS, 0, []
while time.perf_counter() < end:
    started = time.perf_counter(); issue(); times.append(time.perf_counter() - started); done += 1
print(json.dumps({"per_s": done / (time.perf_counter() - began), "ms": sorted(times)[len(times) // 2] * 1000}))
""".replace("SECONDS", str(SECONDS))

OURS = (
    LINES
    + """
from erp.actor import SYSTEM
from finance.models import CustomerCopy
from finance.services.invoicing import create_invoice
customer = CustomerCopy.objects.values_list("id", flat=True).get()
def issue():
    create_invoice({"customer_id": customer, "issued_on": "2026-03-10", "currency": "HUF", "lines": lines}, SYSTEM)
"""
    + LOOP
)

PLAIN = (
    LINES
    + """
from datetime import date
def issue():
    plain.issue(1, lines, date(2026, 3, 10))
"""
    + LOOP
)

PLAIN_HEAD = (
    "import sys, json, time, bench.environment\nfrom bench.plain_setup import set_up\nplain = set_up()\n"
    "from django.db import connections\n[connections[a].ensure_connection() for a in connections]\n"
)

MASTERS = """
from admin_app import api as admin_api
from erp.actor import SYSTEM
from finance import api
api.load_demo(SYSTEM)
row = {"external_ref": "b", "name": "Kovács Bt.", "country": "HU", "currency": "HUF"}
admin_api.save_customers([row], actor=SYSTEM)
print("{}")
"""

CHECK = """
from finance.models import Invoice, NumberSeries
from finance import api
numbers = sorted(Invoice.objects.values_list("sequence_no", flat=True))
assert numbers == list(range(1, len(numbers) + 1)) and not api.books_difference()
assert NumberSeries.objects.get(code="INV").last_no == len(numbers)
print(json.dumps({"invoices": len(numbers)}))
"""


def measure() -> list[Result]:
    """All rows of this benchmark; the two take turns, so that both meet the same machine."""
    fresh_database()
    run_clients(MASTERS, 1)
    subprocess.run([sys.executable, "-m", "bench.plain_setup"], cwd=PROJECT_DIR, check=True)
    ours: dict[int, list[float]] = {1: [], CLIENTS: []}
    plain: dict[int, list[float]] = {1: [], CLIENTS: []}
    for clients in (1, CLIENTS):
        for _ in range(ROUNDS):
            ours[clients].append(_rate(OURS, clients))
            plain[clients].append(_rate(PLAIN, clients, head=PLAIN_HEAD))
    issued = run_clients(CHECK, 1)[0]["invoices"]
    note = f"5 lines, 2 VAT rates, medians of {ROUNDS}; {issued} invoices without a gap, books balanced"
    one, many = (f"issue invoices, {n} client{'s' if n > 1 else ''}, vs plain ORM" for n in (1, CLIENTS))
    return [
        judge(many, median(ours[CLIENTS]), median(plain[CLIENTS]), GOAL, unit="/s", note=note),
        tell(one, median(ours[1]), median(plain[1]), unit="/s", note="the same with nobody else"),
    ]


def _rate(code: str, clients: int, head: str | None = None) -> float:
    return sum(float(str(answer["per_s"])) for answer in run_clients(code, clients, head=head))


if __name__ == "__main__":
    report(measure(), "invoicing")
