"""Fixtures of Storefront's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from storefront.cardstandin.server import CardStandIn
from tests.databases import ErpDatabase
from tests.storefront import web, world


@pytest.fixture
def bank(module_erp: ErpDatabase, settings: Settings) -> Iterator[CardStandIn]:
    world.set_up_books()
    world.delivery()
    with web.card_shop(settings) as stand_in:
        yield stand_in
