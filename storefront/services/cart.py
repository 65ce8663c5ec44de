"""Carts: add, change, merge at log-in, and bring to the present prices. A cart reserves nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import IntegrityError
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.db import module_transaction, retrying
from erp.errors import Refused
from storefront.models import Cart, CartLine, PaymentAttempt, ProductCopy
from storefront.services.cart_reading import lock_cart, read_whole
from storefront.services.pricing import (
    NotForSale,
    Offer,
    Terms,
    is_for_sale,
    products_by_id,
    rate_of,
    terms_for,
    unit_price,
    vat_code_of,
    vat_rates,
)
from storefront.services.visitors import Visitor

MAX_QUANTITY = 9_999
MAX_LINES = 100


class CartChanged(Refused):
    """Your cart was changed in another tab or by a new price; please look at it again."""

    code = "cart-changed"


class QuantityRefused(Refused):
    """Please give a quantity that can be ordered."""

    code = "quantity-refused"


def find_cart(visitor: Visitor) -> Cart | None:
    """The visitor's open cart."""
    carts = Cart.objects.filter(state=Cart.State.OPEN)
    if visitor.customer_id is not None:
        return carts.filter(customer_id=visitor.customer_id).first()
    if visitor.token is None:
        return None
    return carts.filter(token=visitor.token, customer_id=None).first()


def cart_terms(visitor: Visitor, country: str = "") -> Terms:
    """Terms on which this visitor buys today."""
    return terms_for(visitor.customer, country=country, on_date=timezone.localdate())


def count_pieces(cart: Cart | None) -> int:
    """Pieces in the cart."""
    return sum(cart.lines.values_list("quantity", flat=True)) if cart else 0


def get_or_create_cart(visitor: Visitor) -> Cart:
    """The visitor's open cart, made when there is none; a guest's new cart has a new token."""
    found = find_cart(visitor)
    if found is not None:
        return found
    try:
        with module_transaction("storefront"):
            return Cart.objects.create(customer_id=visitor.customer_id, token=uuid.uuid4())
    except IntegrityError:  # another tab made the customer's cart just now
        found = find_cart(visitor)
        if found is None:
            raise
        return found


def hold_key(cart_id: int) -> str:
    """Whose holds Logistics keeps for this cart: of all tabs and attempts the same."""
    return f"cart:{cart_id}"


def _require_quantity(quantity: int) -> None:
    if not 0 <= quantity <= MAX_QUANTITY:
        raise QuantityRefused(_("Please give a quantity between 1 and %(n)d.") % {"n": MAX_QUANTITY})


def present_price(product: ProductCopy, terms: Terms) -> Decimal:
    """Price of one unit for these terms, as shown."""
    code = vat_code_of(product.product_class, product.vat_code, terms)
    return unit_price(product, rate_of(code, vat_rates(terms.on_date)), terms.price_mode)


def add_to_cart(visitor: Visitor, product_id: int, quantity: int) -> Cart:
    """Put ``quantity`` more of a product into the visitor's cart; returns the cart.

    Raises:
        NotForSale: the shop does not sell it.
        QuantityRefused: not a quantity, or the cart is full.
    """
    product = ProductCopy.objects.filter(pk=product_id).first()
    if product is None or not is_for_sale(product):
        raise NotForSale(_("This product cannot be ordered at the moment."))
    if quantity < 1:
        raise QuantityRefused(_("Please give a quantity of at least 1."))
    price = present_price(product, cart_terms(visitor))
    cart = get_or_create_cart(visitor)

    def write() -> Cart:
        locked = lock_cart(cart.pk)
        if locked.state != Cart.State.OPEN:
            raise CartChanged
        line = locked.lines.filter(product_id=product_id).first()
        _require_quantity(quantity + (line.quantity if line else 0))
        if line is None:
            if locked.lines.count() >= MAX_LINES:
                raise QuantityRefused(_("A cart holds up to %(n)d different products.") % {"n": MAX_LINES})
            locked.lines.create(product_id=product_id, quantity=quantity, unit_price=price)
        else:
            line.quantity += quantity
            line.save(update_fields=["quantity"])
        return touch(locked)

    return retrying("storefront", write)


def touch(cart: Cart) -> Cart:
    """Give a locked cart its next version."""
    Cart.objects.filter(pk=cart.pk).update(version=F("version") + 1, updated_at=Now())
    cart.refresh_from_db()
    return cart


def change_cart(cart: Cart, version: int, quantities: Mapping[int, int]) -> Cart:
    """Set quantities by product id (0 removes the line); what was noted on the lines counts as read.

    Raises:
        CartChanged: the cart is no longer at ``version``.
    """
    for quantity in quantities.values():
        _require_quantity(quantity)

    def write() -> Cart:
        locked = lock_cart(cart.pk)
        if locked.version != version or locked.state != Cart.State.OPEN:
            raise CartChanged
        for line in locked.lines.all():
            quantity = quantities.get(line.product_id, line.quantity)
            if quantity == 0:
                line.delete()
                continue
            keeps_note = line.note == CartLine.Note.GONE or (
                line.note == CartLine.Note.SHORT and line.product_id not in quantities
            )
            line.quantity = quantity
            if not keeps_note:
                line.note, line.price_before, line.left = CartLine.Note.NONE, None, None
            line.save()
        return touch(locked)

    return retrying("storefront", write)


