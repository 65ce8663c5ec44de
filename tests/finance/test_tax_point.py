"""VAT belongs to the period of fulfilment: returns, VAT codes, rates, credit notes, advances, late documents."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import time_machine

import finance
from erp.actor import SYSTEM
from erp.scrubber.result import Findings
from finance import api
from finance.errors import DateBeforeBooks, DateTooFarAhead, UnknownVatCode
from finance.models import FiscalPeriod, Invoice, JournalLine, LedgerBalance
from finance.serializers import VatCodeSerializer
from finance.services import crediting, goods_issues, invoicing, periods, posting, sealing, tie_out, year_close
from finance.services.balances import trial_balance
from finance.services.vat_documents import document_differences, documents_of_code, late_documents, months_holding
from finance.services.vat_return import vat_return
from finance.services.vat_settlement import settle_vat
from finance.vat_check import check_vat
from tests.databases import ErpDatabase
from tests.finance.world import BOOKKEEPER, World, number
from tests.people import staff_client

D = Decimal
Days = tuple[date, date]


class Months(NamedTuple):
    """A month of supplies and the next, in which they are invoiced."""

    march: Days
    april: Days
    code: str  # of the first month

    @property
    def supplied(self) -> date:
        """In the first month."""
        return self.march[0].replace(day=28)

    @property
    def issued(self) -> date:
        """In the second month."""
        return self.april[0].replace(day=3)


_years = itertools.count(2012)


@pytest.fixture
def months() -> Months:
    """March and April of a year of the test's own."""
    year = next(_years)
    return Months((date(year, 3, 1), date(year, 3, 31)), (date(year, 4, 1), date(year, 4, 30)), f"{year}-03")


def invoice(w: World, m: Months, price: str = "1000", code: str = "27", **more: Any) -> dict[str, Any]:
    """An invoice by hand over one line; supplied in the first month, issued in the second."""
    line = {"name": "Repair", "quantity": 1, "unit_price": price, "vat_code": code}
    head = {"customer_id": w.customer, "issued_on": m.issued, "fulfilled_on": m.supplied, "currency": "HUF"}
    return invoicing.create_invoice({**head, "lines": [line], **more}, BOOKKEEPER)


def tax(days: Days, side: str = "sale") -> dict[str, tuple[Decimal, Decimal]]:
    """Code → base and tax of a return, which must agree with the accounts and the documents."""
    found = vat_return(*days)
    assert (found.agrees, document_differences(*days)) == (True, [])
    return {c.code: (c.base, c.tax) for c in found.codes if c.side == side}


def misplaced() -> set[str]:
    """Keys that check 9 finds."""
    findings = Findings()
    check_vat(findings)
    return {sample.key for sample in findings.samples if sample.key.startswith("VAT")}


@pytest.mark.parametrize("is_sealed", [False, True])
def test_invoice_counts_in_the_month_of_its_fulfilment(world: World, months: Months, is_sealed: bool) -> None:
    m = months
    done = invoice(world, m)
    if is_sealed:
        sealing.seal_pending()
    assert (tax(m.march), tax(m.april)) == ({"27": (D(1000), D(270))}, {})
    march, april = vat_return(*m.march).accounts[0], vat_return(*m.april).accounts[0]
    assert (march.moved, march.returned, march.elsewhere) == (D(0), D(270), D(270))
    assert (april.moved, april.returned, april.other_periods) == (D(270), D(0), D(270))
    (row,) = documents_of_code(*m.march, "sale", "27")
    assert (row["document_id"], row["entry_on"], row["tax_on"]) == (done["id"], m.issued, m.supplied)
    assert misplaced() == set()
    assert tie_out.differences(m.april[1]) == []


