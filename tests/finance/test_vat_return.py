"""The VAT return: figures per code from the ledger's totals, the same whether lines are sealed or not."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.errors import NotFound, Refused
from erp.money import LineInput, document_totals
from finance import api
from finance.errors import PeriodNotClosable
from finance.models import FiscalPeriod, Invoice, InvoiceLine, JournalLine, LedgerBalance
from finance.services import balances, crediting, invoicing, periods, posting, sealing, tie_out
from finance.services.margin_costs import enter_costs, margin_lines
from finance.services.margin_vat import margin_vat_due, post_margin_vat
from finance.services.soundness import books_problems
from finance.services.vat_documents import document_differences, documents_of_code
from finance.services.vat_return import vat_return
from finance.services.vat_settlement import settle_vat
from tests.finance.world import BOOKKEEPER, World, number
from tests.people import staff_client

D = Decimal
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
APRIL = (date(2026, 4, 1), date(2026, 4, 30))


def figures(first: date = MARCH[0], last: date = MARCH[1]) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """(side, code) → (base, tax)."""
    return {(c.side, c.code): (c.base, c.tax) for c in vat_return(first, last).codes}


def purchase(net: int, vat: int) -> None:
    """A supplier's invoice entered by hand."""
    lines = [
        {"account": "814", "debit": net, "vat_code": "27"},
        {"account": "466", "debit": vat, "vat_code": "27"},
        {"account": "4541", "credit": net + vat},
    ]
    data = {"entry_on": "2026-03-20", "lines": lines, "text": "Supplier"}
    posting.post_journal_entry(data, actor=BOOKKEEPER, posting_key=f"manual:{number()}")


def trade(w: World) -> dict[str, Any]:
    """A month: sales at home and abroad, a credit note, a purchase, and a sale of another month."""
    w.receive(w.mug, 50, "600")
    w.receive(w.tea, 50, "200")
    sale = w.sell(w.product_line(w.mug, 3, "1000"), w.product_line(w.tea, 2, "500", "5"))
    w.sell(w.product_line(w.mug, 1, "10", "KBAET"), customer_id=w.foreigner, currency="EUR", bill_to={"country": "AT"})
    w.sell(w.product_line(w.mug, 1, "1000"), issued_on=date(2026, 4, 2))
    broken = [{"line_no": 1, "quantity": 1}]
    crediting.issue_credit_note(
        sale["id"], actor=BOOKKEEPER, lines=broken, reason="broken", issued_on=date(2026, 3, 25)
    )
    purchase(1000, 270)
    return sale


EXPECTED = {
    ("sale", "27"): (D(2000), D(540)),
    ("sale", "5"): (D(1000), D(50)),
    ("sale", "KBAET"): (D(3900), D(0)),
    ("purchase", "27"): (D(1000), D(270)),
}


def test_return_is_reconciled_and_the_same_before_and_after_sealing(fresh_world: World) -> None:
    sale = trade(fresh_world)
    assert LedgerBalance.objects.count() == 0
    assert figures() == EXPECTED
    before = balances.trial_balance(*MARCH)
    sealing.seal_pending()
    purchase(100, 27)
    assert figures() == {**EXPECTED, ("purchase", "27"): (D(1100), D(297))}
    sealing.seal_pending()
    found = vat_return(*MARCH)
    assert (found.payable, found.agrees) == (D(540 + 50 - 297), True)
    assert [(a.account, a.moved, a.returned, a.difference) for a in found.accounts] == [
        ("467", D(590), D(590), D(0)),
        ("466", D(297), D(297), D(0)),
    ]
    assert document_differences(*MARCH) == []
    rows = documents_of_code(*MARCH, "sale", "27")
    assert [(r["document_kind"], r["base"], r["tax"]) for r in rows] == [
        ("invoice", D(3000), D(810)),
        ("credit_note", D(-1000), D(-270)),
    ]
    assert rows[0]["document_id"] == sale["id"]
    after = {r["account"]: r["balance"] for r in balances.trial_balance(*MARCH)}
    purchased = {name: after[name] for name in ("814", "466", "4541")}
    assert {**{r["account"]: r["balance"] for r in before}, **purchased} == after


