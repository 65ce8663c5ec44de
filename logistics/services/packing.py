"""What really went into the parcel: fewer pieces than planned leave the rest reserved for the order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erp.actor import Actor
from erp.db import cursor
from erp.errors import Refused
from logistics.models import Shipment, ShipmentLine
from logistics.serializers import refresh_orders
from logistics.services.fulfilment import with_shipment
from logistics.services.planning import WrongState

State = Shipment.State
MAX_WEIGHT_G = 2_000_000_000


def pack_pieces(
    shipment_id: int,
    packed: Mapping[int, int],
    *,
    actor: Actor,
    parcels: int = 1,
    weight_g: int | None = None,
    carrier: str = "",
    tracking_number: str = "",
) -> dict[str, Any]:
    """Close a picked shipment with what is in it; what was planned and is not in it stays reserved for the order.

    Args:
        packed: order line number → pieces; a line left out is packed as planned.

    Returns:
        ``{"number", "left_out": pieces}``; a repeat of what is packed already leaves out 0.

    Raises:
        Refused: more than was planned, or nothing at all, would be packed.
    """

    def run(shipment: Shipment) -> dict[str, Any]:
        if shipment.state == State.PACKED:
            return {"number": shipment.number, "left_out": 0}
        if shipment.state != State.PICKED:
            raise WrongState(f"Shipment {shipment.number} is {shipment.state}; only a picked shipment can be packed")
        left_out = _shorten(shipment, packed)
        shipment.state, shipment.parcels, shipment.weight_g = State.PACKED, parcels, weight_g
        shipment.carrier = carrier or shipment.carrier
        shipment.tracking_number = tracking_number or shipment.tracking_number
        _stamp(shipment)
        refresh_orders([shipment.order_id], actor=actor)
        return {"number": shipment.number, "left_out": left_out}

    if parcels < 1 or (weight_g is not None and not 0 <= weight_g <= MAX_WEIGHT_G):
        raise Refused("A shipment has at least one parcel and a weight that is not negative")
    answer: dict[str, Any] = with_shipment(shipment_id, actor, run)
    return answer


def _stamp(shipment: Shipment) -> None:
    shipment.save(update_fields=["state", "parcels", "weight_g", "carrier", "tracking_number"])
    with cursor("logistics") as cur:
        cur.execute("update shipment set packed_at = clock_timestamp() where id = %s", [shipment.pk])


def _shorten(shipment: Shipment, packed: Mapping[int, int]) -> int:
    lines = list(shipment.lines.order_by("order_line_no"))
    unknown = sorted(set(packed) - {line.order_line_no for line in lines})
    if unknown:
        raise Refused(f"Shipment {shipment.number} has no line {', '.join(map(str, unknown))}")
    wanted = {line.pk: packed.get(line.order_line_no, line.quantity) for line in lines}
    for line in lines:
        if not 0 <= wanted[line.pk] <= line.quantity:
            raise Refused(f"{line.sku}: {line.quantity} are planned on {shipment.number}, not {wanted[line.pk]}")
    if not any(wanted.values()):
        raise Refused(f"Nothing of {shipment.number} would be packed; take the shipment back instead")
    short = [line for line in lines if wanted[line.pk] < line.quantity]
    for line in short:
        _leave_out(line, wanted[line.pk])
    return sum(line.quantity - wanted[line.pk] for line in short)


# The reservation that the cut falls into is split; those behind it are detached whole.
_DETACH = """
with r as (
  select id, quantity, %(kept)s - coalesce(sum(quantity) over (order by id rows between unbounded preceding
    and 1 preceding), 0) as room
  from reservation where shipment_line_id = %(line)s and state = 'allocated'
), split as (
  insert into reservation (stock_id, product_id, quantity, state, owner_key, order_id, line_no, created_at)
  select x.stock_id, x.product_id, r.quantity - r.room, 'allocated', x.owner_key, x.order_id, x.line_no, x.created_at
  from r join reservation x on x.id = r.id where r.room > 0 and r.room < r.quantity
)
update reservation x set quantity = case when r.room > 0 then r.room else r.quantity end,
  shipment_line_id = case when r.room > 0 then x.shipment_line_id end
from r where x.id = r.id and r.room < r.quantity"""


def _leave_out(line: ShipmentLine, kept: int) -> None:
    with cursor("logistics") as cur:
        cur.execute(_DETACH, {"line": line.pk, "kept": kept})
    if kept:
        ShipmentLine.objects.filter(pk=line.pk).update(quantity=kept)
    else:
        # Reservations of earlier plans that were released may still refer to the line.
        with cursor("logistics") as cur:
            cur.execute("update reservation set shipment_line_id = null where shipment_line_id = %s", [line.pk])
        ShipmentLine.objects.filter(pk=line.pk).delete()
