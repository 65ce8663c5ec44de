"""Collective customers at a month's end: goods delivered and not invoiced by then are accrued, and reversed after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from finance import api
from finance.errors import NothingToAccrue, NotInvoicedYet, NotReversible, PeriodNotClosable
from finance.models import FiscalPeriod, Invoice, JournalEntry, PeriodCheck
from finance.services import accruals, balances, periods, posting, tie_out
from finance.services.goods_issues import issue_collective, set_collective
from finance.services.open_items import ageing, open_items, receivables_balance
from tests.finance.world import BOOKKEEPER, World
from tests.people import staff_client

D = Decimal
MARCH_31, APRIL_1 = date(2026, 3, 31), date(2026, 4, 1)


@pytest.fixture
def april() -> Iterator[None]:
    """The days after the month's end."""
    with time_machine.travel(datetime(2026, 4, 3, 9, tzinfo=UTC)):
        yield


def month(code: str = "2026-03") -> FiscalPeriod:
    return FiscalPeriod.objects.get(code=code)


def deliver(w: World, pieces: int, price: str = "1000", vat: str = "27", **more: Any) -> dict[str, Any]:
    """A goods issue that waits for a collective invoice."""
    issue = w.issue(w.product_line(w.mug, pieces, price, vat), **more)
    assert api.invoice_goods_issue(issue)["waiting"] is True
    return issue


def abroad(w: World) -> dict[str, Any]:
    return {"customer_id": w.foreigner, "currency": "EUR", "bill_to": {"country": "AT"}}


def collective(w: World) -> World:
    """Both customers get collective invoices; earlier months are closed."""
    w.receive(w.mug, 100, "600")
    for customer in (w.customer, w.foreigner):
        set_collective(customer, is_collective=True)
    for code in ("2026-01", "2026-02"):
        periods.set_state(month(code).pk, "locked", actor=BOOKKEEPER)
    return w


def of_day(account: str, day: date) -> Decimal:
    """What moved on an account on a day."""
    rows = {r["account"]: r["debit"] - r["credit"] for r in balances.trial_balance(day, day)}
    return rows.get(account, D(0))


@pytest.mark.usefixtures("april")
def test_month_with_goods_not_invoiced_is_closed_once_their_revenue_is_accrued(fresh_world: World) -> None:
    w = collective(fresh_world)
    first = deliver(w, 3)
    with pytest.raises(PeriodNotClosable, match=f"C000001 Kovács Bt.: 3,000 for {first['shipment_number']}; accrue"):
        periods.set_state(month().pk, "locked", actor=BOOKKEEPER)
    done = accruals.accrue(month().pk, actor=BOOKKEEPER)
    assert done["amount"] == "3,000"
    assert (of_day("391", MARCH_31), of_day("9111", MARCH_31)) == (3000, -3000)
    assert (of_day("391", APRIL_1), of_day("9111", APRIL_1)) == (-3000, 3000)
    with pytest.raises(NothingToAccrue):
        accruals.accrue(month().pk, actor=BOOKKEEPER)
    with pytest.raises(NotReversible):
        posting.reverse_entry(int(done["entry"]), actor=BOOKKEEPER)
    late = deliver(w, 1, issued_on=MARCH_31)
    assert late["shipment_number"] in accruals.not_accrued(MARCH_31)[0]
    periods.set_state(month().pk, "soft_locked", actor=BOOKKEEPER)
    assert accruals.accrue(month().pk, actor=BOOKKEEPER)["amount"] == "1,000"
    (invoice,) = issue_collective(w.customer, date(2026, 3, 1), MARCH_31, actor=BOOKKEEPER)
    assert invoice["net_total"] == 4000
    assert accruals.not_accrued(MARCH_31) == []  # invoiced in April: March keeps its revenue
    assert periods.set_state(month().pk, "locked", actor=BOOKKEEPER) == "2026-03"
    year = {r["account"]: r["balance"] for r in balances.trial_balance(date(2026, 1, 1), date(2026, 4, 30))}
    assert (year["9111"], year["391"]) == (-4000, 0)
    march = {r["account"]: r["balance"] for r in balances.trial_balance(date(2026, 3, 1), MARCH_31)}
    assert (march["9111"], march["391"], march["814"]) == (-4000, 4000, 2400)
    assert tie_out.differences(MARCH_31) == tie_out.differences(date(2026, 4, 30)) == []


@pytest.mark.usefixtures("april")
def test_foreign_goods_are_accrued_at_the_rate_of_the_month_end_and_invoiced_at_one_rate(fresh_world: World) -> None:
    w = collective(fresh_world)
    rates = [{"currency": "EUR", "rate_on": f"2026-03-{d}", "rate": f"3{d}.5"} for d in (10, 20, 30)]
    api.save_exchange_rates(rates)
    for day in (10, 20, 30):
        deliver(w, 1, "33.33", "KBAET", issued_on=date(2026, 3, day), **abroad(w))
    accruals.accrue(month().pk, actor=BOOKKEEPER)
    assert of_day("9311", MARCH_31) == -33048  # 3 × 33.33 EUR at 330.5, each rounded
    (done,) = issue_collective(w.foreigner, date(2026, 3, 1), MARCH_31, actor=BOOKKEEPER)
    found = Invoice.objects.get(pk=done["id"])
    lines = list(found.lines.order_by("line_no"))
    assert {x.delivered_on for x in lines} == {date(2026, 3, d) for d in (10, 20, 30)}
    assert sum(x.base_net for x in lines) == round(found.net_total * found.exchange_rate)
    assert all(abs(x.base_net - x.net * found.exchange_rate) < 1 for x in lines)
    booked = JournalEntry.objects.get(posting_key=f"invoice:{found.pk}")
    assert (booked.exchange_rate, booked.rate_on) == (found.exchange_rate, found.rate_on)