def test_settlement_empties_the_vat_accounts_once(fresh_world: World) -> None:
    trade(fresh_world)
    done = settle_vat("2026-03", actor=BOOKKEEPER)
    assert {line["account"]: line["amount"] for line in done["lines"]} == {
        "467": D(590), "466": D(-270), "468": D(-320)
    }  # fmt: skip
    assert figures() == EXPECTED
    assert vat_return(*MARCH).agrees
    with pytest.raises(Refused, match="transferred already"):
        settle_vat("2026-03", actor=BOOKKEEPER)
    purchase(100, 27)
    again = settle_vat("2026-03", actor=BOOKKEEPER)
    assert {line["account"]: line["amount"] for line in again["lines"]} == {"466": D(-27), "468": D(27)}


@pytest.mark.parametrize("is_sealed", [False, True])
def test_vat_without_a_code_breaks_the_return_and_is_not_transferred(fresh_world: World, is_sealed: bool) -> None:
    trade(fresh_world)
    lines = [{"account": "9111", "debit": 500}, {"account": "467", "credit": 500}]
    data = {"entry_on": "2026-03-20", "lines": lines, "text": "Guess"}
    entry = posting.post_journal_entry(data, actor=BOOKKEEPER, posting_key=f"manual:{number()}")
    if is_sealed:
        sealing.seal_pending()
    found = vat_return(*MARCH)
    assert (found.payable, found.agrees) == (D(320), False)
    assert [(a.difference, a.transferred) for a in found.accounts] == [(D(500), D(0)), (D(0), D(0))]
    assert "467 holds 500" in books_problems(*MARCH)["vat"][0]
    with pytest.raises(Refused, match=rf"return of 2026-03 does not .* {entry['id']} \(467, -500\)"):
        settle_vat("2026-03", actor=BOOKKEEPER)
    page = staff_client("vat", duty="finance").get("/admin/finance/vat-return/?period=2026-03").content.decode()
    assert f'href="/admin/finance/journalentry/{entry["id"]}/change/"' in page
    for code in ("2026-01", "2026-02"):
        periods.set_state(FiscalPeriod.objects.get(code=code).pk, "locked", actor=BOOKKEEPER)
    with pytest.raises(PeriodNotClosable, match=rf"467 by 500.*reverse .* {entry['id']} \(467, -500\)"):
        periods.set_state(FiscalPeriod.objects.get(code="2026-03").pk, "locked", actor=BOOKKEEPER)
    posting.reverse_entry(entry["id"], actor=BOOKKEEPER, on_date=date(2026, 4, 3))  # leaves the month it stood in
    assert vat_return(*MARCH).agrees
    assert vat_return(*APRIL).agrees
    settled = settle_vat("2026-03", actor=BOOKKEEPER)
    assert {line["account"]: line["amount"] for line in settled["lines"]}["468"] == D(-320)
    assert periods.set_state(FiscalPeriod.objects.get(code="2026-03").pk, "locked", actor=BOOKKEEPER) == "2026-03"


def test_reversed_settlement_is_owed_by_its_own_month_again(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 5, "600")
    w.sell(w.product_line(w.mug, 1, "1000"))
    done = settle_vat("2026-03", actor=BOOKKEEPER)
    posting.reverse_entry(done["id"], actor=BOOKKEEPER, on_date=date(2026, 4, 15))
    assert [vat_return(*days).accounts[0].left for days in (MARCH, APRIL)] == [D(270), D(0)]
    assert vat_return(*MARCH).agrees
    assert vat_return(*APRIL).agrees
    with pytest.raises(Refused, match="hold nothing of 2026-04"):
        settle_vat("2026-04", actor=BOOKKEEPER)
    again = settle_vat("2026-03", actor=BOOKKEEPER)
    assert {line["account"]: line["amount"] for line in again["lines"]} == {"467": D(270), "468": D(-270)}
    assert vat_return(*MARCH).accounts[0].left == 0


