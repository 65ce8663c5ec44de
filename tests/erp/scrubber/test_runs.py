"""Runs: one at a time, resumed after a crash, once a night, asked for by staff, gentle in the background."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from erp.errors import Refused
from erp.models import Alert, ScrubRun
from erp.ownership import PLATFORM, alias_of
from erp.scrubber import checks, engine
from erp.scrubber.engine import LockLost, ScrubberBusy, request_scrub, run_nightly, run_pending, run_scrub
from erp.scrubber.result import CheckSpec, Findings
from erp.scrubber.throttle import LONGEST_REST_S, Throttle
from tests.databases import ErpDatabase

NIGHT = datetime(2026, 11, 24, 3, 0, 5, tzinfo=UTC)


class Checks:
    """Three small checks whose course a test decides."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.dies_in = ""
        self.loses_lock_in = ""

    def specs(self) -> list[CheckSpec]:
        return [CheckSpec(n, n, at, self._run(n), entity="customer") for at, n in enumerate(("one", "two", "three"))]

    def _run(self, name: str) -> Any:
        def run(findings: Findings) -> None:
            if name == self.dies_in:
                raise KeyboardInterrupt  # the process is ended: no result is kept
            if name == self.loses_lock_in:
                connections[alias_of(PLATFORM)].close()  # Django connects again, the session's lock is gone
            self.ran.append(name)
            findings.compared = 10

        return run


