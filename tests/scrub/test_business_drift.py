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
from tests.storefront import world

DAY_TOTAL = "total of "  # kept per account and day beside the lines: whatever changes lines behind it shows there too

Plants = dict[str, tuple[tuple[str, ...], dict[str, str]]]

TWICE = (
    "insert into {t} select (jsonb_populate_record(null::{t}, to_jsonb(t) || jsonb_build_object({set}))).* from {t} t "
)


def twice(table: str, where: str, *changes: str) -> str:
    """A row once more, under another key."""
    return TWICE.format(t=table, set=", ".join(("'id', 999999", *changes))) + f"where {where}"


def swapped(table: str, column: str, where: str, one: str, other: str) -> tuple[str, str]:
    """Rows under each other's key, in two steps: the key is unique."""
    return (
        f"update {table} set {column} = {column} - {one} - {other} where {where} and {column} in ({one}, {other})",
        f"update {table} set {column} = -{column} where {column} < 0",
    )


def reported(vat: str) -> str:
    """What the NAV has of a document, as SQL."""
    return f"jsonb_build_array(jsonb_build_object('element', 'vatPercentage', 'value', '0.27', 'vat', {vat}))"


STOCK: Plants = {
    "on hand one piece off": (
        ("update logistics.stock set on_hand = on_hand + 1 where id = {stock[0]}",), {"{stock_0}": "owner corrupt"},
    ),
    "reserved one piece off": (
        ("update logistics.stock set reserved = reserved + 1 where id = {stock[0]}",), {"{stock_0}": "owner corrupt"},
    ),
    "lost move": (
        ("delete from logistics.stock_move where product_id = {product[0]} and seq = 1",),
        {"{stock_0}": "owner corrupt", "logistics/stock_move numbers of product {product[0]}": "lost"},
    ),
    "changed move": (
        ("update logistics.stock_move set quantity = quantity + 1 where product_id = {product[0]} and seq = 1",),
        {"{stock_0}": "owner corrupt"},
    ),
    "duplicated move": (
        (twice("logistics.stock_move", "product_id = {product[0]} and seq = 1", "'seq', 99"),),
        {"{stock_0}": "owner corrupt", "logistics/stock_move numbers of product {product[0]}": "duplicated"},
    ),
    "moves with swapped products": (
        swapped("logistics.stock_move", "product_id", "seq = 1", "{product[0]}", "{product[2]}"),
        {"{stock_0}": "owner corrupt", "{stock_2}": "owner corrupt"},
    ),
    "lost reservation": (
        ("delete from logistics.reservation where order_id = {order[0]} and state = 'allocated'",),
        {"{stock_0}": "owner corrupt"},
    ),
    "reservation one piece off": (
        ("update logistics.reservation set quantity = quantity + 1 "
         "where order_id = {order[0]} and state = 'allocated'",),
        {"{stock_0}": "owner corrupt"},
    ),
    "duplicated reservation": (
        (twice("logistics.reservation", "order_id = {order[0]} and state = 'allocated'"),),
        {"{stock_0}": "owner corrupt"},
    ),
    "lost stock row": (
        ("delete from logistics.stock where id = {stock[0]}",),
        {"{stock_0}": "lost", "logistics/reservation {reservation[0]}": "owner corrupt"},
    ),
    "number taken back": (
        ("update logistics.product_sequence set last_seq = last_seq - 1 where product_id = {product[0]}",),
        {"logistics/stock_move numbers of product {product[0]}": "duplicated"},
    ),
    "stock row without moves": (
        (twice("logistics.stock", "id = {stock[0]}", "'warehouse_id', 999"),),
        {"logistics/stock product {product[0]} in warehouse 999": "owner corrupt"},
    ),
}  # fmt: skip

