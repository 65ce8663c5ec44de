"""The watchdog: what goes wrong becomes one incident in PostgreSQL, and is resolved when it is right again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from erp import ownership
from erp.alerts import beat_heart, open_alerts, silence_s
from erp.models import Alert
from erp.replication.pull import run_copy
from erp.replication.resync import attach, detach
from erp.schedule import QUEUES
from erp.watchdog import look
from tests.databases import ErpDatabase

STOCK = "window:stock:storefront"


def make_all_well() -> None:
    """Every copy is fresh and beat lives."""
    for entity, source, reader in ownership.windowed_pairs():
        run_copy(entity.name, source, reader)
    beat_heart("beat")
    for queue in QUEUES:
        beat_heart(f"worker:{queue}")


@pytest.fixture
def erp(fresh_erp: ErpDatabase) -> ErpDatabase:
    """A system in which all is well."""
    make_all_well()
    assert look() == []
    return fresh_erp


def make_stock_old(erp: ErpDatabase, reader: str = "storefront") -> None:
    with erp.connect(f"{reader}_ddl") as ddl:
        ddl.execute("update copy_position set began_at = began_at - interval '16 s' where entity = 'stock'")


def incidents() -> list[tuple[str, bool]]:
    """Every incident so far: (key, resolved)."""
    return [(a.key, a.resolved_at is not None) for a in Alert.objects.order_by("id")]


def seconds_old(alert: Alert) -> float:
    """The age that an alert about Storefront's copy of stock tells."""
    found = re.search(r"Storefront's copy of stock is ([\d.]+) s old", alert.message)
    assert found, alert.message
    return float(found[1])


def test_breach_of_a_window_is_one_incident_until_it_is_over(erp: ErpDatabase) -> None:
    make_stock_old(erp)
    assert look() == [STOCK]
    first = Alert.objects.get()
    assert 16 <= seconds_old(first) < 30
    assert "manage.py resync stock storefront" in first.message
    assert first.severity == "critical"
    make_stock_old(erp)
    assert look() == [STOCK]
    again = Alert.objects.get()
    assert (again.pk, again.opened_at) == (first.pk, first.opened_at)
    assert seconds_old(again) >= 32
    assert again.last_seen_at > first.last_seen_at
    run_copy("stock", "logistics", "storefront")
    assert look() == []
    assert (incidents(), open_alerts()) == ([(STOCK, True)], [])


def test_second_breach_is_a_new_incident(erp: ErpDatabase) -> None:
    for _ in range(2):
        make_stock_old(erp)
        look()
        run_copy("stock", "logistics", "storefront")
        look()
    assert incidents() == [(STOCK, True), (STOCK, True)]


def test_copy_that_was_never_filled_is_a_breach(fresh_erp: ErpDatabase) -> None:
    expected = {f"window:{e.name}:{reader}" for e, _, reader in ownership.windowed_pairs()}
    assert {key for key in look() if key.startswith("window:")} == expected
    assert "never filled" in Alert.objects.get(key=STOCK).message


def test_age_that_is_not_known_is_not_called_never_filled(erp: ErpDatabase) -> None:
    with erp.connect("storefront_ddl") as ddl:  # the reader's clock was set back behind its last run
        ddl.execute("update copy_position set began_at = began_at + interval '1 h' where entity = 'stock'")
    assert look() == [STOCK]
    message = Alert.objects.get(key=STOCK).message
    assert "is of unknown age (the reader's clock was set back), its window is 15 s" in message


def test_detached_reader_is_a_warning_and_no_window_alert(erp: ErpDatabase) -> None:
    make_stock_old(erp)
    detach("stock", "storefront", "moving disks")
    detach("customer", "finance", "moving disks")
    assert look() == ["detached:customer:finance", "detached:stock:storefront"]
    assert {(a.severity, "moving disks" in a.message) for a in open_alerts()} == {("warning", True)}
    attach("customer", "finance")
    attach("stock", "storefront")
    assert (look(), open_alerts()) == ([], [])


def test_silent_beat_is_seen(erp: ErpDatabase) -> None:
    with erp.connect("platform_ddl") as ddl:
        ddl.execute("update heartbeat set at = at - interval '31 s' where name = 'beat'")
    assert look() == ["beat"]
    beat_heart("beat")
    assert look() == []
    with erp.connect("platform_ddl") as ddl:
        ddl.execute("delete from heartbeat")
    assert look() == ["beat"]
    assert "no sign of life yet" in Alert.objects.get(key="beat", resolved_at=None).message


def test_lost_redis_is_seen_without_redis(erp: ErpDatabase, settings: Any) -> None:
    there = settings.ENVIRONMENT
    settings.ENVIRONMENT = replace(there, redis_url="redis://127.0.0.1:1/0")
    assert look() == ["broker"]
    settings.ENVIRONMENT = replace(there, redis_url="unix:///nowhere/redis.sock")
    assert look() == ["broker"]
    settings.ENVIRONMENT = there
    assert look() == []
    assert incidents() == [("broker", True)]


def test_overdue_relay_is_seen_while_items_still_wait(erp: ErpDatabase) -> None:
    with erp.connect("logistics") as logistics:
        logistics.execute(
            "insert into relay_item (kind, key, payload, created_at) values "
            "('x', 'old', '{}', now() - interval '61 s'), ('x', 'new', '{}', now())"
        )
        assert look() == ["relay:logistics"]
        (alert,) = open_alerts()
        assert alert.message.startswith("1 items of Logistics's relay wait")
        assert alert.message.endswith(f"; {alert.details['repair']}")
        assert alert.details["repair"].endswith("/admin/stuck/")
        logistics.execute("update relay_item set state = 'done' where key = 'old'")
    assert look() == []


def test_stuck_item_is_an_incident_of_its_own_that_says_why(erp: ErpDatabase) -> None:
    with erp.connect("logistics") as logistics:
        logistics.execute(
            "insert into relay_item (kind, key, payload, state, last_error) values "
            "('invoice_issue', 'shipment:7', '{}', 'stuck', 'PeriodClosed: November is closed')"
        )
        assert look() == ["stuck:logistics"]
        assert "invoice_issue shipment:7: PeriodClosed: November is closed" in open_alerts()[0].message
        logistics.execute("update relay_item set state = 'done'")
    assert look() == []


def test_troubles_of_several_kinds_are_separate_incidents(erp: ErpDatabase) -> None:
    make_stock_old(erp)
    make_stock_old(erp, "admin_app")
    assert set(look()) == {STOCK, "window:stock:admin_app"}
    assert len(open_alerts()) == 2


def test_watchdog_shows_that_it_lives_itself(erp: ErpDatabase) -> None:
    look()
    silence = silence_s("watchdog")
    assert silence is not None
    assert silence < 30
