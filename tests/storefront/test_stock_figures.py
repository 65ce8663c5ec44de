"""The stock figure on a page: fresh copy, else one question to Logistics, else not known; never older than 15 s."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from logistics import api as logistics
from storefront.services import stock_view
from storefront.services.stock_view import LiveStock, stock_figures
from tests.databases import ErpDatabase
from tests.storefront import world


@pytest.fixture(autouse=True)
def _shop(module_erp: ErpDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    world.set_up_books()
    monkeypatch.setattr(stock_view, "live", LiveStock())


@pytest.fixture
def old_copy(module_erp: ErpDatabase) -> Iterator[None]:
    """The copy's last run was 16 s ago."""
    world.copy_stock()
    with module_erp.connect("postgres") as admin:
        admin.execute(
            "update storefront.copy_position set began_at = began_at - interval '16 s' where entity = 'stock'"
        )
    yield
    world.copy_stock()


def test_fresh_copy_is_shown_with_its_age() -> None:
    mug = world.product(stock=6)
    world.copy_stock()
    figure = stock_figures([mug])[mug]
    assert (figure.known, figure.available) == (True, 6)
    assert 0 <= figure.age_s < 15


def test_reserved_pieces_are_not_available() -> None:
    mug = world.product(stock=6)
    world.place((mug, 4))
    world.copy_stock()
    assert stock_figures([mug])[mug].available == 2


def test_old_copy_is_replaced_by_one_question(old_copy: None) -> None:
    mug = world.product(stock=6)
    assert stock_figures([mug])[mug].available == 6  # the copy does not know it yet
    assert "6 in stock" in Client().get(f"/stock/{mug}/").content.decode()
    assert stock_view.live.questions == 1


def test_many_pages_ask_once(old_copy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = world.product(stock=6)
    real = logistics.available

    def slow(ids: Any) -> dict[int, int]:
        time.sleep(0.1)
        return real(ids)

    monkeypatch.setattr(logistics, "available", slow)
    found: list[int] = []

    def ask() -> None:
        found.append(stock_figures([mug])[mug].available)
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [6] * 12
    assert stock_view.live.questions == 1


def test_slow_answer_costs_no_more_than_the_budget(old_copy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = world.product(stock=6)
    monkeypatch.setattr(logistics, "available", lambda ids: time.sleep(1))
    began = time.monotonic()
    page = Client().get(f"/stock/{mug}/").content.decode()
    assert time.monotonic() - began < 0.8
    assert "checked at checkout" in page
    assert "in stock" not in page
    began = time.monotonic()
    assert not stock_figures([mug])[mug].known  # nobody waits again for a while
    assert time.monotonic() - began < 0.25


def test_failing_logistics_makes_the_figure_unknown(old_copy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(ids: object) -> None:
        raise OSError("no route")

    mug = world.product(stock=6)
    monkeypatch.setattr(logistics, "available", fail)
    assert not stock_figures([mug])[mug].known
    assert Client().get("/").status_code == 200


def test_answers_grow_old_and_are_asked_again(old_copy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = world.product(stock=6)
    monkeypatch.setattr(stock_view, "REUSE_S", 0.05)
    stock_figures([mug])
    time.sleep(0.06)
    assert stock_figures([mug])[mug].available == 6
    assert stock_view.live.questions == 2
