"""One Chromium per file, and the shop over HTTP with the demo's assortment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from pytest_django.live_server_helper import LiveServer

from admin_app.services.demo import load_demo as load_masters
from erp.relay import run_relay
from logistics import api as logistics
from storefront.services.demo import load_demo as load_shop
from storefront.services.word_index import index_words
from tests.databases import ErpDatabase
from tests.storefront import world

CHROMIUM = os.environ.get("ERP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for the file."""
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the driver keeps an event loop in this thread
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
        # What runs under an event loop has connections of its own: none may outlive this file's database.
        connections.close_all()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def demo_shop(module_erp: ErpDatabase) -> Iterator[str]:
    """URL of a shop with the demo's products, stock, deliveries and orders."""
    world.set_up_books()
    load_masters(world.SHOPPER)
    logistics.load_demo(world.SHOPPER)
    run_relay("logistics")
    load_shop(world.SHOPPER)
    run_relay("logistics")
    world.copy_stock()
    world.copy_orders()
    index_words()
    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()
