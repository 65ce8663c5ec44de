"""Planning shipments: which reserved pieces leave which warehouse together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from erp.errors import Refused
from erp.fields import dump_json
from logistics.serializers import lock_order, run_sql, take_locks
from logistics.services.documents import get_warehouse, whole_number


class NotReserved(Refused):
    """Less is reserved for the order than is to be shipped."""

    code = "not-reserved"


class WrongState(Refused):
    """The document is not in a state that allows this."""

    code = "wrong-state"


# Reserved pieces that are on no shipment, and what needs no stock (no reservation, no warehouse).
_OPEN_PARTS = """
select r.id as reservation_id, r.quantity, r.line_no, s.warehouse_id, w.priority
from reservation r join stock s on s.id = r.stock_id join warehouse w on w.id = s.warehouse_id
where r.order_id = %(order)s::bigint and r.state = 'allocated' and r.shipment_line_id is null
union all
select null, (l.quantity - l.issued - l.cancelled - coalesce((
    select sum(d.quantity) from shipment_line d join shipment s on s.id = d.shipment_id
    where d.order_line_id = l.id and s.state in ('planned', 'picked', 'packed')), 0))::int, l.line_no, null, null
from sales_order_line l where l.order_id = %(order)s::bigint and not l.is_stocked
order by priority, line_no, reservation_id"""

_WRITE = """
with taken as materialized (
  select y.*, r.quantity - y.taken as rest, r.stock_id, r.product_id, r.owner_key, r.order_id, r.line_no, r.created_at
  from jsonb_to_recordset(%(taken)s::jsonb) y(reservation_id bigint, taken int, warehouse_id bigint)
  join reservation r on r.id = y.reservation_id
), made as (
  insert into shipment (number, order_id, warehouse_id, state, carrier, tracking_number, actor_name, invoice_number)
  select 'SH-' || lpad(x.no, greatest(6, length(x.no)), '0'), %(order)s::bigint, x.warehouse_id, 'planned', '', '',
    %(actor)s::text, ''
  from (select nextval('shipment_number')::text as no, warehouse_id
        from unnest(%(places)s::bigint[]) warehouse_id) x
  returning id, number, warehouse_id
), line as (
  insert into shipment_line (shipment_id, order_line_id, order_line_no, product_id, sku, name, quantity, is_stocked)
  select m.id, l.id, l.line_no, l.product_id, l.sku, l.name, x.quantity, l.is_stocked
  from unnest(%(from)s::bigint[], %(line_nos)s::int[], %(pieces)s::int[]) x(warehouse_id, line_no, quantity)
  join made m on m.warehouse_id = x.warehouse_id
  join sales_order_line l on l.order_id = %(order)s::bigint and l.line_no = x.line_no order by m.id, l.line_no
  returning id, shipment_id, order_line_no
), split as (
  insert into reservation (stock_id, product_id, quantity, state, owner_key, order_id, line_no, created_at)
  select stock_id, product_id, rest, 'allocated', owner_key, order_id, line_no, created_at from taken where rest > 0
), assigned as (
  update reservation r set quantity = t.taken, shipment_line_id = d.id
  from taken t join made m on m.warehouse_id = t.warehouse_id
  join line d on d.shipment_id = m.id and d.order_line_no = t.line_no
  where r.id = t.reservation_id
)
select id, number, warehouse_id from made order by id"""


_PLANNABLE = """
select l.line_no, l.sku, l.name, l.quantity, l.issued, l.is_stocked,
  case when l.is_stocked then greatest(0, l.quantity - l.reserved - l.issued - l.cancelled) else 0 end as backordered,
  case when l.is_stocked then coalesce((
    select sum(r.quantity) from reservation r where r.order_id = l.order_id and r.line_no = l.line_no
      and r.state = 'allocated' and r.shipment_line_id is null), 0)
  else greatest(0, l.quantity - l.issued - l.cancelled - coalesce((
    select sum(d.quantity) from shipment_line d join shipment s on s.id = d.shipment_id
    where d.order_line_id = l.id and s.state in ('planned', 'picked', 'packed')), 0)) end::int as plannable
