"""Whatever order transactions begin, write, commit and runs come in: the copy follows and ends equal."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.scrubber.copies import compare_copy
from tests.databases import ErpDatabase
from tests.erp.replication.stock_rows import STOCK, copied, make_rows, owned, run, write

ROWS = 4
WRITERS = 3
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, WRITERS - 1), st.integers(0, ROWS - 1)),
        st.tuples(st.sampled_from(["commit", "roll back"]), st.integers(0, WRITERS - 1), st.just(0)),
        st.tuples(st.just("run"), st.just(0), st.just(0)),
    ),
    min_size=4,
    max_size=30,
)


class Writers:
    """Transactions that are open side by side; a row locked by one is left alone by the others."""

    def __init__(self, connections: list[psycopg.Connection[Any]], keys: list[int]) -> None:
        self._connections, self._keys = connections, keys
        self._locked: dict[int, int] = {}

    def write(self, writer: int, row: int) -> None:
        if self._locked.setdefault(row, writer) == writer:
            write(self._connections[writer], self._keys[row])

    def end(self, writer: int, how: str) -> None:
        if how == "commit":
            self._connections[writer].commit()
        else:
            self._connections[writer].rollback()
        self._locked = {row: by for row, by in self._locked.items() if by != writer}


@pytest.fixture(scope="module")
def keys(module_erp: ErpDatabase) -> list[int]:
    return make_rows(module_erp, ROWS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_copy_follows_every_interleaving(
    module_erp: ErpDatabase, keys: list[int], steps: list[tuple[str, int, int]]
) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(module_erp.connect("logistics")) for _ in range(WRITERS)]
        for connection in connections:
            connection.autocommit = False
        writers = Writers(connections, keys)
        for what, writer, row in steps:
            if what == "write":
                writers.write(writer, row)
            elif what == "run":
                committed = owned(module_erp)
                run()
                assert copied(module_erp) == committed
            else:
                writers.end(writer, what)
        for writer in range(WRITERS):
            writers.end(writer, "commit")
    run()
    assert copied(module_erp) == owned(module_erp)
    comparison = compare_copy(STOCK, "storefront")
    assert (comparison.compared, comparison.differing) == (ROWS, {})
