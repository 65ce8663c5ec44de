"""The only way to write sales orders as Storefront owns them; set-based, each call inside the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound, Refused
from erp.fields import dump_json
from erp.permit import write_permit
from erp.publishing import publish, reader_errors
from storefront.models import SalesOrder


class ReferenceTaken(Refused):
    """Another sales order already has this external reference."""

    code = "reference-taken"


@dataclass(frozen=True)
class OrderLine:
    """A priced line, ready to be frozen."""

    line_no: int
    product_id: int
    sku: str
    name: str
    unit: str
    product_class: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    vat_code: str
    vat_rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    is_stocked: bool


@dataclass(frozen=True)
class NewOrder:
    """A sales order as it was confirmed."""

    customer_id: int
    customer_name: str
    email: str
    currency: str
    price_mode: str
    country: str
    language: str
    ship_to: dict[str, Any]
    bill_to: dict[str, Any]
    shipping_method: str
    payment_method: str
    placed_at: datetime
    ordered_on: date
    net_total: Decimal
    vat_total: Decimal
    gross_total: Decimal
    external_ref: str | None
    channel: str
    note: str
    lines: tuple[OrderLine, ...]


_HEADER = (
    "customer_id", "customer_name", "email", "currency", "price_mode", "country", "language", "ship_to", "bill_to",
    "shipping_method", "payment_method", "placed_at", "ordered_on", "net_total", "vat_total", "gross_total",
    "external_ref", "channel", "note",
)  # fmt: skip
_LINE = tuple(OrderLine.__dataclass_fields__)

_INSERT = f"""
with n as (select nextval('sales_order_number') as n), o as (
  insert into sales_order (number, epoch, custody, lifecycle, fulfilment, invoicing, payment, offered_at, attempts,
    {", ".join(_HEADER)})
  select 'SO-' || lpad(n::text, greatest(6, length(n::text)), '0'), 1, 'offered', 'handing_over', 'none', 'none',
    'open', clock_timestamp(), 0, {", ".join("r." + name for name in _HEADER)}
  from n, jsonb_populate_record(null::sales_order, %s::jsonb) r
  on conflict (external_ref) do nothing
  returning id, number
), l as (
  insert into sales_order_line (order_id, {", ".join(_LINE)})
  select o.id, {", ".join("r." + name for name in _LINE)}
  from o, jsonb_populate_recordset(null::sales_order_line, %s::jsonb) r
)
select id, number from o"""


def freeze_order(order: NewOrder, *, actor: Actor | None = None) -> tuple[int, str]:
    """Write a confirmed order, frozen and offered under epoch 1; returns (id, number).

    Raises:
        ReferenceTaken: an order with this ``external_ref`` exists.
    """
    header = {name: getattr(order, name) for name in _HEADER}
    lines = [{name: getattr(line, name) for name in _LINE} for line in order.lines]
    with write_permit("sales_order"), reader_errors("sales_order"), cursor("storefront") as cur:
        cur.execute(_INSERT, [dump_json(header), dump_json(lines)])
        row = cur.fetchone()
        if row is None:
            raise ReferenceTaken(f"Sales order {order.external_ref!r} exists already", external_ref=order.external_ref)
        publish("sales_order", [row[0]], actor=actor)
    return int(row[0]), str(row[1])


def lock_order(order_id: int) -> SalesOrder:
    """The order's row, locked until the transaction ends. Raises NotFound."""
    found = SalesOrder.objects.select_for_update().filter(pk=order_id).first()
    if found is None:
        raise NotFound(f"Storefront has no sales order {order_id}")
    return found


def _write(order_id: int, actor: Actor | None, **values: Any) -> None:
    assignments = "".join(f"{name} = %s, " for name in values)
    with write_permit("sales_order"), reader_errors("sales_order"), cursor("storefront") as cur:
        cur.execute(
            f"update sales_order set {assignments}version = version + 1, updated_at = clock_timestamp() where id = %s",
            [*values.values(), order_id],
        )
        publish("sales_order", [order_id], actor=actor)


def record_handed_over(order_id: int, fulfilment: str, *, actor: Actor | None = None) -> None:
    """Logistics owns the order now: what is kept here is a record of what was handed over."""
    _write(
        order_id, actor, custody="handed_over", lifecycle="open", fulfilment=fulfilment, offered_at=None, refusal=None
    )


def record_refused(order_id: int, refusal: dict[str, Any], *, actor: Actor | None = None) -> None:
    """Logistics refused the offer: the order is Storefront's own again and ends here, cancelled.

    ``refusal``: ``{"reason", "short": [{"line_no", "product_id", "sku", "requested", "available"}]}``.
    """
    _write(
        order_id, actor, custody="refused", lifecycle="cancelled", offered_at=None, refusal=dump_json(refusal)
    )


def raise_epoch(order_id: int, *, actor: Actor | None = None) -> int:
    """Offer again under the next odd epoch; returns it. The row is locked by the caller."""
    with cursor("storefront") as cur:
        cur.execute("select epoch from sales_order where id = %s", [order_id])
        epoch = int(rows_as_dicts(cur)[0]["epoch"]) + 2
    _write(order_id, actor, epoch=epoch, custody="offered", lifecycle="handing_over", refusal=None)
    return epoch


def note_attempt(order_id: int, wait_s: int) -> None:
    """The relay failed to hand over: count it and look at the order again in ``wait_s`` seconds.

    Not a change of the order, hence no new version and no journal row.
    """
    with write_permit("sales_order"), cursor("storefront") as cur:
        cur.execute(
            "update sales_order set attempts = attempts + 1, "
            "offered_at = clock_timestamp() + make_interval(secs => %s) where id = %s",
            [wait_s, order_id],
        )


def record_cancelled(order_id: int, *, actor: Actor | None = None) -> None:
    """Cancel an order that is Storefront's own, or whose offer was withdrawn. The row is locked by the caller."""
    _write(order_id, actor, custody="own", lifecycle="cancelled", offered_at=None)
