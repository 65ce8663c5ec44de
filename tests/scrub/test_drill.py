"""Scrubs in a row while orders, receipts, edits and postings go on at full speed: no alert, no warning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from erp.models import Alert
from erp.scrubber.engine import run_scrub
from erp.scrubber.sides import clear_caches
from finance.services.goods_issues import set_collective
from logistics import api as logistics
from tests.databases import ErpDatabase
from tests.finance.reporting.stand_in import StandInProcess, running
from tests.scrub.load import under_load
from tests.scrub.planting import copy_everything
from tests.storefront import world


def drill(erp: ErpDatabase, stand_in: StandInProcess, runs: int) -> dict[str, int]:
    """Scrub under load; returns what the load did meanwhile."""
    clear_caches()
    world.set_up_books()
    products = [world.product("1000", stock=500) for _ in range(8)]
    logistics.save_warehouse({"code": "SPARE", "name": "Spare", "priority": 20})
    customers = [world.customer(f"Buyer {n}").pk for n in range(8)]
    for collective in customers[:2]:
        set_collective(collective, is_collective=True)
    copy_everything()
    job = {"products": products, "customers": customers, "collective": customers[:2]}
    environ = {"ERP_NAV_ENDPOINT": "standin", "ERP_NAV_URL": stand_in.base_url, "ERP_NAV_RECOVERY_WAIT_S": "0"}
    with under_load(erp, environ, **job, today=timezone.now().date().isoformat()) as done:
        for _ in range(runs):
            run = run_scrub()
            found = {r.name: (r.status, r.samples, r.error) for r in run.results.all() if r.status != "ok"}
            assert found == {}
            assert run.results.count() == 11
    assert Alert.objects.count() == 0
    return done


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandInProcess]:
    """The tax office, as a process."""
    with running(tmp_path / "nav.sqlite3") as process:
        yield process


STEPS = (
    "order", "ship", "give_back", "credit", "receipt", "customer", "product", "entry", "deposit", "transfer",
    "collective", "copies", "relays", "seals", "collected", "reports",
)  # fmt: skip


def test_three_scrubs_under_load_are_clean(fresh_erp: ErpDatabase, stand_in: StandInProcess) -> None:
    done = drill(fresh_erp, stand_in, 3)
    assert [step for step in STEPS if not done.get(step)] == [], done
    assert stand_in.held()


@pytest.mark.soak
def test_twenty_scrubs_under_load_are_clean(fresh_erp: ErpDatabase, stand_in: StandInProcess) -> None:
    done = drill(fresh_erp, stand_in, 20)
    assert done["order"] > 100
