"""The copy task stops, or Redis does, while people buy: no page ever shows a number older than its window."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.test import Client

from erp import freshness
from erp.schedule import sync_schedule
from storefront.drill.measure import Log
from storefront.drill.shopper import Shopper
from tests.databases import ErpDatabase
from tests.faults.test_redis_gone import celery, free_port, valkey, wait_until
from tests.storefront import web, world

WINDOW_S = 15.0
_AGE = re.compile(r'data-age-s="([\d.]+)"')


def age_s() -> float:
    return freshness.copy_age("stock", "storefront").age_s or 0.0


@contextmanager
def crowd(url: str, products: list[int]) -> Iterator[None]:
    """Shoppers of the drill, who order one after the other."""
    stopping, log = threading.Event(), Log()
    hot = [f"/p/p/{key}/" for key in products]
    shoppers = [Shopper(n, url, log, seed=1, hot=hot, think_s=0.02) for n in range(2)]
    threads = [threading.Thread(target=shopper.run, args=(stopping,)) for shopper in shoppers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert log.samples


@pytest.mark.xdist_group("celery")
@pytest.mark.parametrize("what", ["copy task", "redis"])
def test_no_page_shows_an_old_number(fresh_erp: ErpDatabase, tmp_path: Path, what: str) -> None:
    world.set_up_books()
    world.delivery()
    load = [world.product(stock=2_000) for _ in range(3)]
    world.copy_stock()
    sync_schedule()
    port = free_port()
    with ExitStack() as running, web.shop_server() as url, crowd(url, load):
        task, redis = ExitStack(), ExitStack()
        for stack in (task, redis):
            running.enter_context(stack)
        redis.enter_context(valkey(tmp_path, port))
        task.enter_context(celery(fresh_erp, f"redis://127.0.0.1:{port}/0", tmp_path / "celery.log"))
        with fresh_erp.connect("postgres") as admin:
            ticks = "select tick from storefront.copy_position where entity = 'stock'"
            first = admin.execute(ticks).fetchone()
            wait_until(lambda: admin.execute(ticks).fetchone() != first, 90)  # the task does run
            (task if what == "copy task" else redis).close()
            # Time goes faster for this copy, so that the test need not wait for the whole window.
            admin.execute(
                "update storefront.copy_position set began_at = began_at - interval '10 s' where entity = 'stock'"
            )
        seen = _read_pages(load, until=time.monotonic() + 8)
        assert age_s() > WINDOW_S, "the copy must have grown old meanwhile"
    fresh, old = [a for copy_age, a in seen if copy_age < 12], [a for copy_age, a in seen if copy_age > WINDOW_S]
    assert fresh
    assert old
    assert max(a for _, a in seen) <= WINDOW_S
    assert max(old, default=0.0) < 3  # asked live, or not shown at all


def _read_pages(products: list[int], *, until: float) -> list[tuple[float, float]]:
    """(age of the copy, oldest number on the page; 0: none is shown) of every page that was rendered."""
    client, seen = Client(), []
    paths = ["/", f"/p/p/{products[0]}/", f"/stock/{products[1]}/"]
    while time.monotonic() < until:
        for path in paths:
            before = age_s()
            page = client.get(path, follow=True)
            assert page.status_code == 200
            ages = [float(age) for age in _AGE.findall(page.content.decode())]
            seen.append((before, max(ages, default=0.0)))
    return seen