from sales_order_line l where l.order_id = %s::bigint order by l.line_no"""


def list_plannable(order_id: int) -> list[dict[str, Any]]:
    """Lines of an order with ``plannable``: pieces that are reserved and not on a shipment, or need no stock."""
    return run_sql(_PLANNABLE, [order_id], entity="sales_order")


def open_order(order_id: int) -> dict[str, Any]:
    """Lock an order and return its state. Raises WrongState unless it is open."""
    order = lock_order(order_id)
    if order["lifecycle"] != "open":
        raise WrongState(f"Order {order['number']} is {order['lifecycle']}; only open orders can be shipped")
    return order


def plan_shipments(
    order_id: int, lines: Sequence[Mapping[str, Any]] | None, *, actor_name: str, warehouse: str | None = None
) -> list[dict[str, Any]]:
    """Plan one shipment per warehouse from what is reserved and not planned yet, inside the caller's transaction.

    Lines that are not stocked go along with the first shipment, unless ``lines`` names which of them do.

    Args:
        lines: ``[{"line_no", "quantity"}]``; None: everything that is reserved.
        warehouse: code; plan only from there.

    Returns:
        ``[{"id", "number", "warehouse_id"}]``.
    """
    take_locks(("stock", "sales_order"))
    order = open_order(order_id)
    found = run_sql(_OPEN_PARTS, {"order": order_id})
    parts = [row for row in found if row["reservation_id"] is not None]
    services = {r["line_no"]: r["quantity"] for r in found if r["reservation_id"] is None and r["quantity"] > 0}
    if warehouse:
        place = get_warehouse(warehouse).pk
        parts = [part for part in parts if part["warehouse_id"] == place]
    taken = _take_parts(order["number"], parts, services, lines)
    if not taken and not services:
        raise NotReserved(f"Nothing is reserved for order {order['number']} that is not planned yet")
    return _write_plan(order_id, taken, services, actor_name)


def _take_parts(
    number: str,
    parts: Sequence[Mapping[str, Any]],
    services: dict[int, int],
    lines: Sequence[Mapping[str, Any]] | None,
) -> list[dict[str, Any]]:
    if lines is None:
        return [{**part, "taken": part["quantity"]} for part in parts]
    wanted: dict[int, int] = defaultdict(int)
    for line in lines:
        wanted[line["line_no"]] += whole_number(line["quantity"], f"Line {line['line_no']}")
    taken = []
    for part in parts:
        pieces = min(part["quantity"], wanted[part["line_no"]])
        wanted[part["line_no"]] -= pieces
        if pieces:
            taken.append({**part, "taken": pieces})
    named = [n for n in services if wanted.get(n)]
    for n in list(services):
        if named:
            asked = min(wanted[n], services[n])
            wanted[n] -= asked
            services[n] = asked
            if not asked:
                del services[n]
    missing = {n: quantity for n, quantity in wanted.items() if quantity}
    if missing:
        told = ", ".join(f"line {n}: {quantity} more than is reserved" for n, quantity in sorted(missing.items()))
        raise NotReserved(f"Order {number} cannot be shipped like this; {told}", missing=missing)
    return taken


def _write_plan(
    order_id: int, taken: Sequence[Mapping[str, Any]], services: Mapping[int, int], actor_name: str
) -> list[dict[str, Any]]:
    places = list(dict.fromkeys(part["warehouse_id"] for part in taken)) or [get_warehouse().pk]
    pieces: dict[tuple[int, int], int] = defaultdict(int)
    for part in taken:
        pieces[part["warehouse_id"], part["line_no"]] += part["taken"]
    for line_no, quantity in services.items():
        pieces[places[0], line_no] += quantity
    assigned = [{name: part[name] for name in ("reservation_id", "taken", "warehouse_id")} for part in taken]
    return run_sql(
        _WRITE,
        {
            "order": order_id, "actor": actor_name, "places": places, "taken": dump_json(assigned),
            "from": [place for place, _ in pieces], "line_nos": [n for _, n in pieces],
            "pieces": list(pieces.values()),
        },
    )  # fmt: skip
