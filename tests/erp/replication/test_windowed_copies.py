"""Windowed copies: nothing is skipped, a hot row is not starved, and a run may come twice, late or beside another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from django.conf import settings

from erp.db import cursor, module_transaction
from erp.replication import positions, pull, transport
from erp.replication.resync import attach, detach
from erp.scrubber.copies import compare_copy
from tests.databases import ErpDatabase
from tests.erp.replication.stock_rows import PAIR, STOCK, copied, make_rows, owned, position, run, write

WRITER = """
import sys
from erp.db import cursor, module_transaction
print("ready", flush=True)
sys.stdin.readline()
n = 0
while {count} is None or n < {count}:
    with module_transaction("logistics"), cursor("logistics") as cur:
        cur.execute("update stock set on_hand = on_hand + 1, version = version + 1 where id = %s", [{key}])
    n += 1
"""
RUNNER = """
import sys
from erp.replication.pull import run_copy
print("ready", flush=True)
sys.stdin.readline()
for _ in range(25):
    run_copy("stock", "logistics", "storefront")
"""


@pytest.fixture
def rows(fresh_erp: ErpDatabase) -> list[int]:
    """Three stock rows that the Storefront holds already."""
    keys = make_rows(fresh_erp, 3)
    run()
    return keys


def test_late_commit_is_copied_after_its_commit(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    slow, fast, _ = rows
    with fresh_erp.connect("logistics") as early, fresh_erp.connect("logistics") as late:
        with early.transaction():
            write(early, slow)
            for n in range(2, 5):
                write(late, fast)
                run()
                assert copied(fresh_erp)[fast][0] == n
                assert copied(fresh_erp)[slow][0] == 1
        run()
        assert copied(fresh_erp)[slow][0] == 2
    assert copied(fresh_erp) == owned(fresh_erp)


def test_rolled_back_write_is_never_copied(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    with fresh_erp.connect("logistics") as writer:
        with writer.transaction(force_rollback=True):
            write(writer, rows[0])
            run()
        run()
    assert copied(fresh_erp)[rows[0]] == (1, 0)


@contextmanager
def write_transaction_elsewhere() -> Iterator[None]:
    """An open transaction with an id of its own in another database of the cluster."""
    login = {**settings.ENVIRONMENT.login("postgres").conninfo(), "dbname": "postgres"}
    with psycopg.connect(**login) as other:
        other.execute("select pg_current_xact_id()")
        yield
        other.rollback()


@contextmanager
def writing(erp: ErpDatabase, key: int) -> Iterator[Callable[[], bool]]:
    """Another process updates the row as fast as it can; gives a question whether it still does."""
    process = erp.popen(WRITER.format(count=None, key=key))
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    try:
        yield lambda: process.poll() is None
    finally:
        process.kill()
        process.communicate()


def follow_hot_row(erp: ErpDatabase, key: int, enough: Callable[[int], bool]) -> None:
    """Run the copy beside a hot row and a long foreign transaction; every run must bring what was committed."""
    versions = set()
    with ExitStack() as stack:
        stack.enter_context(write_transaction_elsewhere())
        alive = stack.enter_context(writing(erp, key))
        runs = 0
        while not enough(runs):
            committed = owned(erp)[key][0]
            run()
            runs += 1
            assert copied(erp)[key][0] >= committed
            assert position()["age_s"] < STOCK.window_s
            versions.add(copied(erp)[key][0])
            assert alive()
    assert len(versions) > runs / 2  # the row was hot, and the copy moved with it
    run()
    assert copied(erp) == owned(erp)


def test_hot_row_and_foreign_transaction_leave_the_copy_fresh(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    follow_hot_row(fresh_erp, rows[0], lambda runs: runs >= 40)


@pytest.mark.soak
def test_hot_row_and_foreign_transaction_for_a_minute(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    end = time.monotonic() + 60
    follow_hot_row(fresh_erp, rows[0], lambda runs: time.monotonic() > end)


def test_repeated_run_brings_nothing_new_and_still_makes_the_copy_younger(
    fresh_erp: ErpDatabase, rows: list[int]
) -> None:
    before, held = position(), copied(fresh_erp)
    run()
    assert position()["tick"] == before["tick"] + 1
    assert position()["began_at"] > before["began_at"]
    assert copied(fresh_erp) == held
    with fresh_erp.connect("storefront") as reader:
        ticks = reader.execute("select tick, id from stock_copy order by id").fetchall()
    assert ticks == [(before["tick"], key) for key in rows]


def test_batch_that_arrives_late_does_not_turn_the_copy_back(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    with module_transaction("logistics"), cursor("logistics") as cur:
        ((_, old),) = pull.changed_rows(cur, STOCK, "logistics", None)
    with fresh_erp.connect("logistics") as writer:
        write(writer, rows[0])
    run()
    with module_transaction("logistics"), cursor("logistics") as cur:
        transport.deliver(cur, STOCK, "storefront", 1, old)
    assert copied(fresh_erp)[rows[0]] == (2, 1)


def test_run_under_way_makes_the_next_one_skip(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    before = position()
    with fresh_erp.connect("logistics") as other, other.transaction():
        other.execute("select pg_advisory_xact_lock(%s, %s)", [positions.PAIR_LOCK_CLASS, positions.pair_key(*PAIR)])
        assert run().skipped == "a run is under way"
        assert position()["tick"] == before["tick"]
    assert run().skipped == ""


def test_concurrent_runs_beside_writers_lose_nothing(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    crowd = [fresh_erp.popen(WRITER.format(count=80, key=rows[0])), *(fresh_erp.popen(RUNNER) for _ in range(2))]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        _, errors = process.communicate("go\n", timeout=120)
        assert process.returncode == 0, errors
    run()
    assert copied(fresh_erp) == owned(fresh_erp)
    assert owned(fresh_erp)[rows[0]] == (81, 80)
    with fresh_erp.connect("storefront") as reader:
        ticks = [row[0] for row in reader.execute("select tick from copy_tick where entity = 'stock' order by tick")]
    assert ticks == list(range(1, position()["tick"] + 1))


def pretend_to_have_moved(erp: ErpDatabase, role: str, entity: str) -> None:
    """The copy's position now says that it comes from another cluster."""
    with erp.connect(f"{role}_ddl") as reader:
        reader.execute("update copy_position set system_identifier = '1' where entity = %s", [entity])


def test_restored_owner_makes_the_next_run_a_full_one(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    ahead, missing, _ = rows
    with fresh_erp.connect("postgres") as restore:
        # The owner went back to an older state: the copy is ahead in one row and has one that never was.
        restore.execute("update storefront.stock_copy set version = 90, on_hand = 90 where id = %s", [ahead])
        restore.execute("update storefront.stock_copy set id = 999999 where id = %s", [missing])
    run()
    assert copied(fresh_erp) != owned(fresh_erp)  # an ordinary run looks at new rows only
    pretend_to_have_moved(fresh_erp, "storefront", "stock")
    before = position()["tick"]
    assert run().rows == 3
    assert copied(fresh_erp) == owned(fresh_erp)
    assert position()["tick"] == before + 1
    comparison = compare_copy(STOCK, "storefront")
    assert (comparison.compared, comparison.differing, comparison.in_flight) == (3, {}, 0)


def test_detached_reader_is_not_run(fresh_erp: ErpDatabase, rows: list[int]) -> None:
    detach("stock", "storefront", "moving disks")
    assert "moving disks" in run().skipped
    attach("stock", "storefront")
    assert run().skipped == ""
