"""Writers of the sales order in Logistics' custody: taking it over, and its four states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from erp.actor import Actor
from erp.fields import dump_json
from erp.permit import write_permit
from erp.publishing import write_and_publish
from logistics.serializers.running import among, run_sql

HEADER = (
    "number", "customer_id", "customer_name", "email", "currency", "price_mode", "country", "ship_to", "bill_to",
    "shipping_method", "payment_method", "payment", "placed_at", "ordered_on", "net_total", "vat_total", "gross_total",
    "external_ref", "channel", "note",
)  # fmt: skip
"""Fields of an order that come with the offer and are never changed here."""

LINE = (
    "line_no", "product_id", "sku", "name", "quantity", "unit_price", "discount", "vat_code", "vat_rate", "net",
    "vat", "gross", "is_stocked",
)  # fmt: skip
"""Fields of an order line that come with the offer."""

_INSERT_LINES = f"""
with offered as (
  insert into order_offer (order_id, epoch, outcome, payload_hash, answer)
  values (%(id)s::bigint, %(epoch)s::bigint, 'accepted', %(payload_hash)s::text, %(answer)s::jsonb)
)
insert into sales_order_line (order_id, {", ".join(LINE)}, reserved, issued, returned, cancelled)
select %(id)s::bigint, {", ".join(f"l.{name}" for name in LINE)}, l.reserved, 0, 0, 0
from jsonb_populate_recordset(null::sales_order_line, %(lines)s::jsonb) l order by l.line_no"""

_INSERT = f"""
insert into sales_order (id, epoch, lifecycle, fulfilment, invoicing, {", ".join(HEADER)})
select %s::bigint, %s::bigint, 'open', %s::text, 'none', {", ".join(HEADER)}
from jsonb_populate_record(null::sales_order, %s::jsonb) returning *"""


def insert_order(
    order_id: int,
    epoch: int,
    header: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    fulfilment: str,
    *,
    payload_hash: str,
    answer: Mapping[str, Any],
) -> None:
    """Take an order into custody under its own id, with its lines, and publish it; remember the accepted offer.

    The order's own epoch is one above the offer's. Lines go first: the order's payload is made of them.
    """
    parameters = {
        "id": order_id, "epoch": epoch, "payload_hash": payload_hash, "answer": dump_json(answer),
        "lines": dump_json([{name: line[name] for name in (*LINE, "reserved")} for line in lines]),
    }  # fmt: skip
    values = [order_id, epoch + 1, fulfilment, dump_json({name: header[name] for name in HEADER})]
    with write_permit("sales_order"):
        run_sql(_INSERT_LINES, parameters, entity="sales_order")
        write_and_publish("sales_order", "logistics", _INSERT, values)


_ADD_RESERVED = """
update sales_order_line l set reserved = l.reserved + x.change
from unnest(%s::int[], %s::int[]) x(line_no, change) where l.order_id = %s::bigint and l.line_no = x.line_no"""


def change_reserved(order_id: int, changes: Mapping[int, int]) -> None:
    """Change ``reserved`` of lines by line number; the caller refreshes the order's state afterwards."""
    run_sql(_ADD_RESERVED, [list(changes), list(changes.values()), order_id], entity="sales_order")


