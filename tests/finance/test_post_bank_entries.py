"""Bank entries that no customer pays: posted to accounts, undone, and every statement compared with the ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connections

from erp.actor import SYSTEM, Actor
from erp.db import module_transaction
from erp.errors import Refused
from finance import api
from finance.errors import NotBookable, NotReversible, PeriodClosed, UnknownAccount
from finance.models import BankEntry, BankStatement, FiscalPeriod, JournalEntry, Payment
from finance.services import bank_balances, bank_posting, periods, posting, refunds, tie_out
from finance.services.bank_import import import_statements, read_statements
from finance.services.bank_matching import book_entry, set_aside
from finance.services.open_items import open_items, open_payments, receivables_balance
from tests.finance.test_import_bank_statements import ACCOUNT, camt, entry, invoice, load
from tests.finance.world import World, balances, posted
from tests.people import staff_client

D = Decimal
MARCH_12 = date(2026, 3, 12)


def opening(amount: int, on: str = "2026-03-01") -> None:
    """The bank account's balance when the books begin."""
    lines = [{"account": "384", "amount": amount}, {"account": "411", "amount": -amount}]
    posting.post_journal_entry({"entry_on": on, "lines": lines}, actor=SYSTEM, posting_key=f"manual:opening-{on}")


def of(ref: str) -> BankEntry:
    return BankEntry.objects.get(entry_ref=ref)


def check(ref: str = "S1") -> bank_balances.BalanceCheck:
    return bank_balances.check_balance(BankStatement.objects.get(statement_ref=ref))


def test_fee_interest_supplier_and_own_transfer_are_posted_to_accounts(fresh_world: World) -> None:
    opening(1000)
    moves = (("FEE", -120, "532"), ("INT", 7, "974"), ("SUP", -300, "4541"), ("OWN", 400, "389"))
    load(camt("S1", *(entry(ref, amount, ref) for ref, amount, _ in moves), closing=987))
    assert (check().open_count, check().is_settled) == (4, False)
    for ref, amount, account in moves:
        done = bank_posting.post_to_accounts(of(ref).pk, [{"account": account}], actor=SYSTEM, text=f"{ref} of March")
        assert posted(kind="bank_entry", key=of(ref).pk) == {"384": D(amount), account: D(-amount)}
        booked = JournalEntry.objects.get(pk=done["id"])
        assert (booked.journal_id, booked.entry_on, booked.text) == ("BNK", MARCH_12, f"{ref} of March")
        assert (booked.document_number, of(ref).state, of(ref).journal_entry_id) == (ref, "booked", booked.pk)
    found = check()
    assert (found.is_settled, found.bank, found.ledger, found.difference) == (True, D(987), D(987), D(0))
    assert tie_out.differences(MARCH_12) == []


def test_entry_is_split_over_accounts_to_the_unit(world: World) -> None:
    load(camt("S-SPLIT", entry("SPLIT", -1000), closing=0))
    key = of("SPLIT").pk
    for wrong, said in (
        ([], "Name accounts"), ([{"account": "532", "amount": 900}], "the amounts given are 900"),
        ([{"account": "532"}, {"account": "4541"}], "only one line"),
        ([{"account": "532", "amount": 1000}, {"account": "4541"}], "the amounts given are 1000"),
        ([{"account": "311"}], "customer's documents instead"), ([{"account": "384"}], "own transfers go to 389"),
    ):  # fmt: skip
        with pytest.raises(NotBookable, match=said):
            bank_posting.post_to_accounts(key, wrong, actor=SYSTEM)
    with pytest.raises(UnknownAccount):
        bank_posting.post_to_accounts(key, [{"account": "5"}], actor=SYSTEM)
    assert of("SPLIT").state == "open"
    bank_posting.post_to_accounts(
        key, [{"account": "532", "amount": D("120.5")}, {"account": "4541", "text": "Freight"}], actor=SYSTEM
    )
    assert posted(kind="bank_entry", key=key) == {"384": D(-1000), "532": D(121), "4541": D(879)}


