"""Orders that do not reach Logistics: shown with the reason, decided by the button, refused ones offered again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from erp.errors import ErpError
from logistics import api as logistics
from storefront.models import SalesOrder
from storefront.services import handover
from storefront.services.handover import finish_hand_overs
from storefront.services.stuck import oldest_hand_over_s
from tests.databases import ErpDatabase
from tests.people import staff_client
from tests.storefront import world


@pytest.fixture
def seller(module_erp: ErpDatabase) -> Client:
    world.set_up_books()
    return staff_client("seller", duty="storefront")


def stuck(client: Client, source: str, number: str) -> list[dict[str, Any]]:
    found = client.get("/admin/stuck/?format=json").json()["documents"]
    return [row for row in found if row["source"] == source and number in row["what"]]


def retry(client: Client, row: dict[str, Any]) -> str:
    form = {"source": row["source"], "key": row["key"]}
    return client.post("/admin/stuck/retry/", form, follow=True).content.decode()


def test_hand_over_that_fails_says_why_and_is_decided_by_the_button(
    seller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = world.product(stock=5)

    def outage(*args: Any, **kwargs: Any) -> None:
        raise ErpError("Logistics is being moved")

    with monkeypatch.context() as broken:
        broken.setattr(handover.logistics, "accept_order", outage)  # fault injection at the module's border
        with pytest.raises(ErpError, match="being moved"):
            world.place((mug, 2), external_ref="ext-0")
        number = SalesOrder.objects.get(external_ref="ext-0").number
        assert finish_hand_overs(grace_s=0)["failed"] == 1
        (row,) = stuck(seller, "storefront.hand-overs", number)
        assert (row["reason"], row["attempts"]) == ("ErpError: Logistics is being moved", 1)
        assert oldest_hand_over_s() > 0
        assert "Logistics is being moved" in retry(seller, row)
    assert stuck(seller, "storefront.hand-overs", number)[0]["attempts"] == 2
    assert f"Order {number} is Logistics&#x27; now" in retry(seller, row)
    assert stuck(seller, "storefront.hand-overs", number) == []
    assert (oldest_hand_over_s(), logistics.available([mug])) == (0, {mug: 3})


def test_refused_order_of_an_integrator_is_offered_again(seller: Client) -> None:
    mug = world.product(stock=1)
    with pytest.raises(ErpError):
        world.place((mug, 3), external_ref="ext-1")
    order = SalesOrder.objects.get(external_ref="ext-1")
    (row,) = stuck(seller, "storefront.refusals", order.number)
    assert "3 wanted, 1 left" in row["reason"]
    assert "is refused: Not enough stock" in retry(seller, row)
    world.receive(mug, 5)
    assert f"Order {order.number} is Logistics&#x27; now" in retry(seller, row)
    order.refresh_from_db()
    assert (order.custody, order.lifecycle, order.epoch) == ("handed_over", "open", 5)
    assert logistics.available([mug]) == {mug: 3}
    assert stuck(seller, "storefront.refusals", order.number) == []
    assert "is not refused any more" in retry(seller, row)
    assert logistics.available([mug]) == {mug: 3}