@pytest.fixture
def three(module_erp: ErpDatabase, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    """The checks are these three, and no run has been yet."""
    made = Checks()
    monkeypatch.setattr(engine, "all_checks", made.specs)
    with django_db_blocker.unblock():
        ScrubRun.objects.all().delete()
        Alert.objects.all().delete()
        yield made


def states() -> list[tuple[str, str, bool]]:
    """(trigger, status, finished) of every run."""
    return [(r.trigger, r.status, r.finished_at is not None) for r in ScrubRun.objects.order_by("id")]


def test_nightly_run_happens_once_a_night(three: Checks) -> None:
    assert len(run_nightly(NIGHT)) == 1
    assert run_nightly(NIGHT + timedelta(seconds=1)) == []  # the task came twice
    assert run_nightly(NIGHT + timedelta(hours=20)) == []
    assert three.ran == ["one", "two", "three"]
    run_nightly(NIGHT + timedelta(days=1))
    assert states() == [("nightly", "ok", True)] * 2


def test_interrupted_nightly_run_is_resumed_where_it_was(three: Checks) -> None:
    three.dies_in = "two"
    with pytest.raises(KeyboardInterrupt):
        run_nightly(NIGHT)
    run = ScrubRun.objects.get()
    assert (run.status, run.current, run.total, run.finished_at) == ("running", "two", 3, None)
    three.dies_in = ""
    assert [r.pk for r in run_pending(NIGHT + timedelta(minutes=5))] == [run.pk]
    assert three.ran == ["one", "two", "three"]
    assert states() == [("nightly", "ok", True)]


def test_run_too_old_to_resume_is_failed_never_clean(three: Checks) -> None:
    three.dies_in = "two"
    with pytest.raises(KeyboardInterrupt):
        run_nightly(NIGHT)
    three.dies_in = ""
    assert run_pending(NIGHT + timedelta(hours=7)) == []
    ScrubRun.objects.update(started_at=NIGHT - timedelta(days=300))
    run_scrub()
    assert states() == [("nightly", "failed", True), ("manual", "ok", True)]


def test_run_that_lost_its_lock_stops_and_is_resumed(three: Checks) -> None:
    three.loses_lock_in = "one"
    assert run_nightly(NIGHT) == []
    assert (three.ran, states()) == (["one"], [("nightly", "running", False)])
    run_pending(NIGHT + timedelta(minutes=1))
    assert (three.ran, states()) == (["one", "two", "three"], [("nightly", "ok", True)])
    with pytest.raises(LockLost):
        run_scrub()


def test_command_that_was_killed_is_not_taken_up_by_workers(three: Checks) -> None:
    three.dies_in = "one"
    with pytest.raises(KeyboardInterrupt):
        run_scrub()
    three.dies_in = ""
    assert run_pending() == []
    run_scrub()
    assert states() == [("manual", "failed", True), ("manual", "ok", True)]


def test_requested_run_is_done_by_the_next_pass(three: Checks) -> None:
    request_scrub(["two"], asked_by="anna")
    assert states() == [("staff", "requested", False)]
    run_pending()
    run = ScrubRun.objects.get()
    assert (three.ran, run.total, run.status, run.asked_by) == (["two"], 1, "ok", "anna")


def test_second_run_is_refused_while_one_is_under_way(three: Checks, module_erp: ErpDatabase) -> None:
    with module_erp.connect("platform") as other:
        other.execute("select pg_advisory_lock(%s)", [engine.RUN_LOCK])
        with pytest.raises(ScrubberBusy):
            run_scrub()
        assert run_nightly(NIGHT) == []
        other.execute("select pg_advisory_unlock(%s)", [engine.RUN_LOCK])  # a closed connection lets go a little later
    assert states() == [("nightly", "requested", False)]  # kept, and done by the next pass
    run_pending(NIGHT)
    assert states() == [("nightly", "ok", True)]


def test_unknown_check_is_refused_by_name(three: Checks) -> None:
    with pytest.raises(Refused, match="no check 'four'; the checks are one, two, three"):
        request_scrub(["four"])


def test_throttle_rests_as_long_as_it_worked() -> None:
    now, rests = [0.0], []

    def sleep(seconds: float) -> None:
        rests.append(seconds)
        now[0] += seconds

    throttle = Throttle(0.5, sleep=sleep, clock=lambda: now[0])
    for worked in (2.0, 0.0, 1000.0):
        now[0] += worked
        throttle()
    assert rests == [1.0, LONGEST_REST_S]


def test_background_run_hands_its_throttle_to_the_checks(three: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    spec = CheckSpec("rests", "rests", 1, lambda findings: findings.pause())
    monkeypatch.setattr(engine, "all_checks", lambda: [spec])
    run_nightly(NIGHT, pause=lambda: calls.append(1))
    assert calls == [1]


@pytest.mark.parametrize(
    ("courses", "code"),
    [
        (["clean"], 0), (["below"], 0), (["clean", "crash"], 2), (["clean", "drift"], 1), (["crash", "drift"], 1),
        (["exact"], 1),
    ],
)  # fmt: skip
def test_exit_code_is_the_worst_of_all(
    three: Checks, monkeypatch: pytest.MonkeyPatch, courses: list[str], code: int
) -> None:
    def course(kind: str) -> CheckSpec:
        def run(findings: Findings) -> None:
            findings.compared = 10_000
            findings.mismatched = {"clean": 0, "below": 10, "drift": 11, "exact": 1, "crash": 0}[kind]
            if kind == "crash":
                raise RuntimeError("out of order")

        return CheckSpec(kind, kind, 1, run, kind == "exact")

    specs = [course(kind) for kind in courses]
    monkeypatch.setattr(engine, "all_checks", lambda: specs)
    monkeypatch.setattr("erp.management.commands.scrub.all_checks", lambda: specs)
    with pytest.raises(SystemExit) as ended:
        call_command("scrub", "--json", stdout=StringIO())
    assert ended.value.code == code


def refused(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and document of a scrub that could not be done."""
    out = StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("scrub", "--json", *arguments, stdout=out)
    return ended.value.returncode, json.loads(out.getvalue())


def test_run_that_cannot_be_done_exits_2_and_never_as_drift(three: Checks, module_erp: ErpDatabase) -> None:
    code, document = refused("--check", "four")
    assert (code, document["status"], document["checks"]) == (2, "failed", [])
    assert "no check 'four'" in document["error"]
    with module_erp.connect("platform") as other:
        other.execute("select pg_advisory_lock(%s)", [engine.RUN_LOCK])
        code, document = refused()
        other.execute("select pg_advisory_unlock(%s)", [engine.RUN_LOCK])
    assert (code, document["status"]) == (2, "failed")


def test_scrub_without_database_exits_2(module_erp: ErpDatabase) -> None:
    found = module_erp.manage("scrub", "--json", check=False, ERP_DATABASE_NAME="not_there")
    assert (found.returncode, json.loads(found.stdout)["status"]) == (2, "failed")
    assert "Traceback" not in found.stderr


def test_threshold_of_a_check_is_configurable(settings: Any) -> None:
    def run(findings: Findings) -> None:
        findings.compared, findings.mismatched = 1000, 2

    assert engine.run_check(CheckSpec("masters", "masters", 1, run)).status == "alert"
    settings.SCRUB_THRESHOLDS = {"masters": 0.002}
    assert engine.run_check(CheckSpec("masters", "masters", 1, run)).status == "warning"
    assert engine.run_check(CheckSpec("masters", "masters", 1, run, is_exact=True)).status == "alert"


def test_there_are_eleven_checks_and_each_says_how_to_repair() -> None:
    specs = checks.all_checks()
    assert [spec.number for spec in specs] == list(range(1, 12))
    assert all(spec.repair or spec.entity for spec in specs)  # a copy's own repair is resync
