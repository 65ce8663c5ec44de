"""An entity at its readers: read-only with its age; writes are sent to the owner."""

from __future__ import annotations

from typing import Any

import pytest

from erp import ownership
from erp.api.paths import copy_collection, owner_url
from erp.replication import pull
from tests.databases import ErpDatabase
from tests.people import ApiClient

PAIRS = [(entity.name, reader) for entity in ownership.ENTITIES for reader in entity.readers]


def copies(entity: str, reader: str) -> str:
    return f"/api/v1/{reader}/{copy_collection(entity, reader)}/"


@pytest.mark.parametrize(("entity", "reader"), PAIRS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_write_at_a_reader_is_405_with_the_owners_url(api: ApiClient, entity: str, reader: str, method: str) -> None:
    key = None if method == "POST" else 7
    answer = api.send(method, copies(entity, reader) + ("" if key is None else f"{key}/"), {})
    assert answer.status_code == 405
    body = answer.json()
    assert body["owner"] == ownership.entity(entity).owner
    assert body["owner_url"].endswith(owner_url(entity, key))
    assert f"<{body['owner_url']}>" in answer["Link"]
    assert "POST" not in answer["Allow"]


def test_instant_copy_is_read_with_age_zero(api: ApiClient, customer: dict[str, Any]) -> None:
    answer = api.get(f"{copies('customer', 'finance')}{customer['id']}/")
    assert answer.json()["number"] == customer["number"]
    assert (answer["X-ERP-Age"], answer["X-ERP-Window"], answer["ETag"]) == ("0.0", "0", '"1"')


def test_missing_row_of_a_copy_is_404(api: ApiClient) -> None:
    assert api.get(f"{copies('customer', 'finance')}999999999/").status_code == 404


def test_unfilled_windowed_copy_is_503_unless_stale_is_allowed(api: ApiClient, erp: ErpDatabase) -> None:
    with erp.connect("storefront_ddl") as other:
        other.execute("delete from copy_position where entity = 'stock'")
    answer = api.get(copies("stock", "storefront"))
    assert (answer.status_code, answer.json()["code"]) == (503, "copy-too-old")
    assert int(answer["Retry-After"]) > 0
    allowed = api.get(f"{copies('stock', 'storefront')}?stale=allow")
    assert (allowed.status_code, allowed["X-ERP-Stale"]) == (200, "true")


def test_old_windowed_copy_is_503_and_a_run_makes_it_fresh(api: ApiClient, erp: ErpDatabase) -> None:
    pull.run_copy("stock", "logistics", "storefront")
    answer = api.get(copies("stock", "storefront"))
    assert answer.status_code == 200
    assert float(answer["X-ERP-Age"]) < 15
    assert "X-ERP-As-Of" in answer
    with erp.connect("storefront_ddl") as other:
        other.execute("update copy_position set began_at = began_at - interval '1 minute' where entity = 'stock'")
    assert api.get(copies("stock", "storefront")).status_code == 503