def test_vat_code_must_be_valid_on_the_day_of_fulfilment(world: World, months: Months) -> None:
    """A rate that ended with March still stands on an invoice of April for a supply of March, and on no later one."""
    old = {"code": "OLD", "name": "A rate of old", "rate": 20, "valid_from": "2004-01-01", "valid_to": months.march[1]}
    serializer = VatCodeSerializer(data=old)
    serializer.is_valid(raise_exception=True)
    serializer.save(actor=SYSTEM)
    invoice(world, months, code="OLD")
    assert tax(months.march) == {"OLD": (D(1000), D(200))}
    with pytest.raises(UnknownVatCode, match=f"not valid on {months.april[0]}"):
        invoice(world, months, code="OLD", fulfilled_on=months.april[0])


def test_goods_ordered_under_a_code_that_ended_are_taxed_as_of_their_delivery(world: World, months: Months) -> None:
    """Ordered at 20 %, which ends with March: delivered in March at it, in April at the product's rate of then."""
    w, m = world, months
    until, april = m.march[1], m.april[0]
    old = VatCodeSerializer(
        data={"code": "ENDS", "name": "x", "rate": 20, "valid_from": "2004-01-01", "valid_to": until}
    )
    old.is_valid(raise_exception=True)
    old.save(actor=SYSTEM)
    w.receive(w.mug, 9, "600")

    def ordered(**more: Any) -> dict[str, Any]:
        return w.product_line(w.mug, 1, "1270", "ENDS", vat_rate=D(20), **more)

    assert w.sell(ordered(), issued_on=until, price_mode="gross")["vat_total"] == D(212)
    late = w.sell(ordered(), issued_on=april, price_mode="gross")
    assert (late["gross_total"], late["vat_total"]) == (D(1270), D(270))  # the price agreed stays
    assert [x.vat_code for x in Invoice.objects.get(pk=late["id"]).lines.all()] == ["27"]
    back = {**w.give_back(ordered(), order_id=late["order_id"]), "price_mode": "gross", "returned_on": m.issued}
    assert api.credit_return(back)["vat_total"] == D(-270)
    goods_issues.set_collective(w.customer, is_collective=True)
    w.sell(ordered(), issued_on=m.issued, price_mode="gross")
    goods_issues.set_collective(w.customer, is_collective=False)
    (collected,) = goods_issues.issue_collective(w.customer, *m.april, actor=BOOKKEEPER, issued_on=m.april[1])
    assert collected["vat_total"] == D(270)
    with pytest.raises(UnknownVatCode, match=f"ENDS ended on {until}, .* product OTHER: give the product the code"):
        w.sell(ordered(product_id=None, sku="OTHER", move_id=None), issued_on=m.issued)
    assert (tax(m.march), tax(m.april)) == ({"ENDS": (D(1058), D(212))}, {"27": (D(1000), D(270))})


def test_amounts_are_converted_at_the_rate_of_the_tax_point(world: World, months: Months) -> None:
    """The day of fulfilment; where the invoice comes first (supplies settled by periods) the day of issue."""
    m = months
    api.save_exchange_rates(
        [{"currency": "EUR", "rate_on": day, "rate": rate} for day, rate in ((m.supplied, 400), (m.issued, 410))]
    )
    before = invoice(world, m, "10", currency="EUR")
    after = invoice(world, m, "10", currency="EUR", fulfilled_on=m.april[0].replace(day=20))
    rates = dict(Invoice.objects.values_list("id", "exchange_rate"))
    assert (rates[before["id"]], rates[after["id"]]) == (400, 410)
    assert (tax(m.march), tax(m.april)) == ({"27": (D(4000), D(1080))}, {"27": (D(4100), D(1107))})


def test_credit_note_counts_on_its_own_day_and_not_on_that_of_the_supply(world: World, months: Months) -> None:
    done = invoice(world, months, issued_on=months.supplied)
    crediting.issue_credit_note(done["id"], actor=BOOKKEEPER, issued_on=months.issued, reason="not as agreed")
    assert (tax(months.march), tax(months.april)) == ({"27": (D(1000), D(270))}, {"27": (D(-1000), D(-270))})
    assert misplaced() == set()


