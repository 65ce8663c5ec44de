"""What a decided hand-over does to the cart it came from; runs in the transaction that records the decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from storefront.models import Cart, CartLine, SalesOrderLine

ORDER_ACCEPTED = """
cart_ordered as (
  update cart c set state = 'ordered', updated_at = statement_timestamp()
  from w where c.order_id = w.id and c.state = 'placing' and w.channel = 'web'
), mail as (
  insert into relay_item (kind, key, payload) select 'mail_order', w.id::text, jsonb_build_object('order_id', w.id)
  from w where w.channel = 'web' and w.email <> '' on conflict (kind, key) do nothing
),"""
"""Beside the accepted order ``w``: its cart is done, the next visit begins a new one; the customer gets a letter."""


def order_refused(order_id: int, short: Iterable[Mapping[str, Any]]) -> None:
    """Give the cart back to the shopper, at a new version, with what is left noted on each short line."""
    cart = Cart.objects.filter(order_id=order_id, state=Cart.State.PLACING).first()
    if cart is None:
        return
    left_by_line = {row["line_no"]: int(row["available"]) for row in short}
    products = SalesOrderLine.objects.filter(order_id=order_id, line_no__in=left_by_line)
    for line_no, product_id in products.values_list("line_no", "product_id"):
        CartLine.objects.filter(cart=cart, product_id=product_id).update(
            note=CartLine.Note.SHORT, left=max(0, left_by_line[line_no])
        )
    reopen(cart)


def reopen(cart: Cart) -> None:
    """Open the cart again; what the customer put into a newer cart meanwhile is moved into this one."""
    newer = None
    if cart.customer_id is not None:
        newer = Cart.objects.filter(customer_id=cart.customer_id, state=Cart.State.OPEN).exclude(pk=cart.pk).first()
    if newer is not None:
        have = set(cart.lines.values_list("product_id", flat=True))
        newer.lines.exclude(product_id__in=have).update(cart=cart)
        Cart.objects.filter(pk=newer.pk).update(state=Cart.State.MERGED, updated_at=Now())
    Cart.objects.filter(pk=cart.pk).update(state=Cart.State.OPEN, version=F("version") + 1, updated_at=Now())
