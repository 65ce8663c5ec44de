"""A long transaction elsewhere in the cluster explains rows that are late, never rows that were changed."""

from __future__ import annotations

import pytest

from erp.replication.pull import run_copy
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import run_check
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase
from tests.logistics.world import stocked

PLANTS = {
    "changed value under an equal version": "update storefront.stock_copy set on_hand = on_hand + 1",
    "version ahead of its owner": "update storefront.stock_copy set version = version + 5",
    "row the owner does not have": (
        "insert into storefront.stock_copy (id, version, warehouse_id, product_id, on_hand, reserved) "
        "values (99999, 1, 1, 1, 1, 0)"
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_drift_is_found_while_a_long_transaction_holds_the_low_mark_back(fresh_erp: ErpDatabase, plant: str) -> None:
    clear_caches()
    (check,) = [spec for spec in all_checks() if spec.name == "stock_copies"]
    with fresh_erp.connect("finance") as other, other.transaction():
        other.execute("select pg_current_xact_id()")  # from here on no low mark passes this transaction
        stocked(5)
        for reader in ("storefront", "admin_app"):
            run_copy("stock", "logistics", reader)
        assert run_check(check).status == "ok"
        with fresh_erp.connect("postgres") as rogue:
            rogue.execute(PLANTS[plant])  # type: ignore[arg-type]
        found = run_check(check)
    assert (found.mismatched, found.status) == (1, "alert"), found
