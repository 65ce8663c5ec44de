"""One replayed order from cart to ledger, against pgbench writing the same rows with the least SQL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import psycopg

from bench import replay
from bench.harness import Result, judge, median, pgbench, report

GOAL = ">= 0.25"


@dataclass(frozen=True)
class Rows:
    """Rows that one order leaves in a table, and which columns every round writes anew."""

    schema: str
    table: str
    where: str  # finds the order's rows, given order, shipment and invoice
    anew: tuple[str, ...] = ()  # columns that carry the round's number, besides id
    step: str = "place"


ORDER = "s.id = %(order)s"
OF_ORDER = "s.order_id = %(order)s"
OF_INVOICE = "s.invoice_id = %(invoice)s"
OF_MOVES = "s.move_id = any(%(moves)s)"
OF_ENTRIES = "s.{} = any(%(entries)s)"

WRITTEN = (
    Rows("storefront", "sales_order", ORDER, ("number", "external_ref")),
    Rows("storefront", "sales_order_line", OF_ORDER, ("order_id",)),
    Rows("logistics", "sales_order", ORDER, ("number", "external_ref"), "accept"),
    Rows("logistics", "sales_order_line", OF_ORDER, ("order_id",), "accept"),
    Rows("logistics", "reservation", OF_ORDER, ("order_id",), "accept"),
    Rows("logistics", "shipment", "s.id = %(shipment)s", ("number", "order_id"), "ship"),
    Rows("logistics", "shipment_line", "s.shipment_id = %(shipment)s", ("shipment_id",), "ship"),
    Rows("logistics", "stock_move", "s.id = any(%(moves)s)", (), "ship"),
    Rows("finance", "invoice", "s.id = %(invoice)s", ("number", "order_id", "shipment_id"), "invoice"),
    Rows("finance", "invoice_line", OF_INVOICE, ("invoice_id",), "invoice"),
    Rows("finance", "valued_move", OF_MOVES, ("move_id",), "invoice"),
    Rows("finance", "journal_entry", OF_ENTRIES.format("id"), ("posting_key",), "invoice"),
    Rows("finance", "journal_line", OF_ENTRIES.format("entry_id"), (), "invoice"),
    Rows("admin_app", "invoice_copy", "s.id = %(invoice)s", ("number",), "copies"),
    Rows("storefront", "invoice_copy", "s.id = %(invoice)s", ("number",), "copies"),
)

STOCK = (
    "bare.logistics_stock s set {}, version = version + 1 from bare.logistics_need n where s.product_id = n.product_id"
)


def prepare(connection: psycopg.Connection[Any], number: str) -> None:
    """Keep the rows of one order as a sample, and make tables like the real ones, with a primary key only."""
    key = _keys(connection, number)
    connection.execute("drop schema if exists bare cascade")
    connection.execute("create schema bare")
    for rows in WRITTEN:
        name, source = f"{rows.schema}_{rows.table}", f"{rows.schema}.{rows.table}"
        connection.execute(f"create table bare.{name} (like {source} including defaults, primary key (id))")
        connection.execute(f"create table bare.sample_{name} (like {source})")
        found = connection.execute(f"insert into bare.sample_{name} select s.* from {source} s where {rows.where}", key)
        if not found.rowcount:
            raise LookupError(f"order {number} left no row in {source}")
    connection.execute("create table bare.logistics_stock (like logistics.stock, primary key (product_id))")
    connection.execute("insert into bare.logistics_stock select * from logistics.stock")
    connection.execute(
        "create table bare.logistics_need as select product_id, sum(quantity)::int as quantity "
        "from bare.sample_logistics_reservation group by product_id"
    )
    connection.execute("create table bare.counter as select 'INV' as code, 0::bigint as last_no")


def _keys(connection: psycopg.Connection[Any], number: str) -> dict[str, Any]:
    found = connection.execute(
        """select o.id, h.id, i.id,
             array(select m.id from logistics.stock_move m
                   where m.document_kind = 'shipment' and m.document_id = h.id)
           from logistics.sales_order o join logistics.shipment h on h.order_id = o.id
           join finance.invoice i on i.shipment_id = h.id where o.external_ref like %s limit 1""",
        [f"%{number}"],
    ).fetchone()
    if not found:
        raise LookupError(f"order {number} was not invoiced")
    order, shipment, invoice, moves = found
    entries = connection.execute(
        """select array(select e.id from finance.journal_entry e join finance.invoice i on i.id = %s
                        where e.document_number = i.number
                           or e.id in (select v.entry_id from finance.valued_move v where v.move_id = any(%s)))""",
        [invoice, moves],
    ).fetchone()
    assert entries
    return {"order": order, "shipment": shipment, "invoice": invoice, "moves": moves, "entries": entries[0]}


def least_sql(connection: psycopg.Connection[Any]) -> str:
    """The pgbench script: four transactions, as many statements as there are tables."""

    def inserts(*steps: str) -> str:
        return "".join(_insert(connection, rows) for rows in WRITTEN if rows.step in steps)

    reserve = f"update {STOCK.format('reserved = s.reserved + n.quantity')};\n"
    issue = f"update {STOCK.format('on_hand = s.on_hand - n.quantity, reserved = s.reserved - n.quantity')};\n"
    consume = (
        "update bare.logistics_reservation set state = 'consumed' where id >= :n::bigint and id < :n::bigint + 1000;\n"
    )
    gapless = "update bare.counter set last_no = last_no + 1;\n"
    bodies = (inserts("place"), reserve + inserts("accept"), issue + consume + inserts("ship"),
              gapless + inserts("invoice", "copies"))  # fmt: skip
    return "\\set n 1000 * random(1, 1000000000000)\n" + "".join(f"begin;\n{body}commit;\n" for body in bodies)


def _insert(connection: psycopg.Connection[Any], rows: Rows) -> str:
    name = f"{rows.schema}_{rows.table}"
    columns = connection.execute(f"select * from bare.{name} limit 0").description or []
    values = []
    for column in (c.name for c in columns):
        if column == "id":
            values.append("row_number() over () - 1 + :n::bigint")
        elif column in rows.anew:
            values.append(":n::bigint" if column.endswith("_id") else "'N' || :n::bigint")
        else:
            values.append(f's."{column}"')
    return f"insert into bare.{name} select {', '.join(values)} from bare.sample_{name} s;\n"


def typical(orders: list[dict[str, Any]]) -> dict[str, Any]:
    """The order with the median number of lines and, among those, the median time."""
    ordered = sorted(orders, key=lambda o: (o["lines"], o["ms"]))
    lines = ordered[len(ordered) // 2]["lines"]
    alike = [o for o in ordered if o["lines"] == lines]
    return alike[len(alike) // 2]


def measure() -> list[Result]:
    """All rows of this benchmark."""
    from erp.environment import load_environment

    orders = replay.replayed()["orders"]
    os.environ["ERP_DATABASE_NAME"] = replay.DATABASE
    sample = typical(orders)
    near = [o for o in orders if o["lines"] == sample["lines"]]
    ours_ms = median([o["ms"] for o in near])
    target = load_environment().login("postgres")
    with psycopg.connect(**{**target.conninfo(), "dbname": replay.DATABASE}, autocommit=True) as connection:
        prepare(connection, sample["number"])
        script = least_sql(connection)
    limit = median([pgbench(script, "postgres", 1, seconds=4).tps for _ in range(3)])
    note = f"order of {sample['lines']} lines, {len(near)} alike, p50 {ours_ms:.1f} ms"
    return [judge("order to cash, 1 client, vs pgbench least SQL", 1000 / ours_ms, limit, GOAL, unit="/s", note=note)]


if __name__ == "__main__":
    report(measure(), "order_to_cash")
