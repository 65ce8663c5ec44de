"""From a planned shipment to goods that have left: pick, pack, issue, deliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from erp.actor import Actor
from erp.db import cursor
from erp.errors import NotFound, Refused
from erp.faultpoints import fault_point
from erp.relay import enqueue
from logistics.models import Shipment, StockMove
from logistics.serializers import Move, among, lock_order, post_moves, refresh_orders, run_sql, take_locks
from logistics.services.documents import today, with_key
from logistics.services.issue_payload import goods_issue_payloads
from logistics.services.planning import WrongState, plan_shipments
from logistics.services.relays import settle

State = Shipment.State
_BEFORE = {State.PICKED: (State.PLANNED,), State.PACKED: (State.PICKED,), State.DELIVERED: (State.ISSUED,)}
_IN_WORK = (State.PLANNED, State.PICKED, State.PACKED)


def create_shipments(
    order_id: int,
    lines: Sequence[Mapping[str, Any]] | None = None,
    *,
    actor: Actor,
    key: str | None = None,
    warehouse: str | None = None,
) -> list[dict[str, Any]]:
    """Plan shipments, one per warehouse, from what is reserved (see :func:`planning.plan_shipments`)."""

    def run() -> list[dict[str, Any]]:
        shipments = plan_shipments(order_id, lines, actor_name=actor.name, warehouse=warehouse)
        refresh_orders([order_id], actor=actor)
        return shipments

    request = {"order_id": order_id, "lines": lines, "warehouse": warehouse}
    return with_key(key, "create_shipments", request, actor, run)  # type: ignore[no-any-return]


def with_shipment(shipment_id: int, actor: Actor, run: Callable[[Shipment], Any]) -> Any:
    """Run ``run`` in a transaction that holds the order's lock, with the shipment as it is then. Raises NotFound."""

    def locked() -> Any:
        take_locks(("stock", "sales_order"))
        order_id = Shipment.objects.filter(pk=shipment_id).values_list("order_id", flat=True).first()
        if order_id is None:
            raise NotFound(f"There is no shipment {shipment_id}")
        lock_order(order_id)
        return run(Shipment.objects.get(pk=shipment_id))

    return with_key(None, "", None, actor, locked)


def _step(shipment_id: int, to: str, actor: Actor, **values: Any) -> str:
    def run(shipment: Shipment) -> str:
        if shipment.state == to:
            return shipment.number  # pressed twice
        if shipment.state not in _BEFORE[State(to)]:
            raise WrongState(f"Shipment {shipment.number} is {shipment.state}; it cannot become {to}")
        Shipment.objects.filter(pk=shipment.pk).update(state=to, **values)
        refresh_orders([shipment.order_id], actor=actor)
        return shipment.number

    return str(with_shipment(shipment_id, actor, run))


def pick_shipment(shipment_id: int, *, actor: Actor) -> str:
    """The goods have been taken from the shelf; returns the shipment's number. Pressed twice: no further effect."""
    return _step(shipment_id, State.PICKED, actor, picked_at=datetime.now(UTC))


def pack_shipment(shipment_id: int, *, actor: Actor) -> str:
    """The goods are in the parcel."""
    return _step(shipment_id, State.PACKED, actor, packed_at=datetime.now(UTC))


def deliver_shipment(shipment_id: int, *, actor: Actor, delivered_on: date | None = None) -> str:
    """The customer has the goods."""
    return _step(shipment_id, State.DELIVERED, actor, delivered_on=delivered_on or today())


def set_tracking(shipment_id: int, *, carrier: str, tracking_number: str, actor: Actor) -> str:
    """Record who carries the parcel and under which number; allowed until it is delivered."""

    def run(shipment: Shipment) -> str:
        if shipment.state in {State.DELIVERED, State.CANCELLED}:
            raise WrongState(f"Shipment {shipment.number} is {shipment.state}")
        Shipment.objects.filter(pk=shipment.pk).update(carrier=carrier, tracking_number=tracking_number)
        refresh_orders([shipment.order_id], actor=actor)
        return shipment.number

    return str(with_shipment(shipment_id, actor, run))


def cancel_shipment(shipment_id: int, *, actor: Actor) -> str:
    """Take a shipment back that has not been issued; its pieces stay reserved for the order."""

    def run(shipment: Shipment) -> str:
        if shipment.state not in (*_IN_WORK, State.CANCELLED):
            raise WrongState(f"Shipment {shipment.number} is {shipment.state}; what has left comes back as a return")
        drop_plans([shipment.pk])
        refresh_orders([shipment.order_id], actor=actor)
        return shipment.number

    return str(with_shipment(shipment_id, actor, run))


def drop_plans(shipment_ids: Sequence[int]) -> None:
    """Cancel planned shipments and detach their reservations; the caller holds the orders' locks."""
    with cursor("logistics") as cur:
        cur.execute(
            "update reservation set shipment_line_id = null where state = 'allocated' and shipment_line_id in "
            "(select id from shipment_line where shipment_id = any (%s))",
            [list(shipment_ids)],
        )
        cur.execute("update shipment set state = 'cancelled' where id = any (%s)", [list(shipment_ids)])


