"""Packing: what is in the parcel leaves, the rest stays promised to the order; the paper says what follows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from admin_app.serializers import CustomerSerializer
from erp.errors import NotFound, Refused
from logistics import api
from logistics.models import Shipment
from logistics.services.delivery_note import delivery_note
from logistics.services.packing import pack_pieces
from logistics.services.planning import WrongState, list_plannable
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.world import CLERK, accepted, figures, stocked
from tests.pdf_text import pdf_text


@pytest.fixture(autouse=True)
def books(module_erp: ErpDatabase, finance: object) -> Iterator[None]:
    yield
    world.require_sound_books()


def picked(order_id: int) -> int:
    (planned,) = api.create_shipments(order_id, actor=CLERK)
    api.pick_shipment(planned["id"], actor=CLERK)
    return int(planned["id"])


def test_what_is_not_in_the_parcel_can_be_planned_again() -> None:
    mug, plate = stocked(10), stocked(10)
    order_id = accepted((mug, 4), (plate, 2))
    first = picked(order_id)
    done = pack_pieces(first, {1: 3, 2: 0}, actor=CLERK, parcels=2, weight_g=900, carrier="GLS", tracking_number="G1")
    assert done["left_out"] == 3
    assert pack_pieces(first, {1: 3}, actor=CLERK)["left_out"] == 0  # pressed twice
    assert [line["plannable"] for line in list_plannable(order_id)] == [1, 2]
    api.issue_shipment(first, actor=CLERK)
    assert (figures(mug), figures(plate)) == ((7, 1), (10, 2))
    assert api.get_order(order_id)["fulfilment"] == "partly_shipped"
    api.ship(order_id, None, actor=CLERK, key=None)
    assert (figures(mug), figures(plate)) == ((6, 0), (8, 0))
    assert api.get_order(order_id)["fulfilment"] == "shipped"
    shipment = Shipment.objects.get(pk=first)
    assert (shipment.parcels, shipment.weight_g, shipment.tracking_number) == (2, 900, "G1")


def test_line_made_of_several_reservations_is_cut_in_the_middle() -> None:
    mug = stocked(2, backorder_allowed=True)
    order_id = accepted((mug, 7))
    for n in (2, 3):
        world.receive(mug, n)
    first = picked(order_id)
    assert pack_pieces(first, {1: 3}, actor=CLERK)["left_out"] == 4
    api.issue_shipment(first, actor=CLERK)
    assert (figures(mug), list_plannable(order_id)[0]["plannable"]) == ((4, 4), 4)


@pytest.mark.parametrize(
    ("packed", "message"),
    [({1: 5}, "4 are planned"), ({9: 1}, "has no line 9"), ({1: 0}, "take the shipment back"), ({1: -1}, "not -1")],
)
def test_impossible_parcel_is_refused_and_changes_nothing(packed: dict[int, int], message: str) -> None:
    mug = stocked(10)
    shipment = picked(accepted((mug, 4)))
    with pytest.raises(Refused, match=message):
        pack_pieces(shipment, packed, actor=CLERK)
    assert (Shipment.objects.get(pk=shipment).state, figures(mug)) == ("picked", (10, 4))


def test_only_picked_goods_are_packed() -> None:
    (planned,) = api.create_shipments(accepted((stocked(2), 1)), actor=CLERK)
    with pytest.raises(WrongState, match="only a picked shipment"):
        pack_pieces(planned["id"], {}, actor=CLERK)


def test_delivery_note_says_what_is_here_and_what_follows() -> None:
    mug = stocked(3, backorder_allowed=True, unit="pcs")
    address = {"name": "Őri Ödön", "postcode": "6720", "city": "Szeged", "street": "Fő utca 2."}
    order_id = accepted((mug, 5), ship_to=address)
    done = api.ship(order_id, None, actor=CLERK, key=None)
    name, content = delivery_note(done["shipment_id"], "hu")
    text = pdf_text(content)
    assert name == f"{done['shipment_number']}.pdf"
    for part in ("Szállítólevél", "Őri Ödön", "6720 Szeged", f"SO-{order_id:06d}", "Rendelt\n", "db\n5\n3\n2\n"):
        assert part in text
    assert delivery_note(done["shipment_id"], "hu")[1] == content


def test_delivery_note_is_in_the_customers_language() -> None:
    mug = stocked(3)
    order_id = accepted((mug, 1))
    shipment = api.ship(order_id, None, actor=CLERK, key=None)["shipment_id"]
    assert "Szállítólevél" in pdf_text(delivery_note(shipment)[1])
    CustomerSerializer.bulk_save([{"external_ref": "t:Kiss Anna", "name": "Kiss Anna", "language": "en"}])
    text = pdf_text(delivery_note(shipment)[1])
    assert "Delivery note" in text
    assert "To follow comes" not in text
    CustomerSerializer.bulk_save([{"external_ref": "t:Kiss Anna", "name": "Kiss Anna", "language": "hu"}])


def test_no_paper_for_what_is_not_sent() -> None:
    (planned,) = api.create_shipments(accepted((stocked(2), 1)), actor=CLERK)
    assert "még nincs kiadva" in pdf_text(delivery_note(planned["id"], "hu")[1])
    from logistics.services.fulfilment import cancel_shipment

    cancel_shipment(planned["id"], actor=CLERK)
    with pytest.raises(Refused, match="was taken back"):
        delivery_note(planned["id"])
    with pytest.raises(NotFound):
        delivery_note(10**9)
