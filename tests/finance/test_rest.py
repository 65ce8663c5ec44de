"""Finance over HTTP: VAT codes are written, documents and the ledger read, operations called with a key."""

from __future__ import annotations

from typing import Any

import pytest

from erp.duties import INTEGRATORS
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
