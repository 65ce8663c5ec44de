"""Stock, ledger, VAT, orders, subledgers: each kind of planted drift is found, exactly, with its class of cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from erp.scrubber.checks import all_checks
from finance.services import goods_issues, posting
from finance.services.vat_settlement import settle_vat
from logistics import api as logistics
from tests.databases import ErpDatabase
from tests.scrub.planting import CLERK, Installation, copy_everything, found, make_installation, run
from tests.scrub.plants.ledger import LEDGER
from tests.scrub.plants.orders import ORDERS
from tests.scrub.plants.stock import STOCK
from tests.scrub.plants.subledgers import SUBLEDGERS
from tests.scrub.plants.vat import VAT
from tests.storefront import world

DAY_TOTAL = "total of "  # kept per account and day beside the lines: whatever changes lines behind it shows there too

PLANTS = {
    "stock_balance": STOCK, "sales_orders": ORDERS, "double_entry": LEDGER, "vat": VAT, "subledgers": SUBLEDGERS,
}  # fmt: skip
CASES = [(name, kind) for name, plants in PLANTS.items() for kind in plants]


@pytest.fixture(scope="module")
def here(module_erp: ErpDatabase, django_db_blocker: DjangoDbBlocker) -> Iterator[Installation]:
    """One installation for all plants of this file."""
    with django_db_blocker.unblock():
        yield make_installation(module_erp)


def expected_of(here: Installation, expected: dict[str, str]) -> dict[str, str]:
    """The keys with names filled in."""
    row = "logistics/stock product {} in warehouse 1"
    stock = {f"stock_{at}": row.format(here.names["product"][at]) for at in (0, 2)}
    return {key.format(**here.names, **stock): cause for key, cause in expected.items()}


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_planted_drift_is_found_exactly(here: Installation, name: str, kind: str) -> None:
    statements, expected = PLANTS[name][kind]
    with here.planted(*statements):
        result = run(name)
        causes = {key: cause for key, cause in found(result).items() if not key.startswith(DAY_TOTAL)}
    wanted = expected_of(here, expected)
    assert causes.keys() == wanted.keys(), result.samples
    assert {key: causes[key] for key, cause in wanted.items() if cause != "*"} == {
        key: cause for key, cause in wanted.items() if cause != "*"
    }
    assert result.status == ("alert" if wanted else "ok")


COMMANDS = {
    "vat": (VAT["one minor unit"], "manage.py nav_reconcile {month} lists the documents to credit or reverse"),
    "sales_orders": (
        ORDERS["no owner"],
        "look at the order at {site}/admin/storefront/salesorder/{order[0]}/change/",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_alert_names_the_command_or_page_that_repairs(here: Installation, settings: Any, name: str) -> None:
    (statements, _), command = COMMANDS[name]
    with here.planted(*statements):
        result = run(name)
    wanted = command.format(**here.names, site=settings.SHOP_URL, month=f"{timezone.now():%Y-%m}")
    assert wanted in result.repair.split("; "), result.repair


def test_altered_total_of_a_day_is_found(here: Installation) -> None:
    with here.planted("update finance.ledger_balance set debit = debit + 0.01 where account = '467'"):
        result = run("double_entry")
    (key,) = found(result)
    assert key.startswith(f"{DAY_TOTAL}467 27 on ")
    assert (result.status, result.samples[0].cause) == ("alert", "owner corrupt")


@pytest.mark.parametrize("change", ["returned = issued + 1", "cancelled = quantity"])
def test_line_returned_or_cancelled_beyond_what_was_issued_is_found(here: Installation, change: str) -> None:
    table, order = "logistics.sales_order_line", here.names["order"][0]
    with here.erp.connect("postgres") as rogue:
        rule = rogue.execute(
            "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass "
            "and contype = 'c' and pg_get_constraintdef(oid) like %s",
            [table, f"%({change.split(maxsplit=1)[0]} >= 0)%"],
        ).fetchone()
    assert rule is not None
    with here.planted(
        f"alter table {table} drop constraint {rule[0]}",
        f"update {table} set {change} where order_id = {order}",
        undo=f"alter table {table} add constraint {rule[0]} {rule[1]}",
    ):
        causes = found(run("sales_orders"))
    assert causes[f"logistics/sales_order_line {order}/1"] == "owner corrupt"


def test_sound_installation_passes_all_eleven(here: Installation) -> None:
    results = {spec.number: run(spec.name) for spec in all_checks()}
    assert list(results) == list(range(1, 12))
    assert {r.name: r.status for r in results.values()} == {r.name: "ok" for r in results.values()}
    assert all(r.compared for r in results.values())


def test_goods_issue_that_waits_for_a_collective_invoice_is_no_drift(here: Installation) -> None:
    (customer, _), (product, *_) = here.names["customer"], here.names["product"]
    goods_issues.set_collective(customer, is_collective=True)
    order = int(world.place((product, 1), customer_id=customer)["order_id"])
    logistics.ship(order, None, actor=CLERK, key=None)
    with here.planted(
        "update logistics.shipment set issued_at = issued_at - interval '1 hour' where invoice_number = ''"
    ):
        copy_everything()
        assert run("sales_orders").status == "ok"
    today = timezone.now().date()
    goods_issues.issue_collective(customer, today, today, actor=CLERK)
    copy_everything()
    for name in ("sales_orders", "double_entry", "vat", "subledgers", "invoices"):
        assert (run(name).status, run(name).samples) == ("ok", [])


def test_vat_posted_by_hand_is_named_until_it_is_reversed(here: Installation) -> None:
    today = timezone.now().date()
    lines = [{"account": "467", "amount": 10, "vat_code": "27"}, {"account": "384", "amount": -10}]
    owed = posting.post_journal_entry({"entry_on": today, "lines": lines}, actor=CLERK, posting_key="manual:vat")
    lines = [{"account": "467", "amount": 5}, {"account": "468", "amount": -5}]
    stray = posting.post_journal_entry({"entry_on": today, "lines": lines}, actor=CLERK, posting_key="manual:vat-2")
    bought = [{"account": a, "amount": n, "vat_code": "FAD"} for a, n in (("467", -27), ("466", 27))]
    posting.post_journal_entry({"entry_on": today, "lines": bought}, actor=CLERK, posting_key="manual:vat-3")
    found = run("vat")
    assert [(x.key, x.found) for x in found.samples] == [
        (f"finance/journal_entry {owed['id']}, account 467, VAT code 27", 10),
        (f"finance/journal_entry {stray['id']}, account 467, VAT code none", 5),
    ]
    for entry in (owed, stray):
        posting.reverse_entry(entry["id"], actor=CLERK)
    assert run("vat").status == "ok"
    settle_vat(f"{today:%Y-%m}", actor=CLERK)
    assert (run("vat").status, run("vat").samples) == ("ok", [])
