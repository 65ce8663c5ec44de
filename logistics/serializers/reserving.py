"""Reservation: all lines of an order in one statement, all or nothing, in one lock order.

Reading the statement from the top: ``line`` numbers the pieces of each product over its lines (so a product named
twice is one demand), ``locked`` locks the stock rows by primary key, ``freed`` finds holds there that are past
their time or the shopper's own, ``shelf`` is what is free with those given back, ``take`` serves each product from
warehouses in order of preference, ``verdict`` says whether everything can be had, ``alloc`` deals the pieces taken
to the lines. The rest writes: holds ended, reservations made, stock changed and journalled.

Why it cannot oversell: ``reserved`` changes only under the lock of its stock row, PostgreSQL re-reads a locked row
after waiting for it, and a hold that somebody else ended meanwhile drops out of ``freed`` for the same reason. A
hold made by somebody else meanwhile is already inside ``reserved``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erp.actor import Actor
from erp.permit import write_permit
from logistics.serializers.running import run_sql
from logistics.serializers.writing import STOCK_WRITE, who

_RESERVE = f"""
with line as materialized (
  select x.line_no, x.product_id, x.quantity,
    sum(x.quantity) over (partition by x.product_id order by x.line_no) as upto
  from unnest(%(line_nos)s::int[], %(products)s::bigint[], %(quantities)s::int[]) x(line_no, product_id, quantity)
), wanted as materialized (
  select l.product_id, sum(l.quantity) as quantity,
    coalesce(bool_or(p.backorder_allowed), false) or %(partial)s::boolean as may_be_short
  from line l left join product_copy p on p.id = l.product_id group by l.product_id
), locked as materialized (
  select s.id, s.product_id, s.warehouse_id, s.on_hand - s.reserved as free
  from stock s
  where s.id = any (array(
    select s2.id from stock s2 where s2.product_id = any (%(products)s::bigint[])
    union
    select r.stock_id from reservation r
    where r.state = 'held' and r.owner_key = %(owner_key)s::text and %(owner_key)s::text <> ''))
  order by s.id for update of s
), freed as materialized (
  select r.id, r.stock_id, r.quantity, r.expires_at <= statement_timestamp() as is_expired
  from reservation r
  where r.id = any (array(
      select h.id from locked k join reservation h on h.stock_id = k.id
      where h.state = 'held' and h.expires_at <= statement_timestamp()
      union
      select h.id from reservation h
      where h.state = 'held' and h.owner_key = %(owner_key)s::text and %(owner_key)s::text <> ''))
    and r.state = 'held'
  for update of r
), shelf as materialized (
  select k.id, k.product_id, k.warehouse_id, w.priority,
    greatest(0, k.free + coalesce((select sum(f.quantity) from freed f where f.stock_id = k.id), 0)) as free
  from locked k join warehouse w on w.id = k.warehouse_id where w.is_active
), whole as (
  select s.warehouse_id from shelf s join wanted n on n.product_id = s.product_id and s.free >= n.quantity
  group by s.warehouse_id having count(*) = (select count(*) from wanted)
), ranked as (
  select s.id, s.product_id, s.free, n.quantity,
    coalesce(sum(s.free) over (partition by s.product_id
      order by s.warehouse_id in (select warehouse_id from whole) desc, s.free >= n.quantity desc, s.priority, s.id
      rows between unbounded preceding and 1 preceding), 0) as lo
  from shelf s join wanted n on n.product_id = s.product_id
), take as materialized (
  select id as stock_id, product_id, lo, lo + least(free, quantity - lo) as upto
  from ranked where free > 0 and lo < quantity
), supply as materialized (
  select n.product_id, n.quantity, n.may_be_short,
    coalesce((select sum(s.free) from shelf s where s.product_id = n.product_id), 0) as available
  from wanted n
), verdict as materialized (
  select coalesce(bool_and(available >= quantity or may_be_short), true) as ok from supply
), alloc as materialized (
  select l.line_no, l.product_id, t.stock_id,
    (least(l.upto, t.upto) - greatest(l.upto - l.quantity, t.lo))::int as quantity
  from line l join take t on t.product_id = l.product_id and t.lo < l.upto and l.upto - l.quantity < t.upto
  where (select ok from verdict)
), ended as (
  update reservation r set state = case when f.is_expired then 'expired' else 'released' end,
    ended_at = clock_timestamp()
  from freed f where r.id = f.id and (f.is_expired or (select ok from verdict))
), made as (
  insert into reservation (stock_id, product_id, quantity, state, owner_key, order_id, line_no, expires_at)
  select a.stock_id, a.product_id, a.quantity, %(state)s::text, %(owner_key)s::text, %(order_id)s::bigint,
    a.line_no, %(expires_at)s::timestamptz
  from alloc a order by a.stock_id, a.line_no
), delta as materialized (
  select x.stock_id, 0 as on_hand, sum(x.quantity)::int as reserved from (
    select stock_id, quantity from alloc
    union all
    select stock_id, -quantity from freed where is_expired or (select ok from verdict)) x
  group by x.stock_id having sum(x.quantity) <> 0 order by x.stock_id
), {STOCK_WRITE}
select l.line_no, l.product_id, l.quantity, s.available::int, s.quantity::int as wanted, s.may_be_short,
  coalesce((select sum(a.quantity) from alloc a where a.line_no = l.line_no), 0)::int as reserved,
  (select ok from verdict) as ok
