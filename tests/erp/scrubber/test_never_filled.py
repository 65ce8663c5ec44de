"""A copy that was never filled is a failed check, unless its first run is under way."""

from __future__ import annotations

import json

from erp import ownership
from erp.models import Alert
from erp.replication.positions import PAIR_LOCK_CLASS, pair_key
from erp.replication.pull import run_copy
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import run_check, run_scrub
from erp.scrubber.result import CheckResult
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase
from tests.logistics.world import stocked

STOCK = ownership.entity("stock")


def check_stock() -> CheckResult:
    (spec,) = [spec for spec in all_checks() if spec.name == "stock_copies"]
    return run_check(spec)


def test_copy_that_was_never_filled_fails_its_check_until_it_is(fresh_erp: ErpDatabase) -> None:
    clear_caches()
    stocked(5)
    run_copy("stock", "logistics", "admin_app")
    found = check_stock()
    assert (found.status, found.mismatched) == ("failed", 0)
    assert found.error.startswith("Storefront's copy of stock was never filled")
    assert found.parts == {"admin_app/stock": (1, 0)}  # the other reader's copy is compared all the same
    run_scrub(["stock_copies"])
    alert = Alert.objects.get(key="scrub:stock_copies")
    assert found.repair == alert.details["repair"] == "manage.py resync stock storefront --attach"
    done = fresh_erp.manage(*found.repair.split()[1:], "--json")
    assert json.loads(done.stdout)["checks"] == {"stock_copies": "ok"}
    alert.refresh_from_db()
    assert alert.resolved_at


def test_first_fill_that_is_under_way_is_in_flight(fresh_erp: ErpDatabase) -> None:
    clear_caches()
    stocked(5)
    run_copy("stock", "logistics", "admin_app")
    with fresh_erp.connect("logistics") as other, other.transaction():
        key = pair_key(STOCK, "logistics", "storefront")
        other.execute("select pg_advisory_xact_lock(%s, %s)", [PAIR_LOCK_CLASS, key])
        found = check_stock()
    assert (found.status, found.error) == ("warning", "")
    assert "Storefront's copy of stock is being filled for the first time." in found.position


def test_copy_that_is_wrong_and_another_that_was_never_filled_alert_with_both(fresh_erp: ErpDatabase) -> None:
    clear_caches()
    stocked(5)
    run_copy("stock", "logistics", "admin_app")
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update admin_app.stock_copy set on_hand = on_hand + 1")
    found = check_stock()
    assert (found.status, found.mismatched) == ("alert", 1)
    assert "never filled" in found.error
