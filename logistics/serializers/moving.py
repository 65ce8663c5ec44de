"""Stock moves: many in one statement, numbered per product without gaps, with the stock rows they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.errors import Refused
from erp.fields import dump_json
from erp.permit import write_permit
from logistics.serializers.running import run_sql
from logistics.serializers.writing import STOCK_WRITE, who


class InsufficientStock(Refused):
    """There is not enough stock for this."""

    code = "insufficient-stock"


@dataclass(frozen=True)
class Move:
    """One change of on hand to be recorded."""

    warehouse_id: int
    product_id: int
    kind: str  # StockMove.Kind
    quantity: int  # signed pieces, not 0
    moved_on: date
    document_kind: str
    document_number: str
    document_id: int | None = None
    document_line_id: int | None = None
    unit_cost: Decimal | None = None
    reason: str = ""
    reserved: int = 0  # change of reserved that goes with it: a goods issue takes its reservation down


_ENSURE = """
insert into stock (warehouse_id, product_id, on_hand, reserved)
select distinct x.warehouse_id, x.product_id, 0, 0
from unnest(%s::bigint[], %s::bigint[]) x(warehouse_id, product_id)
where not exists (select 1 from stock s where s.product_id = x.product_id and s.warehouse_id = x.warehouse_id)
order by x.product_id, x.warehouse_id on conflict do nothing"""

_SHORT = """
select s.warehouse_id, w.code as warehouse_code, s.product_id, coalesce(p.sku, s.product_id::text) as sku,
  s.on_hand, s.reserved, x.quantity, x.reserved as reserved_change
from (select warehouse_id, product_id, sum(quantity) as quantity, sum(reserved) as reserved
      from jsonb_to_recordset(%s::jsonb) m(warehouse_id bigint, product_id bigint, quantity int, reserved int)
      group by 1, 2) x
join stock s on s.product_id = x.product_id and s.warehouse_id = x.warehouse_id
join warehouse w on w.id = s.warehouse_id left join product_copy p on p.id = s.product_id
where s.id = any (%s::bigint[])"""

_LOCK = """
select s.id, s.on_hand, s.reserved, s.warehouse_id, s.product_id from stock s
where s.id = any (array(
  select s2.id from unnest(%s::bigint[], %s::bigint[]) x(warehouse_id, product_id)
  join stock s2 on s2.product_id = x.product_id and s2.warehouse_id = x.warehouse_id))
order by s.id for update"""

_POST = f"""
with m as materialized (
  select row_number() over () as n, x.* from jsonb_to_recordset(%(rows)s::jsonb) x(
    warehouse_id bigint, product_id bigint, kind text, quantity int, moved_on date, document_kind text,
    document_number text, document_id bigint, document_line_id bigint, unit_cost numeric, reason text, reserved int)
), delta as materialized (
  select s.id as stock_id, sum(m.quantity)::int as on_hand, sum(m.reserved)::int as reserved
  from m join stock s on s.product_id = m.product_id and s.warehouse_id = m.warehouse_id group by s.id order by s.id
), {STOCK_WRITE}, numbered as (
  insert into product_sequence as p (product_id, last_seq)
  select product_id, count(*) from m group by product_id order by product_id
  on conflict (product_id) do update set last_seq = p.last_seq + excluded.last_seq
  returning product_id, last_seq
), posted as (
  insert into stock_move (product_id, seq, warehouse_id, kind, quantity, unit_cost, document_kind, document_id,
    document_line_id, document_number, reason, moved_on, actor_name)
  select m.product_id,
    q.last_seq - (count(*) over (partition by m.product_id))
      + (row_number() over (partition by m.product_id order by m.n)),
    m.warehouse_id, m.kind, m.quantity, m.unit_cost, m.document_kind, m.document_id, m.document_line_id,
    m.document_number, m.reason, m.moved_on, %(actor_name)s::text
  from m join numbered q on q.product_id = m.product_id order by m.n
  returning id, product_id, seq, warehouse_id, kind, quantity, unit_cost, document_kind, document_id,
    document_line_id, document_number, reason, moved_on
)
select p.id as move_id, p.seq as move_seq, p.*, w.code as warehouse_code
from posted p join warehouse w on w.id = p.warehouse_id order by p.product_id, p.seq"""


def lock_stock(places: Sequence[tuple[int, int]]) -> None:
    """Lock stock rows until commit, so that what is read next stays as it is; missing rows are made.

    Args:
        places: (warehouse id, product id).
    """
    keys = [warehouse_id for warehouse_id, _ in places], [product_id for _, product_id in places]
    with write_permit("stock"):
        run_sql(_ENSURE, keys)
        run_sql(_LOCK, keys)


def post_moves(moves: Sequence[Move], *, actor: Actor | None = None) -> list[dict[str, Any]]:
    """Record moves and change stock accordingly, inside the caller's transaction.

    Stock rows are made when missing and locked by primary key, then product sequences by product.

    Returns:
        The moves as Finance values them: ``move_id``, ``move_seq``, ``product_id``, ``warehouse_id``,
        ``warehouse_code``, ``kind``, ``quantity``, ``unit_cost``, ``moved_on``, the document and ``reason``,
        by product and number.

    Raises:
        InsufficientStock: with ``short`` = every stock row that would fall below what is reserved.
    """
    if not moves:
        return []
    places = [m.warehouse_id for m in moves], [m.product_id for m in moves]
    rows = dump_json([_as_row(m) for m in moves])
    with write_permit("stock"):
        if any(m.kind != "issue" for m in moves):  # what is issued was reserved, so its row is there
            run_sql(_ENSURE, places)
        _require_enough(moves, run_sql(_LOCK, places), rows)
        posted = run_sql(_POST, {"rows": rows, **who(actor)})
    return [{k: v for k, v in row.items() if k not in {"id", "seq"}} for row in posted]


def _as_row(move: Move) -> dict[str, Any]:
    return asdict(move)


def _require_enough(moves: Sequence[Move], locked: Sequence[Mapping[str, Any]], rows: str) -> None:
    left = {(s["warehouse_id"], s["product_id"]): [s["on_hand"], s["reserved"], s["id"]] for s in locked}
    for move in moves:
        place = left[move.warehouse_id, move.product_id]
        place[0] += move.quantity
        place[1] += move.reserved
    bad = [stock_id for on_hand, reserved, stock_id in left.values() if not 0 <= reserved <= on_hand]
    if bad:
        raise _shortage(rows, bad)


def _shortage(rows: str, stock_ids: list[int]) -> InsufficientStock:
    short = run_sql(_SHORT, [rows, stock_ids])
    told = "; ".join(
        f"{s['sku']} in {s['warehouse_code']}: {s['on_hand']} on hand, {s['reserved']} of them reserved, "
        f"{-s['quantity']} asked for"
        for s in short
    )
    return InsufficientStock(f"Not enough stock: {told}", short=short)
