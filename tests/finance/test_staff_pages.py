"""The bookkeeper's pages: drafts, issue, credit, payment, entries, periods; refusals are explained."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from erp.actor import SYSTEM
from finance import api
from finance.models import FiscalPeriod, Invoice, JournalEntry, Payment, VatCode
from finance.services import posting, sealing
from tests.finance.world import BOOKKEEPER, World
from tests.people import staff_client


@pytest.fixture
def desk(world: World) -> Client:
    return staff_client("desk", duty="finance")


def draft_form(**more: Any) -> dict[str, Any]:
    return {
        "customer_id": "C000001", "currency": "HUF", "price_mode": "net", "payment_method": "transfer",
        "language": "hu", "order_number": "", "note": "", "issued_on": "2026-03-10",
        "lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-name": "Advice", "lines-0-quantity": "1",
        "lines-0-unit": "h", "lines-0-unit_price": "10000", "lines-0-discount": "0", "lines-0-vat_code": "27", **more,
    }  # fmt: skip


def make_draft(desk: Client) -> Invoice:
    answer = desk.post(reverse("admin:finance_invoice_add"), draft_form())
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    return Invoice.objects.latest("id")


def press(desk: Client, model: str, key: int, name: str) -> str:
    answer = desk.post(reverse("finance-operation", args=[model, key, name]), follow=True)
    return " ".join(str(m) for m in answer.context["messages"])


def test_draft_has_no_number_and_stays_at_home(desk: Client) -> None:
    draft = make_draft(desk)
    assert (draft.state, draft.number) == ("draft", None)
    from admin_app.models import InvoiceCopy

    assert not InvoiceCopy.objects.filter(pk=draft.pk).exists()
    page = desk.get(reverse("admin:finance_invoice_change", args=[draft.pk])).content.decode()
    assert "Issue</button>" in page


def test_draft_with_unknown_customer_is_shown_again(desk: Client) -> None:
    answer = desk.post(reverse("admin:finance_invoice_add"), draft_form(customer_id="C999999"))
    assert "There is no customer C999999" in answer.content.decode()


def test_draft_becomes_a_simplified_invoice_with_gross_prices_alone(desk: Client) -> None:
    answer = desk.post(reverse("admin:finance_invoice_add"), draft_form(is_simplified="on"))
    assert "has gross prices" in answer.content.decode()
    answer = desk.post(reverse("admin:finance_invoice_add"), draft_form(is_simplified="on", price_mode="gross"))
    assert answer.status_code == 302
    draft = Invoice.objects.latest("id")
    press(desk, "invoice", draft.pk, "issue")
    draft.refresh_from_db()
    assert (draft.state, draft.is_simplified, draft.gross_total) == ("issued", True, 10000)


def test_issued_invoice_shows_its_vat_postings_and_flow(desk: Client) -> None:
    draft = make_draft(desk)
    assert "is issued" in press(desk, "invoice", draft.pk, "issue")
    issued = Invoice.objects.get(pk=draft.pk)
    assert issued.number is not None
    page = desk.get(reverse("admin:finance_invoice_change", args=[draft.pk])).content.decode()
    for text in (issued.number, "2,700", "467 Output VAT", "Record payment", "Credit lines"):
        assert text in page
    assert 'name="_save"' not in page
    assert sealing.verify(full=True).damages == []  # a draft is sealed as what it became
    assert "issued already" in press(desk, "invoice", draft.pk, "issue")


def test_issued_invoice_cannot_be_changed_by_the_form(desk: Client) -> None:
    draft = make_draft(desk)
    press(desk, "invoice", draft.pk, "issue")
    answer = desk.post(reverse("admin:finance_invoice_change", args=[draft.pk]), draft_form(note="other"))
    assert answer.status_code == 403
    assert Invoice.objects.get(pk=draft.pk).note == ""


def test_lines_are_credited_by_the_form_up_to_what_is_left(desk: Client) -> None:
    draft = make_draft(desk)
    press(desk, "invoice", draft.pk, "issue")
    url = reverse("finance-credit", args=[draft.pk])
    form = {
        "key": "k1", "reason": "Wrong", "issued_on": "2026-03-11", "rows-TOTAL_FORMS": "1", "rows-INITIAL_FORMS": "1",
        "rows-0-line_id": str(Invoice.objects.get(pk=draft.pk).lines.get().pk), "rows-0-quantity": "1",
    }  # fmt: skip
    assert "1 open" in desk.get(url).content.decode()
    assert "is issued" in desk.post(url, form, follow=True).content.decode()
    assert "0 can still be credited" in desk.post(url, {**form, "key": "k2"}, follow=True).content.decode()
    assert Invoice.objects.get(pk=draft.pk).settlement.state == "credited"


def test_lines_are_corrected_by_the_form(desk: Client) -> None:
    draft = make_draft(desk)
    press(desk, "invoice", draft.pk, "issue")
    invoice = Invoice.objects.get(pk=draft.pk)
    assert "Correct lines" in desk.get(reverse("admin:finance_invoice_change", args=[invoice.pk])).content.decode()
    url = reverse("finance-correct", args=[invoice.pk])
    assert "1. Advice: 1 h at 10,000 HUF net, VAT code 27" in desk.get(url).content.decode()
    form = {
        "key": "k1", "reason": "Wrong price", "issued_on": "2026-03-11", "due_on": "",
        "rows-TOTAL_FORMS": "1", "rows-INITIAL_FORMS": "1", "rows-0-line_id": str(invoice.lines.get().pk),
        "added-TOTAL_FORMS": "1", "added-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert "Nothing would change" in desk.post(url, form).content.decode()
    assert "Give quantity and price" in desk.post(url, {**form, "added-0-name": "Travel"}).content.decode()
    assert "what is wrong with these pieces" in desk.post(url, {**form, "rows-0-pieces": "1"}).content.decode()
    added = {"added-0-sku": "TEA", "added-0-quantity": "2", "added-0-unit_price": "100"}
    answer = desk.post(url, {**form, **added, "rows-0-unit_price": "12000"}, follow=True)
    assert "is issued: 2,750 HUF more is to be paid" in answer.content.decode()
    done = Invoice.objects.latest("id")
    assert [(x.name, x.quantity, x.net) for x in done.lines.order_by("line_no")] == [
        ("Advice", -1, -10000), ("Advice", 1, 12000), ("Tea", 2, 200),
    ]  # fmt: skip
    page = desk.get(reverse("admin:finance_invoice_change", args=[done.pk])).content.decode()
    assert f"Correct lines of {invoice.number}" in page
    assert "Record payment" in page


def test_whole_invoice_is_cancelled_by_a_button(desk: Client) -> None:
    draft = make_draft(desk)
    press(desk, "invoice", draft.pk, "issue")
    assert "Cancellation invoice CAN-" in press(desk, "invoice", draft.pk, "cancel")
    assert "credited in full already" in press(desk, "invoice", draft.pk, "cancel")


def test_payment_is_recorded_and_its_rest_allocated_later(desk: Client) -> None:
    first, second = make_draft(desk), make_draft(desk)
    for draft in (first, second):
        press(desk, "invoice", draft.pk, "issue")
    number = Invoice.objects.get(pk=first.pk).number
    form = {"key": "p1", "invoice": number, "amount": "20000", "method": "transfer", "received_on": "2026-03-12"}
    page = desk.get(f"{reverse('finance-record-payment')}?invoice={number}").content.decode()
    assert 'value="12700' in page
    assert "unallocated: 7300" in desk.post(reverse("finance-record-payment"), form, follow=True).content.decode()
    payment = Payment.objects.latest("id")
    open_ids = [row["id"] for row in api_open_items(payment.customer_id)]
    rows: dict[str, str] = {"rows-TOTAL_FORMS": str(len(open_ids)), "rows-INITIAL_FORMS": str(len(open_ids))}
    for n, key in enumerate(open_ids):
        rows |= {f"rows-{n}-invoice_id": str(key), f"rows-{n}-amount": "7300" if key == second.pk else ""}
    answer = desk.post(reverse("finance-allocate", args=[payment.pk]), rows, follow=True).content.decode()
    assert "is allocated" in answer
    assert api.get_invoice(second.pk)["paid_total"] == 7300


def api_open_items(customer_id: int) -> list[dict[str, Any]]:
    from finance.services.open_items import open_items

    return open_items(customer_id)


def test_entry_is_posted_by_the_form_and_reversed_by_a_button(desk: Client) -> None:
    url = reverse("finance-post-entry")
    form = {
        "key": "e1", "entry_on": "2026-03-10", "journal": "GEN", "text": "Rent", "rows-TOTAL_FORMS": "2",
        "rows-INITIAL_FORMS": "0", "rows-0-account": "522", "rows-0-debit": "90000", "rows-1-account": "384",
        "rows-1-credit": "90001",
    }  # fmt: skip
    assert "Debits exceed credits by -1" in desk.post(url, form).content.decode()
    assert "is posted in 2026-03" in desk.post(url, {**form, "rows-1-credit": "90000"}, follow=True).content.decode()
    entry = JournalEntry.objects.latest("id")
    assert "reverses entry" in press(desk, "journalentry", entry.pk, "reverse")
    assert "reversed already" in press(desk, "journalentry", entry.pk, "reverse")


def test_soft_lock_can_be_taken_back(desk: Client) -> None:
    api.post_journal_entry(
        {"entry_on": "2024-05-01", "lines": [{"account": "522", "debit": 1}, {"account": "384", "credit": 1}]},
        actor=BOOKKEEPER, posting_key="opens 2024",
    )  # fmt: skip
    month = FiscalPeriod.objects.get(code="2024-06")
    softly, for_good = (reverse("finance-change-period", args=[month.pk, s]) for s in ("soft_locked", "locked"))
    assert "Soft lock" in desk.post(softly, follow=True).content.decode()
    assert "2024-01 is not closed yet" in desk.post(for_good, follow=True).content.decode()
    again = desk.post(reverse("finance-change-period", args=[month.pk, "open"]), {"reason": "late"}, follow=True)
    assert "Period 2024-06 now is: Open" in again.content.decode()


def test_vat_code_form_is_confirmed(desk: Client) -> None:
    code = VatCode.objects.get(code="18")
    form = {
        "name": "Reduced", "name_hu": "", "category": "rate", "direction": "both", "valid_from": "2009-07-01",
        "expected_version": code.version,
    }  # fmt: skip
    answer = desk.post(reverse("admin:finance_vatcode_change", args=[code.pk]), form, follow=True)
    assert "Confirmed by" in answer.content.decode()


@pytest.mark.parametrize("page", ["finance-trial-balance", "finance-open-items"])
def test_report_pages_answer(desk: Client, page: str) -> None:
    press(desk, "invoice", make_draft(desk).pk, "issue")
    assert desk.get(reverse(page)).status_code == 200


def test_trial_balance_has_subtotals_of_classes_on_the_page_and_in_the_file(desk: Client) -> None:
    lines = [{"account": a, "amount": n} for a, n in (("381", 70), ("384", 30), ("9111", -100))]
    posting.post_journal_entry({"entry_on": "2026-08-03", "lines": lines}, actor=SYSTEM, posting_key="manual:classes")
    days = {"first": "2026-08-01", "last": "2026-08-31"}
    page = desk.get(reverse("finance-trial-balance"), days).content.decode()
    asset, income = (re.search(rf'data-class="{n}">(.*?)</tr>', page) for n in "39")
    assert asset
    assert income
    assert asset.group(1).startswith('<td class="px-4 py-2" colspan="2">Class 3 Receivables, financial assets')
    file = desk.get(reverse("finance-trial-balance"), {**days, "format": "csv"}).content.decode("utf-8-sig")
    rows = [row.split(",")[-4:-1] for row in file.splitlines() if row.startswith(",")]
    debits = [Decimal(debit) for debit, _, _ in rows]
    assert debits[0] == 100
    assert (debits[-1], Decimal(rows[-1][1]), Decimal(rows[-1][2])) == (100, 100, 0)


def test_trial_balance_leads_to_the_lines_of_an_account_and_exports(desk: Client) -> None:
    draft = make_draft(desk)
    press(desk, "invoice", draft.pk, "issue")
    url = reverse("finance-trial-balance")
    days = {"first": "2026-03-01", "last": "2026-03-31"}
    found = re.search(r'href="([^"]*account__exact=467[^"]*)"', desk.get(url, days).content.decode())
    assert found
    behind = desk.get(html.unescape(found[1])).content.decode()
    assert str(Invoice.objects.get(pk=draft.pk).number) in behind
    assert "2700" in behind.replace(",", "")
    assert "12700" not in behind.replace(",", "")
    text = desk.get(url, {**days, "format": "csv"}).content.decode("utf-8-sig")
    assert text.startswith("account,account_name,opening,debit,credit,balance,currency")
    assert "467,Output VAT," in text


def test_every_list_and_row_of_finance_can_be_opened(desk: Client) -> None:
    press(desk, "invoice", make_draft(desk).pk, "issue")
    for model in admin.site._registry:
        if model._meta.app_label == "finance":
            name = f"admin:finance_{model._meta.model_name}"
            assert desk.get(reverse(f"{name}_changelist")).status_code == 200, model
            row = model._default_manager.first()
            if row is not None:
                assert desk.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, model


def test_warehouse_clerk_cannot_use_the_pages(world: World) -> None:
    clerk = staff_client("stock clerk", duty="logistics")
    assert clerk.get(reverse("finance-post-entry")).status_code == 403
