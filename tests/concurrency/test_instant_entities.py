"""Instant writes by many processes at once: owner and copies agree on every version, no conflict is lost."""

from __future__ import annotations

import json

from erp.replication.resync import resync
from tests.databases import ErpDatabase

WRITER = """
import json, random
from admin_app.models import Customer
from admin_app.serializers import CustomerSerializer
from erp.db import counters
rng = random.Random({seed})
keys = list(Customer.objects.values_list("id", flat=True))
for n in range({writes}):
    row = Customer.objects.get(pk=rng.choice(keys))
    serializer = CustomerSerializer(row, data={{"city": f"{seed}-{{n}}"}}, partial=True)
    serializer.is_valid(raise_exception=True)
    serializer.save()
print(json.dumps(counters))
"""

BATCH_WRITER = """
import json, random
from admin_app.serializers import CustomerSerializer
from erp.db import counters
rng = random.Random({seed})
for n in range({rounds}):
    names = [f"x:{{i}}" for i in rng.sample(range(1500), 1000)]
    rng.shuffle(names)
    CustomerSerializer.bulk_save([{{"external_ref": r, "name": f"{seed}-{{n}}"}} for r in names], validate=False)
print(json.dumps(counters))
"""


def versions(erp: ErpDatabase, role: str, table: str) -> dict[int, tuple[int, str]]:
    with erp.connect(role) as connection:
        rows = connection.execute(f"select id, version, city || '/' || name from {table}").fetchall()
    return {key: (version, text) for key, version, text in rows}


def test_500_writes_over_8_processes_leave_owner_and_copies_equal(fresh_erp: ErpDatabase) -> None:
    fresh_erp.python(
        "from admin_app.serializers import CustomerSerializer\n"
        "CustomerSerializer.bulk_save([{'external_ref': f'x:{i}', 'name': 'n'} for i in range(12)])"
    )
    writers = [fresh_erp.popen(WRITER.format(seed=s, writes=63)) for s in range(8)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    owner = versions(fresh_erp, "admin_app", "customer")
    assert sum(v - 1 for v, _ in owner.values()) == 8 * 63
    for reader in ("finance", "logistics", "storefront"):
        assert versions(fresh_erp, reader, "customer_copy") == owner
    with fresh_erp.connect("admin_app") as connection:
        assert connection.execute("select count(*) from change_journal").fetchone() == (12 + 8 * 63,)


def test_overlapping_batches_beside_a_resync_meet_no_deadlock(fresh_erp: ErpDatabase) -> None:
    writers = [fresh_erp.popen(BATCH_WRITER.format(seed=s, rounds=3), ERP_LOCK_TIMEOUT_MS="30000") for s in range(8)]
    rounds = 0
    while any(writer.poll() is None for writer in writers):
        resync("customer", "finance")
        rounds += 1
    for writer in writers:
        output, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
        assert json.loads(output) == {"deadlocks": 0, "serialization_failures": 0}
    assert rounds > 0
    owner = versions(fresh_erp, "admin_app", "customer")
    assert len(owner) > 1000
    for reader in ("finance", "logistics", "storefront"):
        assert versions(fresh_erp, reader, "customer_copy") == owner
