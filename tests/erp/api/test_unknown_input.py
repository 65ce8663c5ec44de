"""A field or a filter that the API does not know is refused by name; nothing has happened then."""

from __future__ import annotations

from typing import Any

import pytest

from admin_app.models import Customer
from tests.people import ApiClient, person

CUSTOMERS = "/api/v1/admin_app/customers/"


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), answer.content
    assert answer.json()["code"] == "invalid"
    found: dict[str, list[str]] = answer.json()["errors"]
    return found


def test_unknown_field_of_a_new_row_is_named(api: ApiClient) -> None:
    answer = api.send("POST", CUSTOMERS, {"name": "Nobody", "e_mail": "a@example.com", "x": 1})
    assert errors_of(answer) == {
        "e_mail": ["There is no such field; did you mean email?"], "x": ["There is no such field."],
    }  # fmt: skip
    assert not Customer.objects.filter(name="Nobody").exists()


def test_unknown_field_of_a_change_is_named(api: ApiClient, customer: dict[str, Any]) -> None:
    answer = api.send("PATCH", f"{CUSTOMERS}{customer['id']}/", {"nmae": "B"}, If_Match='"1"')
    assert errors_of(answer) == {"nmae": ["There is no such field; did you mean name?"]}


def test_row_can_be_sent_back_as_it_was_read(api: ApiClient, customer: dict[str, Any]) -> None:
    url = f"{CUSTOMERS}{customer['id']}/"
    body = {**api.get(url).json(), "name": "Sent back"}
    assert api.send("PUT", url, body, If_Match='"1"').status_code == 200


@pytest.fixture
def clerk(erp: object) -> ApiClient:
    return ApiClient(person("clerk", duty="logistics"))


def test_unknown_field_of_an_operations_row_is_named_by_its_path(clerk: ApiClient) -> None:
    body = {"rows": [{"product_id": 1, "quantity": 1}, {"product_id": 1, "quantity": 1, "price": 2}], "hint": ""}
    answer = clerk.send("POST", "/api/v1/logistics/goods-receipts/", body, Idempotency_Key="u1")
    assert set(errors_of(answer)) == {"rows[1].price", "hint"}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"{CUSTOMERS}?nmber=C1", "nmber"),
        ("/api/v1/finance/customers/?nmber=C1", "nmber"),
        ("/api/v1/logistics/stock-moves/?page=2", "page"),
        ("/api/v1/logistics/low-stock/?ware=MAIN", "ware"),
    ],
)
def test_unknown_query_parameter_is_named(clerk: ApiClient, url: str, name: str) -> None:
    assert list(errors_of(clerk.get(url))) == [name]


def test_detail_takes_no_filters(api: ApiClient, customer: dict[str, Any]) -> None:
    assert list(errors_of(api.get(f"{CUSTOMERS}{customer['id']}/?number=C1"))) == ["number"]


def test_known_parameters_are_taken(api: ApiClient, customer: dict[str, Any]) -> None:
    for url in (
        f"{CUSTOMERS}?number=C1&limit=2&after=0&format=json",
        "/api/v1/finance/customers/?stale=allow",
        f"/api/v1/finance/customers/{customer['id']}/?stale=allow",
        "/api/v1/logistics/low-stock/?warehouse=MAIN",
    ):
        assert api.get(url).status_code == 200, url
