"""An entity at its owner: versions, conditions, idempotency, confirmed readers; through HTTP, committed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from admin_app.models import Customer
from erp import ownership
from erp.publishing import copy_model
from tests.databases import ErpDatabase
from tests.people import ApiClient

CUSTOMERS = "/api/v1/admin_app/customers/"


def url_of(row: dict[str, Any]) -> str:
    return f"{CUSTOMERS}{row['id']}/"


def test_created_row_names_its_version_and_confirmed_readers(api: ApiClient) -> None:
    made = api.send("POST", CUSTOMERS, {"name": "Anna"})
    assert made.status_code == 201
    assert made["ETag"] == '"1"'
    assert made["X-ERP-Owner"] == "admin_app"
    assert made["X-ERP-Confirmed"] == "finance=1, logistics=1, storefront=1"
    assert "X-ERP-Detached" not in made
    assert made["Location"].endswith(url_of(made.json()))


def test_change_without_if_match_is_428(api: ApiClient, customer: dict[str, Any]) -> None:
    answer = api.send("PATCH", url_of(customer), {"name": "B"})
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")
    assert answer["Content-Type"] == "application/problem+json"


def test_change_at_a_stale_version_is_412_and_changes_nothing(api: ApiClient, customer: dict[str, Any]) -> None:
    assert api.send("PATCH", url_of(customer), {"name": "First"}, If_Match='"1"').status_code == 200
    answer = api.send("PATCH", url_of(customer), {"name": "Second"}, If_Match='"1"')
    assert answer.status_code == 412
    assert (answer.json()["current"], answer.json()["expected"]) == (2, 1)
    assert Customer.objects.get(pk=customer["id"]).name == "First"


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"', "*"])
def test_change_at_the_present_version_is_taken(api: ApiClient, customer: dict[str, Any], tag: str) -> None:
    answer = api.send("PATCH", url_of(customer), {"name": "B"}, If_Match=tag)
    assert (answer.status_code, answer["ETag"]) == (200, '"2"')


def test_foreign_etag_is_412(api: ApiClient, customer: dict[str, Any]) -> None:
    assert api.send("PATCH", url_of(customer), {"name": "B"}, If_Match='"abc"').status_code == 412


def test_delete_retires_the_row_everywhere(api: ApiClient, customer: dict[str, Any]) -> None:
    answer = api.send("DELETE", url_of(customer), If_Match='"1"')
    assert answer.status_code == 200
    assert answer.json()["retired_at"] is not None
    for reader in ownership.entity("customer").readers:
        copy: Any = copy_model("customer", reader)
        assert copy.objects.get(pk=customer["id"]).version == 2
    assert api.get(url_of(customer)).status_code == 200


def test_repeated_key_creates_once_and_answers_the_same(api: ApiClient) -> None:
    first = api.send("POST", CUSTOMERS, {"name": "Once"}, Idempotency_Key="key-1")
    again = api.send("POST", CUSTOMERS, {"name": "Once"}, Idempotency_Key="key-1")
    assert again.json() == first.json()
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert Customer.objects.filter(name="Once").count() == 1


def test_one_key_sent_at_once_by_many_has_one_effect(api: ApiClient) -> None:
    def send(_: int) -> Any:
        try:
            return api.send("POST", CUSTOMERS, {"name": "At once"}, Idempotency_Key="key-at-once").json()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert answers.count(answers[0]) == 4
    assert Customer.objects.filter(name="At once").count() == 1


def test_page_of_customers_costs_a_fixed_number_of_queries(api: ApiClient) -> None:
    for number in range(5):
        api.send("POST", CUSTOMERS, {"name": f"N{number}"})
    with CaptureQueriesContext(connections["admin_app"]) as captured:
        assert len(api.get(f"{CUSTOMERS}?limit=5").json()["results"]) == 5
    assert len(captured) <= 2 + len(ownership.entity("customer").readers)


def test_key_of_another_request_is_422(api: ApiClient) -> None:
    api.send("POST", CUSTOMERS, {"name": "A"}, Idempotency_Key="key-2")
    answer = api.send("POST", CUSTOMERS, {"name": "B"}, Idempotency_Key="key-2")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-conflict")


def test_refused_request_does_not_use_its_key_up(api: ApiClient) -> None:
    assert api.send("POST", CUSTOMERS, {"name": ""}, Idempotency_Key="key-3").status_code == 400
    assert api.send("POST", CUSTOMERS, {"name": "A"}, Idempotency_Key="key-3").status_code == 201


def test_invalid_values_are_named_by_field(api: ApiClient) -> None:
    answer = api.send("POST", CUSTOMERS, {"name": "A", "country": "hungary", "payment_terms_days": -1})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"country", "payment_terms_days"}


def test_if_none_match_at_the_present_version_is_304(api: ApiClient, customer: dict[str, Any]) -> None:
    assert api.get(url_of(customer), If_None_Match='"1"').status_code == 304


def test_pages_follow_each_other_without_gap(api: ApiClient, customer: dict[str, Any]) -> None:
    seen: list[int] = []
    url = f"{CUSTOMERS}?limit=3"
    while url:
        page = api.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == list(Customer.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=-1", "limit=99999999999999999999"])
def test_senseless_page_is_400(api: ApiClient, query: str) -> None:
    assert api.get(f"{CUSTOMERS}?{query}").status_code == 400


@pytest.mark.parametrize("reader", ownership.entity("customer").readers)
def test_locked_reader_gives_503_and_nothing_changes(
    api: ApiClient, erp: ErpDatabase, customer: dict[str, Any], reader: str
) -> None:
    with erp.connect(f"{reader}_ddl") as other, other.transaction():
        other.execute("lock table customer_copy in access exclusive mode")
        answer = api.send("PATCH", url_of(customer), {"name": "Never"}, If_Match='"1"')
        created = api.send("POST", CUSTOMERS, {"name": "Never"})
    assert (answer.status_code, created.status_code) == (503, 503)
    assert answer.json()["reader"] == reader
    assert int(answer["Retry-After"]) > 0
    assert Customer.objects.get(pk=customer["id"]).version == 1
    assert not Customer.objects.filter(name="Never").exists()
    for each in ownership.entity("customer").readers:
        copy: Any = copy_model("customer", each)
        assert copy.objects.get(pk=customer["id"]).version == 1
        assert not copy.objects.filter(name="Never").exists()


def test_locked_owner_row_gives_503(api: ApiClient, erp: ErpDatabase, customer: dict[str, Any]) -> None:
    with erp.connect("admin_app") as other, other.transaction():
        other.execute("select 1 from customer where id = %s for update", [customer["id"]])
        answer = api.send("PATCH", url_of(customer), {"name": "B"}, If_Match="*")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


def test_detached_reader_is_named_in_every_answer(api: ApiClient, customer: dict[str, Any]) -> None:
    from erp.replication.resync import attach, detach

    detach("customer", "logistics", "its copy is being rebuilt")
    try:
        answer = api.send("PATCH", url_of(customer), {"name": "B"}, If_Match='"1"')
        assert answer["X-ERP-Confirmed"] == "finance=2, storefront=2"
        assert answer["X-ERP-Detached"] == "logistics"
        assert api.get(url_of(customer))["X-ERP-Detached"] == "logistics"
        assert api.get(f"/api/v1/logistics/customers/{customer['id']}/").status_code == 503
    finally:
        attach("customer", "logistics")
    assert api.get(f"/api/v1/logistics/customers/{customer['id']}/").json()["version"] == 2


def test_money_travels_as_digits(api: ApiClient) -> None:
    made = api.send("POST", "/api/v1/admin_app/products/", {"sku": "P-1", "name": "P", "base_price": "0.10"})
    assert made.json()["base_price"] == "0.100000"


def test_taken_sku_is_refused_by_field(api: ApiClient) -> None:
    api.send("POST", "/api/v1/admin_app/products/", {"sku": "P-2", "name": "P"})
    answer = api.send("POST", "/api/v1/admin_app/products/", {"sku": "P-2", "name": "P"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["sku"])