def issue_shipment(shipment_id: int, *, actor: Actor, on_date: date | None = None) -> str:
    """Goods issue: the parcel has left. Irreversible; pressed twice, no further effect.

    Moves, stock, reservations, order, shipment and the relay item for Finance are one transaction. The invoice is
    then asked for at once; if that fails the relay repeats it.
    """

    def run(shipment: Shipment) -> str:
        if shipment.state in {State.ISSUED, State.DELIVERED}:
            return shipment.number
        if shipment.state != State.PACKED:
            raise WrongState(f"Shipment {shipment.number} is {shipment.state}; pick and pack it first")
        issue_goods(shipment.order_id, [shipment.pk], on_date or today(), actor)
        return shipment.number

    number = str(with_shipment(shipment_id, actor, run))
    settle("invoice_issue", [f"shipment:{shipment_id}"])
    return number


_LINES = """
select d.id, d.shipment_id, s.number, s.warehouse_id, d.product_id, d.quantity
from shipment_line d join shipment s on s.id = d.shipment_id
where d.shipment_id {among} and d.is_stocked order by d.id"""

_ISSUE = """
with m as materialized (
  select * from unnest(%(lines)s::bigint[], %(moves)s::bigint[], %(seqs)s::bigint[]) x(line_id, move_id, move_seq)
), numbered as (
  update shipment_line d set move_id = m.move_id, move_seq = m.move_seq from m where d.id = m.line_id
), ended as (
  update reservation r set state = 'issued', ended_at = clock_timestamp()
  from shipment_line d
  where d.shipment_id {among} and r.shipment_line_id = d.id and r.state = 'allocated'
), moved as (
  update sales_order_line l set issued = l.issued + d.quantity, reserved = l.reserved - d.from_reserved
  from (select order_line_id, sum(quantity) as quantity,
          coalesce(sum(quantity) filter (where is_stocked), 0) as from_reserved
        from shipment_line where shipment_id {among} group by order_line_id) d
  where l.id = d.order_line_id
)
update shipment set state = 'issued', issued_at = clock_timestamp(), issued_on = %(on)s::date,
  picked_at = coalesce(picked_at, clock_timestamp()), packed_at = coalesce(packed_at, clock_timestamp())
where id {among}"""


def issue_goods(order_id: int, shipment_ids: Sequence[int], on: date, actor: Actor) -> None:
    """Issue shipments of one order inside the caller's transaction, which holds the order's lock."""
    ids = sorted(shipment_ids)
    condition, argument = among(ids)
    lines = run_sql(_LINES.format(among=condition), [argument])
    moves = post_moves(
        [
            Move(
                d["warehouse_id"], d["product_id"], StockMove.Kind.ISSUE, -d["quantity"], on, "shipment", d["number"],
                d["shipment_id"], d["id"], reserved=-d["quantity"],
            )
            for d in lines
        ],
        actor=actor,
    )  # fmt: skip
    fault_point("issue:after_moves")
    parameters: dict[str, Any] = {
        "lines": [m["document_line_id"] for m in moves], "moves": [m["move_id"] for m in moves],
        "seqs": [m["move_seq"] for m in moves], "on": on,
    }  # fmt: skip
    condition, parameters["shipments"] = among(ids, "shipments")
    run_sql(_ISSUE.format(among=condition), parameters)
    refresh_orders([order_id], actor=actor)
    for payload in goods_issue_payloads(ids):
        enqueue("logistics", "invoice_issue", f"shipment:{payload['shipment_id']}", payload)
    fault_point("issue:before_commit")


_SHIPPED = """
select id as shipment_id, number, warehouse_id, invoice_number from shipment where id {among} order by id"""


def ship(
    order_id: int,
    lines: Sequence[Mapping[str, Any]] | None = None,
    *,
    actor: Actor,
    key: str | None,
    on_date: date | None = None,
    warehouse: str | None = None,
    settle_now: bool = True,
) -> dict[str, Any]:
    """Plan, pick, pack and issue in one go: for integrators and history, where the goods have left already.

    Args:
        lines: ``[{"line_no", "quantity"}]``; None: everything that is reserved.
        settle_now: ask Finance for the invoices at once instead of leaving it to the relay.

    Returns:
        ``{"order_id", "shipments": [{"shipment_id", "number", "warehouse_id", "invoice_number"}], "shipment_id",
        "shipment_number"}`` (the last two: of the first shipment). ``invoice_number`` is empty until there is one.

    Raises:
        NotReserved: more is asked for than is reserved; nothing has changed.
    """

    def run() -> dict[str, Any]:
        shipments = plan_shipments(order_id, lines, actor_name=actor.name, warehouse=warehouse)
        issue_goods(order_id, [s["id"] for s in shipments], on_date or today(), actor)
        return {"order_id": order_id, "shipment_ids": [s["id"] for s in shipments]}

    if lines is not None and not lines:
        raise Refused("Name at least one line, or none at all to ship everything that is reserved")
    request = {"order_id": order_id, "lines": lines, "on": on_date, "warehouse": warehouse}
    done = with_key(key, "ship", request, actor, run)
    fault_point("issue:after_commit")
    if settle_now:
        settle("invoice_issue", [f"shipment:{n}" for n in done["shipment_ids"]])
    condition, argument = among(done["shipment_ids"])
    shipments = run_sql(_SHIPPED.format(among=condition), [argument])
    return {
        "order_id": order_id, "shipments": shipments, "shipment_id": shipments[0]["shipment_id"],
        "shipment_number": shipments[0]["number"],
    }  # fmt: skip
