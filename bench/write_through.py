"""Write-through of a customer through its serializer, against a plain Django save and against pgbench."""

from __future__ import annotations

import re
from typing import Any

from bench import environment
from bench.harness import PgBench, Result, fresh_database, judge, median, percentile, pgbench, report, run_clients

ROUNDS = 5
WRITES = 300
CUSTOMERS = 200

SETUP = """
from admin_app.serializers import CustomerSerializer
CustomerSerializer.bulk_save([{'external_ref': f'b:{i}', 'name': f'n{i}'} for i in range(%d)], validate=False)
print(json.dumps({}))
"""

LOOP = """
from admin_app.models import Customer
from admin_app.serializers import CustomerSerializer
from erp.permit import write_permit
rows = list(Customer.objects.order_by('id')[client * 20:client * 20 + 20])
def plain(row, city):
    row.city = city
    with write_permit('customer'):
        row.save()
    return row
def through(row, city):
    s = CustomerSerializer(row, data={{'city': city}}, partial=True)
    s.is_valid(raise_exception=True)
    return s.save()
times = {{'plain': [], 'through': []}}
for n in range({writes} + 20):
    for write in ({writers}):
        began = time.perf_counter()
        rows[n % 20] = write(rows[n % 20], f'{{write.__name__}} {{n}}')
        if n >= 20:
            times[write.__name__].append((time.perf_counter() - began) * 1000)
print(json.dumps(times))
"""


def times_ms(clients: int) -> tuple[list[float], list[float]]:
    """Latencies of plain saves and of write-throughs, of all clients together.

    One client takes them in turn, under the same conditions. Several take each on its own: in turn, plain saves
    would queue behind other clients' write-throughs, and the ratio would flatter.
    """
    runs = ("plain, through",) if clients == 1 else ("plain,", "through,")
    answers: list[Any] = [
        a for writers in runs for a in run_clients(LOOP.format(writes=WRITES, writers=writers), clients)
    ]
    plain, through = ([ms for answer in answers for ms in answer[name]] for name in ("plain", "through"))
    return plain, through


def same_sql() -> str:
    """The statement of one write-through as the serializer runs it, for pgbench."""
    from erp import ownership
    from erp.publishing import publishing_sql

    change = (
        "update customer t set city = 'c' || :id, version = t.version + 1, updated_at = clock_timestamp() "
        "from l where t.id = :id returning t.*"
    )
    statement = publishing_sql(ownership.entity("customer"), "admin_app", change)
    for value in ("null::bigint", "'bench'", "'r'"):
        statement = re.sub(r"%s::\w+", value, statement, count=1)
    return f"\\set id random(1, {CUSTOMERS})\n{statement.strip().replace(chr(10), ' ')};\n"


def plain_sql() -> str:
    """A plain one-row update, for pgbench."""
    return (
        f"\\set id random(1, {CUSTOMERS})\n"
        "update customer t set city = 'c' || :id, version = version + 1, updated_at = clock_timestamp() "
        "where t.id = :id;\n"
    )


def measure() -> list[Result]:
    """All rows of this benchmark."""
    import django

    fresh_database()
    django.setup()
    run_clients(SETUP % CUSTOMERS, 1)
    results = []
    for clients, goal in ((1, "<= 2"), (8, "<= 2.5")):
        plain: list[list[float]] = []
        through: list[list[float]] = []
        for _ in range(ROUNDS):
            for taken, kept in zip(times_ms(clients), (plain, through), strict=True):
                kept.append(taken)
        p50 = median([percentile(t, 0.5) for t in through]), median([percentile(t, 0.5) for t in plain])
        p99 = median([percentile(t, 0.99) for t in through]), median([percentile(t, 0.99) for t in plain])
        results.append(judge(f"write-through p50, {clients} clients, vs plain save", *p50, goal, unit="ms"))
        results.append(judge(f"write-through p99, {clients} clients, vs plain save", *p99, "<= 4", unit="ms"))
        same: PgBench = pgbench(same_sql(), "admin_app", clients)
        bare: PgBench = pgbench(plain_sql(), "admin_app", clients)
        for name, value, limit, most in (
            (f"write-through p50, {clients} clients, vs pgbench same SQL", p50[0], same.latency_ms, "<= 10"),
            (f"pgbench same SQL vs plain update, {clients} clients", same.latency_ms, bare.latency_ms, "<= 2.5"),
        ):
            results.append(judge(name, value, limit, most, unit="ms"))
    return results


if __name__ == "__main__":
    assert environment.PROJECT_DIR
    report(measure(), "write_through")
