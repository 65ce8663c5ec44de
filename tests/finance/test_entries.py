"""Recurring entries, papers of entries, the chart's import, and entries in foreign currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from finance.errors import AttachmentRefused, ChartRefused, UnknownAccount
from finance.models import Account, EntryAttachment, FiscalPeriod, JournalEntry, JournalLine, RecurringEntry
from finance.services import attachments, periods, posting, recurring
from finance.services.chart_import import import_chart
from tests.finance.world import BOOKKEEPER, World, number
from tests.people import staff_client

D = Decimal


def post(**more: object) -> int:
    """A manual entry."""
    lines = [{"account": "381", "debit": 100}, {"account": "9111", "credit": 100}]
    data = {"entry_on": "2026-03-10", "lines": lines, **more}
    return int(posting.post_journal_entry(data, actor=BOOKKEEPER, posting_key=f"manual:{number()}")["id"])


def plan(**more: object) -> RecurringEntry:
    """Rent, on the last day of every month."""
    lines = [{"account": "814", "debit": "1000"}, {"account": "384", "credit": "1000"}]
    values = {"name": "Rent", "text": "Rent", "lines": lines, "starts_on": date(2025, 1, 15), **more}
    return RecurringEntry.objects.create(**values, actor_name="Bookkeeper")


def days_of(row: RecurringEntry) -> list[str]:
    """Days of the entries that a plan has posted."""
    entries = JournalEntry.objects.filter(posting_key__startswith=f"recurring:{row.pk}:")
    return [str(day) for day in entries.order_by("entry_on").values_list("entry_on", flat=True)]


def test_recurring_entry_is_posted_once_per_period(world: World) -> None:
    row = plan(ends_on=date(2025, 4, 10))
    assert recurring.post_due(date(2025, 2, 27)) == 1
    assert recurring.post_due(date(2025, 2, 28)) == 1
    assert recurring.post_due(date(2025, 9, 1)) == 1
    assert recurring.post_due(date(2025, 9, 1)) == 0
    assert days_of(row) == ["2025-01-31", "2025-02-28", "2025-03-31"]
    quarterly = plan(every=3, day=5, starts_on=date(2025, 3, 1), ends_on=date(2025, 9, 30))
    recurring.post_due(date(2025, 12, 31))
    assert days_of(quarterly) == ["2025-03-05", "2025-06-05", "2025-09-05"]


def test_plan_that_cannot_post_says_why_and_goes_on_later(world: World) -> None:
    row = plan(starts_on=date(2024, 1, 1), ends_on=date(2024, 2, 29))
    recurring.post_due(date(2024, 1, 31))
    february = FiscalPeriod.objects.get(code="2024-02")
    periods.set_state(february.pk, "soft_locked", actor=BOOKKEEPER)
    assert recurring.post_due(date(2024, 3, 1)) == 0
    row.refresh_from_db()
    assert row.last_error == "2024-02-29: period 2024-02 is soft_locked"
    page = staff_client("keeper", duty="finance").get("/admin/finance/recurring/").content.decode()
    assert row.last_error in page
    periods.set_state(february.pk, "open", actor=BOOKKEEPER, reason="rent")
    assert recurring.post_due(date(2024, 3, 1)) == 1
    row.refresh_from_db()
    assert row.last_error == ""


def test_malformed_plan_holds_up_no_other(world: World) -> None:
    bad = plan(name="Broken", starts_on=date(2022, 1, 1), ends_on=date(2022, 1, 31), lines=[{"amount": "much"}])
    good = plan(name="Sound", starts_on=date(2022, 1, 1), ends_on=date(2022, 1, 31))
    assert recurring.post_due(date(2022, 1, 31)) == 1
    assert (days_of(good), days_of(bad)) == (["2022-01-31"], [])
    bad.refresh_from_db()
    assert bad.last_error.startswith("2022-01-31: its lines make no entry")


def test_recurring_entry_is_made_and_paused_in_the_admin(world: World) -> None:
    client = staff_client("keeper", duty="finance")
    rows = {f"rows-{n}-{name}": "" for n in range(2) for name in ("account", "debit", "credit", "text")}
    form = {
        "name": "Insurance", "text": "Insurance", "journal": "GEN", "every": 1, "day": 10, "starts_on": "2023-01-01",
        "ends_on": "2023-01-31", "rows-TOTAL_FORMS": 2, "rows-INITIAL_FORMS": 0, **rows, "rows-0-account": "814",
        "rows-0-debit": "50", "rows-1-account": "384", "rows-1-credit": "40",
    }  # fmt: skip
    assert "Debits exceed credits by 10" in client.post("/admin/finance/recurring/new/", form).content.decode()
    client.post("/admin/finance/recurring/new/", {**form, "rows-1-credit": "50"})
    row = RecurringEntry.objects.get(name="Insurance")
    client.post(f"/admin/finance/recurring/{row.pk}/pause/")
    assert recurring.post_due(date(2023, 2, 1)) == 0
    client.post(f"/admin/finance/recurring/{row.pk}/resume/")
    client.post(f"/admin/finance/recurring/{row.pk}/post/")
    assert days_of(row) == ["2023-01-10"]
    assert client.get(f"/admin/finance/recurring/{row.pk}/").status_code == 200


def test_paper_of_an_entry_is_kept_shown_and_given_back(world: World) -> None:
    entry, client = post(), staff_client("keeper", duty="finance")
    content = b"%PDF-1.7 a receipt"
    file = SimpleUploadedFile("../receipt.pdf", content)
    client.post(f"/admin/finance/entries/{entry}/attach/", {"file": file})
    attached = EntryAttachment.objects.get(entry_id=entry)
    assert (attached.name, attached.content_type, attached.size) == ("receipt.pdf", "application/pdf", len(content))
    path = Path(settings.ENVIRONMENT.home) / "attachments" / attached.sha256[:2] / attached.sha256
    assert path.stat().st_mode & 0o777 == 0o600
    url = f"/admin/finance/attachments/{attached.pk}/"
    assert url in client.get(f"/admin/finance/journalentry/{entry}/change/").content.decode()
    answer = client.get(url)
    assert (answer.content, answer["X-Content-Type-Options"]) == (content, "nosniff")
    assert staff_client("clerk", duty="logistics").get(url).status_code == 403
    assert attachments.attach(entry, "again.pdf", content, actor=BOOKKEEPER).pk == attached.pk
    path.write_bytes(b"%PDF-1.7 another")
    with pytest.raises(AttachmentRefused, match="was changed on the disk"):
        attachments.read(attached)
    path.unlink()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.exe", b"MZ\x00\x01", "none of them"),
        ("a.zip", b"PK\x03\x04abc", "none of them"),
        ("a.csv", b"a\x00b", "none of them"),
        ("a.pdf", b"", "empty"),
    ],
)
def test_other_files_are_refused(world: World, name: str, content: bytes, why: str) -> None:
    with pytest.raises(AttachmentRefused, match=why):
        attachments.attach(post(), name, content, actor=BOOKKEEPER)


def test_chart_is_imported_with_its_groups_or_not_at_all(world: World) -> None:
    post()
    text = (
        "number,name,name_hu,type,normal_balance,parent,is_group\n"
        "5,Costs by kind,,expense,D,,1\n51,Materials,,expense,D,5,1\n511,Raw materials,,expense,D,51,0\n"
        "381,Till of the shop,Pénztár,asset,D,38,0\n"
    )
    Account.objects.get_or_create(number="38", defaults={"name": "Cash", "type": "asset", "is_group": True})
    done = import_chart(text)
    assert (done.added + done.changed + done.same, Account.objects.get(number="381").name) == (4, "Till of the shop")
    parent = Account.objects.get(number="511").parent
    assert parent
    assert parent.parent
    assert (parent.number, parent.parent.number) == ("51", "5")
    assert import_chart(text).same == 4
    with pytest.raises(ChartRefused, match=r"row 2 \(77\): the type is one of .*; row 3 \(381\): the account has post"):
        import_chart("number,name,type,is_group\n77,X,wrong,0\n381,Till,asset,1\n")
    assert not Account.objects.filter(number="77").exists()
    client = staff_client("keeper", duty="finance")
    file = SimpleUploadedFile("chart.csv", b"number,name,type\n512,Energy,expense\n")
    client.post("/admin/finance/chart/import/", {"file": file})
    assert Account.objects.filter(number="512").exists()


def test_entry_in_foreign_currency_keeps_its_rate_and_balances_in_both(world: World) -> None:
    half = {"account": "386", "debit": "10.01"}
    lines = [half, half, {"account": "9311", "credit": "20.02"}]
    entry = JournalEntry.objects.get(pk=post(lines=lines, currency="EUR"))
    assert (entry.exchange_rate, entry.rate_source) == (D(390), "demo")
    booked = JournalLine.objects.filter(entry=entry)
    assert sum(x.amount for x in booked) == sum(x.document_amount for x in booked) == 0
    assert {x.currency for x in booked} == {"EUR"}


def test_batch_is_posted_whole_and_repeated_without_effect(world: World) -> None:
    lines = [{"account": "381", "debit": 5}, {"account": "9111", "credit": 5}]
    entries = [({"entry_on": "2026-03-10", "lines": lines}, f"batch:{number()}") for _ in range(3)]
    first = posting.post_journal_entries(entries[:2], actor=BOOKKEEPER)
    again = posting.post_journal_entries(entries, actor=BOOKKEEPER)
    assert [row["repeated"] for row in again] == [True, True, False]
    assert [row["id"] for row in again[:2]] == [row["id"] for row in first]
    bad = ({"entry_on": "2026-03-10", "lines": [{**lines[0], "account": "nope"}, lines[1]]}, "batch:bad")
    fresh = ({"entry_on": "2026-03-10", "lines": lines}, "batch:fresh")
    with pytest.raises(UnknownAccount, match="nope"):
        posting.post_journal_entries([fresh, bad], actor=BOOKKEEPER)
    assert not JournalEntry.objects.filter(posting_key="batch:fresh").exists()
