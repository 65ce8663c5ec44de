"""Carts: versions, merging at log-in, and changes of price and offer that are said before anybody orders."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import connections

from erp.db import cursor, module_transaction
from storefront.models import Cart, CartLine
from storefront.services.cart import (
    CartChanged,
    QuantityRefused,
    add_to_cart,
    cart_terms,
    change_cart,
    find_cart,
    merge_at_log_in,
    refresh_cart,
)
from storefront.services.cart_reading import lock_cart
from storefront.services.pricing import NotForSale
from storefront.services.visitors import Visitor
from tests.databases import ErpDatabase
from tests.storefront import world
from tests.storefront.world import change, reprice


@pytest.fixture(autouse=True)
def _books(module_erp: ErpDatabase) -> None:
    world.set_up_books()


def guest_cart(*lines: tuple[int, int]) -> tuple[Visitor, Cart]:
    visitor = Visitor(None, None)
    cart = None
    for product, quantity in lines:
        cart = add_to_cart(visitor, product, quantity)
        visitor = Visitor(cart.token, None)
    assert cart is not None
    return visitor, cart


def quantities(cart: Cart) -> dict[int, int]:
    return dict(cart.lines.values_list("product_id", "quantity"))


def test_same_product_adds_up() -> None:
    mug = world.product()
    _, cart = guest_cart((mug, 2), (mug, 3))
    assert quantities(cart) == {mug: 5}


def test_every_change_has_its_version() -> None:
    mug = world.product()
    _, cart = guest_cart((mug, 2))
    changed = change_cart(cart, cart.version, {mug: 7})
    assert (changed.version, quantities(changed)) == (cart.version + 1, {mug: 7})
    with pytest.raises(CartChanged):  # another tab still shows the version before
        change_cart(cart, cart.version, {mug: 1})
    assert quantities(changed) == {mug: 7}


def test_zero_removes_the_line() -> None:
    mug, jug = world.product(), world.product()
    _, cart = guest_cart((mug, 2), (jug, 1))
    assert quantities(change_cart(cart, cart.version, {mug: 0})) == {jug: 1}


@pytest.mark.parametrize("quantity", [0, -1, 10_000])
def test_impossible_quantity_is_refused(quantity: int) -> None:
    with pytest.raises(QuantityRefused):
        guest_cart((world.product(), quantity))


def test_what_is_not_sold_cannot_be_added() -> None:
    for product in (world.product(is_sellable=False), world.product("0"), 10**12):
        with pytest.raises(NotForSale):
            guest_cart((product, 1))


def test_changed_price_is_noted_and_raises_the_version() -> None:
    mug = world.product("1000")
    visitor, cart = guest_cart((mug, 1))
    reprice(mug, "1100")
    fresh = refresh_cart(cart, cart_terms(visitor))
    line = fresh.lines.get()
    assert fresh.version == cart.version + 1
    assert (line.note, line.price_before, line.unit_price) == (CartLine.Note.PRICE, 1270, 1397)
    assert refresh_cart(fresh, cart_terms(visitor)).version == fresh.version


def test_note_is_gone_once_the_shopper_changes_the_cart() -> None:
    mug = world.product("1000")
    visitor, cart = guest_cart((mug, 1))
    reprice(mug, "1100")
    fresh = refresh_cart(cart, cart_terms(visitor))
    line = change_cart(fresh, fresh.version, {mug: 2}).lines.get()
    assert (line.note, line.price_before, line.unit_price) == ("", None, 1397)


def test_product_no_longer_sold_is_noted_until_it_is_sold_again() -> None:
    mug = world.product()
    visitor, cart = guest_cart((mug, 1))
    change(mug, is_sellable=False)
    assert refresh_cart(cart, cart_terms(visitor)).lines.get().note == CartLine.Note.GONE
    change(mug, is_sellable=True)
    assert refresh_cart(cart, cart_terms(visitor)).lines.get().note == ""


def test_guest_cart_is_merged_at_log_in() -> None:
    anna = world.visitor(world.customer("Anna merges"))
    mug, jug = world.product(), world.product()
    add_to_cart(anna, mug, 1)
    guest, cart = guest_cart((mug, 2), (jug, 4))
    merged = merge_at_log_in(guest, anna)
    assert merged is not None
    assert quantities(merged) == {mug: 3, jug: 4}
    assert find_cart(guest) is None
    cart.refresh_from_db()
    assert cart.state == Cart.State.MERGED


def test_guest_cart_becomes_the_customers_when_there_is_none() -> None:
    anna = world.visitor(world.customer("Anna without a cart"))
    guest, cart = guest_cart((world.product(), 2))
    merged = merge_at_log_in(guest, anna)
    assert merged is not None
    assert (merged.pk, merged.customer_id) == (cart.pk, anna.customer_id)
    assert find_cart(guest) is None


@contextmanager
def log_ins_at_once(customer: Visitor, *guests: Visitor) -> Iterator[None]:
    """Log-ins that have all found the carts and wait for them until the block is left; then they are done."""
    failures: list[BaseException] = []

    def log_in(guest: Visitor) -> None:
        try:
            merge_at_log_in(guest, customer)
        except BaseException as error:  # noqa: BLE001  told by the test's own thread
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=log_in, args=(guest,)) for guest in guests]
    with module_transaction("storefront"):
        for cart in [find_cart(customer), *(find_cart(guest) for guest in guests)]:
            if cart is not None:
                lock_cart(cart.pk)
        for thread in threads:
            thread.start()
        wait_for_waiting(len(threads))
        yield
    for thread in threads:
        thread.join()
    assert failures == []


def wait_for_waiting(count: int) -> None:
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    deadline = time.monotonic() + 20
    found = 0
    while found < count:
        assert time.monotonic() < deadline, f"{found} wait"
        time.sleep(0.02)
        with cursor("storefront") as cur:
            cur.execute("select pg_stat_clear_snapshot()")  # else a transaction sees its first answer for ever
            cur.execute(waiting)
            ((found,),) = cur.fetchall()


def test_log_ins_at_once_move_each_piece_once() -> None:
    anna = world.visitor(world.customer("Anna twice"))
    mug, jug = world.product(), world.product()
    add_to_cart(anna, mug, 1)
    guest, cart = guest_cart((mug, 2), (jug, 4))
    with log_ins_at_once(anna, guest, guest):
        pass
    mine = find_cart(anna)
    assert mine is not None
    assert quantities(mine) == {mug: 3, jug: 4}
    assert quantities(cart) == {}


def test_cart_that_is_being_ordered_is_not_merged() -> None:
    anna = world.visitor(world.customer("Anna while ordering"))
    mug, jug = world.product(), world.product()
    add_to_cart(anna, mug, 1)
    guest, cart = guest_cart((jug, 2))
    with log_ins_at_once(anna, guest):
        Cart.objects.filter(pk=cart.pk).update(state=Cart.State.PLACING)
    cart.refresh_from_db()
    assert (cart.state, quantities(cart)) == (Cart.State.PLACING, {jug: 2})


def test_log_ins_at_once_from_two_browsers_make_one_cart() -> None:
    anna = world.visitor(world.customer("Anna in two browsers"))
    mug = world.product()
    one, two = guest_cart((mug, 1))[0], guest_cart((mug, 2))[0]
    with log_ins_at_once(anna, one, two):
        pass
    mine = find_cart(anna)
    assert mine is not None
    assert quantities(mine) == {mug: 3}


def test_company_sees_net_prices_in_its_cart() -> None:
    known = {"is_company": True, "vat_status": "domestic", "tax_number": "12345676-2-41"}
    company = world.visitor(world.customer("Company", **known))
    assert add_to_cart(company, world.product("999.5"), 1).lines.get().unit_price == Decimal("999.5")
