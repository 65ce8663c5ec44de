"""Each kind of drift planted in a copy is found, exactly, and named with its class of cause."""

from __future__ import annotations

import json

import pytest

from admin_app.serializers import CustomerSerializer
from erp.scrubber.checks import COPY_CHECKS
from erp.scrubber.engine import run_check
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase

CUSTOMERS = COPY_CHECKS[0]

PLANTS = {
    "missing row": ("delete from finance.customer_copy where id = {b}", {"finance/customer {b}": "lost"}),
    "extra row": (
        "insert into logistics.customer_copy (id, version, number, name, country) values (99999, 1, 'X', 'x', 'HU')",
        {"logistics/customer 99999": "rogue write"},
    ),
    "changed value under an equal version": (
        "update storefront.customer_copy set name = 'rogue' where id = {b}", {"storefront/customer {b}": "rogue write"},
    ),
    "stale version": (
        "update finance.customer_copy set version = 0, city = 'old' where id = {a}", {"finance/customer {a}": "lost"},
    ),
    "version ahead of its owner": (
        "update finance.customer_copy set version = 9 where id = {a}", {"finance/customer {a}": "reordered"},
    ),
    "swapped keys": (
        "update finance.customer_copy set id = case id when {a} then -1 else {a} end where id in ({a}, {b}); "
        "update finance.customer_copy set id = {b} where id = -1",
        {"finance/customer {a}": "rogue write", "finance/customer {b}": "rogue write"},
    ),
}  # fmt: skip


@pytest.fixture
def keys(fresh_erp: ErpDatabase) -> tuple[int, int]:
    """Two keys among 5,000 customers, in different buckets."""
    clear_caches()
    rows = [{"external_ref": f"x:{i:05d}", "name": f"n{i}"} for i in range(5000)]
    saved = CustomerSerializer.bulk_save(rows, validate=False)
    return saved[10]["id"], saved[4900]["id"]


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_drift_is_found_exactly(fresh_erp: ErpDatabase, keys: tuple[int, int], plant: str) -> None:
    assert run_check(CUSTOMERS).status == "ok"
    names = {"a": keys[0], "b": keys[1]}
    sql, expected = PLANTS[plant]
    with fresh_erp.connect("postgres") as rogue:
        for statement in sql.format(**names).split("; "):
            rogue.execute(statement)
    result = run_check(CUSTOMERS)
    assert {s.key: s.cause for s in result.samples} == {k.format(**names): c for k, c in expected.items()}
    assert result.mismatched == len(expected)
    assert result.compared == 15000
    assert result.status == "warning"  # under 0.1 % of an instant master: recorded, not alerted


def test_scrub_command_alerts_repairs_and_exits(fresh_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id % 10 = 0")
    found = fresh_erp.manage("scrub", "--check", "customers", "--json", check=False)
    report = json.loads(found.stdout)
    assert (found.returncode, report["status"]) == (1, "alert")
    check = report["checks"][0]
    assert check["mismatched"] == 500
    assert len(check["samples"]) == 20
    assert check["repair"] == "manage.py resync customer finance"
    fresh_erp.manage("resync", "customer", "finance")
    assert fresh_erp.manage("scrub", "--check", "customers").returncode == 0
    with fresh_erp.connect("platform") as connection:
        alerts = connection.execute("select key, resolved_at is not null from alert").fetchall()
    assert alerts == [("scrub:customers", True)]


def test_crashing_check_is_failed_and_exits_2(fresh_erp: ErpDatabase) -> None:
    with fresh_erp.connect("finance_ddl") as connection:
        connection.execute("alter table customer_copy rename to elsewhere")
    found = fresh_erp.manage("scrub", "--check", "customers", "--json", check=False)
    report = json.loads(found.stdout)
    assert (found.returncode, report["checks"][0]["status"]) == (2, "failed")
    assert "customer_copy" in report["checks"][0]["error"]
