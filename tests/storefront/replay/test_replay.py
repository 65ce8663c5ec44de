"""``manage.py replay``: a real history through the real write paths ties out, also after an interruption."""

from __future__ import annotations

import json
import signal
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from erp.ownership import windowed_pairs
from erp.replication.pull import run_copy
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import run_check
from erp.scrubber.sides import clear_caches
from finance.services import sealing, tie_out
from finance.services.vat_documents import document_differences
from finance.services.vat_return import vat_return
from tests.databases import ErpDatabase

EXCERPT = Path(__file__).resolve().parents[2] / "data" / "online-retail" / "excerpt.csv"
NET_TOTAL = Decimal("-49413.57")

BOOKED = """
select (select coalesce(sum(net_total), 0) from invoice where state = 'issued')
  - (select coalesce(sum(document_amount), 0) from journal_line
     where document_kind = 'replay' and document_number not like '%:fees' and account <> '384')"""


def replay(erp: ErpDatabase, *options: str) -> dict[str, Any]:
    done = erp.manage("replay", str(EXCERPT), "--json", *options)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def documents(erp: ErpDatabase) -> dict[str, int]:
    counts = {}
    for role, table in (
        ("storefront", "sales_order"), ("logistics", "shipment"), ("finance", "invoice"), ("finance", "journal_entry"),
        ("logistics", "stock_move"), ("logistics", "return_order"),
    ):  # fmt: skip
        with erp.connect(role) as connection:
            row = connection.execute(f"select count(*) from {table}").fetchone()  # type: ignore[arg-type]
            assert row
            counts[f"{role}.{table}"] = row[0]
    return counts


def require_tied_out(erp: ErpDatabase) -> None:
    with erp.connect("finance") as connection:
        row = connection.execute(BOOKED).fetchone()
        assert row
        assert row[0] == NET_TOTAL
        unbalanced = connection.execute(
            "select entry_id from journal_line group by entry_id having sum(amount) <> 0"
        ).fetchall()
        assert unbalanced == []
    for entity, source, reader in windowed_pairs():
        run_copy(entity.name, source, reader)
    clear_caches()
    results = {spec.name: run_check(spec) for spec in all_checks()}
    assert {name: r.status for name, r in results.items() if r.status != "ok"} == {}, results
    # The books as an accountant closes them: chains whole, every subledger agrees, VAT is explained to the unit.
    assert sealing.verify(full=True).damages == []
    first, last = date(2009, 1, 1), date.today()  # noqa: DTZ011  the last day of the books is today's
    assert tie_out.differences(last) == []
    found = vat_return(first, last)
    assert (found.agrees, document_differences(first, last)) == (True, [])


def test_excerpt_ties_out_and_a_repeat_changes_nothing(fresh_erp: ErpDatabase) -> None:
    too_early = fresh_erp.manage("replay", str(EXCERPT), "--vat-code", "27", check=False)
    assert too_early.returncode == 1
    assert "VAT code '27' is not valid on 2010-12-" in too_early.stderr
    assert "Traceback" not in too_early.stderr
    first = replay(fresh_erp)
    assert {name: first[name] for name in ("rows", "invoices", "orders", "rejected", "net_total")} == {
        "rows": 590, "invoices": 105, "orders": 54, "rejected": 0, "net_total": str(NET_TOTAL),
    }  # fmt: skip
    assert sum(first["by_disposition"].values()) == 590
    assert first["booked_net"] == str(NET_TOTAL)
    assert (Decimal(first["trial_balance"]), first["stock_difference"], first["waiting"]) == (0, 0, 0)
    assert [first[n] for n in ("chain_damages", "subledger_differences", "vat_differences")] == [0, 0, 0]
    assert first["peak_mb"] < 400
    require_tied_out(fresh_erp)
    before = documents(fresh_erp)
    again = replay(fresh_erp)
    assert (again["booked"], again["repeated"]) == (0, 105)
    assert documents(fresh_erp) == before


def test_killed_replay_goes_on_without_doubling(fresh_erp: ErpDatabase) -> None:
    code = f"from django.core.management import call_command; call_command('replay', {str(EXCERPT)!r})"
    running = fresh_erp.popen(code)
    deadline = time.monotonic() + 60
    with fresh_erp.connect("storefront") as connection:
        while time.monotonic() < deadline:
            row = connection.execute("select count(*) from replayed_invoice").fetchone()
            if row and row[0] >= 20:
                break
            assert running.poll() is None, running.communicate()[1]
    running.send_signal(signal.SIGKILL)
    running.communicate()
    resumed = replay(fresh_erp)
    assert 20 <= resumed["repeated"] < 105
    assert resumed["booked"] + resumed["repeated"] == 105
    assert (Decimal(resumed["trial_balance"]), resumed["stock_difference"], resumed["waiting"]) == (0, 0, 0)
    require_tied_out(fresh_erp)
    assert documents(fresh_erp)["storefront.sales_order"] == 54


def test_missing_document_is_told_and_exits_1(fresh_erp: ErpDatabase) -> None:
    replay(fresh_erp)
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")  # past the rules: as damage would be
        rogue.execute(
            "update finance.invoice set net_total = net_total + 0.01 where id = (select min(id) from finance.invoice)"
        )
        rogue.execute(
            "update finance.invoice set vat_summary = '[]', base_gross_total = 1 "
            "where id = (select max(id) from finance.invoice)"
        )
    again = fresh_erp.manage("replay", str(EXCERPT), check=False)
    assert again.returncode == 1
    assert "-49413.56" in again.stderr
    assert "the file has -49413.57" in again.stderr
    for told in ("was changed after it was sealed", "differ by", "the document says 0 + 0, the ledger"):
        assert told in again.stderr


def test_limit_takes_whole_invoices(fresh_erp: ErpDatabase) -> None:
    assert replay(fresh_erp, "--limit", "7")["booked"] == 7


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("InvoiceNo,StockCode\n1,2\n", "line 1"),
        ("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n1,2,3\n", "line 2"),
    ],
)
def test_broken_file_is_refused_with_its_line(fresh_erp: ErpDatabase, tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(content)
    done = fresh_erp.manage("replay", str(path), check=False)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert documents(fresh_erp)["storefront.sales_order"] == 0