def test_advance_counts_on_the_day_of_the_payment_and_the_rest_with_the_supply(world: World, months: Months) -> None:
    m = months
    advance = invoice(world, m, "400", kind="advance")
    assert tax(m.march) == {"27": (D(400), D(108))}
    supply = {"name": "Repair", "quantity": 1, "unit_price": "1000", "vat_code": "27"}
    off = {**supply, "unit_price": "-400", "advance_invoice_id": advance["id"]}
    supplied = m.april[0].replace(day=28)
    invoice(world, m, lines=[supply, off], issued_on=m.april[0].replace(month=5), fulfilled_on=supplied)
    assert (tax(m.march), tax(m.april)) == ({"27": (D(400), D(108))}, {"27": (D(600), D(162))})


def test_collective_invoice_never_lies_in_two_vat_periods(world: World, months: Months) -> None:
    w, m = world, months
    w.receive(w.mug, 5, "600")
    goods_issues.set_collective(w.customer, is_collective=True)
    for day in (m.march[0].replace(day=20), m.march[0].replace(day=30), m.april[0].replace(day=2)):
        w.sell(w.product_line(w.mug, 1, "1000"), issued_on=day)
    goods_issues.set_collective(w.customer, is_collective=False)
    days = (m.march[0].replace(day=15), m.april[0].replace(day=15))
    done = goods_issues.issue_collective(w.customer, *days, actor=BOOKKEEPER, issued_on=m.april[0].replace(day=16))
    assert (tax(m.march), tax(m.april)) == ({"27": (D(2000), D(540))}, {"27": (D(1000), D(270))})
    made = Invoice.objects.filter(pk__in=[d["id"] for d in done]).order_by("fulfilled_on")
    assert [(i.delivered_from, i.fulfilled_on, i.delivered_to) for i in made] == [
        (days[0], m.march[0].replace(day=30), m.march[1]), (m.april[0], m.april[0].replace(day=2), days[1])
    ]  # fmt: skip


def test_document_late_for_a_closed_return_is_listed_and_transferred_by_itself(world: World, months: Months) -> None:
    invoice(world, months, issued_on=months.supplied)
    settle_vat(months.code, actor=BOOKKEEPER)
    march = FiscalPeriod.objects.get(code=months.code)
    assert late_documents(march) == []
    late = invoice(world, months, "500")
    assert [(r["document_number"], r["code"], r["base"], r["tax"]) for r in late_documents(march)] == [
        (late["number"], "27", D(-500), D(-135))
    ]
    page = staff_client("vat", duty="finance").get(f"/admin/finance/vat-return/?period={months.code}").content.decode()
    assert "Late for the closed return: self-revision" in page
    assert f">{late['number']}</a>" in page
    again = settle_vat(months.code, actor=BOOKKEEPER)
    assert {x["account"]: (x["amount"], x["tax_on"]) for x in again["lines"]} == {
        "467": (D(135), months.march[1]), "468": (D(-135), months.march[1])
    }  # fmt: skip
    assert tax(months.march) == {"27": (D(1500), D(405))}


def entry(on: date, *lines: tuple[str, int, str], **more: Any) -> dict[str, Any]:
    """A manual entry: (account, signed amount, VAT code)."""
    rows = [{"account": account, "amount": amount, "vat_code": code} for account, amount, code in lines]
    data = {"entry_on": on, "lines": rows, **more}
    return posting.post_journal_entry(data, actor=BOOKKEEPER, posting_key=f"manual:{number()}")


def test_purchase_counts_on_its_tax_date_and_a_reversal_leaves_nothing_of_it(world: World, months: Months) -> None:
    lines = (("814", 1000, "27"), ("466", 270, "27"), ("4541", -1270, ""))
    made = entry(months.issued, *lines, tax_on=months.supplied)
    assert (tax(months.march, "purchase"), tax(months.april, "purchase")) == ({"27": (D(1000), D(270))}, {})
    posting.reverse_entry(made["id"], actor=BOOKKEEPER, on_date=months.april[1])
    assert {sums for days in months[:2] for sums in tax(days, "purchase").values()} <= {(D(0), D(0))}


