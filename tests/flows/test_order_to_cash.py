"""Order to cash through the services of four modules: from the cart to the credit note."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from admin_app.models import InvoiceCopy as AdminInvoiceCopy
from admin_app.models import LedgerCopy
from admin_app.services import reports
from erp.relay import run_relay
from erp.replication.pull import run_copy
from finance import api as finance
from finance.services.sealing import seal_pending
from finance.services.vat_return import vat_return
from logistics import api as logistics
from storefront.models import InvoiceCopy, SalesOrder
from tests.databases import ErpDatabase
from tests.storefront import world


@pytest.fixture
def shop(fresh_erp: ErpDatabase) -> Client:
    """A shop with one shopper, logged in."""
    world.set_up_books()
    world.delivery()
    world.account("anna@example.com", postcode="7621", city="Pécs", street="Király u. 5.")
    return world.logged_in()


def test_from_cart_to_credit_note(shop: Client) -> None:
    mug, jug = world.product("1000", stock=10), world.product("2500", stock=4)
    run_relay("logistics")  # values what came in

    # The shopper orders 5 mugs and 2 jugs at gross prices.
    for product, quantity in ((mug, 5), (jug, 2)):
        shop.post(f"/cart/add/{product}/", {"quantity": quantity})
    assert shop.post("/checkout/", world.order_form(shop)).status_code == 302
    order = SalesOrder.objects.get()
    assert (order.gross_total, order.net_total, order.vat_total) == (12700, 10000, 2700)

    # Logistics owns it and has reserved the pieces.
    assert logistics.get_order(order.pk)["gross_total"] == order.gross_total
    assert logistics.available([mug, jug]) == {mug: 5, jug: 2}

    # Three mugs leave first: an invoice of their own, seen by the shopper and by Admin when the call returns.
    first = logistics.ship(order.pk, [{"line_no": 1, "quantity": 3}], actor=world.SHOPPER, key="first")
    partial = InvoiceCopy.objects.get(order_id=order.pk)
    assert first["shipments"][0]["invoice_number"] == partial.number
    assert (partial.gross_total, partial.vat_total) == (3810, 810)
    assert AdminInvoiceCopy.objects.get(pk=partial.pk).number == partial.number
    assert partial.number in shop.get(f"/invoices/{partial.number}/").content.decode()

    # The rest follows: the two invoices add up to the order.
    logistics.ship(order.pk, None, actor=world.SHOPPER, key="rest")
    invoices = list(InvoiceCopy.objects.filter(order_id=order.pk).order_by("id"))
    assert sum(i.gross_total for i in invoices) == order.gross_total
    assert [int(i.number[-6:]) for i in invoices] == [1, 2]
    world.copy_orders()
    page = shop.get(f"/orders/{order.number}/")
    assert (page.context["order"]["fulfilment"], page.context["order"]["invoicing"]) == ("shipped", "fully")

    # Both are paid.
    for invoice in invoices:
        data = {"invoice_id": invoice.pk, "amount": invoice.gross_total, "method": "transfer"}
        finance.record_payment(data, actor=world.SHOPPER, idempotency_key=f"pay {invoice.number}")
    assert {i.payment_state for i in InvoiceCopy.objects.all()} == {"paid"}
    assert shop.get(f"/orders/{order.number}/").context["order"]["payment"] == "paid"

    # One jug comes back: restocked and credited.
    back = logistics.receive_return(
        order.pk, [{"line_no": 2, "quantity": 1}], actor=world.SHOPPER, key="back", reason="Chipped"
    )
    run_relay("logistics")
    note = InvoiceCopy.objects.get(kind="credit_note")
    assert back["credit_note_number"] in {"", note.number}
    assert (note.original_id, abs(note.gross_total)) == (invoices[1].pk, 3175)
    assert logistics.available([mug, jug]) == {mug: 5, jug: 3}
    assert note.number in shop.get(f"/invoices/{note.number}/").content.decode()

    # The books balance, and Admin's lagged ledger copy says the same.
    assert finance.books_difference() == 0
    run_copy("ledger", "finance", "admin_app")
    assert sum((line.amount for line in LedgerCopy.objects.all()), Decimal(0)) == 0
    assert LedgerCopy.objects.filter(document_number=note.number).exists()

    # Admin's copy alone tells the margin: 10,000 sold and 2,500 credited; six pieces stay sold at a cost of 600.
    margin = reports.margin_by_product(date(2000, 1, 1), date(2100, 1, 1)).totals
    assert (margin["net"], margin["cost"], margin["margin"]) == (7500, 3600, 3900)


def test_basket_order_invoice_ledger_and_return_have_the_same_amounts(shop: Client) -> None:
    # Prices at which rounding line by line would differ from rounding the document.
    products = [world.product(price, stock=9) for price in ("333.333333", "99.5", "1.234567")]
    run_relay("logistics")
    for product in products:
        shop.post(f"/cart/add/{product}/", {"quantity": 3})
    basket = shop.get("/cart/").context["totals"]
    assert shop.post("/checkout/", world.order_form(shop)).status_code == 302
    order = SalesOrder.objects.get()
    logistics.ship(order.pk, None, actor=world.SHOPPER, key="all")
    invoice = InvoiceCopy.objects.get()
    amounts = [(x.net_total, x.vat_total, x.gross_total) for x in (order, invoice)]
    assert amounts[0] == amounts[1] == (basket["net"], basket["vat"], basket["gross"])
    # So have the ledger's VAT account and the VAT return, whether the lines are sealed yet or not.
    for _ in range(2):
        (code,) = vat_return(invoice.issued_on, invoice.issued_on).codes
        assert (code.base, code.tax) == (basket["net"], basket["vat"])
        seal_pending()
    booked = {row["account"]: row["balance"] for row in finance.trial_balance(date(2000, 1, 1), date(2100, 1, 1))}
    assert booked["467"] == -basket["vat"]


def test_order_is_seen_by_finance_within_one_run(shop: Client) -> None:
    mug = world.product(stock=3)
    placed = world.place((mug, 1))
    from finance.models import SalesOrderCopy

    for source in ("logistics", "storefront", "logistics"):  # in any order, and again: the highest epoch stays
        run_copy("sales_order", source, "finance")
    assert SalesOrderCopy.objects.get(pk=placed["order_id"]).epoch == 2
