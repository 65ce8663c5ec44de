"""Reporting to the tax office: 10,000 queued documents sent, polled, reconciled, against building their XML alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.environment import PROJECT_DIR
from bench.harness import Result, fresh_database, judge, report, run_clients, tell

DOCUMENTS = int(os.environ.get("BENCH_NAV_DOCUMENTS", "10000"))
WORKERS = 2
PEAK_MB = 400
PERIOD = "2026-03"

# Documents as issuing leaves them, written set by set: the benchmark is about reporting them.
QUEUE = """
from decimal import Decimal
from datetime import date
from admin_app.serializers import CustomerSerializer
from erp.actor import SYSTEM
from erp.db import cursor
from finance import api
from finance.services.invoicing import create_invoice
api.load_demo(SYSTEM)
buyer = CustomerSerializer.bulk_save([dict(external_ref='b:1', name='Vevo Kft.', country='HU', currency='HUF',
    vat_status='domestic', tax_number='10987656-2-06', postcode='7600', city='Pecs', street='Fo utca 1.')])[0]['id']
lines = [dict(name=f'Item {n}', quantity=n, unit_price=Decimal('1999.50'), vat_code='27' if n % 3 else '5',
              sku=f'SKU{n:04d}') for n in range(1, 6)]
first = create_invoice(dict(customer_id=buyer, issued_on=date(2026, 3, 10), currency='HUF', lines=lines), SYSTEM)
print(json.dumps(first['id']))
"""

COPY = """
set session_replication_role = replica;
set search_path = finance;
create temp table made as select g.n, nextval('invoice_id_seq') as id from generate_series(2, {count}) g(n);
insert into invoice select (jsonb_populate_record(i, jsonb_build_object('id', m.id, 'number',
  'INV-2026-' || lpad(m.n::text, 6, '0'), 'sequence_no', m.n, 'shipment_id', null))).* from invoice i, made m
  where i.id = {first};
insert into invoice_line select (jsonb_populate_record(l, jsonb_build_object('id',
  nextval(pg_get_serial_sequence('finance.invoice_line', 'id')), 'invoice_id', m.id))).* from invoice_line l, made m
  where l.invoice_id = {first};
insert into invoice_settlement select (jsonb_populate_record(s, jsonb_build_object('invoice_id', m.id))).*
  from invoice_settlement s, made m where s.invoice_id = {first};
insert into journal_entry select (jsonb_populate_record(e, jsonb_build_object('id', 1000000 + m.id, 'posting_key',
  'invoice:' || m.id, 'document_id', m.id, 'document_number', 'INV-2026-' || lpad(m.n::text, 6, '0')))).*
  from journal_entry e, made m where e.posting_key = 'invoice:{first}';
insert into journal_line select (jsonb_populate_record(l, jsonb_build_object('id',
  nextval(pg_get_serial_sequence('finance.journal_line', 'id')), 'entry_id', 1000000 + m.id, 'entry_no',
  1000000 + m.id, 'document_id', m.id, 'document_number', 'INV-2026-' || lpad(m.n::text, 6, '0')))).*
  from journal_line l, made m where l.document_id = {first} and l.document_kind = 'invoice';
insert into invoice_seal (invoice_id, number, series, fiscal_year, sequence_no, header, lines, hash)
  select i.id, i.number, i.series, i.fiscal_year, i.sequence_no,
    content_digest(to_jsonb(i) - '{{version,created_at,updated_at,retired_at}}'::text[]),
    (select string_agg(content_digest(to_jsonb(l)), ''::bytea order by l.line_no) from invoice_line l
     where l.invoice_id = i.id), ''
  from invoice i, made m where i.id = m.id;
insert into nav_submission (invoice_id, number, issued_on, operation)
  select m.id, 'INV-2026-' || lpad(m.n::text, 6, '0'), '2026-03-10', 'CREATE' from made m;
analyze;
"""

# The limit: the same documents as rows in memory, their XML built and checked, nothing else.
ALONE = """
from finance.services.reporting.connection import schema
from finance.services.reporting.documents import build_report, vat_treatments
from finance.services.reporting.sources import load_documents
from finance.models import NavSubmission
keys = list(NavSubmission.objects.order_by('pk').values_list('pk', flat=True)[:2000])
treatments, checks, documents = vat_treatments(), schema(), load_documents(keys)
began = time.perf_counter()
for document in documents:
    checks.check(build_report(document, treatments))
print(json.dumps(len(documents) / (time.perf_counter() - began)))
"""

SEND = """
import resource
from finance.services.reporting.connection import connect
from finance.services.reporting.draining import open_reports
from finance.services.reporting.following import follow
from finance.services.reporting.outbox import send_waiting
client = connect()
began = time.perf_counter()
while open_reports():
    if not (send_waiting(client, for_s=2.0) or follow(client)):
        time.sleep(0.05)
    follow(client)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.perf_counter() - began, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]))
"""

RECONCILE = """
import resource
from finance.services.reporting.reconciling import reconcile
began = time.perf_counter()
found = reconcile('%s')
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.perf_counter() - began, used.ru_maxrss / 1024, found.is_clean]))
"""


def queue_documents(count: int) -> None:
    """One document through Finance, and copies of it with all that stands behind it."""
    import psycopg

    from erp.environment import load_environment

    first: Any = run_clients(QUEUE, 1)[0]
    target = load_environment().login("postgres")
    info = {**target.conninfo(), "dbname": os.environ["ERP_DATABASE_NAME"]}
    with psycopg.connect(**info, autocommit=True) as connection:
        connection.execute(COPY.format(count=count, first=first))  # type: ignore[arg-type]


def start_stand_in(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A stand-in of the benchmark's own; its process and address."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "nav_standin", "--port", "0", "--database", str(folder / "nav.sqlite3")],
        cwd=PROJECT_DIR, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().split()[3]


def stop_stand_in(process: subprocess.Popen[str]) -> float:
    """Stop it; returns its peak memory in MB."""
    process.terminate()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_maxrss / 1024


def measure() -> list[Result]:
    """All rows of this benchmark."""
    fresh_database("erp_bench_nav")
    queue_documents(DOCUMENTS)
    alone: Any = run_clients(ALONE, 1)[0]
    with tempfile.TemporaryDirectory() as folder:
        stand_in, url = start_stand_in(Path(folder))
        os.environ.update(ERP_NAV_ENDPOINT="standin", ERP_NAV_URL=url)
        try:
            sent: list[Any] = run_clients(SEND, WORKERS)
            reconciled: Any = run_clients(RECONCILE % PERIOD, 1)[0]
        finally:
            stand_in_mb = stop_stand_in(stand_in)
    reconcile_s, reconcile_mb, is_clean = reconciled
    if not is_clean:
        raise RuntimeError("the reconciliation is not clean")
    sent_s = max(row[0] for row in sent)
    name = f"{DOCUMENTS} documents"
    return [
        judge(f"{name} sent, polled and reconciled, vs building and validating alone",
              DOCUMENTS / (sent_s + reconcile_s), alone, ">= 0.5", unit="/s"),
        tell(f"{name} sent and polled", DOCUMENTS / sent_s, unit="/s"),
        tell("reconciled", DOCUMENTS / reconcile_s, unit="/s"),
        judge("peak memory of a process", max(reconcile_mb, *(row[1] for row in sent)), PEAK_MB, "<= 1", unit="MB"),
        tell("peak memory of the stand-in", stand_in_mb, unit="MB"),
    ]  # fmt: skip


if __name__ == "__main__":
    report(measure(), "nav")
