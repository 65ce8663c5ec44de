"""Many processes on the same books: numbers without gap or duplicate, nothing credited or paid twice."""

from __future__ import annotations

import json
import random
import signal
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum

from erp.actor import SYSTEM
from erp.embedded.processes import wait_until
from finance import api
from finance.models import Invoice, InvoiceLine, JournalEntry, NumberSeries, Payment
from finance.services import tie_out
from finance.services.credit_lines import originals_of
from finance.services.crediting import issue_credit_note
from tests.databases import ErpDatabase
from tests.finance.world import BOOKKEEPER, DAY, World, balances, make_world

ISSUER = """
import random
from erp.actor import SYSTEM
from finance.services import crediting, invoicing, issuing
rng = random.Random({seed})
def failing(real, share):
    def call(*arguments, **more):
        answer = real(*arguments, **more)
        if rng.random() < share:
            raise RuntimeError("power cut")
        return answer
    return call
for name in ("write_lines", "write_numbered", "publish_invoices", "check_books"):
    setattr(issuing, name, failing(getattr(issuing, name), 0.07))
last = None
for n in range({invoices}):
    line = {{"name": "Advice", "quantity": 2, "unit_price": "100", "vat_code": rng.choice(["27", "5"])}}
    data = {{"customer_id": {customer}, "issued_on": "2026-03-10", "lines": [line]}}
    try:
        if last and rng.random() < 0.25:
            crediting.issue_credit_note(last, actor=SYSTEM, lines=[{{"line_no": 1, "quantity": 1}}])
            last = None
        else:
            last = invoicing.create_invoice(data, SYSTEM)["id"]
    except RuntimeError:
        pass
"""

DOUBLE_CALLER = """
import json
from erp.fields import load_json
from finance import api
print(api.invoice_goods_issue(load_json({payload!r}))["number"])
"""

CREDITOR = """
from erp.actor import SYSTEM
from erp.errors import Refused
from finance.services.crediting import issue_credit_note
done = 0
for n in range(5):
    try:
        issue_credit_note({invoice}, actor=SYSTEM, lines=[{{"line_no": 1, "quantity": 1}}])
        done += 1
    except Refused:
        pass
print(done)
"""

PAYER = """
from erp.actor import SYSTEM
from erp.errors import Refused
from finance import api
try:
    api.record_payment({{"invoice_id": {invoice}, "amount": 700}}, actor=SYSTEM, idempotency_key={key!r})
except Refused:
    pass
"""

FINALIZER = """
from erp.actor import SYSTEM
from erp.errors import Refused
from finance.services.invoicing import create_invoice
goods = {{"name": "Machine", "quantity": 1, "unit_price": "5000", "vat_code": "27"}}
taken = [
    {{"name": "Advance", "quantity": 1, "unit_price": "-1000", "vat_code": "27", "advance_invoice_id": key}}
    for key in {advances}
]
data = {{"customer_id": {customer}, "issued_on": "2026-03-11", "lines": [goods, *taken]}}
try:
    print(create_invoice(data, SYSTEM)["number"])
except Refused as refusal:
    print(refusal.code)
"""


def test_numbers_have_no_gap_after_failures_and_kills(fresh_erp: ErpDatabase) -> None:
    """Eight processes issue and credit, fail at random between any two steps, and five of them are killed."""
    world = make_world()
    rng = random.Random(5)
    code = [ISSUER.format(seed=s, invoices=22, customer=world.customer) for s in range(8)]
    processes = [fresh_erp.popen(c, ERP_LOCK_TIMEOUT_MS="20000") for c in code]
    for enough in (8, 16, 24, 32, 40):
        assert wait_until(lambda enough=enough: Invoice.objects.count() > enough, timeout_s=120)  # type: ignore[misc]
        rng.choice([p for p in processes if p.poll() is None]).kill()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL), errors
    assert Invoice.objects.count() > 40
    _no_gap("INV")
    _no_gap("CRN")
    _one_balanced_entry_each()
    for reader in ("admin_app", "storefront"):
        with fresh_erp.connect(reader) as c:
            assert c.execute("select count(*) from invoice_copy").fetchone() == (Invoice.objects.count(),)


