"""Finance's checks find exactly what was planted behind the ledger's back, and nothing in sound books."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from erp.scrubber.result import Findings
from finance import api, checks
from tests.databases import ErpDatabase
from tests.finance.world import BOOKKEEPER, World, make_world

Check = Callable[[Findings], None]


@pytest.fixture
def books(fresh_erp: ErpDatabase) -> Iterator[World]:
    w = make_world()
    w.receive(w.mug, 10, "600")
    sale = w.sell(w.product_line(w.mug, 3, "1000"), w.product_line(w.tea, 2, "500", "5", move_id=None))
    api.record_payment({"invoice_id": sale["id"], "amount": 1000}, actor=BOOKKEEPER)
    api.credit_return(w.give_back(w.product_line(w.mug, 1, "1000"), order_id=sale["order_id"]))
    w.sell(w.product_line(w.mug, 1, "777"))
    return w


def found(check: Check) -> set[str]:
    findings = Findings()
    check(findings)
    assert findings.compared > 0
    return {sample.key for sample in findings.samples}


def plant(erp: ErpDatabase, *statements: str) -> None:
    """Change rows as a superuser, with every trigger off."""
    with erp.connect() as c, c.transaction():
        c.execute("set local session_replication_role = replica")
        c.execute("set local search_path = finance")
        for statement in statements:
            c.execute(statement)  # type: ignore[arg-type]


def test_sound_books_give_no_finding(books: World) -> None:
    for check in (checks.check_double_entry, checks.check_vat, checks.check_subledgers):
        assert found(check) == set()


@pytest.mark.parametrize(
    ("statement", "key"),
    [
        ("update journal_line set amount = amount + 1 where entry_id = 2 and line_no = 1", "finance/journal_entry 2"),
        ("delete from journal_line where entry_id = 2", "finance/journal_entry 2"),
        ("delete from journal_entry where posting_key = 'invoice:1'", "finance/invoice INV-2026-000001"),
        ("update journal_line set account = '0' where entry_id = 2 and line_no = 1", "finance/journal_line "),
    ],
)
def test_broken_entries_are_found(books: World, fresh_erp: ErpDatabase, statement: str, key: str) -> None:
    plant(fresh_erp, statement)
    assert any(k.startswith(key) for k in found(checks.check_double_entry))


def test_vat_moved_between_codes_is_found(books: World, fresh_erp: ErpDatabase) -> None:
    plant(fresh_erp, "update journal_line set vat_code = '18' where account = '467' and vat_code = '5'")
    assert found(checks.check_vat) == {"VAT code 18", "VAT code 5"}


def test_document_that_is_not_its_lines_is_found(books: World, fresh_erp: ErpDatabase) -> None:
    plant(fresh_erp, "update invoice_line set net = net + 1, gross = gross + 1 where invoice_id = 1 and line_no = 1")
    assert found(checks.check_vat) == {"finance/invoice INV-2026-000001"}


PLANTED = {
    "settlement of INV-2026-000001": "update invoice_settlement set paid_total = paid_total + 1 where invoice_id = 1",
    "payment PAY-2026-000001": "update payment set allocated = allocated - 1",
    "cost of product 1": "update product_cost set value = value + 1 where quantity > 0",
    "inventory of product 1": "update product_cost set value = value + 1 where quantity > 0",
    "series INV 2026": "update number_series set last_no = last_no + 1 where code = 'INV'",
    "finance/invoice INV-2026-000001 line 1": (
        "update invoice_line set quantity = -5 where original_line_id is not null"
    ),
    "receivables of customer": (
        "update journal_line set amount = amount + 1 where account = '311' and document_kind = 'payment'"
    ),
}


@pytest.mark.parametrize("key", PLANTED)
def test_broken_subledgers_are_found(books: World, fresh_erp: ErpDatabase, key: str) -> None:
    plant(fresh_erp, PLANTED[key])
    assert any(k.startswith(key) for k in found(checks.check_subledgers)), found(checks.check_subledgers)
