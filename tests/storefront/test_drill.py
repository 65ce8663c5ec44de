"""The Black Friday drill itself: what it reports, and whom it refuses to drive."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from storefront.drill.measure import Log, summary
from storefront.drill.report import render
from storefront.drill.running import passed
from storefront.models import SalesOrder
from tests.databases import ErpDatabase
from tests.storefront import web, world


@pytest.fixture
def shop(module_erp: ErpDatabase, settings: Settings) -> Iterator[str]:
    world.set_up_books()
    world.delivery()
    for _ in range(6):
        world.product("1000", stock=50)
    stopping = threading.Event()

    def copy() -> None:
        while not stopping.wait(0.5):
            world.copy_stock()
        connections.close_all()

    copying = threading.Thread(target=copy)
    world.copy_stock()
    with web.card_shop(settings):
        copying.start()
        try:
            yield settings.SHOP_URL
        finally:
            stopping.set()
            copying.join()


def test_short_drill_sells_without_overselling_and_writes_its_report(
    shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    call_command(
        "blackfriday", shoppers=4, minutes=0.08, think=0.05, url=shop, report=report, json=True, stderr=StringIO()
    )  # fmt: skip
    figures = json.loads(capsys.readouterr().out)
    assert (figures["oversold"], figures["deadlocks_seen"]) == (0, 0)
    assert figures["orders"] > 0
    assert SalesOrder.objects.filter(custody="handed_over").count() >= figures["orders"]
    assert set(figures["oldest_stock_shown_s"]) == {"p50", "p99", "max"}
    assert 0 < figures["oldest_stock_shown_s"]["max"] < figures["oldest_stock_at_arrival_s"]["max"] < 15
    assert figures["passed"], figures["failures"]
    assert figures["latency_s"]["p99"] >= figures["latency_s"]["p50"] > 0
    text = report.read_text()
    assert text.count("<svg") == 3
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "http://shop.example.com/"}, "this machine only"),
        ({"url": "http://127.0.0.1:1", "shoppers": 100_000}, "shoppers"),
        ({"url": "http://127.0.0.1:1", "minutes": 0.0}, "minutes"),
    ],
)
def test_drill_refuses_other_machines_and_boundless_runs(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("blackfriday", **options)


def test_drill_fails_when_a_page_shows_an_old_number_or_an_error() -> None:
    log = Log()
    log.page("list", 200, 0.1, 3.0)
    assert not passed({**summary(log, 1.0), "oversold": 0})  # it sold nothing
    log.order("SO-1", [(1, 1)])
    good = {**summary(log, 1.0), "oversold": 0}
    assert passed(good)
    assert passed({**good, "failures": {"staff: OwnerBusy": 3}})
    assert not passed({**good, "failures": {"staff: OwnerBusy": 3, "KeyError: 'x'": 1}})
    assert not passed({**good, "oversold": 1})
    log.page("list", 200, 1.0, 14.5)  # written at 14.5 s, read at 15.5 s
    assert not passed({**summary(log, 1.0), "oversold": 0})
    other = Log()
    other.order("SO-1", [(1, 1)])
    other.page("cart", 503, 0.1, None)
    assert not passed({**summary(other, 1.0), "oversold": 0})


def test_report_tells_the_oldest_stock_of_every_step() -> None:
    log = Log()
    log.page("list", 200, 0.25, 3.0)
    log.order("SO-1", [(1, 1)])
    step = {**summary(log, 1.0), "oversold": 0, "deadlocks_seen": 0, "received": 0, "edits": 0, "passed": True}
    steps = [{**step, "shoppers": shoppers, "held": shoppers < 8} for shoppers in (2, 4, 8)]
    text = render(steps[1], log, steps, datetime.now(UTC))
    assert text.count("<td>3.25 / 3.25 / 3.25</td>") == 3
    assert text.count("did not hold") == 1
