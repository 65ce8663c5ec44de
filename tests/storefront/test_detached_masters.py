"""While Storefront is detached from a master, the shop says so and takes no order at old prices."""

from __future__ import annotations

from django.test import Client

from erp.replication.resync import attach, detach
from storefront.models import SalesOrder
from tests.databases import ErpDatabase
from tests.storefront import world


def test_detached_product_master_is_said_and_stops_orders(fresh_erp: ErpDatabase) -> None:
    world.set_up_books()
    world.delivery()
    mug = world.product("1000", stock=5)
    client = Client()
    client.post(f"/cart/add/{mug}/", {"quantity": 1})
    assert "being updated" not in client.get("/").content.decode()
    form = world.order_form(client, email="guest@example.com")
    detach("product", "storefront", "migration of the shop")
    assert "being updated" in client.get("/").content.decode()
    refused = client.post("/checkout/", form)
    assert refused.status_code == 503
    assert refused["Retry-After"]
    assert SalesOrder.objects.count() == 0
    attach("product", "storefront")
    assert client.post("/checkout/", form).status_code == 302
    assert SalesOrder.objects.count() == 1
