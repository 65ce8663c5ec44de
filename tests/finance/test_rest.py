"""Finance over HTTP: VAT codes are written, documents and the ledger read, operations called with a key."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest

from erp.duties import INTEGRATORS
from tests.finance.test_import_bank_statements import camt, entry
from tests.finance.world import World
from tests.people import ApiClient, person

BASE = "/api/v1/finance"


@pytest.fixture
def bookkeeper(world: World) -> ApiClient:
    return ApiClient(person("bookkeeper", duty="finance"))


def post(client: ApiClient, path: str, body: Any, key: str) -> Any:
    return client.send("POST", f"{BASE}{path}", body, Idempotency_Key=key)


def invoice_body(world: World) -> dict[str, Any]:
    line = {"name": "Advice", "quantity": 2, "unit_price": "1500", "vat_code": "27"}
    return {"customer_id": world.customer, "issued_on": "2026-03-10", "lines": [line]}


def test_vat_code_is_confirmed_by_its_readers(bookkeeper: ApiClient) -> None:
    body = {"code": "X1", "name": "Trial", "rate": "12", "category": "rate", "valid_from": "2026-01-01"}
    made = bookkeeper.send("POST", f"{BASE}/vat-codes/", body)
    assert made.status_code == 201, made.content
    assert made["X-ERP-Confirmed"] == "admin_app=1, storefront=1"
    key = made.json()["id"]
    changed = bookkeeper.send("PATCH", f"{BASE}/vat-codes/{key}/", {"name": "Test"}, If_Match='"1"')
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    stale = bookkeeper.send("PATCH", f"{BASE}/vat-codes/{key}/", {"name": "Late"}, If_Match='"1"')
    assert stale.status_code == 412


def test_exempt_code_cannot_carry_a_rate(bookkeeper: ApiClient) -> None:
    body = {"code": "X2", "name": "Bad", "rate": "12", "category": "exempt", "valid_from": "2026-01-01"}
    assert "rate" in bookkeeper.send("POST", f"{BASE}/vat-codes/", body).json()["errors"]


def test_manual_invoice_is_issued_once_per_key(bookkeeper: ApiClient, world: World) -> None:
    first, second = (post(bookkeeper, "/invoices/", invoice_body(world), "inv-1") for _ in range(2))
    assert first.status_code == 201, first.content
    assert first.json()["number"] == second.json()["number"]
    assert first.json()["gross_total"] == "3810.0000"
    assert first.json()["lines"][0]["vat_code"] == "27"


def test_credit_note_and_payment_of_an_invoice(bookkeeper: ApiClient, world: World) -> None:
    key = post(bookkeeper, "/invoices/", invoice_body(world), "inv-2").json()["id"]
    credit = post(bookkeeper, f"/invoices/{key}/credit-note/", {"lines": [{"line_no": 1, "quantity": 1}]}, "cr-2")
    assert (credit.status_code, credit.json()["gross_total"]) == (201, "-1905")
    paid = post(bookkeeper, f"/invoices/{key}/payments/", {"amount": "1905"}, "pay-2")
    assert (paid.status_code, paid.json()["unallocated"]) == (201, "0.0000")
    shown = bookkeeper.get(f"{BASE}/invoices/{key}/").json()
    assert (shown["payment_state"], shown["credited_total"]) == ("paid", "1905.0000")
    refused = post(bookkeeper, f"/invoices/{key}/credit-note/", {"lines": [{"line_no": 1, "quantity": 2}]}, "cr-3")
    assert (refused.status_code, refused.json()["code"]) == (409, "credit-exceeds-invoice")


def test_journal_entry_is_posted_and_reversed(bookkeeper: ApiClient) -> None:
    lines = [{"account": "532", "debit": "500"}, {"account": "384", "credit": "500"}]
    body = {"entry_on": "2026-03-10", "text": "Bank charges", "lines": lines}
    made = post(bookkeeper, "/journal-entries/", body, "je-1")
    assert made.status_code == 201, made.content
    key = made.json()["id"]
    undone = post(bookkeeper, f"/journal-entries/{key}/reversal/", {"on_date": "2026-03-11"}, "rev-1")
    assert (undone.status_code, undone.json()["reverses_id"]) == (201, key)
    ledger = bookkeeper.get(f"{BASE}/ledger/?account=532").json()["results"]
    assert [row["amount"] for row in ledger] == ["500.0000", "-500.0000"]


def test_unbalanced_entry_is_refused(bookkeeper: ApiClient) -> None:
    lines = [{"account": "532", "debit": "500"}, {"account": "384", "credit": "499"}]
    answer = post(bookkeeper, "/journal-entries/", {"entry_on": "2026-03-10", "lines": lines}, "je-2")
    assert (answer.status_code, answer.json()["code"]) == (409, "unbalanced-entry")


def test_integrator_reads_documents_but_issues_none(world: World) -> None:
    integrator = ApiClient(person("robot", duty=INTEGRATORS))
    assert integrator.get(f"{BASE}/invoices/").status_code == 200
    assert post(integrator, "/invoices/", invoice_body(world), "inv-9").status_code == 403


def test_customer_copy_cannot_be_written_at_finance(bookkeeper: ApiClient, world: World) -> None:
    answer = bookkeeper.send("PATCH", f"{BASE}/customers/{world.customer}/", {"name": "X"})
    assert answer.status_code == 405
    assert answer.json()["owner_url"].endswith(f"/api/v1/admin_app/customers/{world.customer}/")


@pytest.mark.parametrize(
    "path",
    ["accounts/", "journal-entries/", "payments/", "ledger/", "sales-orders/?stale=allow", "products/?stale=allow"],
)
def test_collections_can_be_listed(bookkeeper: ApiClient, path: str) -> None:
    assert bookkeeper.get(f"{BASE}/{path}").status_code == 200


def test_correction_of_an_invoice(bookkeeper: ApiClient, world: World) -> None:
    key = post(bookkeeper, "/invoices/", invoice_body(world), "inv-c").json()["id"]
    body = {
        "lines": [{"line_no": 1, "unit_price": "2000"}], "reason": "Price list",
        "added": [{"name": "Postage", "unit_price": "100", "vat_code": "27"}],
    }  # fmt: skip
    first, again = (post(bookkeeper, f"/invoices/{key}/correction/", body, "co-1") for _ in range(2))
    assert (first.status_code, first.json()["kind"], again.json()["number"]) == (
        201, "correction", first.json()["number"],
    )  # fmt: skip
    refused = post(bookkeeper, f"/invoices/{key}/correction/", {"lines": [{"quantity": 1}]}, "co-2")
    assert refused.status_code == 400
    refused = post(bookkeeper, f"/invoices/{key}/correction/", {}, "co-3")
    assert (refused.status_code, "Nothing would change" in refused.content.decode()) == (409, True)


def test_bank_statement_is_imported_booked_and_compared(bookkeeper: ApiClient, world: World) -> None:
    number = post(bookkeeper, "/invoices/", invoice_body(world), "inv-20").json()["number"]
    content = camt("REST", entry("R1", 3810, number), entry("R2", -50, "fee"), closing=4760)
    body = {"content": base64.b64encode(content).decode(), "file_name": "rest.xml"}
    first, second, other = (post(bookkeeper, "/bank-statements/", body, key) for key in ("st-1", "st-1", "st-2"))
    assert (first.status_code, first.json()) == (201, {"statements": 1, "entries": 2, "known": 0})
    assert (second.json(), other.json()["entries"]) == (first.json(), 0)
    paid, fee = bookkeeper.get(f"{BASE}/bank-entries/?state=open").json()["results"]
    best, *_ = bookkeeper.get(f"{BASE}/bank-entries/{paid['id']}/suggestions/").json()["suggestions"]
    assert (best["is_sure"], best["documents"][0]["number"]) == (True, number)
    documents = [{"invoice_id": best["documents"][0]["invoice_id"]}]
    done = post(bookkeeper, f"/bank-entries/{paid['id']}/booking/", {"documents": documents}, "bk-1")
    assert (done.status_code, done.json()["allocations"][0]["payment_state"]) == (201, "paid")
    key = bookkeeper.get(f"{BASE}/bank-statements/").json()["results"][0]["id"]
    assert bookkeeper.get(f"{BASE}/bank-statements/{key}/balance/").json()["difference"] is None  # one is open
    lines = [{"account": "532"}]
    for number_of_key in ("bk-2", "bk-2"):
        booked = post(bookkeeper, f"/bank-entries/{fee['id']}/booking/", {"lines": lines}, number_of_key)
        assert (booked.status_code, booked.json()["lines"][1]["account"]) == (201, "532")
    again = post(bookkeeper, f"/bank-entries/{fee['id']}/booking/", {"lines": lines}, "bk-3")
    assert (again.status_code, again.json()["code"]) == (409, "not-bookable")
    assert bookkeeper.get(f"{BASE}/bank-statements/{key}/balance/").json()["difference"] is not None
    assert post(bookkeeper, f"/bank-entries/{fee['id']}/undo/", {}, "bk-4").status_code == 200
    assert bookkeeper.get(f"{BASE}/bank-entries/{fee['id']}/").json()["state"] == "open"
    aside = post(bookkeeper, f"/bank-entries/{fee['id']}/set-aside/", {"reason": "Other books"}, "bk-5")
    assert aside.json() == {"state": "set_aside"}
    assert post(bookkeeper, f"/bank-entries/{fee['id']}/undo/", {}, "bk-6").json()["state"] == "open"
    assert post(bookkeeper, f"/bank-entries/{fee['id']}/undo/", {}, "bk-7").json()["code"] == "not-bookable"


def test_csv_statement_is_imported_by_a_mapping_defined_over_the_api(bookkeeper: ApiClient) -> None:
    columns = {"booked_on": "Day", "amount": "Sum"}
    bad = post(bookkeeper, "/bank-mappings/", {"name": "X", "columns": {"day": "Day"}}, "map-1")
    assert (bad.status_code, "There is no field day" in str(bad.json()["errors"]["columns"])) == (400, True)
    assert post(bookkeeper, "/bank-mappings/", {"name": "X", "columns": columns}, "map-2").status_code == 201
    file = base64.b64encode(b"Day;Sum\n2026-05-04;12,50\n").decode()
    body = {"format": "csv", "content": file, "mapping": "X", "account": "HU99", "currency": "HUF"}
    refused = post(bookkeeper, "/bank-statements/", {**body, "mapping": "Y"}, "st-10")
    assert (refused.status_code, "there are: X" in refused.json()["detail"]) == (409, True)
    assert post(bookkeeper, "/bank-statements/", body, "st-11").json()["entries"] == 1
    assert post(bookkeeper, "/bank-statements/", {**body, "content": "?"}, "st-12").json()["code"] == "bad-statement"


def test_refunds_write_off_statement_and_ageing(bookkeeper: ApiClient, world: World) -> None:
    sale = post(bookkeeper, "/invoices/", {**invoice_body(world), "due_on": "2026-03-18"}, "inv-30").json()
    paid = post(bookkeeper, f"/invoices/{sale['id']}/payments/", {"amount": "4000"}, "pay-30").json()
    back = post(bookkeeper, f"/payments/{paid['id']}/refund/", {"amount": "100"}, "re-30")
    assert (back.status_code, Decimal(back.json()["amount"])) == (201, -100)
    freed = post(bookkeeper, f"/payments/{paid['id']}/deallocation/", {"invoice_id": sale["id"]}, "de-30")
    assert Decimal(freed.json()["unallocated"]) == 3900
    lost = [post(bookkeeper, f"/invoices/{sale['id']}/write-off/", {"amount": "10", "reason": "x"}, "wo") for _ in "12"]
    assert [(a.status_code, Decimal(a.json()["open"])) for a in lost] == [(201, 3800)] * 2
    high = post(bookkeeper, f"/invoices/{sale['id']}/write-off/", {"reason": "x"}, "wo-2")
    assert (high.status_code, high.json()["code"]) == (409, "write-off-too-high")
    credit = post(bookkeeper, f"/invoices/{sale['id']}/credit-note/", {}, "cr-30").json()
    assert post(bookkeeper, f"/invoices/{credit['id']}/refund/", {}, "re-31").status_code in (201, 409)
    url = f"{BASE}/customers/{world.customer}/statement/?first=2026-03-01&last=2026-03-31"
    (account,) = [a for a in bookkeeper.get(url).json()["accounts"] if a["currency"] == "HUF"]
    assert any(m["document_number"] == sale["number"] for m in account["moves"])
    then = bookkeeper.get(f"{BASE}/ageing/?on=2026-03-20").json()
    assert (then["on"], Decimal(then["rows"][0]["days_30"]) >= 3810) == ("2026-03-20", True)
    items = bookkeeper.get(f"{BASE}/open-items/?on=2026-03-20&customer_id={world.customer}").json()
    assert sale["number"] in {row["number"] for row in items["documents"]}
    balance = bookkeeper.get(f"{BASE}/trial-balance/?first=2026-01-01&last=2026-12-31").json()
    assert (Decimal(balance["total"]["balance"]), balance["classes"][0]["class"]) == (0, "3")
    assert bookkeeper.get(f"{BASE}/ageing/?on=soon").status_code == 400
    assert bookkeeper.get(f"{BASE}/ageing/?day=2026-03-20").status_code == 400
    integrator = ApiClient(person("robot", duty=INTEGRATORS))
    assert integrator.get(f"{BASE}/ageing/").status_code == 403


def test_credit_note_is_paid_back_once_per_key(bookkeeper: ApiClient, world: World) -> None:
    sale = post(bookkeeper, "/invoices/", invoice_body(world), "inv-40").json()
    post(bookkeeper, f"/invoices/{sale['id']}/payments/", {"amount": "3810"}, "pay-40")
    credit = post(bookkeeper, f"/invoices/{sale['id']}/credit-note/", {}, "cr-40").json()
    first, second = (post(bookkeeper, f"/invoices/{credit['id']}/refund/", {}, "re-40") for _ in range(2))
    assert (first.status_code, Decimal(first.json()["amount"])) == (201, -3810), first.content
    assert (second.status_code, second.json()["number"]) == (201, first.json()["number"])
    again = post(bookkeeper, f"/invoices/{credit['id']}/refund/", {}, "re-41")
    assert (again.status_code, again.json()["code"]) == (409, "payment-not-allocatable")
