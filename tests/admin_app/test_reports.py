"""Reports come from Admin's ledger copy alone, at a position; worked by hand, to be read by an accountant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from admin_app import api
from admin_app.services import reports
from erp.actor import SYSTEM
from tests.databases import ErpDatabase
from tests.people import staff_client

Y = 2026
D = Decimal


def line(key: int, day: date, account: str, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "id": key, "version": 1, "entry_id": key, "entry_no": key, "line_no": 1, "journal": "S",
        "entry_on": day.isoformat(), "account": account, "account_name": f"Account {account}", "amount": amount, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def books(module_erp: ErpDatabase, django_db_blocker: Any) -> Iterator[dict[str, int]]:
    """Two customers, one product; three invoices, one payment, one credit note, all posted in HUF."""
    with django_db_blocker.unblock():
        anna = api.register_customer({"name": "Anna"}, actor=SYSTEM)["id"]
        bela = api.register_customer({"name": "Béla"}, actor=SYSTEM)["id"]
        mug = api.save_products([{"sku": "MUG", "name": "Mug"}], actor=SYSTEM)[0]["id"]
    sale = {"product_id": mug, "document_kind": "invoice"}
    lines = [
        # 10 January: Anna buys 10 mugs for 1000 + 270 VAT, due 18 January
        line(1, date(Y, 1, 10), "311", "1270", customer_id=anna, due_on=f"{Y}-01-18", document_number="I1"),
        line(2, date(Y, 1, 10), "911", "-1000", customer_id=anna, quantity=10, document_number="I1", **sale),
        line(3, date(Y, 1, 10), "467", "-270", document_number="I1"),
        # 1 March: Anna buys 5 more, due 9 March
        line(4, date(Y, 3, 1), "311", "635", customer_id=anna, due_on=f"{Y}-03-09", document_number="I2"),
        line(5, date(Y, 3, 1), "911", "-500", customer_id=anna, quantity=5, document_number="I2", **sale),
        line(6, date(Y, 3, 1), "467", "-135", document_number="I2"),
        # 5 March: she pays 1000 of the first
        line(7, date(Y, 3, 5), "384", "1000", customer_id=anna, document_number="P1"),
        line(8, date(Y, 3, 5), "311", "-1000", customer_id=anna, document_number="P1"),
        # 20 March: two of the mugs come back
        line(9, date(Y, 3, 20), "311", "-254", customer_id=anna, due_on=f"{Y}-03-20", document_number="C1"),
        line(10, date(Y, 3, 20), "911", "200", customer_id=anna, quantity=2, document_number="C1", **sale),
        line(11, date(Y, 3, 20), "467", "54", document_number="C1"),
    ]
    late = [  # arrives in the next run: Béla has paid before he was invoiced
        line(12, date(Y, 3, 25), "384", "100", customer_id=bela, document_number="P2"),
        line(13, date(Y, 3, 25), "311", "-100", customer_id=bela, document_number="P2"),
    ]
    with module_erp.connect("finance") as finance:
        for tick, rows in ((1, lines), (2, late)):
            finance.execute("select admin_app.receive_ledger(%s::jsonb, %s)", [json.dumps(rows), tick])
            advance(finance, tick)
    with django_db_blocker.unblock():
        yield {"anna": anna, "bela": bela, "mug": mug}


def advance(finance: Any, tick: int) -> None:
    finance.execute("select admin_app.advance_ledger('finance', %s, '1', 'here', clock_timestamp(), 1)", [tick])


def by(report: reports.Report, column: str) -> dict[str, dict[str, Any]]:
    assert report.rows is not None
    return {row[column]: row for row in report.rows}


def test_trial_balance_sums_to_zero(books: dict[str, int]) -> None:
    report = reports.trial_balance(date(Y, 3, 1), date(Y, 12, 31))
    accounts = by(report, "account")
    assert report.totals["closing"] == 0
    assert {name: row["closing"] for name, row in accounts.items()} == {
        "311": D(551), "384": D(1100), "467": D(-351), "911": D(-1300),
    }  # fmt: skip
    assert (accounts["311"]["opening"], accounts["311"]["debit"], accounts["311"]["credit"]) == (1270, 635, 1354)


def test_sales_are_net_of_credit_notes(books: dict[str, int]) -> None:
    product = by(reports.sales_by_product(date(Y, 1, 1), date(Y, 12, 31)), "sku")["MUG"]
    assert (product["quantity"], product["net"]) == (13, D(1300))
    customer = by(reports.sales_by_customer(date(Y, 3, 1), date(Y, 3, 31)), "name")["Anna"]
    assert (customer["documents"], customer["net"]) == (2, D(300))


def test_payments_settle_the_oldest_dues_first(books: dict[str, int]) -> None:
    report = reports.receivables_by_age(date(Y, 3, 31))
    anna, bela = by(report, "name")["Anna"], by(report, "name")["Béla"]
    # 1270 + 635 due, 1254 settled: 16 of the first invoice (72 days) and 635 of the second (22 days) are open
    assert (anna["days_90"], anna["days_30"], anna["not_due"], anna["total"]) == (16, 635, 0, 651)
    assert (bela["unallocated"], bela["total"]) == (-100, -100)
    assert report.totals["total"] == D(551)


def test_report_at_a_position_is_reproduced(books: dict[str, int]) -> None:
    before = reports.trial_balance(date(Y, 1, 1), date(Y, 12, 31), position=1)
    assert by(before, "account")["384"]["closing"] == 1000
    assert by(reports.trial_balance(date(Y, 1, 1), date(Y, 12, 31)), "account")["384"]["closing"] == 1100


@pytest.mark.parametrize("page", ["trial-balance", "sales", "margin", "receivables"])
def test_page_shows_position_and_age(books: dict[str, int], page: str) -> None:
    staff = staff_client("admin_staff", duty="admin_app")
    text = staff.get(f"/admin/reports/{page}/?first_on={Y}-01-01&last_on={Y}-12-31").content.decode()
    assert "at position 2" in text
    assert "s old, window 60 s" in text
    table = staff.get(f"/admin/reports/{page}/?first_on={Y}-01-01&last_on={Y}-12-31&format=csv")
    assert table["Content-Type"].startswith("text/csv")
    assert len(table.content.decode().splitlines()) > 1


def test_old_copy_shows_no_figures_unless_asked(books: dict[str, int], module_erp: ErpDatabase) -> None:
    staff = staff_client("admin_staff", duty="admin_app")
    with module_erp.connect("admin_app_ddl") as other:
        other.execute("update copy_position set began_at = began_at - interval '5 minutes' where entity = 'ledger'")
    url = f"/admin/reports/trial-balance/?first_on={Y}-01-01&last_on={Y}-12-31"
    text = staff.get(url).content.decode()
    assert "not known right now" in text
    assert "1,100.00" not in text
    allowed = staff.get(f"{url}&stale=allow").content.decode()
    assert "1,100.00" in allowed
    assert "Older than its window." in allowed
    with module_erp.connect("finance") as finance:
        advance(finance, 3)


def test_reports_need_a_login(books: dict[str, int]) -> None:
    assert Client().get("/admin/reports/sales/").status_code == 302


def test_closed_year_is_shown_before_its_closing_entries(books: dict[str, int], module_erp: ErpDatabase) -> None:
    closing = [
        line(20, date(Y, 12, 31), "384", "-1100", document_kind="year_close"),
        line(21, date(Y, 12, 31), "492", "1100", document_kind="year_close"),
        line(22, date(Y + 1, 1, 1), "384", "1100", document_kind="year_open"),
        line(23, date(Y + 1, 1, 1), "491", "-1100", document_kind="year_open"),
    ]
    with module_erp.connect("finance") as finance:
        finance.execute("select admin_app.receive_ledger(%s::jsonb, %s)", [json.dumps(closing), 3])
        advance(finance, 3)
    year = (date(Y, 1, 1), date(Y, 12, 31), 3)
    assert by(reports.trial_balance(*year), "account")["384"]["closing"] == 1100
    closed = by(reports.trial_balance(*year, with_closing=True), "account")
    assert (closed["384"]["closing"], closed["492"]["closing"]) == (0, 1100)
    following = by(reports.trial_balance(date(Y + 1, 1, 1), date(Y + 1, 1, 31), 3), "account")
    assert (following["384"]["opening"], following["384"]["debit"], following["384"]["closing"]) == (1100, 0, 1100)