from line l join supply s on s.product_id = l.product_id order by l.line_no"""


@dataclass(frozen=True)
class LineResult:
    """What a reservation found for one line."""

    line_no: int
    product_id: int
    quantity: int  # asked for on this line
    available: int  # free for this shopper, over all lines and warehouses, before this reservation
    reserved: int  # reserved for this line; 0 for every line when the whole was refused
    is_short: bool  # its product has less than all lines together ask for, and may not be back-ordered


@dataclass(frozen=True)
class ReservationResult:
    """Outcome of one attempt: everything is reserved (backorders apart), or nothing."""

    ok: bool
    lines: tuple[LineResult, ...]

    @property
    def short(self) -> list[LineResult]:
        """Lines that could not be served."""
        return [line for line in self.lines if line.is_short]


def reserve_stock(
    lines: Iterable[dict[str, Any]],
    *,
    state: str,
    owner_key: str = "",
    order_id: int | None = None,
    expires_at: datetime | None = None,
    partial: bool = False,
    actor: Actor | None = None,
) -> ReservationResult:
    """Reserve stocked lines: all of them or none, in one statement inside the caller's transaction.

    Holds of the same products past their time are released on the way; holds of ``owner_key`` count as free and
    are replaced.

    Args:
        lines: ``{"line_no", "product_id", "quantity"}``, quantities in pieces, positive.
        state: ``held`` (needs ``expires_at``) or ``allocated`` (needs ``order_id``).
        partial: take what there is and call it a success.
    """
    wanted = [line for line in lines if line["quantity"] > 0]
    parameters = {
        "line_nos": [line["line_no"] for line in wanted],
        "products": [line["product_id"] for line in wanted],
        "quantities": [line["quantity"] for line in wanted],
        "state": state, "owner_key": owner_key, "order_id": order_id, "expires_at": expires_at, "partial": partial,
        **who(actor),
    }  # fmt: skip
    with write_permit("stock"):
        rows = run_sql(_RESERVE, parameters)
    return ReservationResult(
        ok=all(row["ok"] for row in rows),
        lines=tuple(
            LineResult(
                row["line_no"], row["product_id"], row["quantity"], row["available"], row["reserved"],
                is_short=row["available"] < row["wanted"] and not row["may_be_short"],
            )
            for row in rows
        ),
    )  # fmt: skip


_RELEASE = f"""
with locked as materialized (
  select s.id from stock s where s.id = any (array(
    select r.stock_id from reservation r where {{condition}}))
  order by s.id for update of s
), gone as (
  update reservation r set state = %(state)s::text, ended_at = clock_timestamp(), shipment_line_id = null
  from locked k where r.stock_id = k.id and {{condition}}
  returning r.stock_id, r.order_id, r.line_no, r.quantity
), delta as materialized (
  select stock_id, 0 as on_hand, -sum(quantity)::int as reserved from gone group by stock_id order by stock_id
), {STOCK_WRITE}
select order_id, line_no, sum(quantity)::int as quantity from gone group by order_id, line_no"""


def release_reservations(condition: str, *, state: str = "released", actor: Actor | None = None, **values: Any) -> int:
    """End live reservations ``r`` that meet a condition and give their pieces back; returns how many pieces.

    Args:
        condition: SQL over ``reservation r``, with named parameters from ``values``; must include the state.
        state: what they become, ``released`` or ``expired``.
    """
    with write_permit("stock"):
        gone = run_sql(_RELEASE.format(condition=condition), {**values, "state": state, **who(actor)})
    return sum(row["quantity"] for row in gone)


_RELEASE_PIECES = f"""
with x as materialized (
  select r.id, r.stock_id, r.product_id, r.quantity, r.owner_key, r.order_id, r.line_no, r.created_at, r.expires_at,
    least(y.pieces, r.quantity) as pieces
  from unnest(%(ids)s::bigint[], %(pieces)s::int[]) y(id, pieces) join reservation r on r.id = y.id
  where r.state in ('held', 'allocated')
), ended as (
  update reservation r set state = 'released', ended_at = clock_timestamp() from x
  where r.id = x.id and x.pieces = x.quantity
), cut as (
  update reservation r set quantity = x.quantity - x.pieces from x where r.id = x.id and x.pieces < x.quantity
), kept_on_record as (
  insert into reservation (stock_id, product_id, quantity, state, owner_key, order_id, line_no, expires_at, created_at,
    ended_at)
  select stock_id, product_id, pieces, 'released', owner_key, order_id, line_no, expires_at, created_at,
    clock_timestamp()
  from x where pieces < quantity order by id
), delta as materialized (
  select stock_id, 0 as on_hand, -sum(pieces)::int as reserved from x group by stock_id order by stock_id
), {STOCK_WRITE}
select coalesce(sum(pieces), 0)::int as pieces from x"""


def release_pieces(pieces: Mapping[int, int], *, actor: Actor | None = None) -> int:
    """End some pieces of live reservations; the caller holds the locks of their orders and stock rows.

    Args:
        pieces: reservation id → how many of its pieces are given back.
    """
    parameters = {"ids": list(pieces), "pieces": list(pieces.values()), **who(actor)}
    with write_permit("stock"):
        return int(run_sql(_RELEASE_PIECES, parameters)[0]["pieces"])
