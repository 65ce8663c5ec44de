"""Admin's copy of the ledger: a line keeps the position it arrived in, so a report at a position stays as it was."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from admin_app.copies import LedgerCopy
from erp.replication.pull import run_copy
from erp.replication.resync import resync
from finance import api
from tests.databases import ErpDatabase
from tests.finance.world import BOOKKEEPER, number


def post(amount: int) -> None:
    lines = [{"account": "384", "amount": Decimal(amount)}, {"account": "311", "amount": Decimal(-amount)}]
    data = {"entry_on": "2026-03-10", "lines": lines}
    api.post_journal_entry(data, actor=BOOKKEEPER, posting_key=f"ledger copy:{number()}")


def run() -> int:
    return run_copy("ledger", "finance", "admin_app").tick


def report(position: int) -> dict[str, tuple[Decimal, int]]:
    """Balance and number of lines of every account at a position."""
    rows = LedgerCopy.objects.filter(tick__lte=position).values("account").annotate(Sum("amount"), Count("id"))
    return {row["account"]: (row["amount__sum"], row["id__count"]) for row in rows}


@pytest.fixture
def positions(fresh_erp: ErpDatabase) -> list[int]:
    """Three positions with 100, 130 and 137 on the bank account."""
    api.load_demo(BOOKKEEPER)
    made = []
    for amount in (100, 30, 7):
        post(amount)
        made.append(run())
    return made


def bank(position: int) -> tuple[Decimal, int]:
    return report(position)["384"]


AT_EACH = [(Decimal(100), 1), (Decimal(130), 2), (Decimal(137), 3)]


def test_report_at_a_position_is_reproducible(positions: list[int]) -> None:
    assert [bank(p) for p in positions] == AT_EACH
    post(1000)
    run()
    run()
    assert [bank(p) for p in positions] == AT_EACH


def test_full_run_after_a_move_keeps_every_lines_position(fresh_erp: ErpDatabase, positions: list[int]) -> None:
    before = dict(LedgerCopy.objects.values_list("id", "tick"))
    with fresh_erp.connect("admin_app_ddl") as reader:
        reader.execute("update copy_position set system_identifier = '1' where entity = 'ledger'")
    assert run_copy("ledger", "finance", "admin_app").rows == len(before)
    assert dict(LedgerCopy.objects.values_list("id", "tick")) == before


def test_repaired_line_keeps_its_position_and_a_missing_one_comes_in_the_next(
    fresh_erp: ErpDatabase, positions: list[int]
) -> None:
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("update admin_app.ledger_copy set amount = 1 where tick = %s and amount > 0", [positions[0]])
        rogue.execute("delete from admin_app.ledger_copy where tick = %s", [positions[1]])
    damaged = report(positions[2])
    assert resync("ledger", "admin_app").changed == 3
    assert bank(positions[0]) == AT_EACH[0]
    assert report(positions[2])["384"][1] == damaged["384"][1]
    assert bank(run()) == AT_EACH[2]
