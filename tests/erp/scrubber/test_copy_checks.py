"""Copy checks at work: thresholds, alerts, repair, attachment, and copies that differ everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from admin_app.serializers import CustomerSerializer
from erp import ownership
from erp.replication.positions import attachment
from erp.replication.resync import resync
from erp.scrubber import copies, engine, sides
from erp.scrubber.checks import COPY_CHECKS
from erp.scrubber.engine import run_check
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase

CUSTOMERS = COPY_CHECKS[0]


@pytest.fixture(scope="module")
def saved(module_erp: ErpDatabase, django_db_blocker: DjangoDbBlocker) -> tuple[int, int]:
    """5,000 customers; two keys in different buckets."""
    with django_db_blocker.unblock():
        clear_caches()
        rows = [{"external_ref": f"x:{i:05d}", "name": f"n{i}"} for i in range(5000)]
        saved = CustomerSerializer.bulk_save(rows, validate=False)
    return saved[10]["id"], saved[4900]["id"]


@pytest.fixture
def keys(saved: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Two keys among 5,000 customers whose copies are right, and are made right again."""
    yield saved
    for reader in ownership.entity("customer").readers:
        resync("customer", reader)


def test_drift_below_the_threshold_is_a_warning(module_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with module_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id = any(%s)", [list(keys)])
    result = run_check(CUSTOMERS)
    assert (result.status, result.mismatched, result.compared) == ("warning", 2, 15000)
    assert {s.key for s in result.samples} == {f"finance/customer {key}" for key in keys}  # in different buckets


def test_scrub_command_alerts_repairs_and_exits(module_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with module_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id % 10 = 0")
    found = module_erp.manage("scrub", "--check", "customers", "--json", check=False)  # a process: its exit code
    report = json.loads(found.stdout)
    assert (found.returncode, report["status"]) == (1, "alert")
    check = report["checks"][0]
    assert check["mismatched"] == 500
    assert len(check["samples"]) == 20
    assert check["repair"] == "manage.py resync customer finance"
    manage("resync", "customer", "finance")
    with pytest.raises(SystemExit, match="^0$"):
        manage("scrub", "--check", "customers")
    with module_erp.connect("platform") as connection:
        alerts = connection.execute("select key, resolved_at is not null from alert order by id desc limit 1")
        assert alerts.fetchone() == ("scrub:customers", True)


def test_crashing_check_is_failed_and_exits_2(module_erp: ErpDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    with module_erp.connect("finance_ddl") as connection:
        connection.execute("alter table customer_copy rename to elsewhere")
    try:
        with pytest.raises(SystemExit) as ended:
            call_command("scrub", "--check", "customers", "--json")
    finally:
        with module_erp.connect("finance_ddl") as connection:
            connection.execute("alter table elsewhere rename to customer_copy")
    report = json.loads(capsys.readouterr().out)
    assert (ended.value.code, report["checks"][0]["status"]) == (2, "failed")
    assert "customer_copy" in report["checks"][0]["error"]


def test_copy_that_differs_everywhere_is_counted_without_being_held(
    module_erp: ErpDatabase, keys: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "SUSPECTS", 100)
    monkeypatch.setattr(sides, "STEP_ROWS", 1000)
    with module_erp.connect("postgres") as rogue:
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


def test_repair_is_audited_and_checked_again(module_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with module_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id = %s", [keys[0]])
    assert "would be" in manage("resync", "customer", "finance", "--dry-run")
    found = json.loads(manage("resync", "customer", "finance", "--keys", str(keys[0]), "--json"))
    assert (found["changed"], found["checks"]) == (1, {"customers": "ok"})
    with module_erp.connect("platform") as connection:
        assert connection.execute("select trigger, status from scrub_run order by id desc limit 1").fetchall() == [
            ("repair", "ok")
        ]
    with module_erp.connect("admin_app") as owner:
        notes = owner.execute(
            "select payload from change_journal where entity = 'resync' order by seq desc limit 1"
        ).fetchall()
    assert notes == [({"entity": "customer", "reader": "finance", "changed": 1, "removed": 0, "keys": [keys[0]]},)]


def test_repair_whose_check_still_alerts_exits_as_the_check(module_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with module_erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id % 10 = 0")
    with pytest.raises(SystemExit) as ended:
        manage("resync", "customer", "finance", "--keys", str(keys[0]))
    assert ended.value.code == 1
    manage("resync", "customer", "finance")


def test_repair_that_could_not_be_checked_exits_2_and_says_so(
    module_erp: ErpDatabase, keys: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    with module_erp.connect("platform") as other:
        other.execute("select pg_advisory_lock(%s)", [engine.RUN_LOCK])
        with pytest.raises(SystemExit) as ended:
            call_command("resync", "customer", "finance", "--wait", "0")
        assert ended.value.code == 2
        assert "Not checked yet: another scrubber run is under way." in capsys.readouterr().out
        other.execute("select pg_advisory_unlock(%s)", [engine.RUN_LOCK])
    assert [(run.names, run.status) for run in engine.run_pending()] == [(["customers"], "ok")]


def test_repair_waits_for_the_run_that_is_under_way(module_erp: ErpDatabase, keys: tuple[int, int]) -> None:
    with module_erp.connect("platform") as other:
        other.execute("select pg_advisory_lock(%s)", [engine.RUN_LOCK])
        waiting = module_erp.popen(
            "from django.core.management import call_command\n"
            "print('begun', flush=True); call_command('resync', 'customer', 'finance', '--wait', '60')"
        )
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "begun\n"
        other.execute("select pg_advisory_unlock(%s)", [engine.RUN_LOCK])
    output, errors = waiting.communicate(timeout=60)
    assert (waiting.returncode, "Check customers again: ok." in output) == (0, True), errors


def test_detached_corrupt_copy_is_back_within_one_command_and_one_check(
    module_erp: ErpDatabase, keys: tuple[int, int]
) -> None:
    manage("resync", "customer", "storefront", "--detach", "disk broken")
    with module_erp.connect("postgres") as rogue:
        rogue.execute("update storefront.customer_copy set name = 'rogue' where id % 2 = 0")
        rogue.execute("delete from storefront.customer_copy where id % 5 = 0")
    assert "Check customers again: ok." in manage("resync", "customer", "storefront", "--attach")
    assert attachment(ownership.entity("customer"), "admin_app", "storefront") == (True, "")
    assert run_check(CUSTOMERS).parts["storefront/customer"] == (5000, 0)
