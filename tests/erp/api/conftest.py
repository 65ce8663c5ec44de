"""API clients in a committed database that the tests of a file share."""

from __future__ import annotations

import itertools

import pytest

from erp.duties import INTEGRATORS
from tests.databases import ErpDatabase
from tests.people import ApiClient, person

_numbers = itertools.count(1)


@pytest.fixture
def erp(module_erp: ErpDatabase, django_db_blocker: object) -> object:
    """The file's database, open to the test."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield module_erp


@pytest.fixture
def api(erp: ErpDatabase) -> ApiClient:
    """An integrator."""
    return ApiClient(person("integrator", duty=INTEGRATORS))


@pytest.fixture
def customer(api: ApiClient) -> dict[str, object]:
    """A fresh customer at version 1."""
    made = api.send("POST", "/api/v1/admin_app/customers/", {"name": f"Customer {next(_numbers)}"})
    assert made.status_code == 201
    found: dict[str, object] = made.json()
    return found
