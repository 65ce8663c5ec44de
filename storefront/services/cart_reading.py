"""A cart as the order button needs it, read or locked by prepared statements."""

from __future__ import annotations

from erp.db import fetch_prepared
from erp.reading import Columns
from storefront.models import Cart, CartLine, ProductCopy
from storefront.services.pricing import PRICED

_CART, _LINE = Columns(Cart, "c"), Columns(CartLine, "l")
_LOCK_CART = f"select {_CART.sql} from cart c where c.id = %s::bigint for update"
_LINES = f"""
select {_LINE.sql}, exists (
  select 1 from payment_attempt a where a.cart_id = l.cart_id and a.state in ('open', 'authorised')) as is_being_paid
from cart_line l where l.cart_id = %s::bigint order by l.id"""
_WHOLE = f"""
select {_CART.sql}, {_LINE.sql}, {PRICED.sql} from cart c left join cart_line l on l.cart_id = c.id
left join product_copy p on p.id = l.product_id where c.id = %s::bigint order by l.id"""


def lock_cart(cart_id: int) -> Cart:
    """The cart, locked until the transaction ends."""
    found = _CART.fetch(_LOCK_CART, [cart_id])
    if not found:
        raise Cart.DoesNotExist
    return found[0]


def lines_of(cart: Cart) -> tuple[list[CartLine], bool]:
    """The cart's lines in order, and whether a card payment of it is under way."""
    rows = fetch_prepared("storefront", _LINES, [cart.pk])
    return _LINE.all_of(rows), any(row[-1] for row in rows)


def read_whole(cart_id: int) -> tuple[Cart, list[CartLine], dict[int, ProductCopy]]:
    """A cart, its lines and their products by id, as of one moment."""
    rows = fetch_prepared("storefront", _WHOLE, [cart_id])
    carts = _CART.all_of(rows)
    if not carts:
        raise Cart.DoesNotExist
    products = PRICED.all_of(rows, _CART.width + _LINE.width)
    return carts[0], _LINE.all_of(rows, _CART.width), {product.pk: product for product in products}
