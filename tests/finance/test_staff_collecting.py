"""The bookkeeper's pages of documents and money: drafts with discounts and advances, corrections, bank, statements."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from erp.actor import SYSTEM
from finance import api
from finance.models import BankEntry, Invoice, Payment
from finance.services.goods_issues import set_collective
from finance.services.invoicing import create_invoice
from tests.finance.test_import_bank_statements import camt, entry
from tests.finance.test_staff_pages import draft_form, press
from tests.finance.world import DAY, World
from tests.people import staff_client


@pytest.fixture
def desk(world: World) -> Client:
    return staff_client("desk", duty="finance")


def invoice(world: World, price: str = "1000", **more: Any) -> dict[str, Any]:
    line = {"name": "Advice", "quantity": 10, "unit_price": price, "vat_code": "27"}
    return create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": [line], **more}, SYSTEM)


def draft(desk: Client, **more: Any) -> Invoice:
    answer = desk.post(reverse("admin:finance_invoice_add"), draft_form(**more))
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    return Invoice.objects.latest("id")


def page_of(desk: Client, model: str, key: int) -> str:
    return desk.get(reverse(f"admin:finance_{model}_change", args=[key])).content.decode()


def said(answer: Any) -> str:
    return " ".join(str(m) for m in answer.context["messages"])


def sent(desk: Client, name: str, key: int | None, body: dict[str, Any]) -> str:
    url = reverse(name, args=[] if key is None else [key])
    return said(desk.post(url, body, follow=True))


def test_draft_of_a_product_shows_what_it_will_be(desk: Client, world: World) -> None:
    row = {"lines-0-sku": "tea", "lines-0-name": "", "lines-0-vat_code": "", "lines-0-unit_price": "1000"}
    made = draft(desk, **row, discount_percent="10")
    page = page_of(desk, "invoice", made.pk)
    assert "Invoice in HUF, due on 2026-03-18" in page
    assert "945" in page  # 900 and 5 % VAT
    assert "is issued" in press(desk, "invoice", made.pk, "issue")
    found = api.get_invoice(made.pk)
    assert (found["gross_total"], found["discount"], found["lines"][0]["vat_code"]) == (945, 100, "5")


def test_another_vat_code_needs_a_reason(desk: Client) -> None:
    made = draft(desk, **{"lines-0-sku": "TEA"})
    assert "VAT code 5 follows from product and customer" in page_of(desk, "invoice", made.pk)
    assert "say why 27 is right" in press(desk, "invoice", made.pk, "issue")
    right = draft(desk, **{"lines-0-sku": "TEA", "lines-0-vat_override_reason": "Not a food here"})
    assert "is issued" in press(desk, "invoice", right.pk, "issue")
    assert right.lines.get().vat_override_reason == "Not a food here"


def test_draft_is_previewed_as_pdf_without_a_number(desk: Client) -> None:
    made = draft(desk)
    answer = desk.get(reverse("finance-print-invoice", args=[made.pk]))
    assert answer.content.startswith(b"%PDF")
    assert Invoice.objects.get(pk=made.pk).number is None


def test_advance_is_taken_off_a_draft_by_its_button(desk: Client, world: World) -> None:
    paid = invoice(world, "300", kind="advance")
    made = draft(desk, **{"lines-0-unit_price": "10000"})
    assert "Take off an advance" in page_of(desk, "invoice", made.pk)
    rows = {
        "rows-TOTAL_FORMS": "1",
        "rows-INITIAL_FORMS": "1",
        "rows-0-invoice_id": str(paid["id"]),
        "rows-0-vat_code": "27",
    }
    assert "can be taken off, not" in sent(desk, "finance-take-off", made.pk, {**rows, "rows-0-amount": "3001"})
    assert "Advances taken off: 1" in sent(desk, "finance-take-off", made.pk, {**rows, "rows-0-amount": "3000"})
    assert "is issued" in press(desk, "invoice", made.pk, "issue")
    done = Invoice.objects.get(pk=made.pk)
    assert (done.kind, done.net_total) == ("final", 7000)
    assert "ADV-2026-" in page_of(desk, "invoice", made.pk)


def test_price_is_corrected_line_by_line_and_the_rest_stays_creditable(desk: Client, world: World) -> None:
    sale = invoice(world)
    body = {
        "key": "corr-1", "reason": "Agreed price", "issued_on": "2026-03-11", "rows-TOTAL_FORMS": "1",
        "rows-INITIAL_FORMS": "1", "rows-0-line_id": str(Invoice.objects.get(pk=sale["id"]).lines.get().pk),
        "added-TOTAL_FORMS": "0", "added-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert "Nothing would change" in sent(desk, "finance-correct", sale["id"], body)
    lower = {**body, "key": "corr-2", "rows-0-unit_price": "900"}
    assert "1,270 HUF is credited" in sent(desk, "finance-correct", sale["id"], lower)
    note = Invoice.objects.latest("id")
    assert [(x.quantity, x.net) for x in note.lines.order_by("line_no")] == [(-10, -10000), (10, 9000)]
    assert "Cancellation invoice" in press(desk, "invoice", sale["id"], "cancel")
    assert Invoice.objects.latest("id").net_total == -9000


def test_documents_around_an_invoice_are_shown_on_each_page(desk: Client, world: World) -> None:
    sale = invoice(world)
    paid = api.record_payment({"invoice_id": sale["id"], "amount": 5000, "received_on": DAY}, actor=SYSTEM)
    press(desk, "invoice", sale["id"], "cancel")
    credit = Invoice.objects.latest("id")
    for page in (page_of(desk, "invoice", sale["id"]), page_of(desk, "invoice", credit.pk)):
        assert sale["number"] in page
        assert str(credit.number) in page
    assert paid["number"] in page_of(desk, "invoice", sale["id"])
    assert sale["number"] in page_of(desk, "payment", paid["id"])
    posted = credit.pk and re.search(r"/finance/journalentry/(\d+)/", page_of(desk, "invoice", credit.pk))
    assert posted
    assert str(credit.number) in page_of(desk, "journalentry", int(posted.group(1)))


def test_payment_is_taken_back_and_reversed_by_its_buttons(desk: Client, world: World) -> None:
    sale = invoice(world)
    paid = api.record_payment({"invoice_id": sale["id"], "amount": 12700, "received_on": DAY}, actor=SYSTEM)
    assert "open again" in sent(desk, "finance-deallocate", paid["id"], {"invoice": str(sale["id"])})
    assert api.get_invoice(sale["id"])["payment_state"] == "open"
    assert "is reversed by PAY-" in press(desk, "payment", paid["id"], "reverse")
    assert "can be paid back" in press(desk, "payment", paid["id"], "reverse")


def test_write_off_above_the_limit_is_refused_with_the_way_out(desk: Client, world: World) -> None:
    sale = invoice(world)
    body = {"key": "wo-1", "amount": "", "reason": "Gone"}
    assert "above the limit of 1000" in sent(desk, "finance-write-off", sale["id"], body)
    assert "is written off" in sent(desk, "finance-write-off", sale["id"], {**body, "key": "wo-2", "amount": "700"})
    assert Decimal(api.get_invoice(sale["id"])["gross_total"]) == 12700


def test_open_items_filter_and_offer_what_can_be_done(desk: Client, world: World) -> None:
    late = invoice(world, due_on="2026-03-11")
    other = create_invoice(
        {"customer_id": world.foreigner, "currency": "EUR", "issued_on": DAY, "due_on": "2100-01-01",
         "lines": [{"name": "X", "quantity": 1, "unit_price": "5", "vat_code": "27"}]}, SYSTEM,
    )  # fmt: skip
    paid = api.record_payment({"customer_id": world.customer, "amount": 77, "received_on": DAY}, actor=SYSTEM)
    page = desk.get(reverse("finance-open-items")).content.decode()
    for text in (late["number"], other["number"], paid["number"], "Write off", "Allocate", "which agrees"):
        assert text in page
    mine = desk.get(reverse("finance-open-items"), {"customer": "C000001", "late": "on"}).content.decode()
    assert late["number"] in mine
    assert other["number"] not in mine


def test_statement_is_shown_and_given_as_csv_and_pdf(desk: Client, world: World) -> None:
    sale = invoice(world)
    url, days = reverse("finance-statement", args=[world.customer]), {"first": "2026-03-01", "last": "2026-03-31"}
    assert sale["number"] in desk.get(url, days).content.decode()
    assert f"invoice;{sale['number']};" in desk.get(url, {**days, "as": "csv"}).content.decode("utf-8-sig")
    pdf = [desk.get(url, {**days, "as": "pdf"}).content for _ in range(2)]
    assert pdf[0].startswith(b"%PDF")
    assert pdf[0] == pdf[1]
    assert "Kovács Bt." in desk.get(reverse("finance-ageing")).content.decode()


def test_bank_statement_is_previewed_imported_and_booked(desk: Client, world: World) -> None:
    sale = invoice(world)
    content = camt("ST1", entry("B1", 12700, sale["number"]), entry("B2", 50, "?"), closing=13750)
    url = reverse("finance-bank-import")
    seen = desk.post(url, {"file": SimpleUploadedFile("st.xml", content), "preview": ""}).content.decode()
    assert "2 new entries" in seen
    assert BankEntry.objects.count() == 0
    kept = re.search(r'name="kept" value="([^"]+)"', seen)
    assert kept
    assert "2 entries are imported" in sent(desk, "finance-bank-import", None, {"kept": kept.group(1), "import": "yes"})
    bad = SimpleUploadedFile("bad.xml", content.replace(b"13750", b"1"))
    assert "do not make the balance 1" in desk.post(url, {"file": bad, "preview": ""}).content.decode()
    page = desk.get(reverse("finance-bank")).content.decode()
    assert f"Book to {sale['number']}" in page
    assert "Booked: 1; still open: 1" in sent(desk, "finance-bank-book-sure", None, {})
    rest = BankEntry.objects.get(entry_ref="B2")
    rows = {"rows-TOTAL_FORMS": "1", "rows-INITIAL_FORMS": "0"}
    assert "either documents" in sent(desk, "finance-bank-entry", rest.pk, rows)
    assert "set aside" in sent(desk, "finance-bank-entry", rest.pk, {**rows, "set_aside": "Interest"})
    assert "open again" in press(desk, "bankentry", rest.pk, "take-up")
    assert "unallocated: 50" in sent(desk, "finance-bank-entry", rest.pk, {**rows, "customer": "C000001"})
    assert Payment.objects.get(bank_entry=rest).amount == 50
    assert "is undone by PAY-" in press(desk, "bankentry", rest.pk, "take-back")
    assert "No account" in sent(desk, "finance-bank-post", rest.pk, {"account": "5"})
    assert "to 974 Interest" in sent(desk, "finance-bank-post", rest.pk, {"account": "974", "text": "Interest"})
    assert "journal entry" in page_of(desk, "bankentry", rest.pk)
    assert "is undone by" in press(desk, "bankentry", rest.pk, "take-back")
    split = {**rows, "rows-0-account": "974", "rows-0-amount": "", "text": "Interest"}
    assert "to 974 Interest" in sent(desk, "finance-bank-entry", rest.pk, split)
    shown = desk.get(reverse("finance-bank")).content.decode()
    assert "Differs by" in shown  # no opening balance is in these books
    assert "on account 384; difference" in page_of(desk, "bankstatement", rest.statement_id)


def test_goods_issues_wait_for_one_collective_invoice(desk: Client, world: World) -> None:
    world.receive(world.mug, 20, "10")
    assert "wait for a collective invoice" in sent(
        desk, "finance-set-collective", None, {"customer": "C000001", "on": "yes"}
    )
    issues = [world.issue(world.product_line(world.mug, 2, "100")) for _ in range(2)]
    for issue in issues:
        assert api.invoice_goods_issue(issue)["waiting"] is True
        assert api.invoice_goods_issue(issue)["repeated"] is True
    assert issues[0]["shipment_number"] in desk.get(reverse("finance-collective")).content.decode()
    body = {
        "key": "col-1",
        "customer": "C000001",
        "first": "2026-03-01",
        "last": "2026-03-31",
        "issued_on": "2026-04-02",
    }
    assert "Issued: INV-2026-" in sent(desk, "finance-collective", None, body)
    done = Invoice.objects.latest("id")
    assert (done.is_collective, done.net_total, str(done.due_on)) == (True, 400, "2026-04-10")
    assert {x.delivered_on for x in done.lines.all()} == {DAY}
    found = api.find_invoices_of_shipments([i["shipment_id"] for i in issues])
    assert {row["number"] for row in found.values()} == {done.number}
    assert api.invoice_goods_issue(issues[0])["number"] == done.number
    assert "No goods issue" in sent(desk, "finance-collective", None, {**body, "key": "col-2"})
    back = world.give_back(world.product_line(world.mug, 1, "100"), order_id=issues[1]["order_id"])
    assert api.credit_return(back)["net_total"] == -100
    set_collective(world.customer, is_collective=False)
