"""Tables that are wrong everywhere: every row is counted, twenty are kept, and memory does not grow with them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from erp.scrubber.result import SAMPLES
from tests.databases import ErpDatabase
from tests.scrub.planting import Installation, check, make_installation, run

HELD_MB = 12  # of rows that a check reads at a time; all of them together are several times as much

MORE = (
    "insert into {t} select (jsonb_populate_record(null::{t}, to_jsonb(t) || jsonb_build_object({set}))).* "
    "from {t} t, generate_series(1, {n}) g where t.id = {key}"
)


def more(many: int, table: str, key: str, *changes: str) -> str:
    """A row many times more, under other keys."""
    changes = ("'id', 1000000 + g", *changes)
    return MORE.format(t=table, set=", ".join(changes), n=many, key=key)


PLANTS = {
    "stock_balance": (more(30_000, "logistics.stock", "{stock[0]}", "'product_id', 1000000 + g"), 30_000),
    "sales_orders": (  # nobody ordered them, and neither reader has them
        more(6_000, "logistics.sales_order", "{order[0]}", "'number', 'X' || g", "'external_ref', null"), 18_000,
    ),
    "ledger_copy": (more(12_000, "admin_app.ledger_copy", "{line[0]}"), 12_000),
}  # fmt: skip


@pytest.fixture(scope="module")
def here(module_erp: ErpDatabase, django_db_blocker: DjangoDbBlocker) -> Iterator[Installation]:
    """One installation for all plants of this file."""
    with django_db_blocker.unblock():
        yield make_installation(module_erp)


@pytest.mark.parametrize("name", PLANTS)
def test_table_that_is_wrong_everywhere_is_counted_without_being_held(here: Installation, name: str) -> None:
    assert check(name)  # whatever is loaded once is loaded
    statement, wrong = PLANTS[name]
    with here.planted(statement):
        tracemalloc.start()
        result = run(name)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert wrong <= result.mismatched <= wrong + 5, result.samples  # and the totals that they spoil
    assert (result.status, len(result.samples)) == ("alert", SAMPLES)
    assert peak < HELD_MB * 2**20
