"""Redis is only the bell: without it nothing is lost and nothing waits, and work resumes when it is back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from erp.actor import SYSTEM
from erp.embedded import binaries
from erp.schedule import sync_schedule
from finance import api as finance
from logistics import api as logistics
from logistics.models import RelayItem
from tests.databases import ErpDatabase
from tests.environment import PROJECT_DIR
from tests.logistics.world import CLERK, accepted, stocked

SHIP = """
from datetime import date
from erp.actor import Actor
from logistics import api
api.ship({order}, None, actor=Actor(7, "Clerk"), key="k{order}", on_date=date(2026, 11, 24), settle_now=False)
print("shipped")
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def valkey(directory: Path, port: int) -> Iterator[None]:
    """A Valkey server of the test's own, ended by SIGKILL."""
    server = subprocess.Popen(
        [
            str(binaries.installed().valkey), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--dir", str(directory),
        ],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: connects(port), 20)
        yield
    finally:
        server.kill()
        server.wait()


def connects(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        os.sched_yield()


@contextmanager
def celery(erp: ErpDatabase, url: str, log: Path) -> Iterator[None]:
    """Worker and beat as ``make run`` starts them, on the test's database and broker."""
    environment = erp.environ(ERP_REDIS_URL=url, DJANGO_SETTINGS_MODULE="erp.settings", ERP_SEND_HINTS="1")
    base = [sys.executable, "-m", "celery", "-A", "erp.celery"]
    queues = "admin_app,finance,logistics,storefront,platform,copies"
    commands = (
        [*base, "worker", "-Q", queues, "-c", "1", "-P", "threads", "--without-gossip", "--without-mingle"],
        [*base, "beat", "-s", str(log.with_suffix(".beat")), "--pidfile", ""],
    )
    with log.open("w") as output:
        running = [
            subprocess.Popen(c, cwd=PROJECT_DIR, env=environment, stdout=output, stderr=output) for c in commands
        ]
        try:
            yield
        finally:
            for process in running:
                process.send_signal(signal.SIGKILL)
                process.wait()


def is_invoiced(order_id: int) -> bool:
    shipments = logistics.get_order(order_id)["shipments"]
    return bool(shipments) and all(s["invoice_number"] for s in shipments)


@pytest.mark.xdist_group("celery")
def test_work_resumes_when_redis_is_back(fresh_erp: ErpDatabase, tmp_path: Path) -> None:
    finance.load_demo(SYSTEM)
    sync_schedule()
    mug = stocked(20)
    first, second = accepted((mug, 2)), accepted((mug, 3))
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with celery(fresh_erp, url, tmp_path / "celery.log"):
        with valkey(tmp_path, port):
            logistics.ship(first, None, actor=CLERK, key="k1", on_date=date(2026, 11, 24), settle_now=False)
            wait_until(lambda: is_invoiced(first), 90)
        # Redis is gone: the goods issue commits all the same, in a process that tries to ring the bell.
        done = fresh_erp.python(SHIP.format(order=second), ERP_REDIS_URL=url, ERP_SEND_HINTS="1")
        assert "shipped" in done.stdout
        assert RelayItem.objects.exclude(state="done").count() == 1
        assert not is_invoiced(second)
        with valkey(tmp_path, port):
            wait_until(lambda: is_invoiced(second), 120)
    assert finance.books_difference() == 0
