"""Staff pages of Storefront: orders are read-only, open hand-overs can be finished, copies name their owner."""

from __future__ import annotations

import pytest
from django.test import Client

from storefront.models import Category, SalesOrder
from tests.databases import ErpDatabase
from tests.people import staff_client
from tests.storefront import world

ORDERS = "/admin/storefront/salesorder/"


@pytest.fixture
def staff(module_erp: ErpDatabase) -> Client:
    """A browser of Storefront's staff."""
    world.set_up_books()
    return staff_client("shopkeeper", duty="storefront")


def test_order_is_shown_with_its_documents_and_cannot_be_changed(staff: Client) -> None:
    placed = world.place((world.product("1000", stock=3), 1))
    url = f"{ORDERS}{placed['order_id']}/change/"
    page = staff.get(url).content.decode()
    assert placed["number"] in page
    assert "logistics: sales order" in page
    assert "1,270" in page
    assert staff.post(url, {"note": "x"}).status_code == 403
    assert staff.get(f"{ORDERS}add/").status_code == 403


def test_lists_open(staff: Client) -> None:
    for name in ("salesorder", "cart", "category", "shippingmethod", "shopaccount", "stockcopy", "productcopy"):
        assert staff.get(f"/admin/storefront/{name}/").status_code == 200, name


def test_open_hand_over_is_finished_by_the_button(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from erp.errors import OwnerBusy
    from logistics import api as logistics

    mug = world.product(stock=3)
    with monkeypatch.context() as patched:

        def busy(offer: object) -> None:
            raise OwnerBusy

        patched.setattr(logistics, "accept_order", busy)
        with pytest.raises(OwnerBusy):
            world.place((mug, 1))
    order = SalesOrder.objects.get(lines__product_id=mug)
    assert order.custody == "offered"
    data = {"action": "finish_hand_over", "_selected_action": [order.pk]}
    assert "Decided: 1" in staff.post(ORDERS, data, follow=True).content.decode()
    order.refresh_from_db()
    assert order.custody == "handed_over"


def test_categories_are_edited(staff: Client) -> None:
    data = {"path": "Attic", "name": "Attic", "name_hu": "Padlás", "position": 1, "is_active": "on"}
    assert staff.post("/admin/storefront/category/add/", data).status_code == 302
    assert Category.objects.get(path="Attic").name_hu == "Padlás"