ORDERS: Plants = {
    "no owner": (
        ("delete from logistics.sales_order where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: handed over, but Logistics does not have it: no owner": "lost",
         "finance/sales_order {order[0]}": "*", "storefront/sales_order {order[0]}": "*"},
    ),
    "two owners": (
        ("update storefront.sales_order set custody = 'own' where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Storefront's own, but Logistics has it too: two owners": "duplicated"},
    ),
    "never ordered": (
        ("delete from storefront.sales_order where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: in Logistics only: never ordered here": "rogue write"},
    ),
    "stale epoch": (
        ("update logistics.sales_order set epoch = epoch + 2 where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: handed over under another epoch than Logistics accepted": "reordered",
         "finance/sales_order {order[0]}": "*", "storefront/sales_order {order[0]}": "*"},
    ),
    "one minor unit": (
        ("update logistics.sales_order set gross_total = gross_total + 0.01 where id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Logistics has other amounts or pieces": "owner corrupt",
         "finance/sales_order {order[0]}": "*"},
    ),
    "lost line": (
        ("delete from storefront.sales_order_line where order_id = {order[0]}",),
        {"storefront/sales_order {order[0]}: Logistics has other amounts or pieces": "owner corrupt"},
    ),
    "issued beyond shipment": (
        ("update logistics.sales_order_line set issued = issued + 1, reserved = reserved - 1 "
         "where order_id = {order[0]}",),
        {"logistics/sales_order_line {order[0]}/1": "owner corrupt",
         "finance/sales_order {order[0]}": "*", "storefront/sales_order {order[0]}": "*"},
    ),
    "issued beyond allocation": (
        ("delete from logistics.reservation where order_id = {order[0]} and state = 'issued'",),
        {"logistics/sales_order_line {order[0]}/1": "owner corrupt"},
    ),
    "shipped twice": (
        ("update logistics.shipment_line set quantity = quantity + 1 where shipment_id = {shipment[0]}",),
        {"logistics/sales_order_line {order[0]}/1": "owner corrupt",
         "logistics/shipment {shipment_number[0]}: another order or other pieces on its invoice": "rogue write",
         "storefront/sales_order {order[0]}": "*"},
    ),
    "goods issue without invoice": (
        ("update finance.invoice set shipment_id = null where id = {invoice[0]}",
         "update logistics.shipment set issued_at = issued_at - interval '1 hour' where id = {shipment[0]}"),
        {"logistics/shipment {shipment_number[0]}: no invoice": "lost"},
    ),
    "invoice number not written back": (
        ("update logistics.shipment set invoice_number = '', issued_at = issued_at - interval '1 hour' "
         "where id = {shipment[0]}",),
        {"logistics/shipment {shipment_number[0]}: invoiced, but the number is not written back": "lost",
         "storefront/sales_order {order[0]}": "*"},
    ),
    "invoices with swapped shipments": (
        swapped("finance.invoice", "shipment_id", "true", "{shipment[0]}", "{shipment[1]}"),
        {"logistics/shipment {shipment_number[0]}: another order or other pieces on its invoice": "rogue write",
         "logistics/shipment {shipment_number[1]}: another order or other pieces on its invoice": "rogue write"},
    ),
    "invoice of what never left": (
        ("update finance.invoice set shipment_id = 999999 where id = {invoice[0]}",),
        {"logistics/shipment 999999: invoiced, but never issued here": "rogue write"},
    ),
}  # fmt: skip

LEDGER: Plants = {
    "one minor unit": (
        ("update finance.journal_line set amount = amount + 0.01 where id = {line[0]}",),
        {"finance/journal_entry {entry}": "owner corrupt", "finance/line {entry}/1": "rogue write"},
    ),
    "balanced change": (
        ("update finance.journal_line set amount = amount * 2 where entry_id = {entry}",),
        {"finance/line {entry}/1": "rogue write", "finance/line {entry}/2": "rogue write",
         "finance/line {entry}/3": "rogue write"},
    ),
    "lost entry": (
        ("delete from finance.journal_line where entry_id = {entry}",),
        {"finance/journal_entry {entry}": "lost", "finance/line {entry}/1": "rogue write",
         "finance/line {entry}/2": "rogue write", "finance/line {entry}/3": "rogue write"},
    ),
    "duplicated line": (
        (twice("finance.journal_line", "id = {line[0]}", "'line_no', 99"),),
        {"finance/journal_entry {entry}": "owner corrupt", "finance/line {entry}/99": "rogue write"},
    ),
    "swapped lines": (
        swapped("finance.journal_line", "line_no", "entry_id = {entry}", "1", "2"),
        {"finance/line {entry}/1": "rogue write", "finance/line {entry}/2": "rogue write"},
    ),
    "account that is none": (
        ("update finance.journal_line set account = '0' where id = {line[0]}",),
        {"finance/journal_line {line[0]}": "rogue write", "finance/line {entry}/1": "rogue write"},
    ),
    "broken chain": (
        ("update finance.entry_seal set hash = sha256('x') where no = 2",),
        {"finance/seal ledger 2": "rogue write", "finance/seal ledger 3": "rogue write"},
    ),
    "lost seal": (
        ("delete from finance.entry_seal where no = 2",),
        {"finance/seal ledger 2": "rogue write", "finance/entry 2": "rogue write"},
    ),
    "entry without lines": (
        (twice("finance.journal_entry", "id = {entry}", "'posting_key', 'rogue'"),),
        {"finance/journal_entry 999999": "lost", "finance/entry 999999": "rogue write"},
    ),
    "issued document without entry": (
        ("update finance.journal_entry set posting_key = 'rogue' where id = {entry}",),
        {"finance/invoice {number[0]}": "lost", "finance/entry {entry}": "rogue write"},
    ),
}  # fmt: skip

