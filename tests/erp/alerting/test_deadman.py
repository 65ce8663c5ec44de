"""Dead-man switches: what should have happened and did not is an incident; time is given, never waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erp import clocks, deadman
from erp.alerts import beat_heart, open_alerts
from erp.models import ClockReading, Heartbeat, ScrubResult, ScrubRun
from erp.schedule import QUEUES, generated_tasks
from erp.watchdog import look, look_at_clocks
from tests.databases import ErpDatabase

DUE = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TEN_PAST = DUE + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _long_installed(erp: ErpDatabase) -> None:
    """The installation is older than the nights that are looked at."""
    with erp.connect("platform_ddl") as ddl:
        ddl.execute("update django_migrations set applied = '2026-01-01'")


def run_at(at: datetime, **values: Any) -> ScrubRun:
    return ScrubRun.objects.create(trigger="nightly", started_at=at, **{"status": "running", "total": 11, **values})


def give_results(run: ScrubRun, number: int) -> None:
    for at in range(number):
        ScrubResult.objects.create(
            run=run, name=f"check {at}", status="ok", compared=1, mismatched=0, drift=0, seconds=0
        )


def complete(at: datetime) -> None:
    """A nightly run that did all of its checks."""
    give_results(run_at(at, finished_at=at + timedelta(hours=1), status="ok"), 11)


def test_run_that_has_not_started_by_ten_past_three_alerts() -> None:
    complete(DUE - timedelta(days=1))
    assert not deadman.nightly(TEN_PAST - timedelta(seconds=1)).is_wrong
    late = deadman.nightly(TEN_PAST)
    assert late.is_wrong
    assert "2026-11-24 03:00 UTC has not started" in late.message
    assert "nightly" in look(TEN_PAST)
    run_at(TEN_PAST + timedelta(minutes=1))
    assert "nightly" not in look(TEN_PAST + timedelta(minutes=2))
    assert "nightly" not in [a.key for a in open_alerts()]


def test_run_of_last_night_does_not_count() -> None:
    complete(DUE - timedelta(days=1))
    assert deadman.nightly(TEN_PAST).is_wrong


def test_requested_run_has_not_started() -> None:
    run_at(DUE, status="requested")
    assert deadman.nightly(TEN_PAST).is_wrong


def test_run_beyond_its_bound_alerts_until_it_is_finished(settings: Any) -> None:
    settings.SCRUB_BOUND_S = 3600
    complete(DUE - timedelta(days=1))
    run = run_at(DUE, current="ledger_copy")
    assert not deadman.nightly(DUE + timedelta(hours=1)).is_wrong
    stuck = deadman.nightly(DUE + timedelta(hours=1, seconds=1))
    assert stuck.is_wrong
    assert "0 of 11 checks are done, at ledger_copy" in stuck.message
    ScrubRun.objects.filter(pk=run.pk).update(finished_at=DUE + timedelta(hours=2), status="ok")
    give_results(run, 11)
    assert not deadman.nightly(DUE + timedelta(hours=3)).is_wrong


def test_run_that_was_given_up_alerts_until_a_later_full_run_ends() -> None:
    run = run_at(DUE, status="failed", finished_at=DUE + timedelta(hours=7))
    give_results(run, 4)
    given_up = deadman.nightly(DUE + timedelta(hours=8))
    assert given_up.is_wrong
    assert "given up after 4 of 11 checks" in given_up.message
    later = {"trigger": "manual", "started_at": DUE + timedelta(hours=8), "finished_at": DUE + timedelta(hours=9)}
    one = ScrubRun.objects.create(names=["check 0"], status="ok", total=1, **later)
    give_results(one, 1)
    assert deadman.nightly(DUE + timedelta(hours=9)).is_wrong  # one check is no full run
    full = ScrubRun.objects.create(status="alert", total=11, **later)
    give_results(full, 11)
    assert not deadman.nightly(DUE + timedelta(hours=9)).is_wrong


def test_run_that_was_given_up_stays_an_incident_into_the_next_night() -> None:
    given_up = run_at(DUE - timedelta(days=1), status="failed", finished_at=DUE - timedelta(hours=17))
    give_results(given_up, 4)
    for now in (DUE - timedelta(seconds=1), DUE, TEN_PAST - timedelta(seconds=1)):
        assert "given up after 4 of 11 checks" in deadman.nightly(now).message
        assert "nightly" in look(now)
    tonight = run_at(DUE + timedelta(seconds=5))
    assert "nightly" in look(TEN_PAST)  # it runs, and has not shown anything yet
    give_results(tonight, 11)
    ScrubRun.objects.filter(pk=tonight.pk).update(finished_at=TEN_PAST, status="ok")
    assert "nightly" not in look(TEN_PAST)
    assert "nightly" not in [a.key for a in open_alerts()]


def test_night_without_any_run_stays_an_incident_while_the_next_one_runs() -> None:
    run_at(DUE + timedelta(seconds=5))
    assert "2026-11-23 03:00 UTC has not started" in deadman.nightly(DUE + timedelta(minutes=1)).message


def test_full_run_by_hand_ends_the_incident_of_a_run_that_never_started() -> None:
    assert "nightly" in look(TEN_PAST)
    values = {"started_at": TEN_PAST, "finished_at": TEN_PAST + timedelta(minutes=1)}
    give_results(ScrubRun.objects.create(trigger="manual", status="ok", total=11, **values), 11)
    assert "nightly" not in look(TEN_PAST + timedelta(minutes=2))
    assert "nightly" not in [a.key for a in open_alerts()]


def test_installation_younger_than_the_night_owes_no_run(erp: ErpDatabase) -> None:
    with erp.connect("platform_ddl") as ddl:
        ddl.execute("update django_migrations set applied = %s", [DUE + timedelta(hours=2)])
    assert not deadman.nightly(DUE + timedelta(hours=5)).is_wrong
    assert deadman.nightly(TEN_PAST + timedelta(days=1)).is_wrong


def hearts(silent: dict[str, float]) -> None:
    Heartbeat.objects.all().delete()
    for name in ("beat", *(f"worker:{queue}" for queue in QUEUES)):
        beat_heart(name)
    now = Heartbeat.objects.get(name="beat").at
    for name, seconds in silent.items():
        Heartbeat.objects.filter(name=name).update(at=now - timedelta(seconds=seconds))


def wrong() -> list[str]:
    return [verdict.key for verdict in deadman.beat_and_workers() if verdict.is_wrong]


def test_queue_without_worker_is_named() -> None:
    hearts({})
    assert wrong() == []
    hearts({"worker:finance": deadman.WORKER_SILENCE_S + 1})
    assert wrong() == ["worker:finance"]
    Heartbeat.objects.filter(name="worker:copies").delete()
    assert wrong() == ["worker:copies", "worker:finance"]


def test_silence_of_all_is_beats_alone() -> None:
    hearts({"beat": deadman.BEAT_SILENCE_S + 1, **{f"worker:{q}": 500.0 for q in QUEUES}})
    assert wrong() == ["beat"]


def test_every_queue_of_the_workers_has_its_heartbeat(erp: ErpDatabase) -> None:
    assert {t.queue for t in generated_tasks()} <= set(QUEUES)
    assert {t.args for t in generated_tasks() if t.task == "erp.heartbeat"} == {(queue,) for queue in QUEUES}


@pytest.fixture
def ticks() -> Callable[[], float]:
    """A clock that is two seconds behind."""
    return lambda: time.time() - 2.0


def test_clock_skew_is_a_warning_and_changes_nothing(ticks: Any) -> None:
    assert look_at_clocks() == []
    assert set(look_at_clocks(ticks)) == {"clock:postgresql", "clock:redis"}
    reading = ClockReading.objects.get(server="postgresql")
    assert reading.skew_s == pytest.approx(2.0, abs=0.5)
    assert {a.severity for a in open_alerts() if a.key.startswith("clock:")} == {"warning"}
    assert look_at_clocks() == []
    assert [a.key for a in open_alerts() if a.key.startswith("clock:")] == []


def test_skew_within_half_a_slow_round_trip_is_not_certain(settings: Any) -> None:
    settings.CLOCK_SKEW_MAX_S = 1.0
    assert not clocks.Skew("redis", 2.0, 1.5).is_certain
    assert clocks.Skew("redis", -2.0, 0.1).is_certain
