"""A tax number is checked at the NAV: by number, or of a customer with what differs from the master data."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from admin_app import api as admin_api
from erp.errors import Refused
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


def test_customer_page_links_to_the_check_for_bookkeepers_alone(books: World) -> None:
    key = customer()
    url = reverse("admin:admin_app_customer_change", args=[key])
    assert "Check the tax number" not in staff_client("master", duty="admin_app").get(url).content.decode()
    everything = staff_client("root", superuser=True).get(url).content.decode()
    assert reverse("finance-nav-taxpayer", args=[key]) in everything
