"""Staff of Admin with a browser."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.databases import ErpDatabase
from tests.people import staff_client


@pytest.fixture
def erp(module_erp: ErpDatabase, django_db_blocker: object) -> object:
    """The file's committed database, open to the test."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield module_erp


@pytest.fixture
def staff(erp: ErpDatabase) -> Client:
    """Someone with Admin's duty."""
    return staff_client("admin_staff", duty="admin_app")
