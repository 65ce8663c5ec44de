"""Setting stock to its moves and reservations where its own figures were altered or lost: a repair's writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from erp.actor import Actor
from erp.fields import dump_json
from erp.permit import write_permit
from logistics.serializers.running import run_sql
from logistics.serializers.writing import STOCK_WRITE, who

# Under the key and from the version that readers and reservations know.
_RESTORE = """
insert into stock (id, version, warehouse_id, product_id, on_hand, reserved)
select distinct on (warehouse_id) j.key, j.version, (j.payload->>'warehouse_id')::bigint as warehouse_id,
  (j.payload->>'product_id')::bigint, 0, 0
from change_journal j
where j.entity = 'stock' and (j.payload->>'product_id')::bigint = %(product)s::bigint
  and not exists (select 1 from stock s where s.id = j.key
                  or (s.product_id, s.warehouse_id) = (%(product)s::bigint, (j.payload->>'warehouse_id')::bigint))
order by warehouse_id, j.version desc
returning id"""


def restore_stock_rows(product_id: int) -> list[int]:
    """Put back, empty, a product's stock rows that only the change journal still knows; returns their ids."""
    with write_permit("stock"):
        return [row["id"] for row in run_sql(_RESTORE, {"product": product_id})]


_SET = f"""
with delta as materialized (
  select s.id as stock_id, x.on_hand - s.on_hand as on_hand, x.reserved - s.reserved as reserved
  from jsonb_to_recordset(%(rows)s::jsonb) x(stock_id bigint, on_hand int, reserved int)
  join stock s on s.id = x.stock_id order by s.id
), {STOCK_WRITE}
select count(*)::int as rows from changed"""


def set_stock(figures: Mapping[int, tuple[int, int]], *, actor: Actor | None = None) -> int:
    """Set (on hand, reserved) by stock row; the caller holds their locks. Returns how many rows were written."""
    rows = [{"stock_id": key, "on_hand": on_hand, "reserved": reserved} for key, (on_hand, reserved) in figures.items()]
    with write_permit("stock"):
        return int(run_sql(_SET, {"rows": dump_json(rows), **who(actor)})[0]["rows"])


_LINES = """
update sales_order_line l set reserved = x.live
from (
  select l.id, coalesce(sum(r.quantity), 0)::int as live from sales_order_line l
  left join reservation r on r.order_id = l.order_id and r.line_no = l.line_no and r.state = 'allocated'
  where l.order_id = any (%s::bigint[]) and l.product_id = %s::bigint and l.is_stocked group by l.id
) x where x.id = l.id and l.reserved <> x.live returning l.order_id, l.line_no, l.reserved"""


def set_lines_reserved(order_ids: Iterable[int], product_id: int) -> list[dict[str, Any]]:
    """Set ``reserved`` of a product's order lines to their reservations; the caller holds and refreshes the orders.

    Returns the lines that changed: ``order_id``, ``line_no``, ``reserved`` as it is now.
    """
    return run_sql(_LINES, [sorted(order_ids), product_id], entity="sales_order")


_NUMBER = """
insert into product_sequence (product_id, last_seq) values (%s::bigint, %s::bigint)
on conflict (product_id) do update set last_seq = excluded.last_seq"""

_LOCK_NUMBER = "select last_seq from product_sequence where product_id = %s::bigint for update"


def lock_sequence(product_id: int) -> int:
    """Lock the number of a product's last move until commit; 0 when there is none."""
    found = run_sql(_LOCK_NUMBER, [product_id])
    return int(found[0]["last_seq"]) if found else 0


def set_sequence(product_id: int, last_seq: int) -> None:
    """Set the number of a product's last move."""
    run_sql(_NUMBER, [product_id, last_seq])


_PUT_BACK = """
insert into stock_move (id, product_id, seq, warehouse_id, kind, quantity, unit_cost, document_kind, document_id,
  document_number, reason, moved_on, actor_name)
select r.move_id, r.product_id, r.move_seq, %(place)s::bigint, r.kind, r.quantity, r.unit_cost, r.document_kind,
  r.document_id, r.document_number, %(reason)s::text, r.moved_on, %(actor)s::text
from jsonb_to_recordset(%(rows)s::jsonb) r(move_id bigint, product_id bigint, move_seq bigint, kind text, quantity int,
  unit_cost numeric, document_kind text, document_id bigint, document_number text, moved_on date)
order by r.move_seq returning id"""


def put_back_moves(moves: Sequence[Mapping[str, Any]], warehouse_id: int, reason: str, actor: Actor) -> int:
    """Insert lost moves of one warehouse again, under their own ids and numbers, as Finance valued them."""
    rows = [{**move, "unit_cost": move["unit_cost"] if move["kind"] == "receipt" else None} for move in moves]
    values = {"rows": dump_json(rows), "place": warehouse_id, "reason": reason[:200], "actor": actor.name}
    return len(run_sql(_PUT_BACK, values))
