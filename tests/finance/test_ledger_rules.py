"""What PostgreSQL itself enforces of the ledger, whoever asks and however."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from finance import api
from finance.errors import (
    AlreadyPosted,
    DateTooFarAhead,
    NotReversible,
    PeriodClosed,
    UnbalancedEntry,
    UnknownAccount,
)
from finance.models import FiscalPeriod, JournalEntry, JournalLine
from finance.services.periods import set_state
from finance.services.posting import reverse_entry
from tests.databases import ErpDatabase
from tests.finance.world import BOOKKEEPER, World, number

ENTRY = """insert into journal_entry (journal, entry_on, posting_key, actor_name, text, document_kind, document_number)
           values ('GEN', '2026-03-10', %s, 'sql', '', '', '') returning id"""
LINE = """insert into journal_line (entry_id, line_no, account, account_name, amount, document_amount, currency, text,
            document_kind, document_number, vat_code)
          values (%s, %s, %s, 'x', %s, 0, 'HUF', '', '', '', '')"""


def entry(*amounts: int, on: str = "2026-03-10", account: str = "384", **more: Any) -> dict[str, Any]:
    lines = [{"account": account, "amount": Decimal(a)} for a in amounts]
    return api.post_journal_entry(
        {"entry_on": on, "lines": lines, **more}, actor=BOOKKEEPER, posting_key=f"test:{number()}"
    )


def raw(erp: ErpDatabase, *amounts: int) -> None:
    """Post by raw SQL as the runtime role."""
    with erp.connect("finance") as c, c.transaction():
        row = c.execute(ENTRY, [f"raw:{number()}"]).fetchone()
        assert row
        for n, amount in enumerate(amounts, start=1):
            c.execute(LINE, [row[0], n, "384", amount])


def test_unbalanced_entry_is_refused_with_the_difference(world: World) -> None:
    with pytest.raises(UnbalancedEntry, match="Debits exceed credits by 1"):
        entry(100, -99)


def test_unbalanced_raw_sql_is_refused_at_commit(world: World, module_erp: ErpDatabase) -> None:
    raw(module_erp, 100, -100)
    with pytest.raises(psycopg.Error, match="does not balance: debit exceeds credit by 1"):
        raw(module_erp, 100, -99)


def test_entry_without_lines_is_refused_at_commit(world: World, module_erp: ErpDatabase) -> None:
    with pytest.raises(psycopg.Error, match="fewer than two lines"):
        raw(module_erp)
    with pytest.raises(psycopg.Error, match="fewer than two lines"):
        raw(module_erp, 0)


def test_line_slipped_in_before_the_last_is_summed_too(world: World, module_erp: ErpDatabase) -> None:
    with module_erp.connect("finance") as c, c.transaction(force_rollback=True):
        row = c.execute(ENTRY, [f"raw:{number()}"]).fetchone()
        assert row
        c.execute(LINE, [row[0], 1, "384", 100])
        c.execute(LINE, [row[0], 9, "384", -100])
        c.execute("set constraints all immediate")
        # A low line number and a low id of its own must not hide it from the check.
        slipped = LINE.replace("(entry_id", "(id, entry_id").replace("(%s, %s", "(1, %s, %s", 1)
        with pytest.raises(psycopg.Error, match="does not balance"):
            c.execute(slipped, [row[0], 5, "384", 7])


def test_posted_entry_takes_no_further_lines(world: World, module_erp: ErpDatabase) -> None:
    done = entry(100, -100)
    with module_erp.connect("finance") as c, pytest.raises(psycopg.Error, match="was posted before"):
        c.execute(LINE, [done["id"], 3, "384", 0])


@pytest.mark.parametrize("table", ["journal_entry", "journal_line", "valued_move", "payment_allocation"])
@pytest.mark.parametrize("role", ["finance", "finance_ddl", "postgres"])
def test_append_only_tables_refuse_changes(world: World, module_erp: ErpDatabase, table: str, role: str) -> None:
    entry(1, -1)
    world.receive(world.mug, 1, "5")
    invoice = world.sell(world.product_line(world.mug, 1, "10"))
    api.record_payment({"invoice_id": invoice["id"], "amount": 5}, actor=BOOKKEEPER)
    for change in ("update finance.{} set id = id", "delete from finance.{}", "truncate finance.{} cascade"):
        with module_erp.connect(role) as c, pytest.raises(psycopg.Error, match="append-only|permission denied"):
            c.execute(change.format(table))  # type: ignore[arg-type]


def test_posting_key_is_posted_once(world: World) -> None:
    data = {"entry_on": "2026-03-10", "lines": [{"account": "522", "debit": 5}, {"account": "384", "credit": 5}]}
    first = api.post_journal_entry(data, actor=BOOKKEEPER, posting_key="rent march")
    again = api.post_journal_entry(data, actor=BOOKKEEPER, posting_key="rent march")
    assert (first["repeated"], again["repeated"], again["id"]) == (False, True, first["id"])


def test_group_and_unknown_accounts_take_no_postings(world: World) -> None:
    for account in ("38", "999999"):
        with pytest.raises(UnknownAccount):
            entry(1, -1, account=account)


def test_reversal_is_the_opposite_and_made_once(world: World) -> None:
    done = entry(250, -250)
    back = reverse_entry(done["id"], actor=BOOKKEEPER)
    assert [line["amount"] for line in back["lines"]] == [-250, 250]
    with pytest.raises(AlreadyPosted):
        reverse_entry(done["id"], actor=BOOKKEEPER)
    with pytest.raises(AlreadyPosted, match="is a reversal itself"):
        reverse_entry(back["id"], actor=BOOKKEEPER)


def test_entry_of_a_document_is_corrected_by_a_document(world: World) -> None:
    world.receive(world.mug, 1, "5")
    invoice = world.sell(world.product_line(world.mug, 1, "10"))
    booked = JournalEntry.objects.get(posting_key=f"invoice:{invoice['id']}")
    with pytest.raises(NotReversible, match="INV-2026-"):
        reverse_entry(booked.pk, actor=BOOKKEEPER)


def test_date_far_in_the_future_is_refused_and_opens_no_year(world: World) -> None:
    with pytest.raises(DateTooFarAhead, match="2062-03-01 is too far ahead"):
        entry(1, -1, on="2062-03-01")
    with pytest.raises(DateTooFarAhead):
        world.sell(world.product_line(world.mug, 1, "10", move_id=None), issued_on=date(2062, 3, 1))
    with pytest.raises(DateTooFarAhead):
        api.record_payment(
            {"customer_id": world.customer, "amount": 5, "currency": "HUF", "received_on": "2062-03-01"},
            actor=BOOKKEEPER,
        )
    assert not FiscalPeriod.objects.filter(fiscal_year=2062).exists()


def test_locked_months_take_no_postings(world: World, module_erp: ErpDatabase) -> None:
    entry(1, -1, on="2019-02-03")
    months = {p.code: p for p in FiscalPeriod.objects.filter(fiscal_year=2019)}
    assert len(months) == 12
    set_state(months["2019-01"].pk, "locked", actor=BOOKKEEPER)
    with pytest.raises(PeriodClosed, match="2019-01 is locked"):
        entry(1, -1, on="2019-01-31")
    with pytest.raises(PeriodClosed, match="later months are closed"):
        entry(1, -1, on="2018-12-31")
    set_state(months["2019-02"].pk, "soft_locked", actor=BOOKKEEPER)
    with pytest.raises(PeriodClosed, match="2019-02 is soft_locked"):
        entry(1, -1, on="2019-02-28")
    set_state(months["2019-02"].pk, "open", actor=BOOKKEEPER, reason="late invoice")
    entry(1, -1, on="2019-02-28")


@pytest.mark.parametrize("role", ["finance", "finance_ddl", "postgres"])
def test_hard_lock_stays(world: World, module_erp: ErpDatabase, role: str) -> None:
    entry(1, -1, on="2022-02-05")
    FiscalPeriod.objects.filter(code="2022-01", state="open").update(state="locked")
    with module_erp.connect(role) as c, pytest.raises(psycopg.Error, match="a hard lock stays"):
        c.execute("update finance.fiscal_period set state = 'open' where code = '2022-01'")


def test_amounts_keep_both_currencies(world: World) -> None:
    done = entry(10, -10, currency="EUR", account="386")
    lines = JournalLine.objects.filter(entry_id=done["id"]).order_by("line_no")
    assert [(x.amount, x.document_amount, x.currency) for x in lines] == [(3900, 10, "EUR"), (-3900, -10, "EUR")]