@pytest.mark.usefixtures("april")
def test_closing_page_names_what_is_not_invoiced_and_accrues_it_by_its_button(fresh_world: World) -> None:
    w = collective(fresh_world)
    issue = deliver(w, 2)
    client, key = staff_client("keeper", duty="finance"), month().pk
    page = client.get("/admin/finance/periods/").content.decode()
    for text in (issue["shipment_number"], "C000001 Kovács Bt.", "2,000", "Accrue the revenue", "Not checked yet"):
        assert text in page
    client.post(f"/admin/finance/periods/{key}/check/")
    check = PeriodCheck.objects.get()
    assert ("accrue their revenue" in check.found[0], check.actor_name) == (True, "keeper")
    client.post(f"/admin/finance/periods/{key}/accrue/")
    client.post(f"/admin/finance/periods/{key}/collect/")
    assert Invoice.objects.get().is_collective
    client.post(f"/admin/finance/periods/{key}/check/")
    assert periods.last_check(month()).found == []  # type: ignore[union-attr]
    assert "nothing waited to be booked" in client.get("/admin/finance/periods/").content.decode()


@pytest.mark.usefixtures("april")
def test_goods_in_a_currency_without_a_rate_are_named_and_the_page_stands(fresh_world: World) -> None:
    w = collective(fresh_world)
    deliver(w, 1, "10", "KBAET", **{**abroad(w), "currency": "CHF"})
    assert "There is no exchange rate of CHF" in accruals.not_accrued(MARCH_31)[0]
    page = staff_client("keeper", duty="finance").get("/admin/finance/periods/").content.decode()
    assert "There is no exchange rate of CHF" in page
    api.save_exchange_rates([{"currency": "CHF", "rate_on": MARCH_31, "rate": "430"}])
    assert accruals.accrue(month().pk, actor=BOOKKEEPER)["amount"] == "4,300"


def test_goods_invoiced_until_the_month_end_need_no_accrual(fresh_world: World) -> None:
    w = collective(fresh_world)
    deliver(w, 2)
    with time_machine.travel(datetime(2026, 3, 30, 9, tzinfo=UTC)):
        client = staff_client("keeper", duty="finance")
        assert "Issue collective invoices now" in client.get("/admin/finance/periods/").content.decode()
        client.post(f"/admin/finance/periods/{month().pk}/collect/")
    assert accruals.unbilled(MARCH_31) == []
    assert periods.set_state(month().pk, "locked", actor=BOOKKEEPER) == "2026-03"


@pytest.mark.usefixtures("april")
def test_goods_returned_before_their_collective_invoice_are_credited_with_its_day(fresh_world: World) -> None:
    """Delivered on the 20th, returned on the 28th, invoiced in April: March keeps revenue and goods as they moved."""
    w = collective(fresh_world)
    issue = deliver(w, 3, issued_on=date(2026, 3, 20))
    back = w.give_back(w.product_line(w.mug, 1, "1000"), order_id=issue["order_id"], returned_on=date(2026, 3, 28))
    with pytest.raises(NotInvoicedYet):
        api.credit_return(back)
    accruals.accrue(month().pk, actor=BOOKKEEPER)
    (invoice,) = issue_collective(
        w.customer, date(2026, 3, 1), MARCH_31, actor=BOOKKEEPER, issued_on=date(2026, 4, 2)
    )  # fmt: skip
    note = api.credit_return(back)  # the relay comes again
    assert (note["issued_on"], note["gross_total"]) == (date(2026, 4, 2), -1270)
    assert api.get_invoice(note["id"])["fulfilled_on"] == "2026-03-28"
    assert api.open_total(invoice["id"]) == 2540
    assert (of_day("261", date(2026, 3, 28)), of_day("814", date(2026, 3, 28))) == (600, -600)
    for day, owed in ((MARCH_31, 0), (date(2026, 4, 2), 2540)):
        assert sum((row["base_open"] for row in open_items(on=day)), D(0)) == receivables_balance(day) == owed
        assert sum((row["total"] for row in ageing(day)), D(0)) == owed
    assert periods.set_state(month().pk, "locked", actor=BOOKKEEPER) == "2026-03"
    assert (of_day("9111", MARCH_31), of_day("9111", APRIL_1)) == (-3000, 3000)
    year = {r["account"]: r["balance"] for r in balances.trial_balance(date(2026, 1, 1), date(2026, 4, 30))}
    assert (year["9111"], year["391"]) == (-2000, 0)
    assert tie_out.differences(MARCH_31) == tie_out.differences(date(2026, 4, 30)) == []
