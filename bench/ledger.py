"""Posting to the general ledger against pgbench, and its totals over five million lines against a plain GROUP BY."""

from __future__ import annotations

from typing import Any

from bench import environment
from bench.harness import Result, fresh_database, judge, median, pgbench, report, run_clients, tell

ROUNDS = 5
POSTS = 250
BATCHES = 20
BATCH = 50
LINES = 5_000_000

SETUP = """
from erp.actor import SYSTEM
from finance.services.books import set_up_books
set_up_books(SYSTEM)
print(json.dumps({}))
"""

_ENTRY_CODE = """
from decimal import Decimal
from datetime import date
from erp.actor import Actor
from finance.services import posting
actor = Actor(1, 'bench')
LINES = [
    {'account': '311', 'debit': Decimal(12700), 'customer_id': 1},
    {'account': '9111', 'credit': Decimal(10000), 'customer_id': 1, 'product_id': 1, 'quantity': 2, 'vat_code': '27'},
    {'account': '467', 'credit': Decimal(2700), 'vat_code': '27'},
    {'account': '8699', 'debit': Decimal(0)},
]
DATA = {'entry_on': date(2026, 3, 10), 'journal': 'SAL', 'text': 'bench', 'lines': LINES}
"""
_ENTRY = _ENTRY_CODE.replace("{", "{{").replace("}", "}}")  # the codes below are formatted

POST = (
    _ENTRY
    + """
for n in range({posts} + 20):
    if n == 20:
        began = time.perf_counter()
    posting.post_journal_entry(DATA, actor=actor, posting_key=f'{key}-{{client}}-{{n}}')
print(json.dumps({{'rate': {posts} / (time.perf_counter() - began)}}))
"""
)

BATCHED = (
    _ENTRY
    + """
for n in range({batches} + 2):
    if n == 2:
        began = time.perf_counter()
    posting.post_journal_entries(
        [(DATA, f'{key}-{{client}}-{{n}}-{{i}}') for i in range({batch})], actor=actor)
print(json.dumps({{'rate': {batches} * {batch} / (time.perf_counter() - began)}}))
"""
)

BULK = (
    _ENTRY
    + """
from erp.db import module_transaction
from erp.permit import write_permit
from finance.models import Account, JournalEntry, JournalLine
names = dict(Account.objects.values_list('number', 'name'))
def post(key):
    with module_transaction('finance'), write_permit('ledger'):
        entry = JournalEntry.objects.create(
            journal_id='SAL', entry_on=DATA['entry_on'], text='bench', posting_key=key, actor_id=1, actor_name='bench')
        JournalLine.objects.bulk_create([
            JournalLine(entry=entry, entry_no=entry.pk, line_no=n, journal='SAL', entry_on=entry.entry_on,
                period='', account_id=line['account'], account_name=names[line['account']],
                amount=line.get('debit', 0) - line.get('credit', 0),
                document_amount=line.get('debit', 0) - line.get('credit', 0), currency='HUF',
                customer_id=line.get('customer_id'), product_id=line.get('product_id'),
                quantity=line.get('quantity'), vat_code=line.get('vat_code', ''))
            for n, line in enumerate(LINES, start=1)])
for n in range(({batches} + 2) * {batch}):
    if n == 2 * {batch}:
        began = time.perf_counter()
    post(f'{key}-{{client}}-{{n}}')
print(json.dumps({{'rate': {batches} * {batch} / (time.perf_counter() - began)}}))
"""
)

# Two years of sales, as many lines as asked, written past the triggers; the totals as the sealer would have kept them.
FILL = """
set session_replication_role = replica;
set search_path = finance;
insert into journal_entry (id, journal, kind, entry_on, period, posting_key, actor_name, xid)
select n, 'SAL', 'normal', date '2024-01-01' + (n %% 730)::int, to_char(date '2024-01-01' + (n %% 730)::int, 'YYYY-MM'),
  'fill:' || n, 'bench', pg_current_xact_id()
from generate_series(1000001, 1000000 + %(entries)s) n;
insert into journal_line (id, entry_id, entry_no, line_no, journal, entry_on, tax_on, period, account, account_name,
  amount, document_amount, currency, customer_id, vat_code, document_kind, document_id, xid)
select 10 * e.id + x.line_no, e.id, e.id, x.line_no, 'SAL', e.entry_on,
  case when x.vat_code <> '' then e.entry_on - (e.id %% 4)::int else e.entry_on end, e.period,
  x.account, '', x.amount, x.amount,
  'HUF', e.id %% 5000, x.vat_code, 'invoice', e.id, e.xid
from journal_entry e cross join lateral (values
  (1, case when e.id %% 9 = 0 then '317' else '311' end, 12700, ''),
  (2, case when e.id %% 7 = 0 then '9112' when e.id %% 9 = 0 then '9311' else '9111' end, -6000,
     case e.id %% 5 when 0 then '5' when 1 then '18' else '27' end),
  (3, '9111', -4000, '27'),
  (4, '467', -2700, '27')) x(line_no, account, amount, vat_code)
where e.id > 1000000;
insert into ledger_balance (entry_on, tax_on, account, vat_code, debit, credit)
select entry_on, tax_on, account, vat_code, sum(greatest(amount, 0)), sum(greatest(-amount, 0)) from journal_line
group by 1, 2, 3, 4 on conflict (entry_on, account, vat_code, tax_on) do nothing;
"""

