"""A large, clean installation written by SQL: masters, stock, ledger, invoices and all of their copies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from tqdm import tqdm

ENTRY_ROWS = 3  # lines of a sale: receivable, revenue, VAT

# {n}: customers and products; {i}: invoices. Stock and moves: two warehouses, so 2n rows; ledger lines: 4n + 3i.
OWNERS = {
    "books": """
      insert into finance.number_series (code, fiscal_year, last_no) values ('INV', 2026, {i})
      on conflict (code, fiscal_year) do update set last_no = excluded.last_no""",
    "customers": """
      insert into admin_app.customer (id, version, number, name, email, phone, is_company, country, tax_number,
        vat_status, currency, payment_terms_days, language, postcode, city, street, external_ref, is_blocked, note)
      select g, 1 + g % 3, 'C' || lpad(g::text, 7, '0'), 'Customer ' || g, 'c' || g || '@example.com', '+3620' || g,
        g % 5 = 0, 'HU', '', 'private', 'HUF', 8, 'hu', '6720', 'Szeged', 'Fo utca ' || g % 999, 'x:' || g, false, ''
      from generate_series(1, {n}) g""",
    "products": """
      insert into admin_app.product (id, version, sku, name, description, unit, product_class, vat_code, base_price,
        currency, is_stocked, is_sellable, backorder_allowed, weight_g, category, attributes, image, barcode)
      select g, 1 + g % 3, 'P' || lpad(g::text, 7, '0'), 'Product ' || g, 'What it is and does, at length: ' || g,
        'pcs', 'goods', '27', 100 + g % 900, 'HUF', true, true, false, 100, 'things', '{{"colour": "red"}}', '', ''
      from generate_series(1, {n}) g""",
    "stock": """
      insert into logistics.warehouse (id, code, name, priority, is_active, country, postcode, city, street)
      values (1, 'W1', 'One', 10, true, 'HU', '', '', ''), (2, 'W2', 'Two', 20, true, 'HU', '', '', '');
      insert into logistics.stock (id, version, product_id, warehouse_id, on_hand, reserved, xid)
      select (g - 1) * 2 + w, 1, g, w, 10 + g % 7, (g % 20 = 0)::int, pg_current_xact_id()
      from generate_series(1, {n}) g, generate_series(1, 2) w order by 1;
      insert into logistics.reservation (product_id, stock_id, quantity, state, owner_key, line_no, expires_at)
      select product_id, id, reserved, 'held', 'cart:' || id, 1, now() + interval '1 day'
      from logistics.stock where reserved > 0;
      insert into logistics.stock_move (id, product_id, warehouse_id, seq, kind, quantity, unit_cost, document_kind,
        document_number, reason, moved_on, actor_name)
      select (g - 1) * 2 + w, g, w, w, 'receipt', 10 + g % 7, 60, 'receipt', 'GR-' || g, '', '2026-01-02', 'bench'
      from generate_series(1, {n}) g, generate_series(1, 2) w order by 1;
      insert into logistics.product_sequence (product_id, last_seq) select g, 2 from generate_series(1, {n}) g""",
    "stock value": """
      insert into finance.journal_entry (id, kind, journal, entry_on, period, document_kind, posting_key, actor_name)
      select g, 'normal', 'STK', '2026-01-02', '2026-01', 'receipt', 'move:' || g, 'bench'
      from generate_series(1, 2 * {n}) g;
      insert into finance.journal_line (id, version, entry_id, entry_no, line_no, journal, entry_on, tax_on, period,
        account, account_name, amount, currency, product_id, quantity, document_kind, xid)
      select (g - 1) * 2 + s, 1, g, g, s, 'STK', '2026-01-02', '2026-01-02', '2026-01',
        case s when 1 then '261' else '456' end,
        case s when 1 then 'Goods' else 'Goods received, not invoiced' end, (case s when 1 then 1 else -1 end)
          * 60 * (10 + ((g + 1) / 2) % 7), 'HUF', (g + 1) / 2, null, 'receipt', pg_current_xact_id()
      from generate_series(1, 2 * {n}) g, generate_series(1, 2) s order by 1;
      insert into finance.valued_move (move_id, product_id, move_seq, kind, quantity, unit_cost, value, moved_on,
        document_kind, document_number, entry_id, quantity_after, value_after)
      select (g - 1) * 2 + w, g, w, 'receipt', 10 + g % 7, 60, 60 * (10 + g % 7), '2026-01-02', 'receipt', 'GR-' || g,
        (g - 1) * 2 + w, w * (10 + g % 7), w * 60 * (10 + g % 7)
      from generate_series(1, {n}) g, generate_series(1, 2) w order by 1;
      insert into finance.product_cost (product_id, last_seq, quantity, value, unit_cost)
      select g, 2, 2 * (10 + g % 7), 2 * 60 * (10 + g % 7), 60 from generate_series(1, {n}) g""",
    "orders": """
      insert into storefront.sales_order (id, version, xid, number, epoch, custody, lifecycle, fulfilment, invoicing,
        payment, customer_id, customer_name, email, currency, price_mode, country, language, ship_to, bill_to,
        shipping_method, payment_method, placed_at, ordered_on, net_total, vat_total, gross_total, channel, note,
        attempts, hold_key)
      select g, 3, pg_current_xact_id(), 'SO-' || g, 1, case when g <= {i} then 'handed_over' else 'own' end, 'placed',
        'none', 'none', 'open', 1 + g % {n}, 'Customer ' || g, '', 'HUF', 'net', 'HU', 'hu', '{{}}', '{{}}', 'PICKUP',
        'transfer', '2026-02-01', '2026-02-01', 1000, 270, 1270, 'web', '', 0, ''
      from generate_series(1, {i} + {i} / 20) g;
      insert into storefront.sales_order_line (order_id, line_no, product_id, sku, name, unit, product_class, quantity,
        unit_price, discount, vat_code, vat_rate, net, vat, gross, is_stocked)
      select g, l, 1 + g % {n}, 'P', 'Product', 'pcs', 'goods', 1, 500, 0, '27', 27, 500, 135, 635, true
      from generate_series(1, {i} + {i} / 20) g, generate_series(1, 2) l;
      insert into logistics.sales_order (id, version, xid, number, epoch, lifecycle, fulfilment, invoicing, payment,
        customer_id, customer_name, currency, price_mode, country, ship_to, bill_to, placed_at, ordered_on, net_total,
        vat_total, gross_total, channel)
      select g, 5, pg_current_xact_id(), 'SO-' || g, 2, 'closed', 'shipped', 'fully', 'open', 1 + g % {n},
        'Customer ' || g, 'HUF', 'net', 'HU', '{{}}', '{{}}', '2026-02-01', '2026-02-01', 1000, 270, 1270, 'web'
      from generate_series(1, {i}) g;
      insert into logistics.sales_order_line (id, order_id, line_no, product_id, sku, name, quantity, unit_price,
        vat_code, vat_rate, net, vat, gross, is_stocked, issued)
      select 2 * g + l - 2, g, l, 1 + g % {n}, 'P', 'Product', 1, 500, '27', 27, 500, 135, 635, true, 1
      from generate_series(1, {i}) g, generate_series(1, 2) l;
      insert into logistics.shipment (id, number, state, order_id, warehouse_id, issued_at, issued_on, invoice_id,
        invoice_number)
      select g, 'SH-' || g, 'issued', g, 1, '2026-02-03', '2026-02-03', g, 'INV-2026-' || lpad(g::text, 6, '0')
      from generate_series(1, {i}) g;
      insert into logistics.shipment_line (shipment_id, order_line_no, product_id, sku, name, quantity, is_stocked,
        order_line_id)
      select g, l, 1 + g % {n}, 'P', 'Product', 1, true, 2 * g + l - 2
      from generate_series(1, {i}) g, generate_series(1, 2) l;
      insert into logistics.reservation (product_id, stock_id, quantity, state, owner_key, order_id, line_no, ended_at)
      select 1 + g % {n}, (g % {n}) * 2 + 1, 1, 'issued', '', g, l, now()
      from generate_series(1, {i}) g, generate_series(1, 2) l""",
    "invoices": """
      insert into finance.invoice_line (invoice_id, line_no, product_id, sku, name, quantity, unit, unit_price,
        discount, vat_code, vat_rate, net, vat, gross)
      select g, l, 1 + g % {n}, 'P', 'Product', 1, 'pcs', 500, 0, '27', 27, 500, 135, 635
      from generate_series(1, {i}) g, generate_series(1, 2) l;
      insert into finance.invoice_settlement (invoice_id, state, gross_total, paid_total, offset_total, credited_total)
      select g, 'open', 1270, 0, 0, 0 from generate_series(1, {i}) g;
      insert into finance.journal_entry (id, kind, journal, entry_on, period, document_kind, document_number,
        document_id, posting_key, actor_name)
      select 2 * {n} + g, 'normal', 'SAL', '2026-02-03', '2026-02', 'invoice', 'INV-2026-' || lpad(g::text, 6, '0'),
        g, 'invoice:' || g, 'bench' from generate_series(1, {i}) g;
      insert into finance.journal_line (id, version, entry_id, entry_no, line_no, journal, entry_on, tax_on, period,
        account, account_name, amount, document_amount, currency, customer_id, document_kind, document_number,
        document_id, vat_code, xid)
      select 4 * {n} + (g - 1) * 3 + s, 1, 2 * {n} + g, 2 * {n} + g, s, 'SAL', '2026-02-03', '2026-02-03',
        '2026-02',
        (array['311', '9111', '467'])[s], (array['Receivables', 'Revenue', 'VAT'])[s],
        (array[1270, -1000, -270])[s], (array[1270, -1000, -270])[s], 'HUF', 1 + g % {n}, 'invoice',
        'INV-2026-' || lpad(g::text, 6, '0'), g, case s when 1 then '' else '27' end, pg_current_xact_id()
      from generate_series(1, {i}) g, generate_series(1, 3) s order by 1;
      set session_replication_role = origin;
      insert into finance.invoice (id, version, number, series, fiscal_year, sequence_no, kind, state, customer_id,
        customer, supplier, order_id, shipment_id, order_number, issued_on, fulfilled_on, due_on, currency,
        base_currency, exchange_rate,
        rate_source, price_mode, payment_method, net_total, vat_total, gross_total, base_net_total, base_vat_total,
        base_gross_total, vat_summary, channel, language, note)
      select g, 1, 'INV-2026-' || lpad(g::text, 6, '0'), 'INV', 2026, g, 'invoice', 'issued', 1 + g % {n},
        jsonb_build_object('name', 'Customer ' || g, 'country', 'HU'), '{{"name": "Company"}}', g, g, '', '2026-02-03',
        '2026-02-03', '2026-02-11', 'HUF', 'HUF', 1, 'base', 'net', 'transfer', 1000, 270, 1270, 1000, 270, 1270,
        '[{{"vat_code": "27", "base_net": 1000, "base_vat": 270}}]', 'web', 'hu', '' from generate_series(1, {i}) g;
      set session_replication_role = replica;
      update finance.nav_submission set state = 'done', done_at = now(),
        reported = '[{{"element": "vatPercentage", "value": "0.27", "vat": 270}}]'""",
}  # fmt: skip

# What a statement above does not name is empty: the benchmark's own database may have any default.
DEFAULTS = """
select format('alter table %I.%I alter %I set default %L', c.table_schema, c.table_name, c.column_name,
  case when c.data_type = 'jsonb' then '[]' when c.data_type = 'boolean' then 'false'
    when c.data_type in ('integer', 'bigint', 'smallint', 'numeric') then '0' else '' end)
