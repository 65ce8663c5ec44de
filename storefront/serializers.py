"""The only way to write sales orders as Storefront owns them; set-based, each call inside the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor, fetch_prepared
from erp.errors import Refused
from erp.fields import dump_json
from erp.permit import write_permit
from erp.publishing import reader_errors, write_and_publish


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
    payment: str = "open"
    hold_key: str = ""  # whose holds become this order's stock
    cart_id: int | None = None  # cart that becomes this order as it is frozen


_HEADER = (
    "customer_id", "customer_name", "email", "currency", "price_mode", "country", "language", "ship_to", "bill_to",
    "shipping_method", "payment_method", "placed_at", "ordered_on", "net_total", "vat_total", "gross_total",
    "external_ref", "channel", "note", "payment", "hold_key",
)  # fmt: skip
_LINE = tuple(OrderLine.__dataclass_fields__)

_INSERT_LINES = f"""
with n as materialized (
  select nextval(pg_get_serial_sequence('sales_order', 'id')) as id, nextval('sales_order_number') as number
), l as (
  insert into sales_order_line (order_id, {", ".join(_LINE)})
  select n.id, {", ".join("r." + name for name in _LINE)}
  from n, jsonb_populate_recordset(null::sales_order_line, %s::jsonb) r
)
select id, number from n"""

# After the lines, so that the journal's payload has them; their foreign key is checked at commit.
_INSERT = f"""
insert into sales_order (id, number, epoch, custody, lifecycle, fulfilment, invoicing, offered_at, attempts,
  {", ".join(_HEADER)})
select %s::bigint, %s::text, 1, 'offered', 'handing_over', 'none', 'none', clock_timestamp(), 0,
  {", ".join("r." + name for name in _HEADER)}
from l, jsonb_populate_record(null::sales_order, %s::jsonb) r
on conflict (external_ref) do nothing returning *"""

_CART = "cart_placing as (update cart c set state = 'placing', order_id = w.id from w where c.id = %s::bigint),"


def freeze_order(order: NewOrder, *, actor: Actor | None = None) -> tuple[int, str]:
    """Write a confirmed order, frozen and offered under epoch 1, inside a transaction; returns (id, number).

    Raises:
        ReferenceTaken: an order with this ``external_ref`` exists.
    """
    header = {name: getattr(order, name) for name in _HEADER}
    lines = [{name: getattr(line, name) for name in _LINE} for line in order.lines]
    with write_permit("sales_order"), reader_errors("sales_order"):
        order_id, n = fetch_prepared("storefront", _INSERT_LINES, [dump_json(lines)])[0]
        number = f"SO-{n:06d}"
        arguments = [order_id, number, dump_json(header), order.cart_id]
        if not write_and_publish("sales_order", "storefront", _INSERT, arguments, actor, _CART).rows:
            raise ReferenceTaken(f"Sales order {order.external_ref!r} exists already", external_ref=order.external_ref)
    return int(order_id), number


_TYPES = {
    "custody": "text", "lifecycle": "text", "fulfilment": "text", "offered_at": "timestamptz", "refusal": "jsonb",
    "epoch": "bigint",
}  # fmt: skip


def _write(order_id: int, actor: Actor | None, condition: str, beside: str = "", **values: Any) -> bool:
    """Update, journal and stamp the order in one statement, if ``condition`` holds; returns whether it did."""
    assignments = "".join(f"{name} = %s::{_TYPES[name]}, " for name in values)
    statement = (
        f"update sales_order o set {assignments}version = version + 1, updated_at = clock_timestamp() "
        f"from l where o.id = %s::bigint and {condition} returning o.*"
    )
    arguments = [*values.values(), order_id]
    with write_permit("sales_order"):
        return bool(write_and_publish("sales_order", "storefront", statement, arguments, actor, beside).rows)


def record_handed_over(order_id: int, fulfilment: str, *, beside: str = "", actor: Actor | None = None) -> bool:
    """Logistics owns the order now: what is kept here is a record of what was handed over.

    Args:
        beside: what else is written with it in one statement, see :func:`erp.publishing.publishing_sql`.

    Returns whether that was news: somebody else may have recorded it already.
    """
    return _write(
        order_id, actor, "o.custody = 'offered'", beside, custody="handed_over", lifecycle="open",
        fulfilment=fulfilment, offered_at=None, refusal=None,
    )  # fmt: skip


def record_refused(order_id: int, epoch: int, refusal: dict[str, Any], *, actor: Actor | None = None) -> bool:
    """Logistics refused the offer of ``epoch``: the order is Storefront's own again and ends here, cancelled.

    ``refusal``: ``{"reason", "short": [{"line_no", "product_id", "sku", "requested", "available"}]}``.
    Returns False when another epoch is offered by now, or the order is decided.
    """
    return _write(
        order_id, actor, f"o.custody = 'offered' and o.epoch = {int(epoch)}", custody="refused",
        lifecycle="cancelled", offered_at=None, refusal=dump_json(refusal),
    )  # fmt: skip


def raise_epoch(order_id: int, epoch: int, *, actor: Actor | None = None) -> bool:
    """Offer under the next odd epoch after ``epoch``; False when that offer is no longer the present one."""
    condition = f"o.custody = 'offered' and o.epoch = {int(epoch)}"
    return _write(order_id, actor, condition, epoch=epoch + 2)


def record_withdrawn(order_id: int, epoch: int, *, actor: Actor | None = None) -> bool:
    """The offer of ``epoch`` was withdrawn before Logistics saw it: the order ends here, cancelled."""
    condition = f"o.custody = 'offered' and o.epoch = {int(epoch)}"
    return _write(order_id, actor, condition, custody="own", lifecycle="cancelled", offered_at=None)


def record_cancelled(order_id: int, *, actor: Actor | None = None) -> bool:
    """Cancel an order that is Storefront's own."""
    condition = "o.custody = 'own' and o.lifecycle <> 'cancelled'"
    return _write(order_id, actor, condition, lifecycle="cancelled", offered_at=None)


def offer_again(order_id: int, epoch: int, *, actor: Actor | None = None) -> bool:
    """Offer a refused order under the next odd epoch; False when it is not refused under ``epoch`` any more."""
    condition = f"o.custody = 'refused' and o.epoch = {int(epoch)} and o.channel <> 'web'"
    return _write(
        order_id, actor, condition, custody="offered", lifecycle="handing_over", epoch=epoch + 2, refusal=None,
        offered_at=datetime.now(UTC),
    )  # fmt: skip


def note_attempt(order_id: int, wait_s: int, error: str) -> None:
    """The relay failed to hand over: count it, keep why, and look at the order again in ``wait_s`` seconds.

    Not a change of the order, hence no new version and no journal row.
    """
    with write_permit("sales_order"), cursor("storefront") as cur:
        cur.execute(
            "update sales_order set attempts = attempts + 1, last_error = %s, "
            "offered_at = clock_timestamp() + make_interval(secs => %s) where id = %s",
            [error[:2000], wait_s, order_id],
        )


def raise_attempts(order_id: int, error: str) -> None:
    """Somebody tried by hand and failed: count it and keep why; the relay goes on as before."""
    with write_permit("sales_order"), cursor("storefront") as cur:
        cur.execute(
            "update sales_order set attempts = attempts + 1, last_error = %s where id = %s and custody = 'offered'",
            [error[:2000], order_id],
        )
