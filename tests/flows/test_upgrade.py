"""An upgrade keeps the data: a database of an early state, full of documents, migrates and can be worked with."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg import sql
from pytest_django import DjangoDbBlocker

from erp import ownership
from erp.embedded.binaries import installed
from erp.ownership_check import check_ownership
from erp.replication.pull import run_copy
from erp.replication.resync import resync
from erp.scrubber.engine import run_scrub
from erp.scrubber.sides import clear_caches
from finance import api as finance
from finance.models import Invoice, JournalLine
from finance.services.vat_documents import document_differences
from logistics import api as logistics
from logistics.models import SalesOrder, Shipment
from tests import databases
from tests.databases import ErpDatabase
from tests.environment import PROJECT_DIR
from tests.logistics.world import CLERK

DUMP = PROJECT_DIR / "tests" / "data" / "upgrade" / "demo.sql.gz"
BOOKKEEPING = {"django_migrations", "reader_state", "copy_position", "copy_tick", "relay_item"}
MOVED = {("logistics", "stock", "reorder_level")}  # into a table of its own

Rows = dict[tuple[str, str], dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def before_and_after(
    django_db_setup: None, erp_template: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[Rows, Rows, ErpDatabase]]:
    """Every row before and after the upgrade, by (schema, table) and key; and the upgraded database, in use."""
    name = f"test_upgrade_{os.getpid()}"
    with django_db_blocker.unblock():
        database = restored(name)
        before = rows_of(database)
        for command in (["migrate", "-v0"], ["provision"]):
            database.manage(*command, ERP_DB_ROLE="ddl")
        earlier = databases.use(name)
        try:
            yield before, rows_of(database), database
        finally:
            databases.use(next(iter(earlier.values())))
            databases.drop(name)


def restored(name: str) -> ErpDatabase:
    """The dump in a new database."""
    target = settings.ENVIRONMENT.login("postgres").conninfo()
    with psycopg.connect(**target, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    where = ["-h", str(target["host"]), "-p", str(target["port"]), "-U", str(target["user"]), "-d", name]
    subprocess.run(
        [installed().postgres / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", *where],
        input=gzip.decompress(DUMP.read_bytes()), env={**os.environ, "PGPASSWORD": str(target["password"])},
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return ErpDatabase(name)


def rows_of(database: ErpDatabase) -> Rows:
    """Every row of the modules' tables; partitions are read through their parents."""
    found: Rows = {}
    with database.connect() as connection:
        tables = connection.execute(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any (%s)", [[*ownership.MODULES]]
        ).fetchall()  # fmt: skip
        for schema, table in tables:
            if table in BOOKKEEPING:
                continue
            statement = sql.SQL("select to_jsonb(t)::text from {} t").format(sql.Identifier(schema, table))
            rows = [json.loads(text) for (text,) in connection.execute(statement)]
            found[schema, table] = {key_of(row): row for row in rows}
    return found


def key_of(row: dict[str, Any]) -> str:
    return str(row.get("id") or sorted((k, str(v)) for k, v in row.items() if k.endswith(("_id", "key", "code", "no"))))


def test_every_row_is_kept_as_it_was(before_and_after: tuple[Rows, Rows, ErpDatabase]) -> None:
    before, after, _ = before_and_after
    assert len(before["finance", "invoice"]) >= 5
    assert len(before["logistics", "stock_move"]) > 30
    changed = []
    for (schema, table), rows in before.items():
        for key, row in rows.items():
            now = after.get((schema, table), {}).get(key)
            if now is None:
                changed.append(f"{schema}.{table} {key} is gone")
                continue
            for column, value in row.items():
                if (schema, table, column) not in MOVED and (column not in now or now[column] != value):
                    changed.append(f"{schema}.{table} {key}: {column} was {value}, is {now.get(column, 'gone')}")
    assert changed[:20] == []


def test_grants_and_books_are_sound_and_a_rebuild_completes_the_copies(
    before_and_after: tuple[Rows, Rows, ErpDatabase],
) -> None:
    assert check_ownership() == []
    assert finance.books_difference() == 0
    assert document_differences(date(2000, 1, 1), date(2100, 1, 1)) == []  # every line has its document's tax date
    clear_caches()
    for entity, source, reader in ownership.windowed_pairs():
        run_copy(entity.name, source, reader)
    for reader in ownership.entity("invoice").readers:
        resync("invoice", reader)  # its lines tell more than they did then
    run = run_scrub()
    assert {r.name: (r.status, r.samples, r.error) for r in run.results.all() if r.status != "ok"} == {}


def test_work_goes_on_with_the_old_documents(before_and_after: tuple[Rows, Rows, ErpDatabase]) -> None:
    numbers = {row["number"] for row in before_and_after[0]["finance", "invoice"].values()}
    order = SalesOrder.objects.filter(lifecycle="open", fulfilment="allocated").order_by("pk").first()
    assert order is not None
    done = logistics.ship(order.pk, None, actor=CLERK, key=None)
    issued = Invoice.objects.get(number=Shipment.objects.get(pk=done["shipment_id"]).invoice_number)
    assert issued.number not in numbers
    assert issued.number > max(n for n in numbers if n.startswith(issued.number[:8]))
    lines = JournalLine.objects.filter(entry__document_number=issued.number)
    assert sum(line.amount for line in lines) == 0
    assert finance.books_difference() == 0