def test_tax_owed_by_the_buyer_stands_with_the_base_of_the_purchase(world: World, months: Months) -> None:
    m = months
    entry(m.supplied, ("814", 1000, "FAD"), ("466", 270, "FAD"), ("467", -270, "FAD"), ("4541", -1000, ""))
    invoice(world, m, code="FAD")
    for side, sums in (("purchase", (1000, 270)), ("reverse", (1000, 270)), ("sale", (1000, 0))):
        assert tax(m.march, side) == {"FAD": sums}
    assert vat_return(*m.march).payable == 0
    (row,) = documents_of_code(*m.march, "reverse", "FAD")
    assert (row["base"], row["tax"]) == (D(1000), D(270))
    page = staff_client("vat", duty="finance").get(f"/admin/finance/vat-return/?period={m.code}").content.decode()
    assert "/admin/finance/vat-return/reverse/FAD/" in page


def test_tax_date_far_ahead_is_refused(world: World, months: Months) -> None:
    with pytest.raises(DateTooFarAhead, match="tax point"):
        invoice(world, months, fulfilled_on=date(2062, 3, 28))


@pytest.mark.usefixtures("world")
def test_manual_entry_page_takes_the_tax_date(months: Months) -> None:
    rows = {f"rows-{n}-{name}": "" for n in range(8) for name in ("account", "debit", "credit", "text", "vat_code")}
    rows |= {"rows-TOTAL_FORMS": "8", "rows-INITIAL_FORMS": "0"}
    rows |= {"rows-0-account": "814", "rows-0-debit": "100", "rows-0-vat_code": "27"}
    rows |= {"rows-1-account": "466", "rows-1-debit": "27", "rows-1-vat_code": "27"}
    rows |= {"rows-2-account": "4541", "rows-2-credit": "127"}
    head = {"key": "tax-date", "entry_on": str(months.issued), "tax_on": str(months.supplied), "journal": "GEN"}
    client = staff_client("vat", duty="finance")
    assert client.post("/admin/finance/entry/", {**head, **rows, "text": "Supplier"}).status_code == 302
    assert tax(months.march, "purchase") == {"27": (D(100), D(27))}


@pytest.fixture
def in_may() -> Iterator[None]:
    """A day in May, when March can be closed for good."""
    with time_machine.travel(datetime(2026, 5, 5, 12, tzinfo=UTC)):
        yield


THIS_YEAR = Months((date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 4, 1), date(2026, 4, 30)), "2026-03")


@pytest.mark.usefixtures("in_may")
def test_supply_of_a_month_closed_for_good_is_invoiced_and_settled_in_an_open_one(fresh_world: World) -> None:
    m = THIS_YEAR
    with pytest.raises(
        DateBeforeBooks, match="2016-03-03 lies before the books begin, on 2026-01-01.*Look at the year"
    ):
        invoice(fresh_world, m, fulfilled_on=date(2016, 3, 3))  # a typing error
    assert not FiscalPeriod.objects.exists()
    invoice(fresh_world, m, issued_on=m.supplied)
    settle_vat(m.code, actor=BOOKKEEPER)
    for period in FiscalPeriod.objects.filter(starts_on__lte=m.march[0]).order_by("starts_on"):
        periods.set_state(period.pk, FiscalPeriod.State.LOCKED, actor=BOOKKEEPER)
    late = invoice(fresh_world, m, "500", issued_on=date(2026, 5, 4))
    assert [r["document_id"] for r in late_documents(FiscalPeriod.objects.get(code=m.code))] == [late["id"]]
    client = staff_client("vat", duty="finance")
    for url in ("vat-return/?period=2026-04", "periods/"):  # the months after it name the month and what came late
        page = client.get(f"/admin/finance/{url}").content.decode()
        for text in ("?first=2026-03-01&amp;last=2026-03-31", f">{late['number']}</a> 135"):
            assert text in page[page.index("data-holding") :]
    again = settle_vat(m.code, actor=BOOKKEEPER)
    assert again["entry_on"] == date(2026, 4, 1)
    assert vat_return(*m.march).accounts[0].left == 0
    assert vat_return(*m.april).accounts[0].left == 0
    assert "data-holding" not in client.get("/admin/finance/periods/").content.decode()
    assert tax(m.march) == {"27": (D(1500), D(405))}


