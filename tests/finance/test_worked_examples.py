"""Cases of a bookkeeping course, with the postings an accountant expects. Amounts in forints."""

from __future__ import annotations

from decimal import Decimal

from finance import api
from finance.models import FiscalPeriod, InvoiceSettlement
from finance.services import sealing
from finance.services.invoicing import create_invoice
from finance.services.periods import set_state
from finance.services.vat_settlement import settle_vat
from tests.finance.world import BOOKKEEPER, World, balances, posted

D = Decimal


def test_sale_with_two_vat_rates(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    w.receive(w.tea, 10, "200")
    sale = w.sell(w.product_line(w.mug, 3, "1000"), w.product_line(w.tea, 2, "500", "5"))
    assert posted(kind="invoice", key=sale["id"]) == {
        "311": D(4860),  # receivables: what the customer owes
        "9111": D(-4000),  # revenue: 3 × 1,000 + 2 × 500
        "467": D(-860),  # output VAT: 27 % of 3,000 and 5 % of 1,000
    }
    assert posted(kind="shipment", key=sale["payload"]["shipment_id"]) == {
        "814": D(2200),  # cost of goods sold: 3 × 600 + 2 × 200
        "261": D(-2200),
    }
    summary = {row["vat_code"]: (row["net"], row["vat"]) for row in api.get_invoice(sale["id"])["vat_summary"]}
    assert summary == {"27": (D(3000), D(810)), "5": (D(1000), D(50))}


def test_partial_deliveries_are_invoiced_one_by_one(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    first = w.sell(w.product_line(w.mug, 4, "1000"))
    second = w.sell(w.product_line(w.mug, 6, "1000"), order_id=first["order_id"])
    assert (first["number"], second["number"]) == ("INV-2026-000001", "INV-2026-000002")
    assert (first["gross_total"], second["gross_total"]) == (D(5080), D(7620))
    assert balances() == {"311": D(12700), "9111": D(-10000), "467": D(-2700), "814": D(6000), "456": D(-6000)}


def test_return_reverses_the_sale_at_original_cost(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    sale = w.sell(w.product_line(w.mug, 3, "1000"))
    w.receive(w.mug, 10, "900")  # the average rises; the returned mug still comes back at 600
    note = api.credit_return(w.give_back(w.product_line(w.mug, 1, "1000"), order_id=sale["order_id"]))
    assert note["kind"] == "credit_note"
    assert posted(kind="credit_note", key=note["id"]) == {"311": D(-1270), "9111": D(1000), "467": D(270)}
    assert balances()["814"] == D(1200)  # two mugs stay sold
    assert balances()["261"] == D(7 * 600 + 10 * 900 + 600)
    invoice = api.get_invoice(sale["id"])
    assert (invoice["payment_state"], invoice["credited_total"]) == ("partly_paid", D(1270))


def test_partial_payment_then_the_rest(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    sale = w.sell(w.product_line(w.mug, 10, "1000"))
    api.record_payment({"invoice_id": sale["id"], "amount": 5000, "received_on": "2026-03-12"}, actor=BOOKKEEPER)
    assert api.get_invoice(sale["id"])["payment_state"] == "partly_paid"
    rest = api.record_payment({"invoice_number": sale["number"], "amount": 7700}, actor=BOOKKEEPER)
    assert posted(kind="payment", key=rest["id"]) == {"384": D(7700), "311": D(-7700)}
    assert api.get_invoice(sale["id"])["payment_state"] == "paid"
    assert "311" not in balances()


def test_overpayment_stays_on_the_customers_account(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    sale = w.sell(w.product_line(w.mug, 1, "1000"))
    paid = api.record_payment({"invoice_id": sale["id"], "amount": 1500}, actor=BOOKKEEPER)
    assert paid["unallocated"] == D(230)
    assert posted(kind="payment", key=paid["id"]) == {"384": D(1500), "311": D(-1270), "4795": D(-230)}


def test_paid_goods_come_back_and_the_money_goes_back(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    sale = w.sell(w.product_line(w.mug, 1, "1000"))
    api.record_payment({"invoice_id": sale["id"], "amount": 1270, "method": "card"}, actor=BOOKKEEPER)
    note = api.credit_return(w.give_back(w.product_line(w.mug, 1, "1000"), order_id=sale["order_id"]))
    assert api.get_invoice(note["id"])["payment_state"] == "open"
    back = api.record_payment({"invoice_id": note["id"], "amount": -1270, "method": "card"}, actor=BOOKKEEPER)
    assert posted(kind="payment", key=back["id"]) == {"3682": D(-1270), "311": D(1270)}
    assert api.get_invoice(note["id"])["payment_state"] == "refunded"
    assert api.get_invoice(sale["id"])["payment_state"] == "credited"
    assert balances() == {"261": D(6000), "456": D(-6000)}


def test_currency_difference_between_invoice_and_payment(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-03-20", "rate": "400"}])
    sale = w.sell(
        w.product_line(w.mug, 2, "10", "KBAET"), customer_id=w.foreigner, currency="EUR", bill_to={"country": "AT"}
    )
    assert posted(kind="invoice", key=sale["id"]) == {"317": D(7800), "9311": D(-7800)}  # 20 EUR at 390
    paid = api.record_payment({"invoice_id": sale["id"], "amount": 20, "received_on": "2026-03-21"}, actor=BOOKKEEPER)
    assert posted(kind="payment", key=paid["id"]) == {
        "386": D(8000),  # 20 EUR at 400
        "317": D(-7800),
        "9762": D(-200),  # realised exchange gain
    }


def test_open_items_tie_out_to_receivables(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 20, "600")
    first = w.sell(w.product_line(w.mug, 7, "999"))
    w.sell(w.product_line(w.mug, 3, "1111"))
    api.record_payment({"invoice_id": first["id"], "amount": 3333}, actor=BOOKKEEPER)
    api.credit_return(w.give_back(w.product_line(w.mug, 2, "999"), order_id=first["order_id"]))
    api.credit_return(w.give_back(w.product_line(w.mug, 1, "500", order_line_no=None), order_id=None))
    open_items = sum(row.open_total for row in InvoiceSettlement.objects.all())
    assert open_items == balances()["311"]
    assert api.books_difference() == 0


def test_returns_of_two_deliveries_each_reverse_their_own_cost(fresh_world: World) -> None:
    """Two mugs go out at 10, two at 20; they come back one by one, and each takes back what it went out at."""
    world = fresh_world
    world.receive(world.mug, 2, "10")
    first = world.sell(world.product_line(world.mug, 2, "100"))
    world.receive(world.mug, 2, "20")
    world.sell(world.product_line(world.mug, 2, "100"), order_id=first["order_id"])
    costs = []
    for _ in range(4):
        back = world.give_back(world.product_line(world.mug, 1, "100"), order_id=first["order_id"])
        api.credit_return(back)
        costs.append(posted(kind="return", key=back["return_id"])["261"])
    assert costs == [D(10), D(10), D(20), D(20)]
    assert "814" not in balances()
    assert balances()["261"] == D(60)


def test_prepayment_is_owed_until_the_final_invoice(fresh_world: World) -> None:
    w = fresh_world
    half = {"name": "Advance on furniture", "quantity": 1, "unit_price": "50000", "vat_code": "27"}
    advance = create_invoice(
        {"kind": "advance", "customer_id": w.customer, "issued_on": "2026-03-01", "lines": [half]}, BOOKKEEPER
    )
    assert posted(kind="advance", key=advance["id"]) == {
        "311": D(63500),  # the customer is asked for the advance with its VAT
        "453": D(-50000),  # and we owe the goods
        "467": D(-13500),
    }
    api.record_payment({"invoice_id": advance["id"], "amount": 63500, "received_on": "2026-03-02"}, actor=BOOKKEEPER)
    furniture = {"name": "Furniture", "quantity": 1, "unit_price": "120000", "vat_code": "27"}
    taken = {**half, "unit_price": "-50000", "advance_invoice_id": advance["id"]}
    final = create_invoice(
        {"customer_id": w.customer, "issued_on": "2026-03-20", "lines": [furniture, taken]}, BOOKKEEPER
    )
    assert posted(kind="final", key=final["id"]) == {
        "311": D(88900),  # 152,400 less the advance of 63,500
        "9111": D(-120000),
        "453": D(50000),  # nothing is owed any more
        "467": D(-18900),
    }
    assert balances() == {"384": D(63500), "311": D(88900), "9111": D(-120000), "467": D(-32400)}


def test_month_close(fresh_world: World) -> None:
    w = fresh_world
    w.receive(w.mug, 10, "600")
    w.sell(w.product_line(w.mug, 4, "1000"))
    rent = [
        {"account": "522", "debit": 800, "vat_code": "27"},
        {"account": "466", "debit": 216, "vat_code": "27"},
        {"account": "4541", "credit": 1016},
    ]
    api.post_journal_entry({"entry_on": "2026-03-15", "lines": rent}, actor=BOOKKEEPER, posting_key="rent")
    # The month's VAT is transferred: 1,080 payable less 216 to deduct.
    settled = settle_vat("2026-03", actor=BOOKKEEPER)
    assert {line["account"]: line["amount"] for line in settled["lines"]} == {
        "467": D(1080), "466": D(-216), "468": D(-864),
    }  # fmt: skip
    # First softly, for corrections; then for good, in the order of the months, when every subledger agrees.
    months = FiscalPeriod.objects.filter(starts_on__lte="2026-03-31").order_by("starts_on")
    for month in months:
        set_state(month.pk, "soft_locked", actor=BOOKKEEPER)
    correction = [{"account": "814", "debit": 10}, {"account": "4541", "credit": 10}]
    api.post_journal_entry(
        {"entry_on": "2026-03-31", "lines": correction, "kind": "closing"}, actor=BOOKKEEPER, posting_key="accrual"
    )
    for month in months:
        set_state(month.pk, "locked", actor=BOOKKEEPER)
    assert balances() == {
        "261": D(3600), "311": D(5080), "456": D(-6000), "468": D(-864), "4541": D(-1026), "522": D(800),
        "814": D(2410), "9111": D(-4000),
    }  # fmt: skip
    assert sealing.verify().damages == []
