"""Fixtures of Finance's tests."""

from __future__ import annotations

import pytest

from tests.databases import ErpDatabase
from tests.finance.world import World, make_world


@pytest.fixture(scope="module")
def world(module_erp: ErpDatabase) -> World:
    """Books that all tests of one file write into: none depends on another's documents."""
    return make_world()


@pytest.fixture
def fresh_world(fresh_erp: ErpDatabase) -> World:
    """Books of the test's own, for what is counted over all documents."""
    return make_world()