# Over stocked lines: what is to be delivered, has left, is promised, came back. Non-stocked lines count for
# "everything is issued" only, so that a fee does not keep a delivered order from being shipped.
_REFRESH = """
with f as materialized (
  select o.id,
    coalesce(sum(l.quantity - l.cancelled) filter (where l.is_stocked), 0) as due,
    coalesce(sum(l.issued) filter (where l.is_stocked), 0) as issued,
    coalesce(sum(l.reserved) filter (where l.is_stocked), 0) as reserved,
    coalesce(sum(l.returned) filter (where l.is_stocked), 0) as returned,
    coalesce(sum(l.quantity - l.cancelled - l.issued), 0) as missing,
    coalesce(sum(l.issued), 0) as issued_all,
    coalesce(sum(l.returned), 0) as returned_all
  from sales_order o join sales_order_line l on l.order_id = o.id where o.id {among} group by o.id
), s as materialized (
  select o.id, count(*) filter (where s.state in ('planned', 'picked', 'packed')) as in_work,
    count(*) filter (where s.state = 'issued') as under_way,
    count(*) filter (where s.state in ('issued', 'delivered')) as gone,
    count(*) filter (where s.state in ('issued', 'delivered') and s.invoice_number <> '') as invoiced,
    exists (select 1 from return_line d join return_order r on r.id = d.return_order_id
            where d.order_id = o.id and r.credit_note_number <> '') as credited
  from sales_order o left join shipment s on s.order_id = o.id where o.id {among} group by o.id
), new as materialized (
  select f.id,
    case
      when f.due = 0 and f.missing = 0 and f.issued_all > 0 then 'delivered'
      when f.due = 0 then 'none'
      when f.issued >= f.due and f.returned >= f.issued then 'returned'
      when f.issued >= f.due and s.under_way = 0 then 'delivered'
      when f.issued >= f.due then 'shipped'
      when f.issued > 0 then 'partly_shipped'
      when s.in_work > 0 then 'picking'
      when f.reserved >= f.due then 'allocated'
      else 'backordered'
    end as fulfilment,
    case
      when s.invoiced = 0 then 'none'
      when s.credited and f.returned_all >= f.issued_all then 'credited'
      when f.missing = 0 and s.invoiced = s.gone then 'fully'
      else 'partly'
    end as invoicing,
    f.missing
  from f join s on s.id = f.id
)
update sales_order t set fulfilment = n.fulfilment, invoicing = n.invoicing,
  lifecycle = case when t.lifecycle = 'cancelled' then 'cancelled'
                   when n.missing = 0 and n.invoicing in ('fully', 'credited') then 'closed' else 'open' end,
  version = t.version + 1, updated_at = clock_timestamp()
from new n where t.id = n.id returning t.*"""


def refresh_orders(order_ids: Iterable[int], *, actor: Actor | None = None) -> None:
    """Derive fulfilment, invoicing and lifecycle from lines, shipments and returns; new version, published.

    The caller holds the orders' row locks.
    """
    ids = sorted(set(order_ids))
    if not ids:
        return
    with write_permit("sales_order"):
        condition, argument = among(ids)
        statement = _REFRESH.format(among=condition)
        write_and_publish("sales_order", "logistics", statement, [argument, argument], actor)


_SET_PAYMENT = """
update sales_order set payment = %s::text, version = version + 1, updated_at = clock_timestamp()
where id = %s::bigint and payment <> %s::text returning *"""


def set_payment(order_id: int, payment: str, *, actor: Actor | None = None) -> bool:
    """Record what is known of an order's payment; returns whether that was news."""
    with write_permit("sales_order"):
        written = write_and_publish("sales_order", "logistics", _SET_PAYMENT, [payment, order_id, payment], actor)
    return bool(written.rows)


_CANCEL_LINES = """
update sales_order_line set cancelled = quantity - issued, reserved = 0 where order_id = %s::bigint"""

_CANCEL = """
update sales_order t set lifecycle = %s::text, closed_reason = %s::text, fulfilment = %s::text,
  version = version + 1, updated_at = clock_timestamp() where id = %s::bigint returning *"""


def cancel_lines(order_id: int, *, lifecycle: str, fulfilment: str, reason: str, actor: Actor | None = None) -> None:
    """Cancel what has not left yet; reservations are released by the caller before."""
    values = [lifecycle, reason[:200], fulfilment, order_id]
    with write_permit("sales_order"):
        run_sql(_CANCEL_LINES, [order_id], entity="sales_order")
        write_and_publish("sales_order", "logistics", _CANCEL, values, actor)
