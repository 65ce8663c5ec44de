"""Building blocks of tests with card payments: begin, pay, ship, and what provider and shop know then."""

from __future__ import annotations

import time
from decimal import Decimal

from django.test import Client
from django.utils import timezone

from erp.relay import run_relay
from logistics import api as logistics
from logistics.models import Reservation
from storefront.cardstandin.server import CardStandIn
from storefront.models import PaymentAttempt, SalesOrder
from storefront.services.cards.completing import look_after_payments
from storefront.services.cards.settling import settle_payments
from tests.storefront import web, world
from tests.storefront.world import with_cart


def attempt_of(product: int) -> PaymentAttempt:
    """The latest attempt to pay for this product."""
    found = [a for a in PaymentAttempt.objects.order_by("-id") if a.basket["lines"][0]["product_id"] == product]
    return found[0]


def begin(product: int, quantity: int = 1, **changes: str) -> tuple[Client, str]:
    """A shopper on the provider's page; gives the browser and that page."""
    client = with_cart((product, quantity))
    return client, web.to_provider(client, world.order_form(client, **changes))


def pay(page: str, card: str = web.GOOD) -> str:
    """Pay on the provider's page; gives the shop's page to which the browser is sent back."""
    back = web.pay(page, card)
    assert back is not None, "the provider hung up"
    return back


def paid(product: int, quantity: int = 1, card: str = web.GOOD, **changes: str) -> Client:
    """A shopper who has paid and is back in the shop."""
    client, page = begin(product, quantity, **changes)
    client.get(pay(page, card))
    return client


def at_bank(bank: CardStandIn, product: int) -> tuple[str, Decimal, Decimal]:
    """(state, captured, refunded) as the provider has it."""
    found = bank.service.payment(str(attempt_of(product).ref))
    assert found is not None
    return found["state"], Decimal(found["captured"]), Decimal(found["refunded"])


def do_relay() -> None:
    """Everything the periodic tasks do, now; past failures included."""
    world.copy_orders()
    settle_payments()
    PaymentAttempt.objects.update(look_at=timezone.now())
    look_after_payments()
    run_relay("storefront")


def eventually(condition: object, seconds: float = 20) -> None:
    """Wait until something that another process or thread does has happened."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def declined(product: int) -> tuple[Client, str]:
    """A shopper whose card was declined, and where the button "try again" leads."""
    client, page = begin(product)
    back = pay(page, web.DECLINED)
    client.get(back)
    return client, back.replace("return", "again")


def expire_holds_of(product: int) -> None:
    """The time of what is set aside of a product is over."""
    Reservation.objects.filter(product_id=product, state="held").update(expires_at="2020-01-01T00:00:00Z")


def shipped(product: int, lines: list[dict[str, int]] | None = None, key: str = "ship") -> SalesOrder:
    """The order's goods are issued; gives the order."""
    order = SalesOrder.objects.get(lines__product_id=product)
    logistics.ship(order.pk, lines, actor=world.SHOPPER, key=f"{key} {order.pk}", on_date=timezone.localdate())
    return order


def take_back(order: SalesOrder, product: int, quantity: int) -> None:
    """Pieces come back and are credited."""
    lines = [{"line_no": 1, "quantity": quantity, "disposition": "restock"}]
    logistics.receive_return(order.pk, lines, actor=world.SHOPPER, key=f"r{product}", on_date=timezone.localdate())
    run_relay("logistics")