def refresh_cart(cart: Cart, terms: Terms) -> Cart:
    """Bring the cart to the present prices and offer; what changed is noted on its line and raises the version.

    An order that was about to confirm the old version is thereby refused until the shopper has seen the change.
    """
    _, lines, products = read_whole(cart.pk)
    if not changed_lines(lines, Offer(products, vat_rates(terms.on_date)), terms):
        return cart

    def write() -> Cart:
        locked = lock_cart(cart.pk)
        if locked.state != Cart.State.OPEN:
            return locked
        lines = list(locked.lines.select_for_update())
        changed = changed_lines(lines, read_offer(lines, terms), terms)
        for line in changed:
            line.save()
        return touch(locked) if changed else locked

    return retrying("storefront", write)


def read_offer(lines: Iterable[CartLine], terms: Terms, *more: int | None) -> Offer:
    """What the shop asks today for what is in a cart; ``more``: other products, None counts for none."""
    keys = [line.product_id for line in lines] + [key for key in more if key is not None]
    return Offer(products_by_id(keys), vat_rates(terms.on_date))


def changed_lines(lines: list[CartLine], offer: Offer, terms: Terms) -> list[CartLine]:
    """Lines that differ from the present offer, already carrying what must be said."""
    changed = []
    for line in lines:
        product = offer.products.get(line.product_id)
        if product is None or not is_for_sale(product):
            if line.note != CartLine.Note.GONE:
                line.note = CartLine.Note.GONE
                changed.append(line)
            continue
        rate = rate_of(vat_code_of(product.product_class, product.vat_code, terms), offer.rates)
        price = unit_price(product, rate, terms.price_mode)
        if price != line.unit_price:
            _take_price(line, price, unit_price(product, rate, _OTHER_MODE[terms.price_mode]))
            changed.append(line)
        elif line.note == CartLine.Note.GONE:  # sold again
            line.note = CartLine.Note.NONE
            changed.append(line)
    return changed


_OTHER_MODE = {"gross": "net", "net": "gross"}


def _take_price(line: CartLine, price: Decimal, in_other_mode: Decimal) -> None:
    """Give a line the present price. That net is shown for gross, or the reverse, after a log-in is no change of it."""
    if line.unit_price != in_other_mode:
        line.price_before = line.unit_price
        if line.note != CartLine.Note.SHORT:
            line.note = CartLine.Note.PRICE
    line.unit_price = price


def merge_at_log_in(guest: Visitor, customer: Visitor) -> Cart | None:
    """Move a guest's cart into the customer's; the same product adds up. Returns the customer's open cart.

    Whatever happens at the same time in other tabs, each piece is moved once. A cart that is being ordered or paid
    for stays as it is: the order or the payment that is under way refers to it.
    """
    source = find_cart(Visitor(guest.token, None))
    if source is None or customer.customer_id is None:
        return find_cart(customer)
    source_id = source.pk
    try:
        merged = retrying("storefront", lambda: _merge(source_id, customer))
    except IntegrityError:  # another tab gave the customer a cart just now
        merged = retrying("storefront", lambda: _merge(source_id, customer))
    return refresh_cart(merged, cart_terms(customer)) if merged else None


def _merge(source_id: int, customer: Visitor) -> Cart | None:
    target = find_cart(customer)
    ids = {source_id, target.pk} if target else {source_id}
    locked = {pk: lock_cart(pk) for pk in sorted(ids)}
    source = locked[source_id]
    if source.state != Cart.State.OPEN or source.customer_id is not None:
        return find_cart(customer)
    if target is None:
        Cart.objects.filter(pk=source_id).update(customer_id=customer.customer_id)
        return touch(source)
    target = locked[target.pk]
    if target.state != Cart.State.OPEN:  # ordered while its lock was waited for
        return _merge(source_id, customer)
    live = (PaymentAttempt.State.OPEN, PaymentAttempt.State.AUTHORISED)
    if PaymentAttempt.objects.filter(cart_id=source_id, state__in=live).exists():
        return target
    _move_lines(source, target)
    Cart.objects.filter(pk=source_id).update(state=Cart.State.MERGED, updated_at=Now())
    return touch(target)


def _move_lines(source: Cart, target: Cart) -> None:
    have = {line.product_id: line for line in target.lines.all()}
    for line in source.lines.all():
        if line.product_id in have:
            total = min(MAX_QUANTITY, have[line.product_id].quantity + line.quantity)
            CartLine.objects.filter(pk=have[line.product_id].pk).update(quantity=total)
            line.delete()
        else:
            CartLine.objects.filter(pk=line.pk).update(cart=target)
