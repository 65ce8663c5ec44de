"""The stock balance check finds every planted drift in stock, moves and reservations, and nothing else."""

from __future__ import annotations

import pytest

from erp.scrubber.engine import run_check
from logistics.checks import CHECKS
from tests.databases import ErpDatabase
from tests.logistics import world

(BALANCE,) = CHECKS

PLANTS = {
    "on hand one piece off": ("update logistics.stock set on_hand = on_hand + 1 where product_id = {p}", 1),
    "reserved one piece off": ("update logistics.stock set reserved = reserved - 1 where product_id = {p}", 1),
    "lost move": ("delete from logistics.stock_move where product_id = {p} and seq = 1", 2),
    "changed move": ("update logistics.stock_move set quantity = quantity + 1 where product_id = {p} and seq = 1", 1),
    "lost reservation": ("delete from logistics.reservation where product_id = {p}", 1),
    "released twice": ("update logistics.reservation set state = 'released' where product_id = {p}", 1),
    "lost stock row": ("delete from logistics.stock where product_id = {p}", 2),
    "number taken back": ("update logistics.product_sequence set last_seq = 0 where product_id = {p}", 1),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_drift_is_found(fresh_erp: ErpDatabase, plant: str) -> None:
    world.warehouse()
    product, other = world.stocked(10), world.stocked(5)
    world.accepted((product, 4), (other, 1))
    world.receive(product, 3)
    clean = run_check(BALANCE)
    assert (clean.status, clean.compared) == ("ok", 2)
    sql, differences = PLANTS[plant]
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")  # past triggers and foreign keys
        rogue.execute(sql.format(p=product))  # type: ignore[arg-type]
    found = run_check(BALANCE)
    assert found.status == "alert"
    assert found.mismatched == differences, found.samples
    assert str(other) not in {s.key.split("product ")[-1].split(" ")[0] for s in found.samples} - {str(product)}
