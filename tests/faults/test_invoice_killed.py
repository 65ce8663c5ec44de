"""A process that dies while it issues an invoice: nothing of it is there, and the repeat makes one without a gap."""

from __future__ import annotations

import json
import signal

import pytest

from erp.fields import load_json
from finance import api
from finance.models import Invoice, JournalEntry, NumberSeries, ProductCost, ValuedMove
from tests.databases import ErpDatabase
from tests.finance.world import make_world

ISSUE = """
from erp.fields import load_json
from finance import api
api.invoice_goods_issue(load_json({payload!r}))
"""


@pytest.mark.parametrize("point", ["before_number", "after_number", "before_commit"])
def test_killed_issue_is_repeated_with_one_effect(fresh_erp: ErpDatabase, point: str) -> None:
    world = make_world()
    world.receive(world.mug, 5, "10")
    payload = json.dumps(world.issue(world.product_line(world.mug, 2, "100")), default=str)
    died = fresh_erp.python(ISSUE.format(payload=payload), check=False, ERP_FAULT_POINT=f"invoice:{point}")
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert (Invoice.objects.count(), NumberSeries.objects.count(), ValuedMove.objects.count()) == (0, 0, 1)
    for _ in range(2):
        api.invoice_goods_issue(load_json(payload))
    assert list(Invoice.objects.values_list("number", flat=True)) == ["INV-2026-000001"]
    assert JournalEntry.objects.count() == 3  # receipt, invoice, cost of goods
    assert ProductCost.objects.get(pk=world.mug).quantity == 3
    assert api.books_difference() == 0
