"""Who may do what over the API: duties from the map."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from erp import ownership
from tests.databases import ErpDatabase
from tests.people import ApiClient, person

CUSTOMERS = "/api/v1/admin_app/customers/"


def test_nobody_is_401(erp: ErpDatabase) -> None:
    answer = Client().get(CUSTOMERS)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" in answer


def test_user_without_duty_is_403(erp: ErpDatabase) -> None:
    assert ApiClient(person("guest")).get(CUSTOMERS).status_code == 403


@pytest.mark.parametrize("module", ownership.MODULES)
def test_staff_read_all_and_write_by_their_duty(erp: ErpDatabase, customer: dict[str, Any], module: str) -> None:
    staff = ApiClient(person(f"staff_{module}", duty=module))
    assert staff.get(CUSTOMERS).status_code == 200
    expected = 201 if module == "admin_app" else 403
    assert staff.send("POST", CUSTOMERS, {"name": "A"}).status_code == expected
    changed = staff.send("PATCH", f"{CUSTOMERS}{customer['id']}/", {"name": "B"}, If_Match="*").status_code
    assert changed == (200 if module == "admin_app" else 403)


def test_write_at_a_reader_is_405_for_its_own_staff_too(erp: ErpDatabase) -> None:
    staff = ApiClient(person("staff_finance", duty="finance"))
    assert staff.send("POST", "/api/v1/finance/customers/", {}).status_code == 405


def test_unknown_address_of_the_api_is_a_problem(erp: ErpDatabase) -> None:
    answer = Client().get("/api/v1/nothing/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_unforeseen_error_of_the_api_is_a_problem_with_its_request_id(
    erp: ErpDatabase, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("erp.api.views.OwnerReadViewSet.list", fail)
    api.raise_errors(False)
    answer = api.get(CUSTOMERS, X_Request_ID="trace-7")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["request_id"] == "trace-7"
