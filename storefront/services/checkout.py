"""One-page checkout: from a cart at a confirmed version to an order that Logistics has accepted or refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from erp.actor import Actor
from erp.db import fetch_prepared
from erp.errors import Refused
from erp.idempotency import find_answer, hash_request
from erp.money import DocumentTotals
from erp.reading import Columns
from storefront.models import Cart, CartLine, CustomerCopy, ProductCopy, SalesOrder, ShippingMethod
from storefront.serializers import NewOrder, OrderLine
from storefront.services import accounts
from storefront.services.cards.ending import supersede
from storefront.services.cart import CartChanged, cart_terms, changed_lines, hold_key, read_offer, refresh_cart
from storefront.services.cart_reading import lines_of, lock_cart, read_whole
from storefront.services.handover import Outcome
from storefront.services.placing import get_customer, place, require_welcome
from storefront.services.pricing import PRICED, Offer, Terms, Wanted, price_lines, vat_rates
from storefront.services.visitors import Visitor

SCOPE = "checkout"  # of the idempotency keys of order buttons


class CheckoutRefused(Refused):
    """The order cannot be placed like this."""

    code = "checkout-refused"


class TotalChanged(Refused):
    """The total has changed with the way of delivery; please look at it and order again."""

    code = "total-changed"


@dataclass(frozen=True)
class Confirmation:
    """What the shopper confirmed with the order button."""

    cart_version: int
    key: str  # idempotency key: the same for every press of this button
    email: str
    phone: str
    ship_to: dict[str, Any]
    bill_to: dict[str, Any]
    shipping_method: str
    payment_method: str
    total: Decimal | None = None  # what the page said is to be paid; None: not said
    note: str = ""
    language: str = "hu"


@dataclass(frozen=True)
class Ready:
    """What is settled about an order before its cart is locked."""

    customer: CustomerCopy
    terms: Terms
    method: ShippingMethod
    cart_token: UUID
    offer: Offer


@dataclass(frozen=True)
class Basket:
    """A priced cart with delivery; ``shipping`` as shown, None when no method is chosen yet."""

    lines: tuple[OrderLine, ...]
    totals: DocumentTotals
    goods: Decimal  # as shown, without delivery
    shipping: Decimal | None = None
    shipping_name: str = ""
    cart_lines: tuple[CartLine, ...] = field(default=())


def order_key(cart: Cart) -> str:
    """The idempotency key of ordering this cart as it is now."""
    return f"{cart.token}:{cart.version}"


def order_of_key(key: str) -> SalesOrder | None:
    """The accepted order that a press of the order button with this key has led to."""
    answer = find_answer("storefront", key, SCOPE) if key else None
    if not answer:
        return None
    return SalesOrder.objects.filter(pk=answer["order_id"], custody=SalesOrder.Custody.HANDED_OVER).first()


def price_cart(
    cart_lines: list[CartLine], terms: Terms, method: ShippingMethod | None, offer: Offer | None = None
) -> Basket:
    """Lines and totals of a cart at the prices on its lines, delivery included."""
    offer = offer or read_offer(cart_lines, terms, method.product_id if method else None)
    wanted = [
        Wanted(offer.products[line.product_id], line.quantity, line.unit_price)
        for line in cart_lines
        if line.product_id in offer.products and line.note != CartLine.Note.GONE
    ]
    lines, totals = price_lines(wanted, terms, offer.rates)
    goods_value = totals.gross if terms.price_mode == "gross" else totals.net
    if method is None:
        return Basket(lines, totals, goods_value, cart_lines=tuple(cart_lines))
    charge = _shipping_charge(method, totals, terms, offer)
    if charge is not None:
        goods = len(wanted)
        lines, totals = price_lines([*wanted, charge], terms, offer.rates)
        cost = lines[goods].gross if terms.price_mode == "gross" else lines[goods].net
    else:
        cost = Decimal(0)
    return Basket(lines, totals, goods_value, cost, method.label, tuple(cart_lines))


def _shipping_charge(method: ShippingMethod, goods: DocumentTotals, terms: Terms, offer: Offer) -> Wanted | None:
    value = goods.gross if terms.price_mode == "gross" else goods.net
    if method.product_id is None or (method.free_from is not None and value >= method.free_from):
        return None
    product = offer.products.get(method.product_id)
    if product is None or product.retired_at is not None:
        raise CheckoutRefused(
            _("Delivery by %(name)s is not possible at the moment; please choose another.") % {"name": method.label}
        )
    return Wanted(product, 1, name=method.label)


def delivery_cost(method: ShippingMethod, goods: DocumentTotals, terms: Terms) -> Decimal | None:
    """What delivery costs for goods of this value, as shown; None when it cannot be priced."""
    offer = read_offer((), terms, method.product_id)
    try:
        charge = _shipping_charge(method, goods, terms, offer)
    except CheckoutRefused:
        return None
    if charge is None:
        return Decimal(0)
    _, totals = price_lines([charge], terms, offer.rates)
    return totals.gross if terms.price_mode == "gross" else totals.net


def shipping_methods(country: str) -> list[ShippingMethod]:
    """Ways of delivery to a country, in order."""
    return [m for m in ShippingMethod.objects.filter(is_active=True) if m.delivers_to(country)]


_METHOD = Columns(ShippingMethod, "m")
_CHOSEN_METHOD = f"""
select {_METHOD.sql}, {PRICED.sql} from shipping_method m left join product_copy p on p.id = m.product_id
where m.code = %s::text and m.is_active"""


def _chosen_method(code: str) -> tuple[ShippingMethod | None, list[ProductCopy]]:
    """The way of delivery of this code, None when it cannot be chosen, and the product that is charged, if any."""
    rows = fetch_prepared("storefront", _CHOSEN_METHOD, [code])
    return next(iter(_METHOD.all_of(rows)), None), PRICED.all_of(rows, _METHOD.width)


def place_from_cart(visitor: Visitor, cart_id: int, said: Confirmation, *, actor: Actor) -> Outcome:
    """Place the order that the shopper confirmed.

    1. One Storefront transaction freezes the order, if the cart is still what was confirmed. 2. Logistics
    reserves and accepts, or refuses, in its own transaction. 3. Storefront records the answer; of a refusal it
    notes on the cart's lines what is left. A repeat with the same key, or a second press that raced the first,
    gives the outcome of the one order.

    Raises:
        CartChanged: the cart, a price or the offer is not what was confirmed; nothing was ordered.
        CheckoutRefused, CustomerRefused: it cannot be ordered like this.
    """
    if said.payment_method == "card":
        raise CheckoutRefused("A card payment comes before the order; please begin it on the checkout page.")
    ready = make_ready(visitor, cart_id, said, actor=actor)

    def prepare() -> Any:
        locked = lock_cart(cart_id)
        if locked.state in {Cart.State.PLACING, Cart.State.ORDERED} and locked.version == said.cart_version:
            return locked.order_id
        if locked.state != Cart.State.OPEN or locked.version != said.cart_version:
            raise CartChanged
        lines, is_being_paid = lines_of(locked)
        order = confirmed_order(locked, lines, said, ready)
        if is_being_paid:
            supersede(locked)
        return replace(order, cart_id=cart_id), lambda order_id: None

    request_hash = hash_request(str(ready.cart_token))
    return place(prepare, key=said.key, scope=SCOPE, request_hash=request_hash, actor=actor)


def make_ready(visitor: Visitor, cart_id: int, said: Confirmation, *, actor: Actor) -> Ready:
    """What an order needs before the cart is locked: way of delivery, terms, present prices, the customer at Admin.

    Raises CheckoutRefused, CustomerRefused.
    """
    method, charged = _chosen_method(said.shipping_method)
    if method is None or not method.delivers_to(said.ship_to["country"]):
        raise CheckoutRefused(_("Please choose a way of delivery that reaches your country."))
    terms = cart_terms(visitor, said.ship_to["country"])
    cart, lines, products = read_whole(cart_id)
    offer = Offer({**products, **{product.pk: product for product in charged}}, vat_rates(terms.on_date))
    if cart.state == Cart.State.OPEN and changed_lines(lines, offer, terms):
        refresh_cart(cart, terms)
    if visitor.customer is not None:
        return Ready(require_welcome(visitor.customer), terms, method, cart.token, offer)
    guest = accounts.customer_of_guest(
        email=said.email, phone=said.phone, address=said.bill_to, language=said.language, actor=actor
    )
    return Ready(get_customer(guest.pk), terms, method, cart.token, offer)


def confirmed_order(cart: Cart, lines: list[CartLine], said: Confirmation, ready: Ready) -> NewOrder:
    """The order that was confirmed, from a locked cart at the confirmed version and its lines.

    Raises CartChanged, TotalChanged, CheckoutRefused.
    """
    customer, terms, method = ready.customer, ready.terms, ready.method
    blocking = {CartLine.Note.GONE, CartLine.Note.SHORT}
    if not lines:
        raise CheckoutRefused(_("Your cart is empty."))
    if any(line.note in blocking or line.product_id not in ready.offer.products for line in lines):
        raise CartChanged
    basket = price_cart(lines, terms, method, ready.offer)
    if said.total is not None and said.total != basket.totals.gross:
        raise TotalChanged
    now = timezone.now()
    return NewOrder(
        customer_id=customer.pk, customer_name=str(said.bill_to.get("name") or customer.name), email=said.email,
        currency=terms.currency, price_mode=terms.price_mode, country=terms.country, language=said.language,
        ship_to=said.ship_to, bill_to=said.bill_to, shipping_method=method.code,
        payment_method=said.payment_method, placed_at=now, ordered_on=timezone.localdate(now),
        net_total=basket.totals.net, vat_total=basket.totals.vat, gross_total=basket.totals.gross,
        external_ref=None, channel="web", note=said.note, lines=basket.lines,
        payment="authorised" if said.payment_method == "card" else "open", hold_key=hold_key(cart.pk),
    )  # fmt: skip
