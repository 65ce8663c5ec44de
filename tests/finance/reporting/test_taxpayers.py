"""A tax number is checked at the NAV: by number, or of a customer with what differs from the master data."""

from __future__ import annotations

import socket

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from admin_app import api as admin_api
from erp.errors import Refused
from finance.nav.transport import Timeouts
from finance.services.reporting import taxpayers
from finance.services.reporting.taxpayers import check_tax_number
from tests.finance.reporting.stand_in import StandInProcess
from tests.finance.world import BOOKKEEPER, World
from tests.people import staff_client

CAFE = {
    "name": "Kávéház a Sarkon Kft.", "country": "HU", "currency": "HUF", "is_company": True, "vat_status": "domestic",
    "tax_number": "10987656-2-06", "postcode": "6720", "city": "Szeged", "street": "Kárász u. 9.",
}  # fmt: skip


@pytest.fixture
def desk(books: World) -> Client:
    return staff_client("checker", duty="finance")


def customer(**changes: str) -> int:
    return int(admin_api.register_customer({**CAFE, **changes}, actor=BOOKKEEPER)["id"])


def shown(desk: Client, key: int) -> str:
    return desk.get(reverse("finance-nav-taxpayer", args=[key])).content.decode()


def test_customer_that_agrees_with_the_nav(desk: Client, nav: StandInProcess) -> None:
    text = shown(desk, customer())
    for part in ("Valid.", "Kávéház a Sarkon Kft.", "10987656-2-06", "6720 Szeged, Kárász utca 9", "data agree"):
        assert part in text


def test_what_differs_from_the_master_data_is_told(desk: Client, nav: StandInProcess) -> None:
    text = shown(desk, customer(name="Kávézó Kft.", postcode="1011", city="Budapest", tax_number="10987656-2-41"))
    for part in ("the county code is 06 at the NAV, 41 here", "Kávézó Kft. here", "the seat is in 6720 Szeged"):
        assert part in text


def test_unknown_and_impossible_numbers(desk: Client, nav: StandInProcess) -> None:
    assert "knows no taxpayer" in shown(desk, customer(tax_number="24681016-2-41"))
    with pytest.raises(Refused, match="8 or 11 digits"):
        check_tax_number("ATU13585627")
    page = desk.get(reverse("finance-nav-check"), {"number": "10987656"}).content.decode()
    assert "Kávéház a Sarkon Kft." in page


def test_group_member_and_suspended_number_are_told(desk: Client, nav: StandInProcess) -> None:
    member = shown(desk, customer(tax_number="13456786-4-41", name="Csoporttag Kft."))
    for part in ("Valid.", "VAT group", "it is a member of VAT group 17781774; choose that VAT status"):
        assert part in member
    assert "Not valid: the tax number is suspended" in shown(desk, customer(tax_number="14567896-2-41"))


def test_nav_that_cannot_be_asked_is_told_on_the_page(
    desk: Client, nav: StandInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = customer()
    monkeypatch.setattr(taxpayers, "PATIENCE", Timeouts(0.2, 0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as hangs:  # it takes connections and never answers
        asked = f"http://127.0.0.1:{hangs.getsockname()[1]}/x"
        for changes, told in (
            ({"endpoint": "off"}, "Reporting is off"),
            ({"url": "http://127.0.0.1:1/x"}, "The NAV cannot be asked now"),
            ({"url": asked}, "The NAV cannot be asked now"),
        ):
            with monkeypatch.context() as settings_:
                settings_.setattr(settings, "NAV", {**settings.NAV, **changes})
                text = shown(desk, key)
            assert (told in text, "Valid." in text) == (True, False)
        hangs.setblocking(False)
        hangs.accept()[0].close()
        with pytest.raises(BlockingIOError):  # one attempt
            hangs.accept()
    nav.inject({"kind": "maintenance", "operation": "queryTaxpayer", "times": 1})
    assert "MAINTENANCE_MODE" in shown(desk, key)
    assert "Valid." in shown(desk, key)
    monkeypatch.setattr(settings, "SECRET_KEY", "another")  # so another technical user
    with pytest.raises(Refused, match="INVALID_SECURITY_USER"):
        check_tax_number("10987656")


def test_customer_page_links_to_the_check_for_bookkeepers_alone(books: World) -> None:
    key = customer()
    url = reverse("admin:admin_app_customer_change", args=[key])
    assert "Check the tax number" not in staff_client("master", duty="admin_app").get(url).content.decode()
    everything = staff_client("root", superuser=True).get(url).content.decode()
    assert reverse("finance-nav-taxpayer", args=[key]) in everything