def test_foreign_entry_is_posted_at_the_rate_of_its_day(fresh_world: World) -> None:
    content = camt("S1", entry("A1", -10, "fee").replace("HUF", "EUR"), closing=990).replace(b"HUF", b"EUR")
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-03-12", "rate": "391.23"}])
    import_statements(read_statements(content), actor=SYSTEM)
    done = bank_posting.post_to_accounts(of("A1").pk, [{"account": "532"}], actor=SYSTEM)
    assert posted(kind="bank_entry", key=of("A1").pk) == {"386": D(-3912), "532": D(3912)}
    booked = JournalEntry.objects.get(pk=done["id"])
    assert (booked.exchange_rate, booked.rate_on) == (D("391.23"), MARCH_12)
    assert (check().ledger, check().difference) == (D(-10), D(-1000))  # the opening balance is not in the books


def test_booking_is_undone_on_its_day_and_booked_anew(world: World) -> None:
    load(camt("S-UNDO", entry("UNDO", -500), closing=500))
    key = of("UNDO").pk
    wrong = bank_posting.post_to_accounts(key, [{"account": "529"}], actor=SYSTEM)
    with pytest.raises(NotReversible, match="correct that instead"):
        posting.reverse_entry(wrong["id"], actor=SYSTEM)
    undone = bank_posting.take_back(key, actor=SYSTEM)
    reversal = JournalEntry.objects.get(pk=int(undone["number"]))
    assert (reversal.reverses_id, reversal.entry_on, of("UNDO").state) == (wrong["id"], MARCH_12, "open")
    with pytest.raises(NotBookable, match="open already"):
        bank_posting.take_back(key, actor=SYSTEM)
    bank_posting.post_to_accounts(key, [{"account": "532"}], actor=SYSTEM)
    assert posted(kind="bank_entry", key=key) == {"384": D(-500), "532": D(500), "529": D(0)}


def test_payment_of_the_wrong_customer_is_undone_on_its_day_and_booked_anew(fresh_world: World) -> None:
    sale = invoice(fresh_world)
    load(camt("S1", entry("A1", 1270), closing=2270))
    key = of("A1").pk
    book_entry(key, actor=SYSTEM, customer_id=fresh_world.foreigner)
    assert bank_posting.take_back(key, actor=SYSTEM)["number"].startswith("PAY-")
    book_entry(key, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}])
    assert api.get_invoice(sale["id"])["payment_state"] == "paid"
    assert {p.received_on for p in Payment.objects.all()} == {MARCH_12}
    assert balances()["384"] == 1270
    assert tie_out.differences(MARCH_12) == []
    refunds.reverse_payment(of("A1").payment_id or 0, actor=SYSTEM)  # on the payment's own page
    bank_posting.take_back(key, actor=SYSTEM)
    assert (of("A1").state, Payment.objects.count()) == ("open", 4)


def test_postgresql_keeps_what_is_booked(world: World) -> None:
    load(camt("S-KEPT", entry("KEPT", -500), closing=500))
    bank_posting.post_to_accounts(of("KEPT").pk, [{"account": "532"}], actor=SYSTEM)
    for change in ({"state": "open", "journal_entry": None}, {"amount": 1}, {"value_on": MARCH_12}):
        with pytest.raises(DatabaseError), module_transaction("finance"):
            BankEntry.objects.filter(entry_ref="KEPT").update(**change)
    assert of("KEPT").state == "booked"


