"""Staff browsers in a committed database that the tests of a file share."""

from __future__ import annotations

import itertools

import pytest
from django.test import Client

from admin_app import api
from admin_app.models import Customer
from erp.actor import SYSTEM
from tests.databases import ErpDatabase
from tests.people import staff_client

_numbers = itertools.count(1)


@pytest.fixture
def erp(module_erp: ErpDatabase, django_db_blocker: object) -> object:
    """The file's database, open to the test."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield module_erp


@pytest.fixture
def staff(erp: ErpDatabase) -> Client:
    """Someone with Admin's duty."""
    return staff_client("admin_staff", duty="admin_app")


@pytest.fixture
def boss(erp: ErpDatabase) -> Client:
    """A superuser."""
    return staff_client("boss", superuser=True)


@pytest.fixture
def customer(erp: ErpDatabase) -> Customer:
    """A fresh customer at version 1."""
    made = api.register_customer({"name": f"Customer {next(_numbers)}", "city": "Pécs"}, actor=SYSTEM)
    return Customer.objects.get(pk=made["id"])
