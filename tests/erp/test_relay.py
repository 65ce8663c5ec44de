"""The relay: what must follow a commit is done once, whoever dies, fails or works at the same time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from erp import relay
from erp.db import cursor, module_transaction, rows_as_dicts
from erp.registry import registry
from erp.relay import STUCK_AFTER, drain, enqueue, retry_now, run_now, run_relay
from tests.databases import ErpDatabase

WORKER = """
import sys
from erp.relay import relay_handler, run_relay
@relay_handler("finance", "test")
def work(payload, key):
    print("working", key, flush=True)
    if payload.get("waits"):
        answer = sys.stdin.readline().strip()
        if answer != "well done":
            raise RuntimeError(answer)
print("ready", flush=True)
sys.stdin.readline()
print(run_relay("finance"), flush=True)
"""

Handler = Callable[[Callable[[Any, str], Any]], None]


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handler:
    """Take a handler for items of the kind ``test`` into this process."""

    def register(handler: Callable[[Any, str], Any]) -> None:
        monkeypatch.setitem(registry.relay_handlers, ("finance", "test"), handler)

    return register


def fail(payload: Any, key: str) -> None:
    raise RuntimeError("Finance is closed")


def add(*keys: str, **payload: Any) -> None:
    with module_transaction("finance"):
        for key in keys:
            enqueue("finance", "test", key, payload)


def item(key: str) -> dict[str, Any]:
    with cursor("finance") as cur:
        cur.execute("select *, next_at <= clock_timestamp() as due from relay_item where key = %s", [key])
        (row,) = rows_as_dicts(cur)
    return row


def make_due(erp: ErpDatabase, key: str) -> None:
    """Time passes: the item's lease or pause is over."""
    with erp.connect("finance") as finance:
        finance.execute("update relay_item set next_at = clock_timestamp() where key = %s", [key])


def start_worker(erp: ErpDatabase) -> subprocess.Popen[str]:
    worker = erp.popen(WORKER)
    assert read(worker) == "ready"
    return worker


