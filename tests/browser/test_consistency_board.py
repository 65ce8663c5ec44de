"""The consistency board and its pages with something wrong on them: they fit a phone and a desktop and pass axe-core.

With ``ERP_SCREENSHOTS=docs/screenshots`` some pages are kept as pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from erp.replication.resync import detach
from erp.scrubber.engine import request_scrub, run_scrub
from erp.scrubber.rebuilds import request_rebuild
from tests.browser.conftest import CHROMIUM
from tests.databases import ErpDatabase
from tests.people import person
from tests.scrub.planting import CLERK, make_installation

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: browser tests are left out"),
]

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
    "desktop": {"viewport": {"width": 1280, "height": 900}},
}
LEFT_OUT = {"rules": {"landmark-unique": {"enabled": False}}}  # the theme names every scrolling table alike
DRIFT = (
    "update finance.customer_copy set city = 'Elsewhere' where id = 1",
    "delete from storefront.product_copy where id = 2",
    "update logistics.stock set on_hand = on_hand + 1 where id = 1",
    "update finance.journal_line set amount = amount + 0.01 where id = 5",
)


@pytest.fixture(scope="module")
def pages(module_erp: ErpDatabase) -> dict[str, str]:
    """Addresses of the pages; there are drift, incidents, a detached reader, a rebuild and a run to come."""
    make_installation(module_erp)
    run_scrub()
    with module_erp.connect("postgres") as rogue:
        rogue.execute("set session_replication_role = replica")
        for statement in DRIFT:
            rogue.execute(statement)  # type: ignore[call-overload]
    found = run_scrub().pk
    detach("vat_code", "admin_app", "moving disks", actor=CLERK)
    request_rebuild("product", "finance", actor=CLERK)
    asked = request_scrub(asked_by="Clerk").pk
    return {
        "board": "", "runs": "runs/", "run": f"runs/{found}/", "run-to-come": f"runs/{asked}/",
        "samples": f"runs/{found}/customers/", "incidents": "incidents/",
    }  # fmt: skip


@pytest.fixture(scope="module")
def site(pages: dict[str, str]) -> Iterator[str]:
    """URL of the running pages."""
    assert pages
    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_the_board_are_accessible_and_fit(site: str, pages: dict[str, str], browser: Any, screen: str) -> None:
    client = Client()
    client.force_login(person("controller", duty="admin_app"))
    context = browser.new_context(locale="en-GB", **SCREENS[screen])
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    page = context.new_page()
    problems = []
    for name, path in pages.items():
        assert page.goto(f"{site}/admin/ownership/{path}").status == 200
        found = axe.Axe().run(page, options=LEFT_OUT).response["violations"] if screen == "phone" else []
        problems += [f"{name}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > SCREENS[screen]["viewport"]["width"]:
            problems.append(f"{name}: {width} px wide")
        if folder := os.environ.get("ERP_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"board-{name}-{screen}.png", full_page=True)
    assert problems == []
