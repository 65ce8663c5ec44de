"""Stock rows written by hand, so that a test decides which transaction commits when."""

from __future__ import annotations

from typing import Any

import psycopg

from erp import ownership
from erp.replication import positions
from erp.replication.pull import Run, run_copy
from tests.databases import ErpDatabase
from tests.logistics import world

STOCK = ownership.entity("stock")
PAIR = (STOCK, "logistics", "storefront")

Figures = dict[int, tuple[int, int]]
"""Key → (version, on hand)."""


def make_rows(erp: ErpDatabase, count: int) -> list[int]:
    """Stock rows of new products with nothing on hand; returns their keys."""
    code = world.warehouse()
    products = [world.product() for _ in range(count)]
    with erp.connect("logistics") as connection:
        rows = connection.execute(
            "insert into stock (warehouse_id, product_id, on_hand, reserved) "
            "select w.id, p, 0, 0 from warehouse w, unnest(%s::bigint[]) p where w.code = %s returning id",
            [products, code],
        ).fetchall()
    return sorted(row[0] for row in rows)


def write(connection: psycopg.Connection[Any], key: int) -> None:
    """One more piece on hand, in whatever transaction the connection is in."""
    connection.execute("update stock set on_hand = on_hand + 1, version = version + 1 where id = %s", [key])


def run() -> Run:
    """One run of the Storefront's copy."""
    return run_copy("stock", "logistics", "storefront")


def owned(erp: ErpDatabase) -> Figures:
    """What Logistics has committed."""
    return _figures(erp, "logistics", "stock")


def copied(erp: ErpDatabase) -> Figures:
    """What the Storefront holds."""
    return _figures(erp, "storefront", "stock_copy")


def _figures(erp: ErpDatabase, role: str, table: str) -> Figures:
    with erp.connect(role) as connection:
        rows = connection.execute(f"select id, version, on_hand from {table}").fetchall()
    return {key: (version, on_hand) for key, version, on_hand in rows}


def position() -> dict[str, Any]:
    """The Storefront's position; it has one after the first run."""
    found = positions.position(*PAIR)
    assert found is not None
    return found