def test_margin_scheme_taxes_what_a_piece_brought_beyond_its_cost(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 5, "600")
    w.receive(w.tea, 5, "900")
    code = "KUL_HASZNALT"
    gain = w.sell(w.product_line(w.mug, 3, "1235", code))  # 1,905 beyond the cost of 1,800: 405 of VAT in it
    w.sell(w.product_line(w.tea, 1, "500", code))  # sold below its cost: nothing is due, nothing is taken off
    assert margin_vat_due(MARCH[1]) == {code: D(405)}
    done = post_margin_vat("2026-03", actor=BOOKKEEPER)
    assert [(x["account"], x["amount"], x["vat_code"]) for x in done["lines"]] == [
        ("9111", D(405), code), ("467", D(-405), code)
    ]  # fmt: skip
    assert figures()["sale", code] == (D(3705 + 500 - 405), D(405))
    assert (vat_return(*MARCH).agrees, document_differences(*MARCH)) == (True, [])
    with pytest.raises(Refused, match="beyond what is posted"):
        post_margin_vat("2026-03", actor=BOOKKEEPER)
    # One piece comes back: its part of the tax is taken back by the settlement.
    api.credit_return(w.give_back(w.product_line(w.mug, 1, "1235", code), order_id=gain["order_id"]))
    assert margin_vat_due(MARCH[1]) == {code: D(-135)}
    settled = settle_vat("2026-03", actor=BOOKKEEPER)
    assert {line["account"]: line["amount"] for line in settled["lines"]} == {"467": D(270), "468": D(-270)}
    assert tie_out.differences(MARCH[1]) == []


def test_margin_without_a_known_cost_is_posted_once_its_cost_is_entered(fresh_world: World) -> None:
    line = {"name": "Old clock", "quantity": 1, "unit_price": "1270", "vat_code": "KUL_HASZNALT"}
    head = {"customer_id": fresh_world.customer, "issued_on": MARCH[0]}
    sale = invoicing.create_invoice({**head, "lines": [line]}, BOOKKEEPER)
    with pytest.raises(Refused, match=f"margin is not known .*{sale['number']} line 1"):
        post_margin_vat("2026-03", actor=BOOKKEEPER)
    with pytest.raises(Refused, match=f"{sale['number']} line 1"):
        settle_vat("2026-03", actor=BOOKKEEPER)
    page = staff_client("vat", duty="finance").get("/admin/finance/vat-return/?period=2026-03").content.decode()
    assert f"{sale['number']} line 1</a>" in page
    assert "Post the VAT of the margin scheme" not in page
    assert enter_cost("1000") == "Costs of 1 lines are entered."
    assert margin_vat_due(MARCH[1]) == {"KUL_HASZNALT": D(57)}  # 27/127 of 270
    post_margin_vat("2026-03", actor=BOOKKEEPER)
    assert enter_cost("1143", "the supplier's second invoice") == "Costs of 1 lines are entered."
    assert margin_vat_due(MARCH[1]) == {"KUL_HASZNALT": D(-30)}
    assert enter_cost("1143", "the supplier's second invoice") == "Costs of 0 lines are entered."
    crediting.issue_credit_note(sale["id"], actor=BOOKKEEPER, issued_on=MARCH[1])
    assert margin_vat_due(MARCH[1]) == {"KUL_HASZNALT": D(-57)}
    assert margin_lines(*MARCH) == []
    with pytest.raises(NotFound, match="credited"):
        enter_costs([{"line_id": InvoiceLine.objects.get(invoice_id=sale["id"]).pk, "cost": 1}], actor=BOOKKEEPER)


def enter_cost(cost: str, note: str = "") -> str:
    """Enter the cost of the only line on its page; what the page says to it."""
    client, url = staff_client("vat", duty="finance"), f"/admin/finance/margin-costs/?first={MARCH[0]}&last={MARCH[1]}"
    (row,) = margin_lines(*MARCH)
    assert f"{row['number']} line 1" in client.get(url).content.decode()
    form = {"rows-TOTAL_FORMS": 1, "rows-INITIAL_FORMS": 1, "rows-0-line_id": row["id"], "rows-0-cost": cost}
    done = client.post(url, {**form, "rows-0-note": note}, follow=True)
    return str(next(iter(done.context["messages"])))


