"""Check 5 names a command; the command repairs what was altered, says what it cannot know, and the check is clean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from logistics import api as logistics
from tests.databases import ErpDatabase
from tests.scrub.planting import Installation, copy_everything, make_installation, run
from tests.scrub.plants.stock import STOCK
from tests.storefront import world


@pytest.fixture(scope="module")
def here(module_erp: ErpDatabase, django_db_blocker: DjangoDbBlocker) -> Iterator[Installation]:
    """One installation for all plants of this file; nothing of it is put back but by the command."""
    with django_db_blocker.unblock():
        yield make_installation(module_erp)


def plant(here: Installation, kind: str) -> None:
    """Drift of check 5, past triggers and foreign keys."""
    with here.erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")
        for statement in STOCK[kind][0]:
            rogue.execute(statement.format(**here.names))  # type: ignore[call-overload]


def named_command(result: Any) -> list[str]:
    """Arguments of the command that a check names."""
    words = str(result.repair).removeprefix("manage.py ").split()
    assert words[0] == "recount_stock", result.repair
    return [*words[: words.index("--reason")], "--reason", "rows altered by hand", "--by", "Nagy Éva"]


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What the command answers."""
    capsys.readouterr()
    with suppress(SystemExit):  # the checks that follow say how it ended
        call_command(*arguments, "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


REPAIRED = (
    "on hand one piece off", "reserved one piece off", "lost move", "lost reservation", "reservation one piece off",
    "duplicated reservation", "lost stock row", "number taken back",
)  # fmt: skip


@pytest.mark.parametrize("kind", REPAIRED)
def test_named_command_repairs_what_the_check_finds(
    here: Installation, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(here, kind)
    finding = run("stock_balance")
    assert finding.status == "alert"
    planned = call(capsys, *named_command(finding), "--dry-run")["products"]
    assert run("stock_balance").mismatched == finding.mismatched  # nothing was written
    answer = call(capsys, *named_command(finding), "--no-check")
    assert answer["products"] == planned
    assert [done["refused"] for done in planned] == [""]
    logistics.allocate_backorders(here.names["product"])  # as the periodic task does: who lost pieces is served again
    copy_everything()
    assert {name: run(name).status for name in ("stock_balance", "sales_orders", "stock_copies")} == {
        "stock_balance": "ok", "sales_orders": "ok", "stock_copies": "ok",
    }  # fmt: skip
    with here.erp.connect("logistics") as owner:
        who, note = owner.execute(
            "select actor_name, payload from change_journal where entity = 'recount' order by seq desc limit 1"
        ).fetchone()  # type: ignore[misc]
    assert (who, note["reason"]) == ("Nagy Éva", "rows altered by hand")


SAYS = {
    "changed move": "number 1 is move {move} of +11 here, and was move {move} of +10 when Finance valued it",
    "duplicated move": "number 3 is missing, and Finance does not have it",
    "moves with swapped products": "when Finance valued it",
    "reservations with swapped stock rows": "is another product's: an administrator",
}


@pytest.mark.parametrize("kind", SAYS)
def test_altered_ledger_is_named_and_nothing_is_counted_up_from_it(
    here: Installation, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with here.erp.connect("postgres") as c:
        (move,) = c.execute(  # type: ignore[misc]
            "select id from logistics.stock_move where product_id = %s and seq = 1", [here.names["product"][0]]
        ).fetchone()
    with here.planted(*STOCK[kind][0]):
        finding = run("stock_balance")
        answer = call(capsys, *named_command(finding))
        assert all(SAYS[kind].format(move=move) in done["refused"] for done in answer["products"]), answer
        assert answer["checks"]["stock_balance"] == "alert"
        assert run("stock_balance").mismatched == finding.mismatched
    assert run("stock_balance").status == "ok"  # the administrator put the rows right


def test_copies_of_an_altered_stock_row_name_the_recount_and_no_resync(here: Installation) -> None:
    with here.planted(*STOCK["on hand one piece off"][0]):
        repair = run("stock_copies").repair
    assert repair.endswith('manage.py recount_stock --reason "…"')
    assert "resync" not in repair


def test_promises_beyond_the_ledger_give_way(here: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    product = world.product("900", stock=4)
    order = int(world.place((product, 4), customer_id=here.names["customer"][0])["order_id"])
    with here.erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")
        rogue.execute("update logistics.stock set on_hand = 6 where product_id = %s", [product])
        rogue.execute("update logistics.reservation set quantity = 6 where order_id = %s", [order])
        rogue.execute("update logistics.sales_order_line set quantity = 6, reserved = 6 where order_id = %s", [order])
    answer = call(capsys, *named_command(run("stock_balance")), "--no-check")
    (done,) = answer["products"]
    assert done["places"] == [{"warehouse": "MAIN", "on_hand": [6, 4], "reserved": [4, 4]}]
    assert done["waiting"] == [logistics.get_order(order)["number"]]
    assert logistics.get_order(order)["lines"][0]["reserved"] == 4
