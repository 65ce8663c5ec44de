"""Closing months and years: in their order, only when subledgers tie out, with closing and opening entries."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from finance import api
from finance.errors import PeriodClosed, ReasonMissing, SubledgersDiffer, YearNotClosable
from finance.models import ClosedYear, FiscalPeriod, JournalEntry, JournalLine, PeriodChange
from finance.services import (
    balances,
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
from tests.finance.world import BOOKKEEPER, World, number
from tests.people import staff_client

D = Decimal
YEAR_END = date(2026, 12, 31)


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
    page = staff_client("keeper", duty="finance").get("/admin/finance/periods/").content.decode()
    assert "customer none by 77" in page
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
    assert "Close 2026 for good" in client.get("/admin/finance/years/2026/").content.decode()
    assert client.post("/admin/finance/years/2026/").status_code == 302
    closed = ClosedYear.objects.get()
    assert closed.result == -(income + expense)
    at_end = {r["account"]: r["balance"] for r in balances.trial_balance(date(2026, 1, 1), YEAR_END) if r["balance"]}
    assert set(at_end) == {"492"} or at_end == {}
    opened = balances.trial_balance(date(2027, 1, 1), date(2027, 1, 1))
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
    again = year_close.close_year(2026, actor=BOOKKEEPER)
    assert (again.pk, JournalEntry.objects.filter(document_kind__startswith="year_").count()) == (closed.pk, 3)
    assert sealing.verify().damages == []


def test_incomplete_opening_balances_stop_the_year_close(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 5, "600", document_kind="opening")
    assert any("491" in text for text in year_close.preview(2026).obstacles)
