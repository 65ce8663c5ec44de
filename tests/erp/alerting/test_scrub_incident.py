"""Drift on its way: found by a run, told on three channels with all that helps, over with the next clean run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from admin_app.serializers import CustomerSerializer
from erp.alerting.dispatch import dispatch
from erp.models import Alert
from erp.replication.resync import attach, detach
from erp.scrubber.engine import run_scrub
from erp.scrubber.repair import repair
from erp.scrubber.sides import clear_caches
from tests.databases import ErpDatabase
from tests.erp.alerting.receivers import Receivers

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
CHANNELS = ["pagerduty", "slack", "email"]


def test_drift_is_told_with_everything_and_resolved_by_the_next_clean_run(
    erp: ErpDatabase, receivers: Receivers
) -> None:
    clear_caches()
    key = CustomerSerializer.bulk_save([{"external_ref": "a:1", "name": "Kiss Anna"}])[0]["id"]
    run_scrub(["customers"])
    assert dispatch(NOW) == 0

    with erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id = %s", [key])
    run_scrub(["customers"])
    run_scrub(["customers"])  # seen again: still one incident
    assert dispatch(NOW) == 3
    assert [channel for channel, _ in receivers.arrived] == CHANNELS
    event = receivers.of("pagerduty")[0]["payload"]
    slack = " ".join(block["text"]["text"] for block in receivers.of("slack")[0]["blocks"] if "text" in block)
    for text in (event["summary"], slack, receivers.of("email")[0][1].get_content()):
        for fact in (
            "Customer master", "1 of ", "clean last at 20", f"finance/customer {key}", "rogue write",
            f"manage.py resync customer finance --keys {key}",
        ):  # fmt: skip
            assert fact in text, (fact, text)
        assert "Kiss Anna" not in text  # rows are named, never shown

    repair("customer", "finance", keys=[key])
    run_scrub(["customers"])
    assert dispatch(NOW) == 3
    assert [channel for channel, _ in receivers.arrived[3:]] == CHANNELS
    assert (receivers.refused, Alert.objects.filter(resolved_at=None).count()) == ([], 0)


def test_warning_neither_opens_nor_ends_an_incident(erp: ErpDatabase, settings: Any) -> None:
    clear_caches()
    saved = CustomerSerializer.bulk_save([{"external_ref": f"w:{at}", "name": f"w{at}"} for at in range(2)])
    keys = [row["id"] for row in saved]
    break_copy = "update finance.customer_copy set name = 'rogue' where id = any(%s)"
    with erp.connect("postgres") as rogue:
        rogue.execute(break_copy, [keys])
    settings.SCRUB_THRESHOLDS = {"customers": 1.0}
    Alert.objects.all().delete()
    assert run_scrub(["customers"]).status == "warning"
    assert Alert.objects.count() == 0

    settings.SCRUB_THRESHOLDS = {}
    assert run_scrub(["customers"]).status == "alert"
    opened = Alert.objects.get()
    repair("customer", "finance", keys=keys[:1])
    settings.SCRUB_THRESHOLDS = {"customers": 1.0}
    assert run_scrub(["customers"]).status == "warning"
    still = Alert.objects.get()
    assert (still.pk, still.resolved_at, still.details["mismatched"]) == (opened.pk, None, 1)
    assert still.last_seen_at > opened.last_seen_at

    repair("customer", "finance", keys=keys[1:])
    run_scrub(["customers"])
    assert Alert.objects.get().resolved_at is not None


def test_detaching_the_reader_that_drifted_ends_no_incident(erp: ErpDatabase) -> None:
    clear_caches()
    Alert.objects.all().delete()
    key = CustomerSerializer.bulk_save([{"external_ref": "d:1", "name": "d"}])[0]["id"]
    with erp.connect("postgres") as rogue:
        rogue.execute("update finance.customer_copy set name = 'rogue' where id = %s", [key])
    assert run_scrub(["customers"]).status == "alert"
    detach("customer", "finance", "do not want to know")
    assert run_scrub(["customers"]).status == "warning"
    alert = Alert.objects.get()
    assert alert.resolved_at is None
    assert "Finance is detached from customer and was not compared" in alert.message
    attach("customer", "finance")
    assert run_scrub(["customers"]).status == "ok"
    assert Alert.objects.get().resolved_at is not None


def test_check_that_cannot_run_says_so_and_what_to_do(erp: ErpDatabase, receivers: Receivers) -> None:
    clear_caches()
    with erp.connect("finance_ddl") as ddl:
        ddl.execute("alter table customer_copy rename to elsewhere")
    try:
        assert run_scrub(["customers"]).status == "failed"
        dispatch(NOW)
    finally:
        with erp.connect("finance_ddl") as ddl:
            ddl.execute("alter table elsewhere rename to customer_copy")
    summary = receivers.of("pagerduty")[0]["payload"]["summary"]
    assert "could not run" in summary
    assert "manage.py scrub --check customers" in summary