def _no_gap(series: str) -> None:
    numbers = sorted(Invoice.objects.filter(series=series).values_list("sequence_no", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert NumberSeries.objects.get(code=series).last_no == len(numbers)


def _one_balanced_entry_each() -> None:
    documents = dict(Invoice.objects.values_list("id", "number"))
    assert len(set(documents.values())) == len(documents)
    entries = JournalEntry.objects.filter(posting_key__startswith="invoice:")
    sums = entries.annotate(total=Sum("lines__amount"), debit=Sum("lines__amount", filter=Q(lines__amount__gt=0)))
    found = {e.posting_key: (e.document_number, e.total) for e in sums}
    assert found == {f"invoice:{key}": (number, 0) for key, number in documents.items()}
    assert all(e.debit > 0 for e in sums)
    assert api.books_difference() == 0


def test_one_shipment_called_in_parallel_is_invoiced_once(fresh_erp: ErpDatabase) -> None:
    world = make_world()
    world.receive(world.mug, 5, "10")
    payload = world.issue(world.product_line(world.mug, 2, "100"))
    code = DOUBLE_CALLER.format(payload=json.dumps(payload, default=str))
    processes = [fresh_erp.popen(code, ERP_LOCK_TIMEOUT_MS="20000") for _ in range(4)]
    answers = {p.communicate(timeout=60)[0].strip() for p in processes}
    assert answers == {"INV-2026-000001"}
    assert Invoice.objects.count() == 1
    assert NumberSeries.objects.get(code="INV").last_no == 1


def test_concurrent_credits_never_exceed_the_invoice(fresh_erp: ErpDatabase) -> None:
    world = make_world()
    invoice = _manual(world, quantity=7)
    processes = [fresh_erp.popen(CREDITOR.format(invoice=invoice), ERP_LOCK_TIMEOUT_MS="20000") for _ in range(4)]
    done = [int(p.communicate(timeout=60)[0]) for p in processes]
    assert sum(done) == 7
    credited = InvoiceLine.objects.filter(original_line__invoice_id=invoice)
    assert sum(x.quantity for x in credited) == -7
    assert api.get_invoice(invoice)["credited_total"] == api.get_invoice(invoice)["gross_total"]
    assert NumberSeries.objects.get(code="CRN").last_no == 7


def test_concurrent_payments_settle_once_and_a_key_pays_once(fresh_erp: ErpDatabase) -> None:
    world = make_world()
    invoice = _manual(world, quantity=10)  # 1,270 to be paid, offered four times 700 under three keys
    keys = ["a", "b", "c", "a"]
    processes = [fresh_erp.popen(PAYER.format(invoice=invoice, key=key), ERP_LOCK_TIMEOUT_MS="20000") for key in keys]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert api.get_invoice(invoice)["paid_total"] == Decimal(1270)
    assert Payment.objects.count() in (2, 3)  # the third finds nothing open
    assert sum(p.allocated for p in Payment.objects.all()) == 1270


def test_two_final_invoices_for_the_same_advances_at_once_take_them_off_once(fresh_erp: ErpDatabase) -> None:
    from finance.services.invoicing import create_invoice

    world = make_world()
    line = {"name": "Advance", "quantity": 1, "unit_price": "1000", "vat_code": "27"}
    data = {"kind": "advance", "customer_id": world.customer, "issued_on": DAY, "lines": [line]}
    advances = [int(create_invoice(data, BOOKKEEPER)["id"]) for _ in range(2)]
    orders = (advances, advances[::-1], advances)  # the same advances, named in either order
    code = [FINALIZER.format(advances=keys, customer=world.customer) for keys in orders]
    processes = [fresh_erp.popen(c, ERP_LOCK_TIMEOUT_MS="20000") for c in code]
    answers = sorted(p.communicate(timeout=60)[0].strip() for p in processes)
    assert answers == ["INV-2026-000001", "advance-exceeded", "advance-exceeded"]
    assert balances().get("453", Decimal(0)) == 0
    assert Invoice.objects.filter(kind="final").count() == 1


def _manual(world: World, quantity: int) -> int:
    from finance.services.invoicing import create_invoice

    line = {"name": "Advice", "quantity": quantity, "unit_price": "100", "vat_code": "27"}
    data = {"customer_id": world.customer, "issued_on": DAY, "lines": [line]}
    return int(create_invoice(data, BOOKKEEPER)["id"])


CORRECTOR = """
from decimal import Decimal
from erp.actor import SYSTEM
from erp.errors import Refused
from finance.services.corrections import correct_invoice
done = 0
for n in range(3):
    row = {{"line_no": 1, "pieces": 2, "unit_price": Decimal({price})}}
    try:
        correct_invoice({invoice}, {{"lines": [row]}}, actor=SYSTEM)
        done += 1
    except Refused:
        pass
print(done)
"""


def test_concurrent_corrections_and_credits_never_take_back_more_than_was_charged(fresh_erp: ErpDatabase) -> None:
    world = make_world()
    invoice = _manual(world, quantity=7)
    code = [CORRECTOR.format(invoice=invoice, price=price) for price in (150, 60)] + [CREDITOR.format(invoice=invoice)]
    processes = [fresh_erp.popen(c, ERP_LOCK_TIMEOUT_MS="20000") for c in code]
    answers = [p.communicate(timeout=90) for p in processes]
    assert all(int(out) for out, _ in answers), answers
    issue_credit_note(invoice, actor=SYSTEM)
    chain = Invoice.objects.filter(Q(pk=invoice) | Q(original_id=invoice))
    assert chain.aggregate(net=Sum("net_total"), gross=Sum("gross_total")) == {"net": 0, "gross": 0}
    charged = originals_of([invoice])
    assert all(line.open_quantity == 0 for line in charged)
    assert {api.get_invoice(key)["payment_state"] for key in {line.invoice_id for line in charged}} == {"credited"}
    assert [check.name for check in tie_out.SUBLEDGERS if tie_out.compare(check, date(2100, 1, 1))] == []
