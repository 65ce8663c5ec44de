"""Copy checks at work: thresholds, alerts, repair, attachment, and copies that differ everywhere."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command

from admin_app.serializers import CustomerSerializer
from erp import ownership
from erp.replication.positions import attachment
from erp.scrubber import copies, engine, sides
from erp.scrubber.checks import COPY_CHECKS
from erp.scrubber.engine import run_check
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase

CUSTOMERS = COPY_CHECKS[0]


@pytest.fixture
def keys(fresh_erp: ErpDatabase) -> tuple[int, int]:
    """Two keys among 5,000 customers, in different buckets."""
    clear_caches()
    rows = [{"external_ref": f"x:{i:05d}", "name": f"n{i}"} for i in range(5000)]
    saved = CustomerSerializer.bulk_save(rows, validate=False)
    return saved[10]["id"], saved[4900]["id"]


def test_drift_below_the_threshold_is_a_warning(fresh_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id = any(%s)", [list(keys)])
    result = run_check(CUSTOMERS)
    assert (result.status, result.mismatched, result.compared) == ("warning", 2, 15000)
    assert {s.key for s in result.samples} == {f"finance/customer {key}" for key in keys}  # in different buckets


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


def test_copy_that_differs_everywhere_is_counted_without_being_held(
    fresh_erp: ErpDatabase, keys: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "SUSPECTS", 100)
    monkeypatch.setattr(sides, "STEP_ROWS", 1000)
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update logistics.customer_copy set name = 'rogue'")
    rests: list[int] = []
    comparison = copies.compare_copy(ownership.entity("customer"), "logistics", pause=lambda: rests.append(1))
    assert (comparison.compared, comparison.mismatched) == (5000, 5000)
    assert len(comparison.differing) == copies.LIST_KEYS + 1
    assert len(rests) == 2  # two buckets, each a step of its own
    result = run_check(CUSTOMERS)
    assert {part: mismatched for part, (_, mismatched) in result.parts.items()} == {
        "finance/customer": 0, "logistics/customer": 5000, "storefront/customer": 0,
    }  # fmt: skip
    assert (result.mismatched, len(result.samples), result.repair) == (5000, 20, "manage.py resync customer logistics")


def manage(*arguments: str) -> str:
    """What a command prints; in this process, which is much faster than one of its own."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_repair_is_audited_and_checked_again(fresh_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id = %s", [keys[0]])
    assert "would be" in manage("resync", "customer", "finance", "--dry-run")
    found = json.loads(manage("resync", "customer", "finance", "--keys", str(keys[0]), "--json"))
    assert (found["changed"], found["checks"]) == (1, {"customers": "ok"})
    with fresh_erp.connect("platform") as connection:
        assert connection.execute("select trigger, status from scrub_run").fetchall() == [("repair", "ok")]
    with fresh_erp.connect("admin_app") as owner:
        notes = owner.execute("select payload from change_journal where entity = 'resync'").fetchall()
    assert notes == [({"entity": "customer", "reader": "finance", "changed": 1, "removed": 0, "keys": [keys[0]]},)]


def test_repair_whose_check_still_alerts_exits_as_the_check(fresh_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id % 10 = 0")
    with pytest.raises(SystemExit) as ended:
        manage("resync", "customer", "finance", "--keys", str(keys[0]))
    assert ended.value.code == 1
    manage("resync", "customer", "finance")


def test_repair_that_could_not_be_checked_exits_2_and_says_so(
    fresh_erp: ErpDatabase, keys: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    with fresh_erp.connect("platform") as other:
        other.execute("select pg_advisory_lock(%s)", [engine.RUN_LOCK])
        with pytest.raises(SystemExit) as ended:
            call_command("resync", "customer", "finance", "--wait", "0")
        assert ended.value.code == 2
        assert "Not checked yet: another scrubber run is under way." in capsys.readouterr().out
        other.execute("select pg_advisory_unlock(%s)", [engine.RUN_LOCK])
    assert [(run.names, run.status) for run in engine.run_pending()] == [(["customers"], "ok")]


def test_repair_waits_for_the_run_that_is_under_way(fresh_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    holder = fresh_erp.popen(
        "from erp.db import cursor\n"
        f"cursor('platform').execute('select pg_advisory_lock(%s)', [{engine.RUN_LOCK}])\n"
        "print('held', flush=True); input()"
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waiting = fresh_erp.popen(
        "from django.core.management import call_command\n"
        "print('begun', flush=True); call_command('resync', 'customer', 'finance', '--wait', '60')"
    )
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "begun\n"
    holder.communicate("end\n", timeout=30)
    output, errors = waiting.communicate(timeout=60)
    assert (waiting.returncode, "Check customers again: ok." in output) == (0, True), errors


def test_detached_corrupt_copy_is_back_within_one_command_and_one_check(
    fresh_erp: ErpDatabase, keys: tuple[int, int]
) -> None:
    manage("resync", "customer", "storefront", "--detach", "disk broken")
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update storefront.customer_copy set name = 'rogue' where id % 2 = 0")
        rogue.execute("delete from storefront.customer_copy where id % 5 = 0")
    assert "Check customers again: ok." in manage("resync", "customer", "storefront", "--attach")
    assert attachment(ownership.entity("customer"), "admin_app", "storefront") == (True, "")
    assert run_check(CUSTOMERS).parts["storefront/customer"] == (5000, 0)
