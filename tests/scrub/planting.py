"""A small clean installation, and drift planted in it through a superuser connection and taken back again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from erp import ownership
from erp.actor import Actor
from erp.relay import run_relay
from erp.replication.positions import pending_rows, position
from erp.replication.pull import run_copy
from erp.scrubber.checks import all_checks
from erp.scrubber.engine import run_check
from erp.scrubber.result import CheckResult, CheckSpec
from erp.scrubber.sides import clear_caches
from finance import api as finance
from finance.models import Invoice, JournalLine
from finance.services.sealing import seal_pending
from logistics import api as logistics
from logistics.models import Reservation, Shipment, Stock
from tests.databases import ErpDatabase
from tests.storefront import world

CLERK = Actor(7, "Clerk")


@dataclass(frozen=True)
class Installation:
    """A database with two of everything, all of it consistent, and the names that plants go by."""

    erp: ErpDatabase
    names: dict[str, Any]

    @contextmanager
    def planted(self, *statements: str, undo: str = "") -> Iterator[None]:
        """Drift written past triggers and foreign keys; afterwards the tables named are as before.

        Args:
            statements: SQL with ``{names}``; the table that each writes is put back.
            undo: what else puts things back.
        """
        with self.erp.connect("postgres") as rogue:
            rogue.execute("set session_replication_role = replica")
            tables = [_written_by(statement) for statement in statements]
            for at, table in enumerate(tables):
                _run(rogue, f"create table public.before_{at} as table {table}")
            try:
                for statement in statements:
                    _run(rogue, statement.format(**self.names))
                yield
            finally:
                for at, table in enumerate(tables):
                    _put_back(rogue, table, f"public.before_{at}")
                if undo:
                    _run(rogue, undo)


def _run(connection: psycopg.Connection[Any], statement: str) -> None:
    connection.execute(statement)  # type: ignore[arg-type]


def _put_back(connection: psycopg.Connection[Any], table: str, before: str) -> None:
    columns = connection.execute(
        "select string_agg(quote_ident(attname), ', ') from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
        [table],
    ).fetchone()
    assert columns is not None
    _run(connection, f"delete from {table}")
    _run(connection, f"insert into {table} ({columns[0]}) overriding system value select {columns[0]} from {before}")
    _run(connection, f"drop table {before}")


def _written_by(statement: str) -> str:
    """Table that an insert, update, delete or alter statement names."""
    words = statement.replace("only", "").split()
    return words[{"insert": 2, "update": 1, "delete": 2, "alter": 2}[words[0]]]


def make_installation(erp: ErpDatabase) -> Installation:
    """Two customers, products, orders, shipments, invoices; a payment, a deposit, a return; every copy up to date."""
    clear_caches()
    world.set_up_books()
    customers = [world.customer(name).pk for name in ("Kiss Anna", "Nagy Béla")]
    products = [world.product("1000", stock=10), world.product("500", stock=10)]
    run_relay("logistics")
    orders = [
        int(world.place((product, 3), customer_id=customer)["order_id"])
        for product, customer in zip(products, customers, strict=True)
    ]
    for order in orders:
        logistics.ship(order, [{"line_no": 1, "quantity": 2}], actor=CLERK, key=None)
    logistics.receive_return(orders[1], [{"line_no": 1, "quantity": 1}], actor=CLERK, key=None)
    for _ in range(2):  # of these nothing leaves yet
        products.append(world.product("700", stock=5))
        world.place((products[-1], 1), customer_id=customers[0])
    run_relay("logistics")
    first, second = Invoice.objects.filter(kind="invoice", state="issued").order_by("id")
    finance.record_payment({"invoice_id": first.pk, "amount": 100, "method": "card"}, actor=CLERK)
    finance.record_payment({"customer_id": customers[0], "amount": 50, "method": "transfer"}, actor=CLERK)
    finance.record_payment({"invoice_id": second.pk, "amount": 100, "method": "card"}, actor=CLERK)
    copy_everything()
    seal_pending()
    stock = list(Stock.objects.order_by("id").values_list("id", flat=True))
    lines = list(JournalLine.objects.filter(document_kind="invoice", document_id=first.pk).order_by("id"))
    shipments = list(Shipment.objects.order_by("id"))
    names = {
        "customer": customers, "product": products, "order": orders, "stock": stock, "invoice": [first.pk, second.pk],
        "number": [first.number, second.number], "line": [line.pk for line in lines], "entry": lines[0].entry_id,
        "next_entry": lines[0].entry_id + 1, "deposit": JournalLine.objects.get(account_id="384").entry_id,
        "reservation": list(Reservation.objects.filter(state="allocated").order_by("id").values_list("id", flat=True)),
        "year": first.fiscal_year, "shipment": [s.pk for s in shipments],
        "shipment_number": [s.number for s in shipments],
    }  # fmt: skip
    return Installation(erp, names)


def copy_everything() -> None:
    """Run the windowed copies until every low mark has passed the rows: above it a missing row counts as late."""
    deadline = time.monotonic() + 60
    while True:
        behind = 0
        for entity, source, reader in ownership.windowed_pairs():
            run_copy(entity.name, source, reader)
            at = position(entity, source, reader)
            behind += pending_rows(entity, source, at["lo"] if at else None)
        if not behind:
            return
        assert time.monotonic() < deadline, "a transaction elsewhere holds the low marks back"


def check(name: str) -> CheckSpec:
    """A declared check."""
    return {spec.name: spec for spec in all_checks()}[name]


def run(name: str) -> CheckResult:
    """Run one check of the installation."""
    return run_check(check(name))


def found(result: CheckResult) -> dict[str, str]:
    """Key → class of cause of all that a check found."""
    assert result.status != "failed", result.error
    assert result.mismatched == len(result.samples), result
    return {sample.key: sample.cause for sample in result.samples}
