"""After the order: each invoice captures its money, credit notes refund it, what is left is released."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from erp.relay import drain
from erp.stuck import StillStuck
from finance import api as finance
from finance.models import Payment
from finance.services import goods_issues
from finance.services.goods_issues import issue_collective, set_collective
from logistics import api as logistics
from logistics.services.collective import collect_invoice_numbers
from storefront.cardstandin.server import CardStandIn
from storefront.models import InvoiceCopy, PaymentBooking, SalesOrderCopy
from storefront.services.cards.provider import card_provider
from storefront.services.cards.settling import CaptureUnderWay, book, settle_payments
from storefront.services.cards.uncaptured import find_uncaptured, look_again
from tests.storefront import web, world
from tests.storefront.cards import at_bank, attempt_of, do_relay, paid, shipped, take_back
from tests.storefront.world import order_of

pytestmark = pytest.mark.usefixtures("bank")


def test_capture_follows_the_goods_issue_and_finance_knows_it(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    paid(mug, 2, card=web.LOSES_CAPTURE)
    order = shipped(mug)
    do_relay()  # the provider captures, its answer is lost
    assert at_bank(bank, mug) == ("authorised", 2540, 0)
    assert not Payment.objects.filter(customer_id=order.customer_id, method="card").exists()
    assert drain("storefront") == 0  # asked again under the same key: nothing is charged twice
    assert at_bank(bank, mug) == ("authorised", 2540, 0)
    payment = Payment.objects.get(customer_id=order.customer_id, method="card")
    assert (payment.amount, payment.reference) == (2540, str(attempt_of(mug).ref))
    assert InvoiceCopy.objects.get(order_id=order.pk).payment_state == "paid"
    do_relay()
    assert Payment.objects.filter(method="card", reference=payment.reference).count() == 1
    assert finance.books_difference() == 0


def test_each_shipment_captures_its_invoice_and_the_rest_is_released(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    paid(mug, 3)
    order = shipped(mug, [{"line_no": 1, "quantity": 1}])
    do_relay()
    assert at_bank(bank, mug) == ("authorised", 1270, 0)
    logistics.cancel_rest(order.pk, actor=world.SHOPPER)
    do_relay()
    do_relay()
    assert at_bank(bank, mug) == ("voided", 1270, 0)
    assert attempt_of(mug).is_settled


def test_cancelled_order_releases_the_money(bank: CardStandIn) -> None:
    mug = world.product(stock=5)
    client = paid(mug)
    number = order_of(mug).number
    assert client.post(f"/orders/{number}/cancel/").status_code == 302
    do_relay()
    do_relay()
    shown = client.get(f"/orders/{number}/").content.decode()
    assert "Released, nothing charged" in shown
    assert "Card authorised" not in shown
    assert at_bank(bank, mug) == ("voided", 0, 0)


def test_returned_goods_are_refunded_once(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    paid(mug, 2)
    order = shipped(mug)
    do_relay()
    take_back(order, mug, 1)
    do_relay()
    do_relay()
    assert at_bank(bank, mug) == ("authorised", 2540, 1270)
    booked = [p.amount for p in Payment.objects.filter(reference=str(attempt_of(mug).ref)).order_by("id")]
    assert booked == [2540, -1270]
    assert finance.books_difference() == 0


@pytest.mark.parametrize("returned", [1, 2])
def test_goods_returned_while_their_capture_is_under_way_are_paid_back(bank: CardStandIn, returned: int) -> None:
    mug = world.product("1000", stock=5)
    paid(mug, 2, card=web.LOSES_CAPTURE)
    order = shipped(mug)
    before = Payment.objects.count()
    do_relay()  # captured, but the answer is lost
    take_back(order, mug, returned)
    settle_payments()
    assert drain("storefront") == 0
    do_relay()
    assert drain("storefront") == 0
    assert at_bank(bank, mug) == ("authorised", 2540, 1270 * returned)
    payments = Payment.objects.order_by("id")[before:]
    assert sorted(p.amount for p in payments) == [-1270 * returned, 2540]
    assert sum(p.amount - p.allocated for p in payments) == 0
    assert finance.books_difference() == 0


def test_refund_waits_for_the_capture_of_its_money(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    paid(mug, 2)
    order = shipped(mug)
    settle_payments()
    invoice = InvoiceCopy.objects.get(order_id=order.pk)
    finance.record_payment(  # paid by transfer as well: the credit note will not be netted
        {"amount": Decimal(2540), "invoice_id": invoice.pk}, actor=world.SHOPPER, idempotency_key=f"t{mug}"
    )
    take_back(order, mug, 1)
    credit = InvoiceCopy.objects.get(order_id=order.pk, gross_total__lt=0)
    booking = PaymentBooking.objects.create(
        attempt=attempt_of(mug), invoice_id=credit.pk, kind=PaymentBooking.Kind.REFUND
    )
    with pytest.raises(CaptureUnderWay):
        book({"invoice_id": credit.pk, "kind": "refund"}, str(credit.pk))
    booking.refresh_from_db()
    assert booking.amount is None


def test_card_order_of_a_customer_with_collective_invoices_is_invoiced_and_captured_at_once(bank: CardStandIn) -> None:
    mug = world.product("1000", stock=5)
    paid(mug, 2)
    customer_id = world.order_of(mug).customer_id
    set_collective(customer_id, is_collective=True)
    try:
        order = shipped(mug)
    finally:
        set_collective(customer_id, is_collective=False)
    do_relay()
    do_relay()
    assert InvoiceCopy.objects.get(order_id=order.pk).payment_state == "paid"
    assert at_bank(bank, mug) == ("authorised", 2540, 0)


def test_money_of_delivered_goods_is_not_released_before_it_is_captured(
    bank: CardStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug, today = world.product("1000", stock=5), timezone.now().date()
    paid(mug, 2)
    customer_id = world.order_of(mug).customer_id
    set_collective(customer_id, is_collective=True)
    with monkeypatch.context() as earlier:  # a goods issue that has waited since cards were invoiced collectively
        earlier.setattr(goods_issues, "PAID_AT_ONCE", frozenset())
        order = shipped(mug)
    issue_collective(customer_id, today, today, actor=world.SHOPPER)
    set_collective(customer_id, is_collective=False)
    collect_invoice_numbers()
    do_relay()
    do_relay()
    assert SalesOrderCopy.objects.get(pk=order.pk).lifecycle == "closed"
    assert at_bank(bank, mug) == ("authorised", 0, 0)
    assert not attempt_of(mug).is_settled
    (stuck,) = [d for d in find_uncaptured(100) if d.key == str(attempt_of(mug).ref)]
    assert order.number in stuck.what
    with pytest.raises(StillStuck):
        look_again(stuck.key, world.SHOPPER)
    card_provider().capture(stuck.key, Decimal(2540), "by hand")
    assert "2,540.00 HUF captured" in look_again(stuck.key, world.SHOPPER)
    assert stuck.key not in [d.key for d in find_uncaptured(100)]
    do_relay()
    assert attempt_of(mug).is_settled
