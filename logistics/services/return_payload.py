"""What Finance is told of an inspected return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.money import round_money
from logistics.models import CustomerCopy, ReturnLine, ReturnOrder, SalesOrder

_BEFORE = """
select l.order_id, l.line_no, l.discount, l.quantity, l.returned from sales_order_line l
join unnest(%s::bigint[], %s::int[]) x(order_id, line_no) on x.order_id = l.order_id and x.line_no = l.line_no"""


def credit_payload(
    found: ReturnOrder, rows: Sequence[ReturnLine], kept: Mapping[int, tuple[int, int]], on: date
) -> dict[str, Any]:
    """Payload for ``finance.api.credit_return``, read before the returned pieces are counted on the order.

    Lines carry the order line they reverse, or none (credit without original); ``move_id`` is filled in later.
    """
    order = SalesOrder.objects.filter(pk=found.order_id).first() if found.order_id else None
    customer = CustomerCopy.objects.filter(pk=found.customer_id).first()
    return {
        "return_id": found.pk, "return_number": found.number, "order_id": found.order_id,
        "order_number": order.number if order else "", "customer_id": found.customer_id,
        "customer_name": found.customer_name, "currency": found.currency, "price_mode": found.price_mode,
        "country": order.country if order else "", "bill_to": found.bill_to, "payment_method": found.payment_method,
        "channel": found.channel, "external_ref": found.external_ref, "reason": found.reason, "returned_on": on,
        "issued_on": on, "language": customer.language if customer else "en",
        "lines": _lines(found, rows, kept),
    }  # fmt: skip


def _lines(
    found: ReturnOrder, rows: Sequence[ReturnLine], kept: Mapping[int, tuple[int, int]]
) -> list[dict[str, Any]]:
    shares = _discounts(found, rows, kept)
    lines: list[dict[str, Any]] = []
    for row in rows:
        restock, scrap = kept[row.line_no]
        if not restock + scrap:
            continue
        lines.append(
            {
                "line_no": len(lines) + 1, "return_line_no": row.line_no, "order_id": row.order_id,
                "order_line_no": row.order_line_no, "product_id": row.product_id, "sku": row.sku, "name": row.name,
                "quantity": restock + scrap, "restocked": restock, "scrapped": scrap, "unit_price": row.unit_price,
                "discount": shares[row.line_no], "vat_code": row.vat_code, "vat_rate": row.vat_rate,
                "is_stocked": row.is_stocked,
            }
        )  # fmt: skip
    return lines


def _discounts(
    found: ReturnOrder, rows: Sequence[ReturnLine], kept: Mapping[int, tuple[int, int]]
) -> dict[int, Decimal]:
    """Share of each line's discount, by pieces: over all returns of a line they sum to its discount."""
    linked = [row for row in rows if row.order_id is not None]
    with cursor("logistics") as cur:
        cur.execute(_BEFORE, [[r.order_id for r in linked], [r.order_line_no for r in linked]])
        before = {(row["order_id"], row["line_no"]): row for row in rows_as_dicts(cur)}
    shares = {}
    for row in rows:
        pieces = sum(kept[row.line_no])
        origin = before.get((row.order_id, row.order_line_no))
        if origin is None:
            shares[row.line_no] = row.discount * pieces / row.quantity
            continue
        whole, count = origin["discount"], origin["quantity"]
        upto = round_money(whole * (origin["returned"] + pieces) / count, found.currency)
        shares[row.line_no] = upto - round_money(whole * origin["returned"] / count, found.currency)
        origin["returned"] += pieces
    return shares