def test_late_entry_of_a_closed_month_is_booked_on_the_first_open_day_with_its_value_date(fresh_world: World) -> None:
    sale = invoice(fresh_world)
    opening(1000, "2026-01-02")
    for code in ("2026-01", "2026-02", "2026-03"):
        periods.set_state(FiscalPeriod.objects.get(code=code).pk, "locked", actor=SYSTEM)
    fee = entry("FEE", -20, "fee").replace("</BookgDt>", "</BookgDt><ValDt><Dt>2026-03-11</Dt></ValDt>")
    load(camt("S1", fee, entry("PAID", 1270, sale["number"]), closing=2250))
    april = FiscalPeriod.objects.get(code="2026-04")
    assert "not booked: 2" in periods.standing_against(april)[0]
    paid = book_entry(of("PAID").pk, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}])
    done = bank_posting.post_to_accounts(of("FEE").pk, [{"account": "532"}], actor=SYSTEM)
    assert (paid["received_on"], done["entry_on"]) == (date(2026, 4, 1), date(2026, 4, 1))
    assert (paid["value_on"], of("FEE").value_on) == (MARCH_12, date(2026, 3, 11))
    assert "value date 2026-03-11" in done["text"]
    found = check()
    assert (found.ledger, found.late, found.bank, found.difference) == (D(1000), D(1250), D(2250), D(0))
    assert tie_out.differences(MARCH_12) == tie_out.differences(date(2026, 4, 30)) == []
    undone = bank_posting.take_back(of("FEE").pk, actor=SYSTEM)
    assert JournalEntry.objects.get(pk=int(undone["number"])).entry_on == date(2026, 4, 1)


def test_payment_of_a_closed_month_is_undone_on_one_day(fresh_world: World) -> None:
    sale = invoice(fresh_world)
    opening(1000, "2026-01-02")
    load(camt("S1", entry("PAID", 1270, sale["number"]), closing=2270))
    book_entry(of("PAID").pk, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}])
    for code in ("2026-01", "2026-02", "2026-03"):
        periods.set_state(FiscalPeriod.objects.get(code=code).pk, "locked", actor=SYSTEM)
    bank_posting.take_back(of("PAID").pk, actor=SYSTEM)
    first_open = date(2026, 4, 1)
    assert [item["number"] for item in open_items(fresh_world.customer, first_open)] == [sale["number"]]
    assert (receivables_balance(first_open), open_payments(fresh_world.customer, first_open)) == (D(1270), [])
    assert (receivables_balance(date(2026, 3, 31)), open_items(fresh_world.customer, date(2026, 3, 31))) == (D(0), [])
    assert tie_out.differences(first_open) == []


def test_undo_over_a_closed_month_leaves_its_statement_without_a_difference(fresh_world: World) -> None:
    """Fee, payment booked to a wrong customer, payment undone on its own page: undone in April and booked again."""
    sale = invoice(fresh_world)
    opening(1000, "2026-01-02")
    load(camt("S1", entry("FEE", -20), entry("PAID", 1270), entry("PAGE", 30), closing=2280))
    bank_posting.post_to_accounts(of("FEE").pk, [{"account": "529"}], actor=SYSTEM)
    for ref in ("PAID", "PAGE"):
        book_entry(of(ref).pk, actor=SYSTEM, customer_id=fresh_world.foreigner)
    for code in ("2026-01", "2026-02", "2026-03"):
        periods.set_state(FiscalPeriod.objects.get(code=code).pk, "locked", actor=SYSTEM)
    assert (check().late, check().difference) == (D(0), D(0))
    refunds.reverse_payment(of("PAGE").payment_id or 0, actor=SYSTEM)  # today, while its entry still says booked
    assert (check().late, check().difference) == (D(-30), D(-30))
    for ref in ("FEE", "PAID", "PAGE"):
        bank_posting.take_back(of(ref).pk, actor=SYSTEM)
    assert (check().late, check().is_settled) == (D(-1280), False)
    bank_posting.post_to_accounts(of("FEE").pk, [{"account": "532"}], actor=SYSTEM)
    book_entry(of("PAID").pk, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}])
    book_entry(of("PAGE").pk, actor=SYSTEM, customer_id=fresh_world.customer)
    found = check()
    assert (found.is_settled, found.ledger, found.late, found.difference) == (True, D(2280), D(0), D(0))
    assert balances()["384"] == 2280


def test_soft_lock_moves_no_entry_to_another_month(fresh_world: World) -> None:
    opening(1000)
    load(camt("S1", entry("A1", -20), closing=980))
    FiscalPeriod.objects.filter(code="2026-03").update(state="soft_locked")
    with pytest.raises(PeriodClosed):
        bank_posting.post_to_accounts(of("A1").pk, [{"account": "532"}], actor=SYSTEM)


