"""One shopper, or the payment task, in several processes at once: started once, then given one job after the other."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from django.test import Client

from storefront.cardstandin.server import CardStandIn
from tests.databases import ErpDatabase
from tests.storefront import web

# Each job begins at the same moment in all processes.
WORKER = """
import json, sys, time
from django.conf import settings
from django.test import Client
from django.utils import timezone
from storefront.models import PaymentAttempt
from storefront.services.cards.completing import look_after_payments
Client().get("/cart/")  # everything is loaded before the first job
print("ready", flush=True)
for text in sys.stdin:
    job = json.loads(text)
    settings.CARD_URL, settings.CARD_SECRET = job["cards"]
    client, answers = Client(), []
    client.cookies.load(job["cookies"])
    while time.time() < job["start_at"]:
        time.sleep(0.001)
    for path, form in job["posts"]:
        answer = client.post(path, form)
        answers.append([answer.status_code, answer.headers.get("Location", "")])
    if not job["posts"]:
        PaymentAttempt.objects.update(look_at=timezone.now())
        answers.append(look_after_payments())
    print(json.dumps(answers), flush=True)
"""

Job = list[tuple[str, dict[str, str]]]  # what is posted; nothing: look after payments


class Crowd:
    """Processes that act for one shopper, or for the payment task."""

    def __init__(self, erp: ErpDatabase, processes: int) -> None:
        self._running = [erp.popen(WORKER, ERP_LOCK_TIMEOUT_MS="20000") for _ in range(processes)]
        for process in self._running:
            assert self._read(process) == "ready\n"

    def begin(self, bank: CardStandIn, jobs: list[Job], client: Client | None = None) -> None:
        """Give every job to a process of its own."""
        cookies = "; ".join(f"{name}={m.value}" for name, m in client.cookies.items()) if client else ""
        common = {"cookies": cookies, "cards": [bank.url, web.SECRET], "start_at": time.time() + 0.2}
        for process, posts in zip(self._running, jobs, strict=False):
            assert process.stdin is not None
            process.stdin.write(json.dumps({**common, "posts": posts}) + "\n")
            process.stdin.flush()
        self._given = len(jobs)

    def answers(self) -> list[Any]:
        """What all of them got."""
        return [answer for process in self._running[: self._given] for answer in json.loads(self._read(process))]

    def close(self) -> None:
        """End the processes."""
        for process in self._running:
            process.communicate(timeout=30)

    @staticmethod
    def _read(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=10)[1]
        return line
