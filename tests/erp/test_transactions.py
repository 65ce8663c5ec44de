"""What a conflict over rows does to a caller: repeated by the outermost service, else "busy", never a raw error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg
import pytest

from erp import db
from erp.db import cursor, module_transaction, retrying
from erp.errors import OwnerBusy
from tests.databases import ErpDatabase

READ_TWO = "select key from relay_item where key = %s for update"


@pytest.fixture(scope="module")
def erp(module_erp: ErpDatabase) -> ErpDatabase:
    """Two rows to fight over."""
    with module_erp.connect("finance") as connection:
        connection.execute("insert into relay_item (kind, key, payload) values ('t', 'a', '{}'), ('t', 'b', '{}')")
    return module_erp


@contextmanager
def held(erp: ErpDatabase, key: str) -> Iterator[psycopg.Connection]:
    with erp.connect("finance") as other, other.transaction(force_rollback=True):
        other.execute(READ_TWO, [key])
        yield other


def conflict() -> None:
    """What a deadlock looks like to its victim."""
    with cursor("finance") as cur:
        cur.execute("do $$ begin raise exception 'deadlock detected' using errcode = 'deadlock_detected'; end $$")


def test_conflict_is_repeated_by_the_outermost_caller_also_when_it_comes_from_inside(erp: ErpDatabase) -> None:
    attempts: list[int] = []

    def inner() -> str:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            conflict()
        return "done"

    before = db.counters["deadlocks"]
    assert retrying("finance", lambda: retrying("finance", inner)) == "done"
    assert attempts == [0, 1, 2]
    assert db.counters["deadlocks"] == before + 2


def test_conflict_that_nobody_repeats_is_busy_and_leaves_the_outer_transaction_usable(erp: ErpDatabase) -> None:
    with module_transaction("finance"):
        with pytest.raises(OwnerBusy):
            retrying("finance", conflict)
        with cursor("finance") as cur:
            cur.execute("select 1")
            assert cur.fetchone() == (1,)


def test_conflict_inside_another_modules_repeated_transaction_is_busy(erp: ErpDatabase) -> None:
    def outer() -> None:
        with module_transaction("finance"):
            retrying("finance", conflict)

    with pytest.raises(OwnerBusy):
        retrying("logistics", outer)


def test_conflict_that_does_not_end_is_busy(erp: ErpDatabase) -> None:
    with pytest.raises(OwnerBusy):
        retrying("finance", conflict)


@pytest.mark.parametrize("nested", [False, True])
def test_row_locked_by_somebody_else_is_busy(erp: ErpDatabase, nested: bool) -> None:
    def read() -> None:
        with cursor("finance") as cur:
            cur.execute(READ_TWO, ["a"])

    with held(erp, "a"), module_transaction("finance") if nested else nullcontext(), pytest.raises(OwnerBusy):
        retrying("finance", read)


def test_real_deadlock_reaches_no_caller(erp: ErpDatabase) -> None:
    code = """
import sys
from erp.db import cursor, retrying
first, second = {order!r}
asked = []
def both():
    with cursor("finance") as cur:
        cur.execute("select 1 from relay_item where key = %s for update", [first])
        if not asked:
            asked.append(print("holds", flush=True) or sys.stdin.readline())
        cur.execute("select 1 from relay_item where key = %s for update", [second])
retrying("finance", both)
"""
    fighters = [erp.popen(code.format(order=order), ERP_LOCK_TIMEOUT_MS="60000") for order in ("ab", "ba")]
    for fighter in fighters:
        assert fighter.stdout is not None
        assert fighter.stdout.readline() == "holds\n"
    for fighter in fighters:
        assert fighter.stdin is not None
        fighter.stdin.write("go\n")
        fighter.stdin.flush()
    for fighter in fighters:
        _, errors = fighter.communicate(timeout=60)
        assert fighter.returncode == 0, errors
