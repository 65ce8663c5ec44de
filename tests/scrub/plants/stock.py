"""Check 5: stock, its moves, its reservations."""

from __future__ import annotations

from tests.scrub.plants.sql import Plants, swapped, twice

STOCK: Plants = {
    "on hand one piece off": (
        ("update logistics.stock set on_hand = on_hand + 1 where id = {stock[0]}",), {"{stock_0}": "owner corrupt"},
    ),
    "reserved one piece off": (
        ("update logistics.stock set reserved = reserved + 1 where id = {stock[0]}",), {"{stock_0}": "owner corrupt"},
    ),
    "lost move": (
        ("delete from logistics.stock_move where product_id = {product[0]} and seq = 1",),
        {"{stock_0}": "owner corrupt", "logistics/stock_move numbers of product {product[0]}": "lost"},
    ),
    "changed move": (
        ("update logistics.stock_move set quantity = quantity + 1 where product_id = {product[0]} and seq = 1",),
        {"{stock_0}": "owner corrupt"},
    ),
    "duplicated move": (
        (twice("logistics.stock_move", "product_id = {product[0]} and seq = 1", "'seq', 99"),),
        {"{stock_0}": "owner corrupt", "logistics/stock_move numbers of product {product[0]}": "duplicated"},
    ),
    "moves with swapped products": (
        swapped("logistics.stock_move", "product_id", "seq = 1", "{product[0]}", "{product[2]}"),
        {"{stock_0}": "owner corrupt", "{stock_2}": "owner corrupt"},
    ),
    "lost reservation": (
        ("delete from logistics.reservation where order_id = {order[0]} and state = 'allocated'",),
        {"{stock_0}": "owner corrupt"},
    ),
    "reservation one piece off": (
        ("update logistics.reservation set quantity = quantity + 1 "
         "where order_id = {order[0]} and state = 'allocated'",),
        {"{stock_0}": "owner corrupt"},
    ),
    "duplicated reservation": (
        (twice("logistics.reservation", "order_id = {order[0]} and state = 'allocated'"),),
        {"{stock_0}": "owner corrupt"},
    ),
    "reservations with swapped stock rows": (  # of as many pieces each, so that every sum holds
        ("update logistics.reservation set stock_id = {stock[0]} + {stock[2]} - stock_id "
         "where id in ({reservation[0]}, {reservation[2]})",),
        {"logistics/reservation {reservation[0]}": "owner corrupt",
         "logistics/reservation {reservation[2]}": "owner corrupt"},
    ),
    "lost stock row": (
        ("delete from logistics.stock where id = {stock[0]}",),
        {"{stock_0}": "lost", "logistics/reservation {reservation[0]}": "owner corrupt"},
    ),
    "stock rows with swapped products": (
        swapped("logistics.stock", "product_id", "true", "{product[0]}", "{product[2]}"),
        {"{stock_0}": "owner corrupt", "{stock_2}": "owner corrupt",
         "logistics/reservation {reservation[0]}": "owner corrupt",
         "logistics/reservation {reservation[2]}": "owner corrupt"},
    ),
    "number taken back": (
        ("update logistics.product_sequence set last_seq = last_seq - 1 where product_id = {product[0]}",),
        {"logistics/stock_move numbers of product {product[0]}": "duplicated"},
    ),
    "stock row without moves": (
        (twice("logistics.stock", "id = {stock[0]}", "'warehouse_id', 999"),),
        {"logistics/stock product {product[0]} in warehouse 999": "owner corrupt"},
    ),
}  # fmt: skip