def test_page_shows_figures_leads_to_documents_and_exports(fresh_world: World) -> None:
    sale = trade(fresh_world)
    client: Client = staff_client("vat", duty="finance")
    page = client.get("/admin/finance/vat-return/?period=2026-03").content.decode()
    assert "Every document's VAT is what the ledger holds of it." in page
    assert 'href="/admin/finance/vat-return/sale/27/?first=2026-03-01&amp;last=2026-03-31"' in page
    behind = client.get("/admin/finance/vat-return/sale/27/?first=2026-03-01&last=2026-03-31").content.decode()
    assert f"/admin/finance/invoice/{sale['id']}/change/" in behind
    data = client.get("/admin/finance/vat-return/?period=2026-03&format=json").json()
    assert (D(data["payable"]), data["agrees"]) == (D(320), True)
    text = client.get("/admin/finance/vat-return/?period=2026-03&format=csv").content.decode()
    assert "sale,27,Standard rate 27%,27.0000,rate,2000.0000,540.0000,HUF" in text
    assert client.post("/admin/finance/vat-settlement/2026-03/", follow=True).status_code == 200
    assert vat_return(*MARCH).accounts[0].transferred == D(-590)
    assert staff_client("clerk", duty="logistics").get("/admin/finance/vat-return/").status_code == 403


@pytest.fixture(scope="module")
def priced_world(world: World) -> World:
    """Rates of the currencies that documents are drawn in."""
    api.save_exchange_rates(
        [{"currency": c, "rate_on": "2024-01-01", "rate": r} for c, r in (("EUR", "391.37"), ("KWD", "1178.6123"))]
    )
    return world


_LINES = st.lists(
    st.tuples(
        st.integers(1, 99), st.integers(1, 900_000), st.integers(0, 40), st.sampled_from(["27", "18", "5", "AAM"])
    ),
    min_size=1,
    max_size=8,
)
_days = (date(2025, 1, 1) + timedelta(days=n) for n in range(10_000))  # a day of its own for every document


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_LINES, st.sampled_from(["HUF", "EUR", "KWD"]), st.sampled_from(["net", "gross"]))
def test_basket_invoice_ledger_and_return_agree_on_any_document(
    priced_world: World, lines: list[tuple[int, int, int, str]], currency: str, mode: str
) -> None:
    day = next(_days)
    rows = [
        {
            "name": "x", "quantity": quantity, "unit_price": D(price) / 1000, "vat_code": code,
            "discount": D(quantity * price * percent).quantize(D(1)) // 100_000,
        }
        for quantity, price, percent, code in lines
    ]  # fmt: skip
    done = invoicing.create_invoice(
        {
            "customer_id": priced_world.customer, "lines": rows, "currency": currency, "price_mode": mode,
            "issued_on": day,
        },
        BOOKKEEPER,
    )  # fmt: skip
    rates = {"27": D(27), "18": D(18), "5": D(5), "AAM": D(0)}
    basket = document_totals(
        [LineInput(r["quantity"], r["unit_price"], r["vat_code"], rates[r["vat_code"]], r["discount"]) for r in rows],
        currency,
        mode,
    )
    invoice = Invoice.objects.get(pk=done["id"])
    summary = {r["vat_code"]: r for r in invoice.vat_summary}
    assert {r.vat_code: (r.net, r.vat, r.gross) for r in basket.rates} == {
        code: (r["net"], r["vat"], r["gross"]) for code, r in summary.items()
    }
    assert (basket.net, basket.vat, basket.gross) == (invoice.net_total, invoice.vat_total, invoice.gross_total)
    booked = JournalLine.objects.filter(document_kind="invoice", document_id=invoice.pk)
    assert sum(x.document_amount for x in booked if x.account_id == "467") == -basket.vat
    assert sum(x.document_amount for x in booked if x.account_id.startswith("31")) == basket.gross
    assert {code: sums for (_, code), sums in figures(day, day).items()} == {
        code: (r["base_net"], r["base_vat"]) for code, r in summary.items()
    }


def test_return_of_a_closed_year_counts_every_period(fresh_world: World) -> None:
    trade(fresh_world)
    year = figures(date(2026, 1, 1), date(2026, 12, 31))
    periods = [figures(p.starts_on, p.ends_on) for p in FiscalPeriod.objects.all()]
    for key, (base, tax) in year.items():
        assert sum(p.get(key, (D(0), D(0)))[0] for p in periods) == base
        assert sum(p.get(key, (D(0), D(0)))[1] for p in periods) == tax
