"""Processes that trade, edit, book and copy at full speed until they are told to stop."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.databases import ErpDatabase

_LOOP = """
import itertools, json, random, select, sys
from decimal import Decimal
from erp.actor import Actor
from erp.errors import OwnerBusy, ReaderUnavailable, Refused
ME = Actor(7, "Load")
job = json.loads(sys.stdin.readline())
rng, done = random.Random(job["seed"]), {}
def key():
    return f"{job['seed']}:{rng.random()}"
def stopped():
    return bool(select.select([sys.stdin], [], [], 0)[0])
def loop(steps):
    print("ready", flush=True)
    for step in itertools.cycle(steps):
        if stopped():
            break
        try:
            step()
            name = step.__name__
        except (OwnerBusy, ReaderUnavailable, Refused) as error:  # what another process did in between
            name = type(error).__name__
        done[name] = done.get(name, 0) + 1
    print(json.dumps(done), flush=True)
"""

TRADING = (
    _LOOP
    + """
from finance import api as finance
from logistics import api as logistics
from storefront import api as storefront
from finance.models import Invoice
from finance.services.crediting import issue_credit_note
orders, shipped, numbers = [], [], []
def order():
    lines = [{"product_id": p, "quantity": rng.randint(2, 4)} for p in sorted(rng.sample(job["products"], 2))]
    body = {"customer_id": rng.choice(job["customers"]), "lines": lines}
    orders.append(storefront.place_order(body, actor=ME, idempotency_key=key())["order_id"])
def ship():
    shipped.append(orders.pop(0))
    found = logistics.ship(shipped[-1], None, actor=ME, key=key())
    number = found["shipments"][0]["invoice_number"]
    if number:
        numbers.append(number)
        if rng.random() < 0.5:
            finance.record_payment({"invoice_number": number, "amount": 100, "method": "card"}, actor=ME)
def give_back():
    lines = [{"line_no": 1, "quantity": 1}]
    logistics.receive_return(shipped[-1], lines, actor=ME, key=key(), restock=rng.random() < 0.7)
def credit():
    if numbers:
        invoice = Invoice.objects.get(number=numbers.pop())
        issue_credit_note(invoice.pk, actor=ME, lines=[{"line_no": 2, "quantity": 1}], key=key())
loop([order, ship, give_back, order, ship, credit])
"""
)

BOOKING = (
    _LOOP
    + """
from datetime import date
from admin_app.serializers import CustomerSerializer, ProductSerializer
from finance.services.goods_issues import issue_collective
from admin_app.models import Customer, Product
from finance import api as finance
from logistics import api as logistics
def edit(serializer, model, pk, **data):
    found = serializer(model.objects.get(pk=pk), data=data, partial=True)
    found.is_valid(raise_exception=True)
    found.save()
def customer():
    edit(CustomerSerializer, Customer, rng.choice(job["customers"]), city=f"City {rng.random()}")
def product():
    edit(ProductSerializer, Product, rng.choice(job["products"]), description=f"As of {rng.random()}")
def receipt():
    rows = [{"product_id": rng.choice(job["products"]), "quantity": 5, "unit_cost": Decimal(rng.randint(50, 70))}]
    logistics.receive_goods(rows, actor=ME, key=None, warehouse="MAIN")
def entry():
    lines = [{"account": "522", "debit": 5}, {"account": "384", "credit": 5}]
    finance.post_journal_entry({"entry_on": job["today"], "lines": lines}, actor=ME, posting_key=key())
def deposit():
    finance.record_payment({"customer_id": rng.choice(job["customers"]), "amount": 50}, actor=ME)
def transfer():
    rows = [{"product_id": rng.choice(job["products"]), "quantity": 1}]
    source, target = rng.sample(["MAIN", "SPARE"], 2)
    logistics.transfer_stock(rows, source=source, target=target, actor=ME, key=key())
def collective():
    today = date.fromisoformat(job["today"])
    issue_collective(rng.choice(job["collective"]), today, today, actor=ME)
loop([customer, receipt, product, entry, deposit, transfer, collective])
"""
)

COPYING = (
    _LOOP
    + """
from erp import ownership
from erp.relay import run_relay
from erp.replication.pull import run_copy
from finance.services.reporting.draining import drain
from finance.services.sealing import seal_pending
from logistics.services.collective import collect_invoice_numbers
def copies():
    for entity, source, reader in ownership.windowed_pairs():
        run_copy(entity.name, source, reader)
def relays():
    for module in ("finance", "logistics", "storefront"):
        run_relay(module)
def seals():
    seal_pending()
def collected():
    collect_invoice_numbers()
def reports():
    drain(passes=1)
loop([copies, relays, seals, collected, reports])
"""
)


@contextmanager
def under_load(erp: ErpDatabase, environ: dict[str, str], **job: Any) -> Iterator[dict[str, int]]:
    """Two processes that trade and book, and one that does what beat would have done.

    ``environ`` says where documents are reported.

    Yields counts of what they did, filled in at the end; fails when one of them met an error.
    """
    done: dict[str, int] = {}
    processes = [erp.popen(code, **environ) for code in (TRADING, BOOKING, COPYING)]
    try:
        for seed, process in enumerate(processes):
            _tell(process, {**job, "seed": seed})
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate(timeout=30)[1]
        yield done
    finally:
        answers = [process.communicate("stop\n", timeout=60) for process in processes]
    for process, (output, errors) in zip(processes, answers, strict=True):
        assert process.returncode == 0, errors
        for name, count in json.loads(output.splitlines()[-1]).items():
            done[name] = done.get(name, 0) + count


def _tell(process: subprocess.Popen[str], job: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