READ = """
from datetime import date
from erp.db import cursor
from finance.services.balances import trial_balance
from finance.services.vat_return import vat_return
def direct(statement):
    with cursor('finance') as cur:
        cur.execute('set statement_timeout = 0')
        cur.execute(statement)
        return cur.fetchall()
DAYS = date(2024, 1, 1), date(2025, 12, 31)
reads = {
    'balance_direct': lambda: direct(
        "select account, coalesce(sum(amount) filter (where entry_on < '2024-01-01'), 0),"
        " sum(amount) filter (where amount > 0), sum(amount) filter (where amount < 0), sum(amount)"
        " from journal_line where entry_on <= '2025-12-31' group by account"),
    'balance': lambda: trial_balance(*DAYS),
    'vat_direct': lambda: direct(
        "select vat_code, account, sum(amount) from journal_line where vat_code <> ''"
        " and tax_on between '2024-01-01' and '2025-12-31' group by vat_code, account"),
    'vat': lambda: vat_return(*DAYS),
}
times = {}
for name, read in reads.items():
    read()
    times[name] = []
    for _ in range(5):
        began = time.perf_counter()
        read()
        times[name].append((time.perf_counter() - began) * 1000)
print(json.dumps({name: sorted(ms)[2] for name, ms in times.items()}))
"""

SEAL = """
from finance.services.sealing import seal_pending
began = time.perf_counter()
sealed = seal_pending()
print(json.dumps({'rate': sealed / (time.perf_counter() - began), 'sealed': sealed}))
"""


def same_sql() -> str:
    """The statement of one posting as the service runs it, for pgbench."""
    import django

    django.setup()
    from datetime import date
    from decimal import Decimal

    import psycopg
    from psycopg import ClientCursor

    from erp.actor import Actor
    from erp.environment import load_environment
    from finance.serializers import ledger

    rows = (("311", 12700), ("9111", -10000), ("467", -2700), ("8699", 0))
    lines = [ledger.LineDraft(account, Decimal(amount), customer_id=1, vat_code="27") for account, amount in rows]
    draft = ledger.EntryDraft("SAL", date(2026, 3, 10), "KEY", lines, text="bench")
    arguments = ledger.entry_arguments([draft], "HUF", Actor(1, "bench"))
    with psycopg.connect(**load_environment().login("finance").conninfo()) as connection:
        text = ClientCursor(connection).mogrify(ledger._POST, arguments)
    text = text.replace("KEY", "' || :key || '").replace("\n", " ")
    start = text.index("'[{")
    end = text.index("]'", start) + 2
    text = f"{text[:start]}({text[start:end]}){text[end:]}"
    return f"\\set key random(1, 1000000000000)\n{text.strip()};\n"


def fill(lines: int = LINES) -> None:
    """Write the lines as the superuser, in one go."""
    import os

    import psycopg

    from erp.environment import load_environment

    target = load_environment().login("postgres")
    name = os.environ.get("ERP_DATABASE_NAME", target.name)
    with psycopg.connect(**{**target.conninfo(), "dbname": name}, autocommit=True) as admin:
        for statement in (FILL % {"entries": lines // 4}).split(";\n"):
            if statement.strip():
                admin.execute(statement)
        admin.execute("update finance.seal_head set lo = pg_snapshot_xmin(pg_current_snapshot())")
        for table in ("journal_line", "journal_entry", "ledger_balance"):
            admin.execute(f"vacuum analyze finance.{table}")


def measure() -> list[Result]:
    """All rows of this benchmark."""
    fresh_database()
    run_clients(SETUP, 1)
    results: list[Result] = []
    turn = 0

    def rate(code: str, clients: int, **values: Any) -> float:
        nonlocal turn
        turn += 1
        answers: list[Any] = run_clients(code.format(key=f"b{turn}", **values), clients)
        return sum(answer["rate"] for answer in answers)

    script = same_sql()
    for clients in (1, 8):
        rounds = [
            (rate(POST, clients, posts=POSTS), pgbench(script, "finance", clients, 3).tps) for _ in range(ROUNDS)
        ]
        service, limit = median([r for r, _ in rounds]), median([t for _, t in rounds])
        name = f"post a 4-line entry, {clients} clients, vs pgbench same SQL"
        results.append(judge(name, service, limit, ">= 0.4", unit="/s"))
    rounds = [
        (rate(BATCHED, 1, batches=BATCHES, batch=BATCH), rate(BULK, 1, batches=BATCHES // 4, batch=BATCH))
        for _ in range(3)
    ]
    batched, bulk = median([b for b, _ in rounds]), median([o for _, o in rounds])
    results.append(judge("entries in batches of 50 vs one bulk_create each", batched, bulk, ">= 2", unit="/s"))
    sealed: Any = run_clients(SEAL, 1)[0]
    results.append(tell(f"entries sealed (of {sealed['sealed']})", sealed["rate"], unit="/s"))
    fill()
    ms: Any = run_clients(READ, 1)[0]
    for name, key in (("trial balance", "balance"), ("VAT return", "vat")):
        title = f"{name} over {LINES / 1e6:.0f} M lines vs GROUP BY"
        results.append(judge(title, ms[key], ms[f"{key}_direct"], "<= 0.0333", unit="ms"))
    return results


if __name__ == "__main__":
    assert environment.PROJECT_DIR
    report(measure(), "ledger")
