"""Credit notes: line by line against the original, never beyond it; without original a document of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
import time_machine

from erp.actor import SYSTEM
from finance import api
from finance.errors import CreditExceedsInvoice, DatedBeforeOriginal, NotCreditable, NotInvoicedYet
from finance.models import InvoiceLine
from finance.services.corrections import correct_invoice
from finance.services.crediting import issue_credit_note
from finance.services.invoicing import create_invoice
from finance.services.open_items import open_items, receivables_balance
from tests.databases import ErpDatabase
from tests.finance.world import DAY, World, posted

D = Decimal


def credited(invoice_id: int) -> tuple[Decimal, Decimal]:
    lines = InvoiceLine.objects.filter(original_line__invoice_id=invoice_id)
    return -sum((x.net for x in lines), D(0)), -sum((x.vat for x in lines), D(0))


def test_pieces_credited_one_by_one_add_up_to_the_whole(world: World) -> None:
    line = {"name": "Advice", "quantity": 7, "unit_price": "33.33", "discount": "11", "vat_code": "27"}
    invoice = create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": [line, line]}, SYSTEM)
    for _ in range(7):
        issue_credit_note(
            invoice["id"], actor=SYSTEM, lines=[{"line_no": 1, "quantity": 1}, {"line_no": 2, "quantity": 1}]
        )
    assert credited(invoice["id"]) == (invoice["net_total"], invoice["vat_total"])
    assert api.get_invoice(invoice["id"])["payment_state"] == "credited"
    with pytest.raises(NotCreditable, match="credited in full already"):
        issue_credit_note(invoice["id"], actor=SYSTEM)


def test_cancellation_takes_what_is_left(world: World) -> None:
    line = {"name": "Advice", "quantity": 3, "unit_price": "1000", "vat_code": "27"}
    invoice = create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": [line]}, SYSTEM)
    issue_credit_note(invoice["id"], actor=SYSTEM, lines=[{"line_no": 1, "quantity": 1}])
    done = issue_credit_note(invoice["id"], actor=SYSTEM, reason="Never ordered")
    assert (done["kind"], done["number"][:9], done["net_total"]) == ("cancellation", "CAN-2026-", D(-2000))


def test_more_pieces_than_invoiced_are_refused(world: World) -> None:
    world.receive(world.mug, 5, "10")
    sale = world.sell(world.product_line(world.mug, 2, "100"))
    line = world.product_line(world.mug, 3, "100")
    with pytest.raises(CreditExceedsInvoice, match="2 can still be credited, not 3"):
        api.credit_return(world.give_back(line, order_id=sale["order_id"]))
    world.sequences[world.mug] -= 1
    with pytest.raises(NotCreditable):
        issue_credit_note(api.credit_return(world.give_back(
            world.product_line(world.mug, 1, "100"), order_id=sale["order_id"]))["id"], actor=SYSTEM)  # fmt: skip


def test_return_before_its_invoice_waits(world: World) -> None:
    line = world.product_line(world.mug, 1, "100", move_id=None)
    with pytest.raises(NotInvoicedYet):
        api.credit_return(world.give_back(line, order_id=10**9))


def test_return_over_two_partial_deliveries_is_split(world: World) -> None:
    world.receive(world.mug, 5, "10")
    first = world.sell(world.product_line(world.mug, 2, "100"))
    second = world.sell(world.product_line(world.mug, 3, "100"), order_id=first["order_id"])
    line = world.product_line(world.mug, 4, "100")
    note = api.credit_return(world.give_back(line, order_id=first["order_id"]))
    found = [api.get_invoice(document["id"]) for document in note["documents"]]
    assert [(x["quantity"], x["net"]) for d in found for x in d["lines"]] == [(-2, -200), (-2, -200)]
    assert [d["original_id"] for d in found] == [first["id"], second["id"]]
    states = [api.get_invoice(x["id"])["payment_state"] for x in (first, second)]
    assert states == ["credited", "partly_paid"]


def test_linked_and_free_lines_become_two_documents(world: World) -> None:
    world.receive(world.mug, 5, "10")
    world.receive(world.tea, 5, "20")
    sale = world.sell(world.product_line(world.mug, 2, "100"))
    payload = world.give_back(
        world.product_line(world.mug, 1, "100"),
        world.product_line(world.tea, 1, "50", "5", order_line_no=None),
        order_id=sale["order_id"],
    )
    done = api.credit_return(payload)
    assert [d["kind"] for d in done["documents"]] == ["credit_note", "credit_without_original"]
    assert api.credit_return(payload)["documents"] == [
        {**d, "net_total": d["net_total"], "vat_total": d["vat_total"], "gross_total": d["gross_total"]}
        for d in done["documents"]
    ]
    assert posted(kind="return", key=payload["return_id"]) == {"261": D(30), "814": D(-30)}


def test_lower_price_than_invoiced_credits_the_lower_price(world: World) -> None:
    world.receive(world.mug, 5, "10")
    sale = world.sell(world.product_line(world.mug, 2, "100"))
    note = api.credit_return(world.give_back(world.product_line(world.mug, 1, "60"), order_id=sale["order_id"]))
    assert note["net_total"] == -60
    rest = api.credit_return(world.give_back(world.product_line(world.mug, 1, "100"), order_id=sale["order_id"]))
    assert rest["net_total"] == -100


def test_credit_in_foreign_currency_keeps_the_rate_of_its_original(world: World) -> None:
    line = {"name": "Advice", "quantity": 1, "unit_price": "100", "vat_code": "EUFAD37"}
    invoice = create_invoice(
        {"customer_id": world.foreigner, "issued_on": DAY, "currency": "EUR", "lines": [line]}, SYSTEM
    )
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-06-01", "rate": "410"}])
    note = issue_credit_note(invoice["id"], actor=SYSTEM)
    assert posted(kind="cancellation", key=note["id"]) == {"317": D(-39000), "9311": D(39000)}


_CREDIT_LINE = """insert into invoice_line (invoice_id, line_no, original_line_id, sku, name, unit, quantity,
    unit_price, discount, vat_code, vat_rate, net, vat, gross)
  select l.invoice_id + 1000000, 1, l.id, '', 'x', 'pcs', -1, 0, 0, '27', 27, %s, %s, %s
  from invoice_line l where l.invoice_id = %s"""


@pytest.mark.parametrize(("net", "vat", "is_capped"), [(-1000, -270, False), (-900, -271, True), (-1001, -200, True)])
def test_database_caps_net_and_vat_of_a_line(
    world: World, module_erp: ErpDatabase, net: int, vat: int, is_capped: bool
) -> None:
    """Neither may be taken back beyond what was charged, even where the gross amount is not exceeded."""
    line = {"name": "Repair", "quantity": 1, "unit_price": "1000", "vat_code": "27"}
    done = create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": [line]}, SYSTEM)
    error = "credited beyond what was invoiced" if is_capped else "is not present in table"  # there is no such document
    with pytest.raises(psycopg.Error, match=error), module_erp.connect("finance") as c:
        c.execute(_CREDIT_LINE, [net, vat, net + vat, done["id"]])


def same_as_receivables(*days: date) -> None:
    """On each day open items and receivables agree to the minor unit."""
    for day in days:
        assert sum((row["base_open"] for row in open_items(on=day)), D(0)) == receivables_balance(day), day


def test_change_of_an_invoice_is_not_dated_before_it(fresh_world: World) -> None:
    line = {"name": "Advice", "quantity": 2, "unit_price": "1000", "vat_code": "27"}
    data = {"customer_id": fresh_world.customer, "issued_on": DAY, "lines": [line]}
    invoice = create_invoice(data, SYSTEM)
    early, up = date(2026, 3, 9), [{"line_no": 1, "unit_price": "1500"}]
    with pytest.raises(DatedBeforeOriginal, match=f"{invoice['number']} is of 2026-03-10: date its change on that day"):
        issue_credit_note(invoice["id"], actor=SYSTEM, issued_on=early)
    with pytest.raises(DatedBeforeOriginal):
        correct_invoice(invoice["id"], {"lines": up, "issued_on": early}, actor=SYSTEM)
    correction = correct_invoice(invoice["id"], {"lines": up, "issued_on": date(2026, 3, 20)}, actor=SYSTEM)
    with pytest.raises(DatedBeforeOriginal, match=correction["number"]):
        issue_credit_note(invoice["id"], actor=SYSTEM, issued_on=date(2026, 3, 15))
    done = issue_credit_note(invoice["id"], actor=SYSTEM, issued_on=date(2026, 3, 20))
    assert done["issued_on"] == date(2026, 3, 20)
    with time_machine.travel(datetime(2026, 3, 5, tzinfo=UTC)):  # the invoice is dated ahead
        assert issue_credit_note(create_invoice(data, SYSTEM)["id"], actor=SYSTEM)["issued_on"] == DAY
    same_as_receivables(early, DAY, date(2026, 3, 15), date(2026, 3, 20))


def test_credit_before_a_correction_settles_the_correction_when_that_is_there(fresh_world: World) -> None:
    """Two pieces; one becomes dearer on the 20th; the invoice is paid; the other is credited on the 15th."""
    lines = [{"name": n, "quantity": 1, "unit_price": "1000", "vat_code": "27"} for n in ("Advice", "Repair")]
    invoice = create_invoice({"customer_id": fresh_world.customer, "issued_on": DAY, "lines": lines}, SYSTEM)
    up = {"lines": [{"line_no": 1, "unit_price": "1500"}], "issued_on": date(2026, 3, 20)}
    correction = correct_invoice(invoice["id"], up, actor=SYSTEM)
    api.record_payment({"amount": 2540, "invoice_id": invoice["id"], "received_on": DAY}, actor=SYSTEM)
    issue_credit_note(
        invoice["id"], actor=SYSTEM, lines=[{"line_no": 2, "quantity": 1}], issued_on=date(2026, 3, 15)
    )  # fmt: skip
    assert api.open_total(correction["id"]) == 0
    same_as_receivables(DAY, date(2026, 3, 15), date(2026, 3, 19), date(2026, 3, 20))
