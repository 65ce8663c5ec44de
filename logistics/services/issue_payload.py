"""What Finance is told of a goods issue: everything an invoice needs, so that it never has to guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.fields import load_json
from erp.money import round_money
from logistics.serializers import among, run_sql

_HEADER = (
    "shipment_id", "shipment_number", "issued_on", "order_id", "order_number", "customer_id", "customer_name",
    "currency", "price_mode", "country", "payment_method", "channel", "external_ref", "bill_to", "ordered_on",
    "language",
)  # fmt: skip

# The pieces of an order line that earlier shipments took: its discount is shared out by pieces.
_LINES = """
select s.id as shipment_id, s.number as shipment_number, s.issued_on, o.id as order_id, o.number as order_number,
  o.customer_id, o.customer_name, o.currency, o.price_mode, o.country, o.payment_method, o.channel, o.external_ref,
  o.bill_to::text as bill_to, o.ordered_on, coalesce(c.language, 'en') as language,
  d.order_line_no, d.product_id, d.sku, d.name, d.quantity, d.is_stocked, d.move_id, d.move_seq,
  l.unit_price, l.discount as line_discount, l.quantity as line_quantity, l.vat_code, l.vat_rate,
  coalesce(p.unit, 'pcs') as unit,
  coalesce((select sum(e.quantity) from shipment_line e join shipment f on f.id = e.shipment_id
            where e.order_line_id = l.id and f.id < d.shipment_id and f.state in ('issued', 'delivered')), 0)::int
    as earlier
from shipment s join sales_order o on o.id = s.order_id left join customer_copy c on c.id = o.customer_id
join shipment_line d on d.shipment_id = s.id join sales_order_line l on l.id = d.order_line_id
left join product_copy p on p.id = d.product_id
where s.id {among} order by s.id, d.order_line_no"""


def goods_issue_payloads(shipment_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Payloads of issued shipments for ``finance.api.invoice_goods_issue``, in id order."""
    condition, argument = among(shipment_ids)
    shipments: dict[int, list[dict[str, Any]]] = {}
    for row in run_sql(_LINES.format(among=condition), [argument]):
        shipments.setdefault(row["shipment_id"], []).append(row)
    return [_payload(rows) for rows in shipments.values()]


def _payload(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    header = {name: rows[0][name] for name in _HEADER}
    lines = [_payload_line(n, row, header["currency"]) for n, row in enumerate(rows, start=1)]
    return {**header, "bill_to": load_json(header["bill_to"]), "lines": lines}


def share_of_discount(row: Mapping[str, Any], currency: str) -> Decimal:
    """Discount of these pieces; the shares of all pieces of a line sum to its discount exactly."""
    whole, pieces = row["line_discount"], row["line_quantity"]
    upto = round_money(whole * (row["earlier"] + row["quantity"]) / pieces, currency)
    return upto - round_money(whole * row["earlier"] / pieces, currency)


def _payload_line(number: int, row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    kept = (
        "order_line_no", "product_id", "sku", "name", "unit", "quantity", "unit_price", "vat_code", "vat_rate",
        "is_stocked", "move_id", "move_seq",
    )  # fmt: skip
    return {"line_no": number, **{name: row[name] for name in kept}, "discount": share_of_discount(row, currency)}