def read(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def tell(worker: subprocess.Popen[str], text: str) -> None:
    assert worker.stdin is not None
    worker.stdin.write(text + "\n")
    worker.stdin.flush()


def test_concurrent_workers_do_each_item_once(fresh_erp: ErpDatabase) -> None:
    keys = [f"k{n}" for n in range(60)]
    add(*keys)
    workers = [start_worker(fresh_erp) for _ in range(3)]
    for worker in workers:
        tell(worker, "go")
    done: list[str] = []
    for worker in workers:
        output, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors
        done += [line.removeprefix("working ") for line in output.splitlines() if line.startswith("working")]
    assert sorted(done) == sorted(keys)
    assert {(i["state"], i["attempts"]) for i in map(item, keys)} == {("done", 1)}


def test_item_of_a_killed_worker_is_taken_again_after_its_lease(fresh_erp: ErpDatabase, handle: Handler) -> None:
    add("a", waits=True)
    worker = start_worker(fresh_erp)
    tell(worker, "go")
    assert read(worker) == "working a"
    worker.kill()
    worker.communicate()
    handle(lambda payload, key: {"by": "the next"})
    assert run_relay("finance") == {"done": 0, "failed": 0}
    make_due(fresh_erp, "a")
    assert run_relay("finance") == {"done": 1, "failed": 0}
    found = item("a")
    assert (found["state"], found["attempts"], json.loads(found["result"])) == ("done", 2, {"by": "the next"})


def test_run_that_must_tie_out_does_not_wait_for_a_dead_worker(fresh_erp: ErpDatabase, handle: Handler) -> None:
    add("a", waits=True)
    worker = start_worker(fresh_erp)
    tell(worker, "go")
    assert read(worker) == "working a"
    worker.kill()
    worker.communicate()
    handle(lambda payload, key: {"by": "the run"})
    assert drain("finance") == 0
    assert json.loads(item("a")["result"]) == {"by": "the run"}


def test_worker_that_outlives_its_lease_and_fails_reopens_nothing(fresh_erp: ErpDatabase, handle: Handler) -> None:
    add("a", waits=True)
    slow = start_worker(fresh_erp)
    tell(slow, "go")
    assert read(slow) == "working a"
    make_due(fresh_erp, "a")
    handle(lambda payload, key: None)
    assert run_relay("finance") == {"done": 1, "failed": 0}
    output, errors = slow.communicate("too late\n", timeout=60)
    assert output.strip() == "{'done': 0, 'failed': 1}", errors
    assert (item("a")["state"], item("a")["last_error"]) == ("done", "")


def test_failure_is_recorded_and_tried_again_later_and_later(fresh_erp: ErpDatabase, handle: Handler) -> None:
    handle(fail)
    add("a")
    for attempt in range(1, STUCK_AFTER):
        before = clock()
        assert run_relay("finance") == {"done": 0, "failed": 1}
        found = item("a")
        assert before + 2**attempt <= found["next_at"].timestamp() <= clock() + 2**attempt
        assert (found["state"], found["attempts"]) == ("waiting", attempt)
        assert found["last_error"] == "RuntimeError: Finance is closed"
        assert run_relay("finance") == {"done": 0, "failed": 0}  # not before its time
        make_due(fresh_erp, "a")


def clock() -> float:
    with cursor("finance") as cur:
        cur.execute("select extract(epoch from clock_timestamp())::float8")
        return float(cur.fetchone()[0])


def test_item_that_fails_often_is_stuck_and_still_done_once_it_can_be(fresh_erp: ErpDatabase, handle: Handler) -> None:
    handle(fail)
    add("a")
    for _ in range(STUCK_AFTER + 3):
        make_due(fresh_erp, "a")
        run_relay("finance")
    found = item("a")
    assert (found["state"], found["due"]) == ("stuck", False)
    assert (found["next_at"].timestamp() - clock()) <= relay.MAX_BACKOFF_S
    handle(lambda payload, key: None)
    retry_now("finance", found["id"])
    assert run_relay("finance") == {"done": 1, "failed": 0}
    assert (item("a")["state"], item("a")["last_error"]) == ("done", "")
    retry_now("finance", found["id"])
    assert item("a")["state"] == "done"


def test_item_that_kills_its_workers_is_stuck_too(fresh_erp: ErpDatabase, handle: Handler) -> None:
    add("poison", waits=True)
    with fresh_erp.connect("finance") as finance:
        finance.execute("update relay_item set attempts = %s", [STUCK_AFTER - 2])
    for attempt, state in ((STUCK_AFTER - 1, "waiting"), (STUCK_AFTER, "waiting"), (STUCK_AFTER + 1, "stuck")):
        make_due(fresh_erp, "poison")
        worker = start_worker(fresh_erp)
        tell(worker, "go")
        assert read(worker) == "working poison"
        worker.kill()
        worker.communicate()
        assert (item("poison")["attempts"], item("poison")["state"]) == (attempt, state)
    assert "the worker that had it died" in item("poison")["last_error"]
    assert item("poison")["next_at"].timestamp() > clock() + relay.LEASE_S  # later and later
    handle(lambda payload, key: None)
    make_due(fresh_erp, "poison")
    assert run_relay("finance") == {"done": 1, "failed": 0}


def test_failing_item_does_not_hold_up_the_others(fresh_erp: ErpDatabase, handle: Handler) -> None:
    def work(payload: Any, key: str) -> None:
        if key == "bad":
            fail(payload, key)

    handle(work)
    add("bad", "good 1", "good 2")
    assert run_relay("finance") == {"done": 2, "failed": 1}


def test_item_without_handler_waits_for_the_release_that_has_one(fresh_erp: ErpDatabase, handle: Handler) -> None:
    add("a")
    assert run_relay("finance") == {"done": 0, "failed": 1}
    assert "no relay handler for 'test'" in item("a")["last_error"]
    handle(lambda payload, key: None)
    make_due(fresh_erp, "a")
    assert run_relay("finance") == {"done": 1, "failed": 0}


def test_item_is_there_exactly_when_its_cause_committed(fresh_erp: ErpDatabase, handle: Handler) -> None:
    handle(lambda payload, key: None)
    with module_transaction("finance"):
        enqueue("finance", "test", "rolled back", {})
        transaction.set_rollback(True, using="finance")
    add("a")
    add("a", other=True)
    assert json.loads(item("a")["payload"]) == {}
    assert run_relay("finance") == {"done": 1, "failed": 0}


def test_item_is_done_at_once_unless_somebody_else_is_at_it(fresh_erp: ErpDatabase, handle: Handler) -> None:
    done: list[str] = []
    handle(lambda payload, key: done.append(key))
    add("a", "b")
    with fresh_erp.connect("finance") as other, other.transaction():
        other.execute("select 1 from relay_item where key = 'b' for update")
        assert run_now("finance", "test", "a") is True
        assert run_now("finance", "test", "b") is False
    assert run_now("finance", "test", "a") is False
    assert drain("finance") == 0
    assert done == ["a", "b"]


def test_commit_needs_no_broker_and_asks_a_dead_one_once(fresh_erp: ErpDatabase) -> None:
    code = """
from erp.db import module_transaction
from erp.relay import enqueue
for key in ("a", "b", "c"):
    with module_transaction("finance"):
        enqueue("finance", "test", key, {})
"""
    done = fresh_erp.python(code, ERP_SEND_HINTS="1", ERP_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.stderr.count("relay hint for finance not given") == 1
    assert {item(key)["state"] for key in "abc"} == {"waiting"}