def test_statement_that_differs_from_the_ledger_says_by_how_much(fresh_world: World) -> None:
    opening(1000)
    load(camt("S1", entry("A1", -20), entry("A2", -5), closing=975))
    bank_posting.post_to_accounts(of("A1").pk, [{"account": "532"}], actor=SYSTEM)
    set_aside(of("A2").pk, actor=SYSTEM, reason="Booked by hand")
    assert (check().difference, check().set_aside_total) == (D(5), D(-5))
    lines = [{"account": "532", "amount": 5}, {"account": "384", "amount": -5}]
    posting.post_journal_entry({"entry_on": "2026-03-12", "lines": lines}, actor=SYSTEM, posting_key="manual:hand")
    assert check().difference == 0


def test_missing_statement_is_noticed_by_its_neighbours(fresh_world: World) -> None:
    load(camt("S1", entry("A1", -20), closing=980))
    later = camt("S2", entry("B1", 100), closing=1030).replace(b">1000<", b">930<").replace(b"03-12", b"03-14")
    load(later)
    assert (check("S1").gap, check("S2").gap) == (D(0), D(-50))
    page = staff_client("keeper", duty="finance").get("/admin/finance/bank/").content.decode()
    assert "it begins -50 HUF off the statement before" in page


def test_ledger_account_of_two_bank_accounts_agrees_with_both_together(fresh_world: World) -> None:
    opening(1500)
    load(camt("S1", entry("A1", -20), closing=980))
    other = camt("S2", entry("B1", 100), closing=600).replace(b">1000<", b">500<")
    load(other.replace(ACCOUNT.encode(), b"HU00OTHER"))
    for ref in ("A1", "B1"):
        bank_posting.post_to_accounts(of(ref).pk, [{"account": "389"}], actor=SYSTEM)
    assert (check("S2").bank, check("S2").difference) == (D(1580), D(0))


def test_account_of_the_same_other_side_is_proposed_again(world: World) -> None:
    load(
        camt(
            "S-SAME",
            entry("SAME1", -20, "Monthly fee", "Bank"),
            entry("SAME2", -20, "Monthly fee", "Bank"),
            closing=960,
        )
    )
    assert bank_posting.usual_account(of("SAME2")) == ""
    bank_posting.post_to_accounts(of("SAME1").pk, [{"account": "532"}], actor=SYSTEM)
    assert bank_posting.usual_account(of("SAME2")) == "532"


def at_once(times: int, run: Callable[[int], Any]) -> list[Any]:
    """What so many threads, each with a connection of its own, are answered when they begin together."""
    start = threading.Barrier(times)

    def one(n: int) -> Any:
        start.wait()
        try:
            return run(n)
        except Refused as refusal:
            return refusal.code
        finally:
            connections["finance"].close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_staff_who_post_the_same_entry_at_once_post_it_once(world: World) -> None:
    load(camt("S-ONCE", entry("ONCE", -20), closing=980))
    key, lines = of("ONCE").pk, [{"account": "532"}]
    answers = at_once(4, lambda n: bank_posting.post_to_accounts(key, lines, actor=Actor(n, f"Keeper {n}")))
    assert answers.count("not-bookable") == 3
    (done,) = (a for a in answers if a != "not-bookable")
    assert [e.pk for e in JournalEntry.objects.filter(document_kind="bank_entry", document_id=key)] == [done["id"]]


def test_file_imported_several_times_at_once_makes_one_statement(world: World) -> None:
    content = camt("S-FILE", *(entry(f"FILE{n}", n + 1) for n in range(60)), closing=1000 + sum(range(61)))
    answers = at_once(4, lambda _: load(content))
    assert sorted((a["statements"], a["entries"], a["known"]) for a in answers) == [(0, 0, 60)] * 3 + [(1, 60, 0)]
    assert (
        BankStatement.objects.filter(statement_ref="S-FILE").count(),
        BankEntry.objects.filter(entry_ref__startswith="FILE").count(),
    ) == (1, 60)
