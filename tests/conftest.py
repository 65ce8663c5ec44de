"""Fixtures: the test database of the session, and fresh committed databases for tests across modules."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests import databases

_counter = itertools.count(1)


def _name(kind: str) -> str:
    return f"test_{kind}_{os.getpid()}_{next(_counter)}"


@pytest.fixture(scope="session")
def erp_template(django_db_blocker: DjangoDbBlocker) -> str:
    """The migrated and provisioned template database."""
    with django_db_blocker.unblock():
        return databases.template_database()


@pytest.fixture(scope="session")
def django_db_setup(erp_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One database for all rollback tests (``@pytest.mark.django_db(databases=["finance"])``)."""
    with django_db_blocker.unblock():
        database = databases.clone(_name("session"), erp_template)
        databases.use(database.name)
    yield
    with django_db_blocker.unblock():
        databases.use("erp")
        databases.drop(database.name)


def _committed(template: str, blocker: DjangoDbBlocker) -> Iterator[databases.ErpDatabase]:
    with blocker.unblock():
        database = databases.clone(_name("fresh"), template)
        before = databases.use(database.name)
        try:
            yield database
        finally:
            databases.use(next(iter(before.values())))
            databases.drop(database.name)


@pytest.fixture
def fresh_erp(
    django_db_setup: None, erp_template: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[databases.ErpDatabase]:
    """A database of the test's own in which everything commits, under the real roles."""
    yield from _committed(erp_template, django_db_blocker)


@pytest.fixture(scope="module")
def module_erp(
    django_db_setup: None, erp_template: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[databases.ErpDatabase]:
    """Like ``fresh_erp``, shared by the tests of one file: they must not depend on each other's rows."""
    yield from _committed(erp_template, django_db_blocker)
