"""Buyers in processes of their own: started once, then given one job after the other."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.databases import ErpDatabase
from tests.logistics import world

_BUYER = """
import json, random, sys
from decimal import Decimal
from erp.db import counters
from logistics import api

def lines_of(job, rng):
    pairs = list(job["lines"])
    if job["shuffle"]:
        rng.shuffle(pairs)
    return [{"line_no": n, "product_id": p, "sku": f"P{p}", "name": "n", "quantity": q, "unit_price": Decimal(100),
             "vat_code": "27", "vat_rate": Decimal(27)} for n, (p, q) in enumerate(pairs, start=1)]

api.available([1])
print("ready", flush=True)
for text in sys.stdin:
    job = json.loads(text)
    rng = random.Random(job["seed"])
    print("armed", flush=True)
    sys.stdin.readline()  # the shot that all of them wait for
    answers = []
    for number in job["orders"]:
        lines, owner = lines_of(job, rng), f"cart-{number}" if job["holds"] else ""
        if owner:
            api.hold_stock(owner, lines, 600)
        answers.append(api.accept_order({"order_id": number, "epoch": 1, "number": f"SO-{number}", "owner_key": owner,
            "customer_id": job["customer"], "currency": "HUF", "lines": lines}))
    print(json.dumps({"answers": answers, "counters": counters}), flush=True)
"""


class Buyers:
    """A crowd of processes that place orders through Logistics' api at the same moment."""

    def __init__(self, erp: ErpDatabase, processes: int) -> None:
        self._running = [erp.popen(_BUYER, ERP_LOCK_TIMEOUT_MS="20000") for _ in range(processes)]
        for process in self._running:
            assert self._read(process) == "ready\n"
        self._next_order = 1_000_000  # beyond the orders that a shop beside them made

    def place(
        self, lines: list[tuple[int, int]], *, buyers: int = 0, shuffle: bool = False, holds: bool = False,
        orders: list[int] | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Let ``buyers`` place one order each; with ``orders`` every process offers exactly these.

        Returns all answers; fails when any process met a deadlock.
        """
        numbers = list(range(self._next_order, self._next_order + buyers))
        self._next_order += buyers
        job = {
            "lines": lines, "shuffle": shuffle, "holds": holds, "customer": world.customer(),
        }  # fmt: skip
        for seed, process in enumerate(self._running):
            mine = orders or numbers[seed :: len(self._running)]
            self._tell(process, json.dumps({**job, "seed": seed, "orders": mine}))
        for process in self._running:
            assert self._read(process) == "armed\n"
        for process in self._running:
            self._tell(process, "go")
        answers = []
        for process in self._running:
            done = json.loads(self._read(process))
            assert done["counters"] == {"deadlocks": 0, "serialization_failures": 0}
            answers += done["answers"]
        return answers

    def close(self) -> None:
        """End the processes."""
        for process in self._running:
            process.communicate(timeout=30)

    @staticmethod
    def _tell(process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    @staticmethod
    def _read(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=10)[1]
        return line