VAT: Plants = {
    "one minor unit": (
        ("update finance.journal_line set amount = amount - 0.01 where account = '467' and entry_id = {entry}",),
        {"VAT code 27": "owner corrupt"},
    ),
    "moved to another code": (
        ("update finance.journal_line set vat_code = '18' where account = '467' and entry_id = {entry}",),
        {"VAT code 18": "owner corrupt", "VAT code 27": "owner corrupt"},
    ),
    "lost posting": (
        ("delete from finance.journal_line where account = '467' and entry_id = {entry}",),
        {"VAT code 27": "owner corrupt"},
    ),
    "duplicated posting": (
        (twice("finance.journal_line", "account = '467' and entry_id = {entry}", "'line_no', 99"),),
        {"VAT code 27": "owner corrupt"},
    ),
    "lost report": (
        ("delete from finance.nav_submission where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}": "lost"},
    ),
    "report that waits for more than 24 hours": (
        ("update finance.nav_submission set due_at = now() - interval '1 second' where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}": "lost"},
    ),
    "reported one minor unit off": (
        ("update finance.nav_submission set state = 'done', done_at = now(), "
         "reported = jsonb_build_array(jsonb_build_object("
         "'element', 'vatPercentage', 'value', '0.27', 'vat', 540.01)) where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}, vatPercentage 0.27": "owner corrupt"},
    ),
    "document that is not its lines": (
        ("update finance.invoice_line set net = net + 0.01, gross = gross + 0.01 where invoice_id = {invoice[0]}",),
        {"finance/invoice {number[0]}": "owner corrupt"},
    ),
    "posted without its code": (
        ("update finance.journal_line set vat_code = '' where account = '467' and entry_id = {entry}",),
        {"VAT code none": "owner corrupt", "VAT code 27": "owner corrupt"},
    ),
    "posting that no document stands behind": (
        ("update finance.journal_line set account = '467' where account = '384'",), {"VAT code none": "owner corrupt"},
    ),
    "reported twice": (
        ("update finance.nav_submission set state = 'done', done_at = now(), reported = "
         + reported("540") + " || " + reported("540") + " where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}, vatPercentage 0.27": "owner corrupt"},
    ),
    "swapped reports": (
        ("update finance.nav_submission set state = 'done', done_at = now(), reported = "
         + reported("case invoice_id when {invoice[0]} then 270 else 540 end")
         + " where invoice_id in ({invoice[0]}, {invoice[1]})",),
        {"NAV report of {number[0]}, vatPercentage 0.27": "owner corrupt",
         "NAV report of {number[1]}, vatPercentage 0.27": "owner corrupt"},
    ),
    "report of no document": (
        (twice("finance.nav_submission", "invoice_id = {invoice[0]}", "'invoice_id', 999999", "'number', 'GONE-1'",
               "'state', 'done'", "'done_at', now()", "'reported', " + reported("540")),),
        {"NAV report of GONE-1, vatPercentage 0.27": "rogue write"},
    ),
    "report of no document, without amounts": (
        (twice("finance.nav_submission", "invoice_id = {invoice[0]}", "'invoice_id', 999999", "'number', 'GONE-1'",
               "'state', 'done'", "'done_at', now()"),),
        {"NAV report of GONE-1, no amount": "rogue write"},
    ),
    "draft with a report": (
        ("update finance.nav_submission set state = 'done', done_at = now(), reported = " + reported("540")
         + " where invoice_id = {invoice[0]}",
         "update finance.invoice set state = 'draft', sequence_no = null where id = {invoice[0]}"),
        {"VAT code 27": "owner corrupt", "NAV report of {number[0]}, vatPercentage 0.27": "rogue write"},
    ),
    "report annulled and not sent again": (
        ("update finance.nav_submission set state = 'annulled', reported = '[]', due_at = now() - interval '1 second' "
         "where invoice_id = {invoice[0]}",),
        {"NAV report of {number[0]}": "lost"},
    ),
}  # fmt: skip