@pytest.mark.usefixtures("after_the_year")
def test_close_of_a_year_leaves_what_is_owed_for_its_last_month_and_the_next(fresh_world: World) -> None:
    """The year's closing entries carry VAT accounts over; every month is still settled by what it owes itself."""
    december, january = date(2026, 12, 30), date(2027, 1, 5)
    invoice(fresh_world, THIS_YEAR, issued_on=december, fulfilled_on=december)
    invoice(fresh_world, THIS_YEAR, "500", issued_on=december, fulfilled_on=january)  # settled by periods
    for period in FiscalPeriod.objects.filter(ends_on__lt=december).order_by("starts_on"):
        periods.set_state(period.pk, FiscalPeriod.State.LOCKED, actor=BOOKKEEPER)
    year_close.close_year(2026, actor=BOOKKEEPER)
    left = {month["code"]: month["output"] for month in months_holding(date(2027, 2, 1))}
    assert left == {"2026-12": D(270), "2027-01": D(135)}
    for month, owed in (("2026-12", 270), ("2027-01", 135)):
        done = settle_vat(month, actor=BOOKKEEPER)
        assert {x["account"]: x["amount"] for x in done["lines"]} == {"467": owed, "468": -owed}
        assert done["entry_on"].year == 2027
    assert months_holding(date(2027, 2, 1)) == []
    assert {r["account"]: r["balance"] for r in trial_balance(january, january.replace(day=31))}["468"] == -405
    assert "467" not in {r["account"] for r in trial_balance(january, january.replace(day=31)) if r["balance"]}


@pytest.fixture
def after_the_year() -> Iterator[None]:
    """The days after the end of the year whose books are closed."""
    with time_machine.travel(datetime(2027, 1, 15, 12, tzinfo=UTC)):
        yield


def test_upgrade_fills_tax_dates_and_a_changed_one_is_found(fresh_world: World, fresh_erp: ErpDatabase) -> None:
    """The statements of the migration over books whose lines had no tax date yet; then one is tampered with."""
    w, m = fresh_world, THIS_YEAR
    late = invoice(w, m)
    done = invoice(w, m, issued_on=m.supplied)
    crediting.issue_credit_note(done["id"], actor=BOOKKEEPER, issued_on=m.issued)
    sealing.seal_pending()
    expected = list(JournalLine.objects.order_by("id").values_list("id", "tax_on"))
    returns = tax(m.march), tax(m.april)
    rules = (Path(finance.__file__).parent / "sql" / "tax_point_rules.sql").read_text(encoding="utf-8")
    with fresh_erp.connect() as c:
        c.execute("set search_path = finance")
        with c.transaction():
            c.execute("set local session_replication_role = replica")
            c.execute("alter table journal_line alter tax_on drop not null")
            c.execute("update journal_line set tax_on = null")
            c.execute("update ledger_balance set debit = debit + 1")
        with c.transaction():
            c.execute(rules[rules.index("-- Entries that were posted before") :])  # type: ignore[arg-type]
        assert list(JournalLine.objects.order_by("id").values_list("id", "tax_on")) == expected
        assert (tax(m.march), tax(m.april)) == returns
        assert LedgerBalance.objects.exists()
        with c.transaction():
            c.execute("update seal_head set dated_from = 0")  # what is sealed from now on
            c.execute("set local session_replication_role = replica")
            c.execute("update journal_line set tax_on = entry_on where vat_code <> ''")
    assert misplaced() == {f"VAT code 27 of {m.supplied}", f"VAT code 27 of {m.issued}"}
    assert [row["number"] for row in document_differences(*m.march)] == [late["number"]]
    assert {damage.kind for damage in sealing.verify(full=True).damages} == {"line"}
