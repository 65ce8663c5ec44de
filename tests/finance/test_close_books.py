"""Closing months and years: in their order, only when subledgers tie out, with closing and opening entries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.urls import reverse

from erp.db import cursor, module_transaction
from erp.relay import enqueue
from finance import api
from finance.errors import (
    NotReversible,
    PeriodClosed,
    PeriodNotClosable,
    ReasonMissing,
    SubledgersDiffer,
    YearNotClosable,
)
from finance.models import BankEntry, BankStatement, ClosedYear, FiscalPeriod, JournalEntry, JournalLine, PeriodChange
from finance.services import (
    balances,
    bank_matching,
    crediting,
    invoicing,
    payments,
    periods,
    posting,
    refunds,
    sealing,
    tie_out,
    write_offs,
    year_close,
)  # fmt: skip
from finance.services.customer_accounts import customer_statement
from logistics.services.relays import settle
from tests.finance.world import BOOKKEEPER, World, number
from tests.people import staff_client

D = Decimal
YEAR_END = date(2026, 12, 31)


@pytest.fixture
def after_the_year() -> Iterator[None]:
    """The days after the end of the year whose books are closed."""
    with time_machine.travel(datetime(2027, 1, 15, 12, tzinfo=UTC)):
        yield


def post(on: str, *lines: tuple[str, int], **more: object) -> int:
    """A manual entry: (account, signed amount)."""
    rows = [{"account": account, "amount": amount} for account, amount in lines]
    data = {"entry_on": on, "lines": rows, **more}
    return int(posting.post_journal_entry(data, actor=BOOKKEEPER, posting_key=f"manual:{number()}")["id"])


def trade(w: World) -> dict[str, object]:
    """Goods, sales in two currencies, a partial payment, an overpayment, a credit note."""
    w.receive(w.mug, 50, "600")
    w.receive(w.tea, 20, "200")
    sale = w.sell(w.product_line(w.mug, 3, "1000"), w.product_line(w.tea, 2, "500", "5"))
    abroad = w.sell(
        w.product_line(w.mug, 7, "9.99", "KBAET"), customer_id=w.foreigner, currency="EUR", bill_to={"country": "AT"}
    )
    api.record_payment({"invoice_id": sale["id"], "amount": 2000, "received_on": "2026-03-11"}, actor=BOOKKEEPER)
    for amount, day in (("23.33", "2026-03-12"), ("11.11", "2026-04-02"), ("50", "2026-04-20")):
        api.record_payment({"invoice_id": abroad["id"], "amount": amount, "received_on": day}, actor=BOOKKEEPER)
    crediting.issue_credit_note(
        sale["id"], actor=BOOKKEEPER, lines=[{"line_no": 1, "quantity": 1}], reason="x", issued_on=date(2026, 4, 5)
    )
    return sale


def close(code: str) -> str:
    """Close a month for good."""
    return periods.set_state(FiscalPeriod.objects.get(code=code).pk, "locked", actor=BOOKKEEPER)


def test_subledgers_tie_out_at_the_end_of_any_day(fresh_world: World) -> None:
    trade(fresh_world)
    for day in ("2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12", "2026-04-02", "2026-04-10", "2026-12-31"):
        assert tie_out.differences(date.fromisoformat(day)) == [], day


def test_subledgers_tie_out_after_refunds_write_offs_and_advances(fresh_world: World) -> None:
    w = fresh_world
    trade(w)
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-05-01", "rate": "401.37"}])
    foreign = {"customer_id": w.foreigner, "currency": "EUR"}
    more = api.record_payment({**foreign, "amount": "70.07", "received_on": "2026-05-02"}, actor=BOOKKEEPER)
    line = {"name": "Advance", "quantity": 1, "unit_price": "33.33", "vat_code": "KBAET"}
    advance = invoicing.create_invoice(
        {**foreign, "kind": "advance", "issued_on": "2026-05-03", "lines": [line]}, BOOKKEEPER
    )
    payments.allocate_payment(more["id"], [{"invoice_id": advance["id"], "amount": "33.33"}], actor=BOOKKEEPER)
    for part in ("11.11", "7.77"):
        refunds.refund_payment(more["id"], actor=BOOKKEEPER, amount=D(part))
    refunds.deallocate_payment(more["id"], advance["id"], actor=BOOKKEEPER)
    payments.allocate_payment(more["id"], [{"invoice_id": advance["id"], "amount": "33.30"}], actor=BOOKKEEPER)
    write_offs.write_off(advance["id"], actor=BOOKKEEPER, reason="cents")
    goods = {"name": "Machine", "quantity": 1, "unit_price": "99.99", "vat_code": "KBAET"}
    taken = {**line, "unit_price": "-20.01", "advance_invoice_id": advance["id"]}
    invoicing.create_invoice({**foreign, "issued_on": "2026-05-20", "lines": [goods, taken]}, BOOKKEEPER)
    for day in ("2026-05-02", "2026-05-19", "2026-12-31"):
        assert tie_out.differences(date.fromisoformat(day)) == [], day
    entry = JournalEntry.objects.get(posting_key=f"invoice:{advance['id']}")
    assert (entry.exchange_rate, entry.rate_on) == (D("401.37"), date(2026, 5, 1))


def test_allocation_after_a_month_is_shut_belongs_to_the_day_it_is_posted(fresh_world: World) -> None:
    w = fresh_world
    sale = w.sell(w.product_line(w.mug, 1, "1000", move_id=None), issued_on=date(2026, 1, 10))
    paid = api.record_payment(
        {"customer_id": w.customer, "amount": 1270, "received_on": "2026-01-20", "currency": "HUF"}, actor=BOOKKEEPER
    )
    close("2026-01")
    payments.allocate_payment(paid["id"], [{"invoice_id": sale["id"]}], actor=BOOKKEEPER)
    assert close("2026-02") == "2026-02"


def test_month_with_a_differing_subledger_is_not_closed_and_says_which(fresh_world: World) -> None:
    w = fresh_world
    trade(w)
    for code in ("2026-01", "2026-02"):
        close(code)
    post("2026-03-15", ("311", 77), ("9111", -77))
    stray = post("2026-03-16", ("261", 5), ("8694", -5))
    with pytest.raises(SubledgersDiffer) as refused:
        close("2026-03")
    assert "Receivables (account 311, 312, 316, 317) differ by 77 from their documents: customer none by 77" in str(
        refused.value
    )
    assert "Inventory (account 261) differ by 5 from their documents: product none by 5" in str(refused.value)
    assert FiscalPeriod.objects.get(code="2026-03").state == "open"
    client, march = staff_client("keeper", duty="finance"), FiscalPeriod.objects.get(code="2026-03")
    assert "Not checked yet" in client.get("/admin/finance/periods/").content.decode()
    client.post(f"/admin/finance/periods/{march.pk}/check/")
    assert "customer none by 77" in client.get("/admin/finance/periods/").content.decode()
    posting.reverse_entry(stray, actor=BOOKKEEPER, on_date=date(2026, 3, 16))
    post("2026-03-15", ("311", -77), ("9111", 77))
    assert close("2026-03") == "2026-03"
    with pytest.raises(PeriodClosed):
        post("2026-03-20", ("381", 1), ("9111", -1))


def test_soft_lock_takes_closing_entries_and_is_opened_with_a_reason(fresh_world: World) -> None:
    post("2026-03-02", ("381", 100), ("9111", -100))
    client = staff_client("keeper", duty="finance")
    march = FiscalPeriod.objects.get(code="2026-03")
    client.post(f"/admin/finance/periods/{march.pk}/soft_locked/", {"reason": "figures are reported"})
    with pytest.raises(PeriodClosed):
        post("2026-03-05", ("381", 1), ("9111", -1))
    post("2026-03-31", ("814", 7), ("261", -7), kind="closing")
    with pytest.raises(ReasonMissing):
        periods.set_state(march.pk, "open", actor=BOOKKEEPER)
    client.post(f"/admin/finance/periods/{march.pk}/open/", {"reason": "an invoice came late"})
    post("2026-03-05", ("381", 1), ("9111", -1))
    changes = PeriodChange.objects.order_by("id").values_list("state", "reason", "actor_name")
    assert list(changes) == [
        ("soft_locked", "figures are reported", "keeper"),
        ("open", "an invoice came late", "keeper"),
    ]
    assert "an invoice came late" in client.get("/admin/finance/periods/").content.decode()


@pytest.mark.usefixtures("after_the_year")
def test_year_close_takes_the_result_over_and_opens_the_next_year(fresh_world: World) -> None:
    w = fresh_world
    trade(w)
    post("2026-06-30", ("384", 500_000), ("411", -500_000), text="capital")
    before = {row["account"]: row["balance"] for row in balances.trial_balance(date(2026, 1, 1), YEAR_END)}
    income, expense = (sum(v for k, v in before.items() if k.startswith(c)) for c in ("9", "8"))
    assert "Close these months first" in year_close.preview(2026).obstacles[0]
    with pytest.raises(YearNotClosable):
        year_close.close_year(2026, actor=BOOKKEEPER)
    for month in range(1, 12):
        close(f"2026-{month:02}")
    assert year_close.preview(2026).result == -(income + expense)
    client = staff_client("keeper", duty="finance")
    assert "2026-12 is not checked yet" in client.get("/admin/finance/years/2026/").content.decode()
    client.post(f"/admin/finance/periods/{FiscalPeriod.objects.get(code='2026-12').pk}/check/", {"year": "2026"})
    assert "Close 2026 for good" in client.get("/admin/finance/years/2026/").content.decode()
    assert client.post("/admin/finance/years/2026/").status_code == 302
    closed = ClosedYear.objects.get()
    assert closed.result == -(income + expense)
    at_end = {r["account"]: r["balance"] for r in balances.trial_balance(date(2026, 1, 1), YEAR_END) if r["balance"]}
    assert set(at_end) == {"492"} or at_end == {}
    without = balances.trial_balance(date(2026, 1, 1), YEAR_END, with_closing=False)
    assert {r["account"]: r["balance"] for r in without} == before
    page = client.get(reverse("finance-trial-balance"), {"first": "2026-01-01", "last": "2026-12-31"}).content.decode()
    assert "Class 9 Sales revenue and income" in page
    assert "500,000" in page
    opened = balances.trial_balance(date(2027, 1, 1), date(2027, 1, 1))
    assert all(row["debit"] == row["credit"] == 0 for row in opened)  # opening balances are no movement of the year
    assert {r["account"]: r["opening"] for r in opened if r["account"][0] in "123"} == {
        k: v for k, v in before.items() if v and k[0] in "123"
    }
    carried = {r["account"]: r["balance"] for r in opened if r["balance"]}
    expected = {k: v for k, v in before.items() if v and k[0] in "1234"}
    retained = {k: v for k, v in carried.items() if k in {"413", "491", "492"}}
    assert {k: v for k, v in carried.items() if k not in retained} == expected
    assert carried["413"] == income + expense
    assert retained.get("491", D(0)) + retained.get("492", D(0)) == 0
    assert FiscalPeriod.objects.get(code="2026-12").state == "locked"
    assert tie_out.differences(YEAR_END) == tie_out.differences(date(2027, 1, 31)) == []
    owed = JournalLine.objects.filter(document_kind="year_open", account="311")
    assert {x.customer_id for x in owed} == {w.customer}
    ended = customer_statement(w.customer, date(2026, 12, 1), YEAR_END)
    begun = customer_statement(w.customer, date(2027, 1, 1), date(2027, 1, 31))
    owes = sum(item["open"] for item in ended.open_items)
    assert owes
    assert [(a.closing, a.moves) for a in ended.accounts] == [(owes, [])]
    assert [(a.opening, a.closing, a.moves) for a in begun.accounts] == [(owes, owes, [])]
    again = year_close.close_year(2026, actor=BOOKKEEPER)
    assert (again.pk, JournalEntry.objects.filter(document_kind__startswith="year_").count()) == (closed.pk, 3)
    assert sealing.verify().damages == []


def test_incomplete_opening_balances_stop_the_year_close(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 5, "600", document_kind="opening")
    assert any("491" in text for text in year_close.preview(2026).obstacles)


def year_of_sales() -> None:
    """A year with one sale in it, whose months but the last are closed; it is over."""
    post("2026-06-30", ("381", 100), ("9111", -100))
    for month in range(1, 12):
        close(f"2026-{month:02}")


@pytest.mark.usefixtures("fresh_world", "after_the_year")
def test_posting_during_the_year_close_is_in_the_result_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    year_of_sales()
    came: list[object] = []

    def post_late() -> None:
        try:
            came.append(post("2026-12-31", ("381", 7), ("9111", -7)))
        except PeriodClosed as refusal:
            came.append(refusal)
        connections["finance"].close()

    result_lines = year_close._result_lines
    thread = threading.Thread(target=post_late)

    def between(*args: Any) -> Any:
        """The posting comes after balances were read: it is done, or waits for the close."""
        thread.start()
        with cursor("finance") as cur:
            while thread.is_alive():
                cur.execute("select 1 from pg_locks where locktype = 'advisory' and not granted")
                if cur.fetchone():
                    break
        return result_lines(*args)

    monkeypatch.setattr(year_close, "_result_lines", between)
    assert year_close.close_year(2026, actor=BOOKKEEPER).result == 100
    thread.join()
    assert isinstance(came[0], PeriodClosed)
    assert {row["account"] for row in balances.trial_balance(YEAR_END, YEAR_END) if row["balance"]} <= {"492"}


@pytest.mark.usefixtures("fresh_world", "after_the_year")
def test_entries_of_a_closed_year_are_not_reversed() -> None:
    year_of_sales()
    closed = year_close.close_year(2026, actor=BOOKKEEPER)
    for entry_id in (closed.result_entry_id, closed.closing_entry_id, closed.opening_entry_id):
        assert entry_id
        with pytest.raises(NotReversible):
            posting.reverse_entry(entry_id, actor=BOOKKEEPER)
        assert not posting.is_reversible(JournalEntry.objects.get(pk=entry_id))


@pytest.mark.usefixtures("fresh_world")
def test_month_that_is_not_over_is_not_closed_for_good() -> None:
    with time_machine.travel(datetime(2026, 3, 31, 12, tzinfo=UTC)):
        post("2026-03-02", ("381", 100), ("9111", -100))
        close("2026-01")
        close("2026-02")
        with pytest.raises(PeriodNotClosable, match="2026-03 is not over yet"):
            close("2026-03")
        march = FiscalPeriod.objects.get(code="2026-03")
        client = staff_client("keeper", duty="finance")
        client.post(f"/admin/finance/periods/{march.pk}/locked/")
        client.post(f"/admin/finance/do/fiscalperiod/{march.pk}/lock/")
        assert FiscalPeriod.objects.get(pk=march.pk).state == "open"
        assert "2026 is not over yet" in year_close.preview(2026).obstacles
    with time_machine.travel(datetime(2026, 4, 1, 12, tzinfo=UTC)):
        assert close("2026-03") == "2026-03"


def test_open_bank_entries_stand_against_closing_their_month(fresh_world: World) -> None:
    post("2026-01-02", ("381", 100), ("9111", -100))
    statement = BankStatement.objects.create(
        account="HU1", statement_ref="S1", currency="HUF", format="csv", first_on=date(2026, 1, 1),
        last_on=date(2026, 2, 28), actor_name="x",
    )  # fmt: skip
    for n, (day, amount) in enumerate(((date(2026, 1, 31), 500), (date(2026, 1, 5), 700), (date(2026, 2, 1), 9))):
        BankEntry.objects.create(
            statement=statement, account="HU1", entry_ref=str(n), booked_on=day, amount=amount, currency="HUF"
        )
    with pytest.raises(PeriodNotClosable, match="not booked: 2, over 1,200 HUF"):
        close("2026-01")
    client = staff_client("keeper", duty="finance")
    client.post(f"/admin/finance/periods/{FiscalPeriod.objects.get(code='2026-01').pk}/check/")
    assert "over 1,200 HUF" in client.get("/admin/finance/periods/").content.decode()
    for n in ("0", "1"):
        entry = BankEntry.objects.get(entry_ref=n)
        bank_matching.book_entry(entry.pk, actor=BOOKKEEPER, customer_id=fresh_world.customer)
    assert close("2026-01") == "2026-01"


def test_goods_work_that_finance_has_not_booked_stands_against_closing_its_month(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 5, "600", moved_on=date(2026, 1, 5))
    late = w.move(w.tea, 3, "receipt", unit_cost=D(200), moved_on=date(2026, 2, 27))
    with module_transaction("logistics"):
        enqueue("logistics", "value_moves", "goods_receipt:77", {"moves": [late]})
    assert close("2026-01") == "2026-01"
    with pytest.raises(PeriodNotClosable, match="Valuation of stock moves, until 2026-02-28 not done yet: 1 .*:77"):
        close("2026-02")
    settle("value_moves", ["goods_receipt:77"])
    assert close("2026-02") == "2026-02"
