"""The chains of entries and documents: whatever a superuser changes behind the rules is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connections

from erp.board.metrics import families
from erp.board.state import board_as_json
from erp.db import module_transaction
from erp.embedded.processes import wait_until
from erp.watchdog import look
from finance.models import EntrySeal, FiscalPeriod, InvoiceSeal, JournalEntry, JournalLine, SealHead
from finance.services import payments, periods, posting, sealing
from tests.databases import ErpDatabase
from tests.finance.world import BOOKKEEPER, DAY, World, make_world, number


def post(amount: str = "100") -> int:
    """A manual entry; its id."""
    lines = [{"account": "381", "debit": amount}, {"account": "9111", "credit": amount}]
    return int(
        posting.post_journal_entry(
            {"entry_on": DAY, "lines": lines}, actor=BOOKKEEPER, posting_key=f"manual:{number()}"
        )["id"]
    )


TABLES = (
    "journal_entry",
    "journal_line",
    "entry_seal",
    "invoice",
    "invoice_line",
    "invoice_seal",
    "seal_head",
    "seal_mark",
)


@pytest.fixture(scope="module")
def world(module_erp: ErpDatabase) -> World:
    """Three entries and three invoices, sealed and verified."""
    world = make_world()
    for _ in range(3):
        post()
        world.receive(world.mug, 5, "400")
        world.sell(world.product_line(world.mug, 1, "1000"), world.product_line(world.tea, 2, "500", "5", move_id=None))
    assert sealing.verify().damages == []
    return world


@pytest.fixture
def superuser(world: World, module_erp: ErpDatabase) -> Iterator[psycopg.Connection]:
    """Somebody who passes every trigger; the books are put back as they were afterwards."""
    assert sealing.verify().damages == []
    with module_erp.connect() as connection:
        connection.execute("set session_replication_role = replica")
        for table in TABLES:
            connection.execute(f"create temp table kept_{table} as table finance.{table}")
        yield connection
        for table in TABLES:
            connection.execute(f"delete from finance.{table}")
            connection.execute(f"insert into finance.{table} select * from kept_{table}")


def first_damage() -> str:
    """What the default verification names, once no transaction of the server is older than what was changed."""
    found: list[str] = []

    def look() -> bool:
        damage = sealing.verify().first
        found[:] = [damage.message] if damage else []
        return bool(found)

    assert wait_until(look, 60, 0.1)
    return found[0]


def test_entries_are_sealed_once_in_the_order_of_their_commits(world: World) -> None:
    assert EntrySeal.objects.count() == JournalEntry.objects.count()
    assert sorted(EntrySeal.objects.values_list("no", flat=True)) == list(range(1, JournalEntry.objects.count() + 1))
    late, early = threading.Event(), threading.Event()
    ids: dict[str, int] = {}

    def post_slowly() -> None:
        with module_transaction("finance"):
            ids["slow"] = post()
            early.set()
            late.wait(20)
        connections["finance"].close()

    thread = threading.Thread(target=post_slowly)
    thread.start()
    early.wait(20)
    ids["fast"] = post()
    assert sealing.seal_pending() == 1  # the open transaction holds nobody up
    late.set()
    thread.join()
    assert sealing.seal_pending() == 1
    assert sealing.seal_pending() == 0
    order = list(EntrySeal.objects.order_by("no").values_list("entry_id", flat=True))
    assert ids["slow"] < ids["fast"]
    assert order[-2:] == [ids["fast"], ids["slow"]]


def test_small_batches_make_the_same_chain(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH_LINES", 2)
    with module_transaction("finance"):
        for _ in range(4):
            post()
    assert sealing.seal_pending() == 4
    monkeypatch.setattr("finance.services.verifying.BATCH", 3)
    assert sealing.verify(full=True).damages == []


def test_changed_ledger_line_is_named(world: World, superuser: psycopg.Connection) -> None:
    line = JournalLine.objects.order_by("id")[3]
    superuser.execute("update finance.journal_line set amount = amount + 1 where id = %s", [line.pk])
    assert (
        first_damage()
        == f"line {line.line_no} of journal entry {line.entry_id} was changed or added after it was sealed"
    )


def test_changed_entry_is_named(world: World, superuser: psycopg.Connection) -> None:
    entry = JournalEntry.objects.order_by("id")[1]
    superuser.execute("update finance.journal_entry set text = 'x' where id = %s", [entry.pk])
    assert first_damage() == f"journal entry {entry.pk} was changed after it was sealed"


def test_deleted_line_and_deleted_last_entry_are_named(world: World, superuser: psycopg.Connection) -> None:
    line, last = JournalLine.objects.order_by("id")[0], JournalEntry.objects.order_by("id").last()
    assert last
    superuser.execute("delete from finance.journal_line where id = %s", [line.pk])
    superuser.execute("delete from finance.journal_entry where id = %s", [last.pk])
    messages = [damage.message for damage in sealing.verify().damages]
    assert messages == [
        f"line {line.line_no} of journal entry {line.entry_id} is gone",
        f"journal entry {last.pk} is gone",
    ]


def test_entry_deleted_with_its_seal_leaves_a_gap(world: World, superuser: psycopg.Connection) -> None:
    last, middle = EntrySeal.objects.order_by("no").last(), EntrySeal.objects.order_by("no")[2]
    assert last
    for seal in (middle, last):
        for table, column in (("journal_line", "entry_id"), ("journal_entry", "id"), ("entry_seal", "entry_id")):
            superuser.execute(f"delete from finance.{table} where {column} = %s", [seal.entry_id])
        assert f"ledger: seals {seal.no} are gone" in [d.message for d in sealing.verify().damages]


def test_chain_cut_off_with_its_head_is_seen_by_the_last_verification(
    world: World, superuser: psycopg.Connection
) -> None:
    last = EntrySeal.objects.order_by("no").last()
    assert last
    superuser.execute("delete from finance.journal_line where entry_id = %s", [last.entry_id])
    superuser.execute("delete from finance.journal_entry where id = %s", [last.entry_id])
    superuser.execute("delete from finance.entry_seal where no = %s", [last.no])
    superuser.execute(
        "update finance.seal_head set last_no = last_no - 1,"
        " last_hash = (select hash from finance.entry_seal order by no desc limit 1)"
    )
    assert first_damage() == f"ledger: verified up to {last.no}, but it now ends at {last.no - 1}"


def test_rewritten_seal_is_named(world: World, superuser: psycopg.Connection) -> None:
    superuser.execute("update finance.entry_seal set header = sha256('x') where no = 2")
    superuser.execute("update finance.entry_seal set hash = sha256('y') where no = 4")
    messages = [damage.message for damage in sealing.verify(full=True).damages]
    assert any("seal 2 of" in m and "rewritten" in m for m in messages)
    assert any("seal 4 of" in m for m in messages)


def test_entry_written_past_the_rules_is_named(world: World, superuser: psycopg.Connection) -> None:
    entry = JournalEntry.objects.order_by("id").last()
    assert entry
    superuser.execute(
        "insert into finance.journal_entry (id, journal, kind, entry_on, period, posting_key, actor_name, xid)"
        " select 999999, journal, kind, entry_on, period, 'stranger', '', xid from finance.journal_entry where id = %s",
        [entry.pk],
    )
    assert first_damage().startswith("journal entry 999999 (stranger) was never sealed")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("update finance.invoice set note = 'x' where id = {id}", "document {number} was changed after it was sealed"),
        (
            "update finance.invoice_line set name = 'x' where invoice_id = {id} and line_no = 2",
            "line 2 of document {number} was changed or added after it was sealed",
        ),
        (
            "delete from finance.invoice_line where invoice_id = {id} and line_no = 1",
            "line 1 of document {number} is gone",
        ),
        ("delete from finance.invoice where id = {id}", "document {number} is gone"),
        ("delete from finance.invoice_seal where invoice_id = {id}", "INV {year}: seals 3 are gone"),
    ],
)
def test_altered_document_is_named(world: World, superuser: psycopg.Connection, change: str, message: str) -> None:
    seal = InvoiceSeal.objects.order_by("sequence_no").last()
    assert seal
    superuser.execute(change.format(id=seal.invoice_id))
    expected = message.format(number=seal.number, year=DAY.year)
    assert first_damage() == expected


def test_payment_state_of_a_document_may_move(world: World) -> None:
    invoice = InvoiceSeal.objects.order_by("sequence_no")[0]
    payments.record_payment(
        {"invoice_number": invoice.number, "amount": "100", "method": "cash"}, actor=BOOKKEEPER, idempotency_key="k"
    )
    assert sealing.verify(full=True).damages == []


def test_large_books_are_verified_from_the_last_verified_seal(
    world: World, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finance.services.verifying.WHOLE_UP_TO", 0)
    old, new = EntrySeal.objects.order_by("no")[0], post()
    superuser.execute("update finance.journal_entry set text = 'x' where id = %s", [old.entry_id])
    found = sealing.verify()
    assert (found.is_full, found.entries, found.damages) == (False, 1, [])
    superuser.execute("update finance.journal_entry set text = 'x' where id = %s", [new])
    assert sealing.verify().entries == 0
    assert [d.key for d in sealing.verify(full=True).damages] == [str(old.entry_id), str(new)]


def test_command_exits_1_and_names_the_row(
    module_erp: ErpDatabase, world: World, superuser: psycopg.Connection
) -> None:
    assert module_erp.manage("verify_books").returncode == 0
    entry = JournalEntry.objects.order_by("id")[0]
    superuser.execute("update finance.journal_entry set entry_on = entry_on + 1 where id = %s", [entry.pk])
    done = module_erp.manage("verify_books", "--json", check=False)
    assert done.returncode == 1
    assert f'"key": "{entry.pk}"' in done.stdout


def test_entry_that_waits_too_long_is_an_incident(world: World, superuser: psycopg.Connection) -> None:
    assert sealing.lag_s() == 0
    post()
    assert sealing.lag_s() < 60
    early = SealHead.objects.get().ran_at
    assert early
    superuser.execute("update finance.seal_head set ran_at = %s", [early - timedelta(seconds=90)])
    superuser.execute("update finance.journal_entry set created_at = created_at - interval '90 s'")
    assert sealing.lag_s() > 60
    assert "seal" in look()
    (shown,) = [row for row in board_as_json()["lags"] if row["key"] == "seal"]
    assert (shown["is_late"], shown["limit_s"]) == (True, 60)
    lags = {sample.labels["name"]: sample.value for family in families() for sample in family.samples
            if sample.name == "erp_lag_seconds"}  # fmt: skip
    assert lags["seal"] > 60


def test_restored_books_are_sealed_on(world: World, superuser: psycopg.Connection) -> None:
    """In another cluster transaction ids begin anew: what is sealed stays sealed, what waits is found."""
    waiting: Any = post()
    superuser.execute("update finance.seal_head set system_identifier = 'another', lo = '999999999'")
    assert sealing.seal_pending() == 1
    assert EntrySeal.objects.filter(entry_id=waiting).exists()


def test_closing_a_period_seals_what_waits(world: World) -> None:
    post()
    waiting = JournalEntry.objects.order_by("id").last()
    assert waiting
    for period in FiscalPeriod.objects.filter(starts_on__lte=DAY).order_by("starts_on"):
        periods.set_state(period.pk, "locked", actor=BOOKKEEPER)
    assert EntrySeal.objects.filter(entry_id=waiting.pk).exists()