SUBLEDGERS: Plants = {
    "receivable one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 where id = {line[0]}",),
        {"receivables of customer {customer[0]}": "owner corrupt"},
    ),
    "receivables with swapped customers": (
        ("update finance.journal_line set customer_id = {customer[1]} where id = {line[0]}",),
        {"receivables of customer {customer[0]}": "owner corrupt",
         "receivables of customer {customer[1]}": "owner corrupt"},
    ),
    "deposit one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 where account = '4795'",),
        {"deposit of customer {customer[0]}": "owner corrupt"},
    ),
    "clearing account one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 where account = '3682'",),
        {"payments on account 3682": "owner corrupt"},
    ),
    "lost posting of a payment": (
        ("delete from finance.journal_line where account = '384'",), {"payments on account 384": "owner corrupt"},
    ),
    "stock value one minor unit off": (
        ("update finance.journal_line set amount = amount + 0.01 "
         "where account = '261' and product_id = {product[0]} and amount > 0",),
        {"inventory of product {product[0]}": "owner corrupt"},
    ),
    "lost valued move": (
        ("delete from finance.valued_move where product_id = {product[0]} and move_seq = 1",),
        {"cost of product {product[0]}": "owner corrupt", "goods received of product {product[0]}": "owner corrupt"},
    ),
    "paid beyond the document": (
        ("update finance.invoice_settlement set paid_total = gross_total + 1 where invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt", "receivables of customer {customer[0]}": "owner corrupt"},
    ),
    "credited one minor unit off": (
        ("update finance.invoice_settlement set credited_total = credited_total + 0.01 "
         "where invoice_id = {invoice[1]}",),
        {"credited of {number[1]}": "owner corrupt"},
    ),
    "credits forgotten everywhere": (
        ("update finance.invoice_settlement set credited_total = 0",), {"credited of {number[1]}": "owner corrupt"},
    ),
    "credited without a credit note": (
        ("update finance.invoice_settlement set credited_total = 1 where invoice_id = {invoice[0]}",),
        {"credited of {number[0]}": "owner corrupt"},
    ),
    "settlement of another total": (
        ("update finance.invoice_settlement set gross_total = gross_total + 0.01 where invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt"},
    ),
    "state that the totals do not say": (
        ("update finance.invoice_settlement set state = 'paid' where invoice_id = {invoice[0]}",),
        {"settlement of {number[0]}": "owner corrupt"},
    ),
    "lost settlement": (
        ("delete from finance.invoice_settlement where invoice_id = {invoice[0]}",),
        {"settlement row of {number[0]}": "lost", "receivables of customer {customer[0]}": "owner corrupt"},
    ),
    "settlement of no document": (
        (twice("finance.invoice_settlement", "invoice_id = {invoice[0]}", "'invoice_id', 999999").replace(
            "'id', 999999, ", ""),),
        {"settlement row of 999999": "rogue write"},
    ),
    "receipt posted one minor unit off": (
        ("update finance.journal_line set amount = amount - 0.01 where account = '456' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "lost posting of goods received": (
        ("delete from finance.journal_line where account = '456' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "goods received posted twice": (
        (twice("finance.journal_line", "account = '456' and product_id = {product[0]}", "'line_no', 99"),),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "goods received of swapped products": (
        ("update finance.journal_line set product_id = {product[0]} + {product[2]} - product_id "
         "where account = '456' and product_id in ({product[0]}, {product[2]})",),
        {"goods received of product {product[0]}": "owner corrupt",
         "goods received of product {product[2]}": "owner corrupt"},
    ),
    "receipt on another account": (
        ("update finance.journal_line set account = '491' where account = '456' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "goods issue on the account of receipts": (
        ("update finance.journal_line set account = '456' where account = '814' and product_id = {product[0]}",),
        {"goods received of product {product[0]}": "owner corrupt"},
    ),
    "credited beyond the line": (
        ("update finance.invoice_line set quantity = -9 where original_line_id is not null",),
        {"finance/invoice {number[1]} line 1": "owner corrupt"},
    ),
    "lost allocation": (
        ("delete from finance.payment_allocation where payment_id is not null",),
        {"settlement of {number[0]}": "owner corrupt", "payment PAY-{year}-000001": "owner corrupt"},
    ),
    "gap in a series": (
        ("update finance.number_series set last_no = last_no + 1 where code = 'INV'",), {"series INV {year}": "lost"},
    ),
    "number given twice": (
        ("update finance.number_series set last_no = last_no - 1 where code = 'INV'",),
        {"series INV {year}": "rogue write"},
    ),
    "duplicated payment": (
        (twice("finance.payment", "number = 'PAY-{year}-000001'", "'number', 'PAY-X'"),),
        {"payments on account 3682": "owner corrupt", "payment PAY-X": "owner corrupt"},
    ),
    "payment that was never received": (
        (twice("finance.payment", "number = 'PAY-{year}-000002'", "'number', 'PAY-X'"),),
        {"payments on account 384": "owner corrupt", "deposit of customer {customer[0]}": "owner corrupt"},
    ),
    "allocation to another document": (
        ("update finance.payment_allocation set invoice_id = {invoice[1]} where payment_id is not null",),
        {"settlement of {number[0]}": "owner corrupt", "settlement of {number[1]}": "owner corrupt"},
    ),
    "duplicated valued move": (
        (twice("finance.valued_move", "product_id = {product[0]} and move_seq = 1", "'move_id', 999999",
               "'move_seq', 99"),),
        {"cost of product {product[0]}": "owner corrupt", "goods received of product {product[0]}": "owner corrupt"},
    ),
    "advance that is not posted": (
        ("update finance.invoice_line set product_class = 'advance' where invoice_id = {invoice[0]}",),
        {"advances of customer {customer[0]}": "owner corrupt"},
    ),
    "voucher that is not posted": (
        ("update finance.invoice_line set product_class = 'voucher' where invoice_id = {invoice[0]}",),
        {"vouchers of customer {customer[0]}": "owner corrupt"},
    ),
    "advance used twice": (
        ("update finance.invoice_line set product_class = case invoice_id when {invoice[0]} then 'advance' "
         "else product_class end, net = case invoice_id when {invoice[0]} then net else -4000 end, "
         "advance_invoice_id = case invoice_id when {invoice[0]} then null else {invoice[0]} end "
         "where invoice_id in ({invoice[0]}, {invoice[1]})",),
        {"advance {number[0]}": "owner corrupt", "advances of customer {customer[0]}": "owner corrupt"},
    ),
}  # fmt: skip

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
        "look at the order at {site}/admin/storefront/salesorder/{order[0]}/change/, and try its hand-over again at "
        "{site}/admin/stuck/",
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


def test_entries_of_the_accountant_on_the_vat_account_are_no_drift(here: Installation) -> None:
    today = timezone.now().date()
    lines = [{"account": "467", "amount": 10, "vat_code": "27"}, {"account": "384", "amount": -10}]
    entry = posting.post_journal_entry({"entry_on": today, "lines": lines}, actor=CLERK, posting_key="manual:vat")
    posting.reverse_entry(entry["id"], actor=CLERK)
    lines = [{"account": "467", "amount": 5}, {"account": "468", "amount": -5}]
    entry = posting.post_journal_entry({"entry_on": today, "lines": lines}, actor=CLERK, posting_key="manual:vat-2")
    assert run("vat").status == "ok"  # the VAT return shows it
    posting.reverse_entry(entry["id"], actor=CLERK)
    settle_vat(f"{today:%Y-%m}", actor=CLERK)
    assert (run("vat").status, run("vat").samples) == ("ok", [])
