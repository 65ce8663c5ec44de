"""Collecting: over- and underpayment, money paid back, mistakes taken back, small amounts written off, statements."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erp.actor import SYSTEM
from erp.scrubber.result import Findings
from finance import api
from finance.checks import check_subledgers
from finance.errors import PaymentNotAllocatable, WriteOffTooHigh
from finance.models import JournalEntry, JournalLine, Payment
from finance.services import tie_out
from finance.services.crediting import issue_credit_note
from finance.services.customer_accounts import customer_statement
from finance.services.invoicing import create_invoice
from finance.services.open_items import ageing, open_items, open_payments, receivables_balance
from finance.services.payments import allocate_payment
from finance.services.refunds import deallocate_payment, refund_payment, reverse_payment
from finance.services.write_offs import write_off
from tests.finance.world import DAY, World, balances, posted

D = Decimal


def invoice(world: World, price: str = "1000", **more: Any) -> dict[str, Any]:
    line = {"name": "Advice", "quantity": 1, "unit_price": price, "vat_code": "27"}
    return create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": [line], **more}, SYSTEM)


def pay(amount: int, **more: Any) -> dict[str, Any]:
    return api.record_payment({"amount": amount, "received_on": DAY, **more}, actor=SYSTEM)


def open_of(invoice_id: int) -> Decimal:
    found = api.get_invoice(invoice_id)
    return D(found["gross_total"]) - D(found["paid_total"])


def rate_kept(kind: str, key: int) -> list[tuple[Any, ...]]:
    found = JournalEntry.objects.filter(document_kind=kind, document_id=key).order_by("id")
    return list(found.values_list("exchange_rate", "rate_on", "rate_source"))


def agrees() -> None:
    findings = Findings()
    check_subledgers(findings)
    assert findings.samples == []


def test_overpayment_settles_the_next_invoice_or_is_paid_back(fresh_world: World) -> None:
    first = invoice(fresh_world)
    paid = pay(2000, invoice_id=first["id"])
    assert paid["unallocated"] == 730
    second = invoice(fresh_world, "500")
    allocate_payment(paid["id"], [{"invoice_id": second["id"]}], actor=SYSTEM)
    assert open_of(second["id"]) == 0
    back = refund_payment(paid["id"], actor=SYSTEM)
    assert (back["amount"], back["unallocated"]) == (-95, 0)
    with pytest.raises(PaymentNotAllocatable, match="0.* can be paid back"):
        refund_payment(paid["id"], actor=SYSTEM)
    assert balances()["384"] == D(1905)
    assert "4795" not in balances()
    agrees()


def test_overpayment_in_foreign_currency_is_paid_back_with_its_exchange_difference(fresh_world: World) -> None:
    paid = pay(100, customer_id=fresh_world.foreigner, currency="EUR")
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-04-01", "rate": "400"}])
    back = refund_payment(paid["id"], actor=SYSTEM, amount=D(40))
    assert posted(kind="payment", key=back["id"]) == {"4795": D(15600), "386": D(-16000), "8762": D(400)}
    assert Payment.objects.get(pk=paid["id"]).allocated == 40
    agrees()


def test_wrong_allocation_is_taken_back(fresh_world: World) -> None:
    first, second = invoice(fresh_world), invoice(fresh_world)
    paid = pay(1270, invoice_id=first["id"])
    deallocate_payment(paid["id"], first["id"], actor=SYSTEM)
    assert open_of(first["id"]) == 1270
    allocate_payment(paid["id"], [{"invoice_id": second["id"]}], actor=SYSTEM)
    assert (open_of(second["id"]), api.get_invoice(first["id"])["payment_state"]) == (0, "open")
    with pytest.raises(PaymentNotAllocatable, match="settles nothing"):
        deallocate_payment(paid["id"], first["id"], actor=SYSTEM)
    agrees()


def test_payment_recorded_by_mistake_is_reversed_once(fresh_world: World) -> None:
    first = invoice(fresh_world)
    paid = pay(2000, invoice_id=first["id"])
    reverse_payment(paid["id"], actor=SYSTEM)
    assert open_of(first["id"]) == 1270
    assert "384" not in balances()
    with pytest.raises(PaymentNotAllocatable):
        reverse_payment(paid["id"], actor=SYSTEM)
    agrees()


def test_small_rest_is_written_off_and_a_large_one_refused(fresh_world: World) -> None:
    sale = invoice(fresh_world)
    pay(1260, invoice_id=sale["id"])
    done = write_off(sale["id"], actor=SYSTEM, reason="Bank fee")
    assert (done["amount"], api.get_invoice(sale["id"])["payment_state"]) == (10, "paid")
    assert posted(kind="write_off", key=done["id"]) == {"8691": D(10), "311": D(-10)}
    with pytest.raises(PaymentNotAllocatable, match="nothing to write off"):
        write_off(sale["id"], actor=SYSTEM, reason="again")
    large = invoice(fresh_world)
    with pytest.raises(WriteOffTooHigh, match="above the limit of 1000"):
        write_off(large["id"], actor=SYSTEM, reason="Gone")
    assert write_off(large["id"], actor=SYSTEM, reason="Part", amount=D(900))["open"] == 370
    assert api.open_total(large["id"]) == 370
    with pytest.raises(WriteOffTooHigh, match="1270 HUF written off .* in all is above the limit of 1000"):
        write_off(large["id"], actor=SYSTEM, reason="Slice")
    agrees()


def test_write_off_in_foreign_currency_keeps_the_rate_of_its_document(fresh_world: World) -> None:
    sale = invoice(fresh_world, "2", customer_id=fresh_world.foreigner)
    done = write_off(sale["id"], actor=SYSTEM, reason="Fee")
    assert rate_kept("write_off", done["id"]) == rate_kept("invoice", sale["id"])


def test_payment_keeps_the_rate_it_was_booked_at(fresh_world: World) -> None:
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-03-08", "rate": "395", "source": "MNB"}])
    paid = pay(100, customer_id=fresh_world.foreigner, currency="EUR")
    sale = invoice(fresh_world, "50", customer_id=fresh_world.foreigner)
    allocate_payment(paid["id"], [{"invoice_id": sale["id"], "amount": 50}], actor=SYSTEM)
    assert rate_kept("payment", paid["id"]) == [(D(395), date(2026, 3, 8), "MNB")] * 2


def test_document_named_twice_in_one_payment_is_refused(fresh_world: World) -> None:
    first, second = invoice(fresh_world), invoice(fresh_world)
    twice = [
        {"invoice_id": first["id"], "amount": 100},
        {"invoice_number": first["number"], "amount": 200},
        {"invoice_id": second["id"], "amount": 300},
    ]
    with pytest.raises(PaymentNotAllocatable, match="named twice"):
        pay(600, allocations=twice)
    paid = pay(600, customer_id=fresh_world.customer)
    with pytest.raises(PaymentNotAllocatable, match="named twice"):
        allocate_payment(paid["id"], twice, actor=SYSTEM)
    assert open_of(first["id"]) == open_of(second["id"]) == 1270


@pytest.mark.parametrize("is_at_once", [True, False])
def test_money_settles_no_invoice_before_it_is_issued(fresh_world: World, is_at_once: bool) -> None:
    sale = invoice(fresh_world, issued_on=date(2026, 3, 20))
    if is_at_once:
        paid = pay(1270, invoice_id=sale["id"])
    else:
        paid = pay(1270, customer_id=fresh_world.customer)
        allocate_payment(paid["id"], [{"invoice_id": sale["id"]}], actor=SYSTEM)
    lines = JournalLine.objects.filter(document_kind="payment", document_id=paid["id"])
    found = {(str(line.account_id), line.entry_on, line.amount) for line in lines}
    late = date(2026, 3, 20)
    assert found == {("384", DAY, 1270), ("4795", DAY, -1270), ("4795", late, 1270), ("311", late, -1270)}
    assert open_of(sale["id"]) == 0
    agrees()
    assert tie_out.differences(date(2026, 3, 15)) == []
    deallocate_payment(paid["id"], sale["id"], actor=SYSTEM)
    assert open_of(sale["id"]) == 1270
    agrees()


def test_statement_runs_from_opening_to_closing_balance(fresh_world: World) -> None:
    old = invoice(fresh_world, "100", issued_on="2026-02-10")
    sale = invoice(fresh_world)
    paid = pay(1000, invoice_id=sale["id"])
    issue_credit_note(old["id"], actor=SYSTEM, issued_on=date(2026, 3, 15))
    found = customer_statement(fresh_world.customer, date(2026, 3, 1), date(2026, 3, 31))
    (account,) = found.accounts
    assert (account.opening, account.closing) == (127, 270)
    shown = [(m["document_kind"], m["document_number"], m["amount"], m["balance"]) for m in account.moves]
    assert shown == [
        ("invoice", sale["number"], 1270, 1397),
        ("payment", paid["number"], -1000, 397),
        ("cancellation", "CAN-2026-000001", -127, 270),
    ]
    assert [(i["number"], i["open"]) for i in found.open_items] == [(sale["number"], 270)]


def test_ageing_puts_open_items_into_their_bucket(fresh_world: World) -> None:
    for days, price in ((0, "100"), (20, "200"), (45, "300"), (75, "400"), (200, "500")):
        due = date.fromordinal(DAY.toordinal() - days)
        invoice(fresh_world, price, due_on=due)
    pay(100, customer_id=fresh_world.customer)
    (row,) = ageing(DAY)
    names = ("not_due", "days_30", "days_60", "days_90", "older", "unallocated", "total")
    assert [row[n] for n in names] == [127, 254, 381, 508, 635, 100, 1805]


def test_what_was_open_on_a_past_day_is_told_as_it_was_then(fresh_world: World) -> None:
    """Invoice of 10 March, due on the 18th: paid in two parts, credited in part; a payment waits until April."""
    lines = [{"name": "Advice", "quantity": 10, "unit_price": "100", "vat_code": "27"}]
    sale = invoice(fresh_world, lines=lines, issued_on="2026-03-10", due_on="2026-03-18")
    pay(500, invoice_id=sale["id"], received_on="2026-03-20")
    early = pay(300, customer_id=fresh_world.customer, received_on="2026-03-25", currency="HUF")
    issue_credit_note(
        sale["id"], actor=SYSTEM, lines=[{"line_no": 1, "quantity": 1}], issued_on=date(2026, 4, 2)
    )  # fmt: skip
    later = invoice(fresh_world, "100", issued_on="2026-04-05", due_on="2026-04-13")
    allocate_payment(early["id"], [{"invoice_id": later["id"]}], actor=SYSTEM)  # on 5 April, when the invoice is there
    pay(643, invoice_id=sale["id"], received_on="2026-04-10")
    names = ("not_due", "days_30", "days_60", "unallocated", "total")
    expected = {
        "2026-03-09": [], "2026-03-10": [1270, 0, 0, 0, 1270], "2026-03-20": [0, 770, 0, 0, 770],
        "2026-03-31": [0, 770, 0, 300, 470], "2026-04-02": [0, 643, 0, 300, 343], "2026-04-05": [0, 643, 0, 173, 470],
        "2026-04-10": [0, 0, 0, 173, -173],
    }  # fmt: skip
    for text, figures in expected.items():
        day = date.fromisoformat(text)
        rows = ageing(day)
        assert [row[n] for row in rows for n in names] == figures, text
        items = open_items(on=day)
        assert sum((row["base_open"] for row in items), D(0)) == receivables_balance(day), text
        left = sum((row["left"] for row in open_payments(on=day)), D(0))
        assert left == sum((row["unallocated"] for row in rows), D(0)), text
    assert [(row["number"], row["days_late"]) for row in open_items(on=date(2026, 3, 31))] == [(sale["number"], 13)]
    assert ageing(date(2026, 4, 10)) == ageing()
    assert open_items() == []
