"""Scrubs in a row while orders, receipts, edits and postings go on at full speed: no alert, no warning."""

from __future__ import annotations

import pytest
from django.utils import timezone

from erp.models import Alert
from erp.scrubber.engine import run_scrub
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase
from tests.scrub.load import under_load
from tests.storefront import world


def drill(erp: ErpDatabase, runs: int) -> dict[str, int]:
    """Scrub under load; returns what the load did meanwhile."""
    clear_caches()
    world.set_up_books()
    products = [world.product("1000", stock=500) for _ in range(8)]
    customers = [world.customer(f"Buyer {n}").pk for n in range(8)]
    today = timezone.now().date().isoformat()
    with under_load(erp, products=products, customers=customers, today=today) as done:
        for _ in range(runs):
            run = run_scrub()
            found = {r.name: (r.status, r.samples, r.error) for r in run.results.all() if r.status != "ok"}
            assert found == {}
            assert run.results.count() == 11
    assert Alert.objects.count() == 0
    return done


def test_three_scrubs_under_load_are_clean(fresh_erp: ErpDatabase) -> None:
    done = drill(fresh_erp, 3)
    for step in ("order", "ship", "receipt", "customer", "product", "entry", "deposit", "copies"):
        assert done.get(step), done


@pytest.mark.soak
def test_twenty_scrubs_under_load_are_clean(fresh_erp: ErpDatabase) -> None:
    done = drill(fresh_erp, 20)
    assert done["order"] > 100
