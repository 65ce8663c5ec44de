"""What runs low: by reorder level where there is one, else when nothing is left."""

from __future__ import annotations

import pytest

from erp.errors import Refused
from logistics.services.reordering import list_low_stock, set_reorder_levels
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, stocked


@pytest.fixture(autouse=True)
def erp(module_erp: ErpDatabase, finance: object) -> None:
    pass


def low(product_id: int, warehouse: str = "") -> list[dict[str, object]]:
    return [row for row in list_low_stock(warehouse) if row["product_id"] == product_id]


def level(product_id: int, level: int, target: int | None = None, warehouse: str = "MAIN") -> dict[str, object]:
    row = {"product_id": product_id, "level": level, "target": target}
    return set_reorder_levels([row], actor=CLERK, key=None, warehouse=warehouse)


def test_reserved_goods_count_as_gone() -> None:
    mug = stocked(10)
    level(mug, 8, 20)
    assert low(mug) == []
    accepted((mug, 3))
    (row,) = low(mug)
    assert (row["free"], row["level"], row["to_order"], row["waiting"]) == (7, 8, 13, 0)


def test_without_a_level_only_what_is_gone_is_low() -> None:
    mug, plate = stocked(1, backorder_allowed=True), stocked(1)
    accepted((mug, 4))
    (row,) = low(mug)
    assert (row["free"], row["level"], row["to_order"], row["waiting"]) == (0, None, 0, 3)
    assert low(plate) == []


def test_levels_are_kept_per_warehouse_also_where_nothing_ever_lay() -> None:
    world.warehouse("EAST", 50)
    mug = stocked(10)
    level(mug, 5, warehouse="EAST")
    assert [(row["warehouse"], row["on_hand"], row["to_order"]) for row in low(mug)] == [("EAST", 0, 5)]
    assert low(mug, "MAIN") == []


def test_level_zero_takes_the_level_away() -> None:
    mug = stocked(2)
    level(mug, 5)
    assert level(mug, 0)["removed"] == 1
    assert low(mug) == []


def test_target_below_the_level_is_refused() -> None:
    with pytest.raises(Refused, match="at least the reorder level"):
        level(stocked(2), 5, 4)
    with pytest.raises(Refused, match="Not a stocked product"):
        level(10**9, 5)