from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
where c.table_schema in ('admin_app', 'finance', 'logistics', 'storefront') and t.table_type = 'BASE TABLE'
  and c.is_nullable = 'NO' and c.column_default is null and c.is_identity = 'NO'
  and c.data_type in ('jsonb', 'boolean', 'integer', 'bigint', 'smallint', 'numeric', 'character varying', 'text')
  and c.column_name not in ('id', 'payload') and not c.column_name like '%\\_id'"""

POSITION = """
insert into {reader}.copy_position (entity, source, tick, lo, system_identifier, began_at, applied_at)
select '{entity}', '{source}', 1, pg_current_xact_id(), system_identifier::text, now(), now() from pg_control_system()
on conflict (entity, source) do update set lo = excluded.lo, tick = 1"""


@contextmanager
def superuser() -> Iterator[psycopg.Connection[Any]]:
    """Autocommit connection that triggers and foreign keys do not slow down."""
    from django.conf import settings
    from django.db import connections

    target = settings.ENVIRONMENT.login("postgres")
    info = {**target.conninfo(), "dbname": connections["finance"].settings_dict["NAME"]}
    with psycopg.connect(**info, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


def fill(scale: float) -> dict[str, int]:
    """Write the data of ``scale`` × (1 M customers, 1 M products, 2 M stock rows, 5 M ledger lines)."""
    from erp import ownership
    from erp.actor import SYSTEM
    from finance import api
    from finance.services.sealing import seal_pending

    api.set_up_books(SYSTEM)
    n, i = int(1_000_000 * scale), int(333_334 * scale)
    with superuser() as c, tqdm(total=len(OWNERS) + 14, disable=not sys.stderr.isatty()) as bar:
        for (statement,) in c.execute(DEFAULTS).fetchall():
            c.execute(statement)
        c.execute("set search_path = finance, pg_temp")
        for name, statements in OWNERS.items():
            bar.set_description(name)
            for statement in statements.format(n=n, i=i).split(";"):
                c.execute(statement)  # type: ignore[arg-type]
            bar.update()
        c.execute("vacuum analyze")
        for entity in (e for e in ownership.ENTITIES if e.name != "vat_code"):
            for reader in entity.readers:
                bar.set_description(f"{reader}/{entity.name}")
                copy_all(c, entity, reader)
                bar.update()
        bar.set_description("seals")
        seal_pending()
        c.execute("vacuum analyze")
        c.execute("checkpoint")
    lines = 4 * n + ENTRY_ROWS * i
    return {
        "customers": n, "products": n, "stock": 2 * n, "ledger lines": lines, "invoices": i, "orders": i + i // 20,
    }  # fmt: skip


def fill_stock(rows: int) -> None:
    """Write that many stock rows and Storefront's copy of them, and nothing else."""
    from erp import ownership

    with superuser() as c:
        c.execute(
            "insert into logistics.stock (version, product_id, warehouse_id, on_hand, reserved, xid) "
            "select 1 + g %% 3, g, 1, 10 + g %% 7, g %% 3, pg_current_xact_id() from generate_series(1, %s) g",
            [rows],
        )
        c.execute("analyze logistics.stock")
        copy_all(c, ownership.entity("stock"), "storefront")
        c.execute("vacuum analyze logistics.stock")
        c.execute("vacuum analyze storefront.stock_copy")
        c.execute("checkpoint")


def copy_all(c: psycopg.Connection[Any], entity: Any, reader: str) -> None:
    """Fill a copy with all that its sources have, and say so in its position."""
    from erp.scrubber.sides import copy_side, owner_side

    for source in reversed(entity.sources_of(reader)):  # the custodian's row of an order stands before its maker's
        side = owner_side(entity, source, reader)
        names = ", ".join(name for name, _ in copy_side(entity, reader).columns)
        c.execute(f"set search_path = {source}, pg_temp")  # type: ignore[arg-type]
        c.execute(
            f"insert into {reader}.{entity.copy_table} ({names}) "  # type: ignore[arg-type]
            f"select {', '.join(sql for _, sql in side.columns)} from {side.rows_sql()} where {side.condition} "
            "order by t.id on conflict (id) do nothing"
        )
        if not entity.is_instant:
            c.execute(POSITION.format(reader=reader, entity=entity.name, source=source))  # type: ignore[arg-type]
