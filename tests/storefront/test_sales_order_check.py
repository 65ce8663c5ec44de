"""The sales order check finds every order without owner, with two, or with parts that disagree."""

from __future__ import annotations

import time
from datetime import date

import pytest

from erp import ownership
from erp.actor import SYSTEM
from erp.replication.positions import pending_rows, position
from erp.replication.pull import run_copy
from erp.scrubber.engine import run_check
from erp.scrubber.sides import clear_caches
from finance import api as finance
from logistics import api as logistics
from storefront import api as storefront
from storefront.checks import CHECKS
from tests.databases import ErpDatabase
from tests.logistics import world

(ORDERS,) = CHECKS

PLANTS = {
    "no owner": "delete from logistics.sales_order where id = {o}",
    "two owners": "update storefront.sales_order set custody = 'own' where id = {o}",
    "never ordered": "delete from storefront.sales_order where id = {o}",
    "another epoch": "update logistics.sales_order set epoch = epoch + 2 where id = {o}",
    "other amount": "update logistics.sales_order set gross_total = gross_total + 0.01 where id = {o}",
    "copy changed": "update finance.sales_order_copy set lifecycle = 'closed' where id = {o}",
    "copy lost": "delete from storefront.sales_order_copy where id = {o}",
    "issued without shipment": "update logistics.sales_order_line set issued = issued - 1 where order_id = {o}",
    "not invoiced in time": (
        "update logistics.shipment set invoice_number = '', issued_at = issued_at - interval '1 hour' "
        "where order_id = {o}"
    ),
}


def place(product: int, pieces: int) -> int:
    customer = world.customer()
    line = {"product_id": product, "quantity": pieces, "unit_price": "10"}
    done = storefront.place_order(
        {"customer_id": customer, "currency": "HUF", "lines": [line]},
        actor=SYSTEM, idempotency_key=f"k{product}-{pieces}",
    )  # fmt: skip
    return int(done["order_id"])


def copy_all() -> None:
    """Run the copies until every low mark has passed the orders: a row above it counts as late, not as lost."""
    entity = ownership.entity("sales_order")
    deadline = time.monotonic() + 60
    pairs = [(source, reader) for reader in entity.readers for source in entity.sources_of(reader)]
    while True:
        for source, reader in pairs:
            run_copy("sales_order", source, reader)
        marks = [(source, position(entity, source, reader)) for source, reader in pairs]
        if not any(pending_rows(entity, source, at["lo"]) for source, at in marks if at):
            return
        assert time.monotonic() < deadline, "a transaction elsewhere holds the low marks back"


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_drift_is_found(fresh_erp: ErpDatabase, plant: str) -> None:
    clear_caches()
    finance.load_demo(SYSTEM)
    mug = world.stocked(20)
    order, other = place(mug, 3), place(mug, 2)
    logistics.ship(order, [{"line_no": 1, "quantity": 2}], actor=world.CLERK, key=None, on_date=date(2026, 11, 24))
    copy_all()
    clean = run_check(ORDERS)
    assert (clean.status, clean.mismatched) == ("ok", 0), clean.samples
    with fresh_erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")  # past triggers: as a rogue write would be
        rogue.execute(PLANTS[plant].format(o=order))  # type: ignore[arg-type]
    found = run_check(ORDERS)
    assert found.status == "alert", found
    keys = {sample.key for sample in found.samples}
    assert keys
    assert not [key for key in keys if f" {other}" in key]
