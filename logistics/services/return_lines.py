"""Lines of a return, completed from the orders they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound, Refused
from erp.fields import load_json
from logistics.models import CustomerCopy, ProductCopy
from logistics.services.documents import whole_number

_ORDER_LINES = """
select l.order_id, l.line_no, l.product_id, l.sku, l.name, l.unit_price, l.discount, l.vat_code, l.vat_rate,
  l.is_stocked, l.quantity,
  (l.issued - l.returned - coalesce((
    select sum(d.quantity) from return_line d join return_order r on r.id = d.return_order_id
    where d.order_id = l.order_id and d.order_line_no = l.line_no and r.state in ('requested', 'received')), 0))::int
    as returnable
from unnest(%s::bigint[], %s::int[]) x(order_id, line_no)
join sales_order_line l on l.order_id = x.order_id and l.line_no = x.line_no"""

_FROM_ORDER = ("product_id", "sku", "name", "unit_price", "vat_code", "vat_rate", "is_stocked")


def _origin(order_id: int | None, line: Mapping[str, Any]) -> tuple[int, int] | None:
    order = line.get("order_id", order_id)
    number = line.get("order_line_no", line.get("line_no"))
    return None if order is None or number is None else (int(order), int(number))


def orders_of(order_id: int | None, lines: Sequence[Mapping[str, Any]]) -> list[int]:
    """Orders that the lines came from, in lock order."""
    origins = [_origin(order_id, line) for line in lines]
    return sorted({origin[0] for origin in origins if origin} | ({order_id} if order_id is not None else set()))


def full_lines(order_id: int | None, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Fields of the return's lines, checked against what may still come back. The orders are locked."""
    origins = [_origin(order_id, line) for line in lines]
    known = _known_lines([origin for origin in origins if origin])
    asked: Counter[tuple[int, int]] = Counter()
    rows = []
    for line, origin in zip(lines, origins, strict=True):
        quantity = whole_number(line["quantity"], "Return")
        if origin is None:
            rows.append({**_line_without_original(line), "quantity": quantity})
            continue
        if origin not in known:
            raise NotFound(f"Order {origin[0]} has no line {origin[1]}")
        found = known[origin]
        asked[origin] += quantity
        if asked[origin] > found["returnable"]:
            raise Refused(
                f"{found['sku']}: {found['returnable']} can still come back, not {asked[origin]}",
                line_no=origin[1], returnable=found["returnable"],
            )  # fmt: skip
        rows.append(
            {
                **{name: found[name] for name in _FROM_ORDER}, "order_id": origin[0], "order_line_no": origin[1],
                "quantity": quantity,
            }
        )  # fmt: skip
    return rows


def _known_lines(origins: Sequence[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Any]]:
    wanted = sorted(set(origins))
    with cursor("logistics") as cur:
        cur.execute(_ORDER_LINES, [[o for o, _ in wanted], [n for _, n in wanted]])
        return {(row["order_id"], row["line_no"]): row for row in rows_as_dicts(cur)}


def _line_without_original(line: Mapping[str, Any]) -> dict[str, Any]:
    missing = [n for n in ("product_id", "unit_price", "vat_code", "vat_rate") if line.get(n) is None]
    if missing:
        raise Refused(f"A returned line without an order line needs {', '.join(missing)}")
    product = ProductCopy.objects.filter(pk=line["product_id"]).first()
    if product is None:
        raise NotFound(f"There is no product {line['product_id']}")
    return {
        "product_id": product.pk, "sku": product.sku, "name": line.get("name") or product.name,
        "unit_price": line["unit_price"], "discount": line.get("discount", 0), "vat_code": line["vat_code"],
        "vat_rate": line["vat_rate"], "is_stocked": product.is_stocked and product.product_class == "goods",
    }  # fmt: skip


_HEADER = """
select customer_id, customer_name, currency, price_mode, bill_to, payment_method, channel
from sales_order where id = %s"""


def return_header(orders: Sequence[int], given: Mapping[str, Any]) -> dict[str, Any]:
    """Header of a return: what is given, the rest from its first order."""
    header: dict[str, Any] = {}
    if orders:
        with cursor("logistics") as cur:
            cur.execute(_HEADER, [orders[0]])
            header = rows_as_dicts(cur)[0]
        header["bill_to"] = load_json(header["bill_to"])
    allowed = {
        "customer_id", "customer_name", "currency", "price_mode", "bill_to", "payment_method", "channel",
        "external_ref",
    }  # fmt: skip
    header |= {name: value for name, value in given.items() if name in allowed}
    if not header.get("customer_id") or not header.get("currency"):
        raise Refused("A return without an order needs a customer and a currency")
    if not header.get("customer_name"):
        found = CustomerCopy.objects.filter(pk=header["customer_id"]).first()
        header["customer_name"] = found.name if found else ""
    return header
