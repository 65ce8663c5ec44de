"""Building blocks of Logistics' tests: masters through Admin's serializers, orders as the Storefront offers them."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from admin_app.serializers import CustomerSerializer, ProductSerializer
from erp.actor import Actor
from erp.db import cursor
from logistics import api

CLERK = Actor(7, "Clerk")
_orders = itertools.count(1)
_skus = itertools.count(1)


def customer(name: str = "Kiss Anna") -> int:
    """A customer; returns the id."""
    rows = CustomerSerializer.bulk_save([{"external_ref": f"t:{name}", "name": name}])
    return int(rows[0]["id"])


def product(**fields: Any) -> int:
    """A product of its own; returns the id."""
    sku = fields.pop("sku", None) or f"SKU-{next(_skus):04d}"
    row = {"sku": sku, "name": f"Thing {sku}", "base_price": Decimal(100), "backorder_allowed": False, **fields}
    return int(ProductSerializer.bulk_save([row])[0]["id"])


def warehouse(code: str = "MAIN", priority: int = 10, **fields: Any) -> str:
    """A warehouse; returns its code."""
    return str(api.save_warehouse({"code": code, "name": code, "priority": priority, **fields})["code"])


def stocked(quantity: int, *, code: str = "MAIN", **fields: Any) -> int:
    """A product of which ``quantity`` lies in a warehouse; returns the product's id."""
    warehouse(code)
    found = product(**fields)
    if quantity:
        receive(found, quantity, code=code)
    return found


def receive(product_id: int, quantity: int, *, code: str = "MAIN") -> dict[str, Any]:
    """Receive goods."""
    rows = [{"product_id": product_id, "quantity": quantity, "unit_cost": Decimal(60)}]
    return api.receive_goods(rows, actor=CLERK, key=None, warehouse=code)


def offer(*lines: tuple[int, int], order_id: int | None = None, epoch: int = 1, **header: Any) -> dict[str, Any]:
    """An order offer with lines (product id, quantity) at 100 net, 27 % VAT."""
    number = order_id or next(_orders)
    return {
        "order_id": number, "epoch": epoch, "number": f"SO-{number:06d}", "customer_id": customer(),
        "customer_name": "Kiss Anna", "currency": "HUF", "price_mode": "net", "country": "HU",
        "bill_to": {"name": "Kiss Anna", "city": "Szeged"}, "ordered_on": "2026-11-24",
        "lines": [
            {
                "line_no": n, "product_id": p, "sku": f"P{p}", "name": f"Product {p}", "quantity": q,
                "unit_price": Decimal(100), "vat_code": "27", "vat_rate": Decimal(27), "net": Decimal(100 * q),
                "vat": Decimal(27 * q), "gross": Decimal(127 * q),
            }
            for n, (p, q) in enumerate(lines, start=1)
        ],
        **header,
    }  # fmt: skip


def accepted(*lines: tuple[int, int], **header: Any) -> int:
    """An order that Logistics accepted; returns its id."""
    answer = api.accept_order(offer(*lines, **header))
    assert answer["outcome"] == "accepted", answer
    return int(answer["order_id"])


def figures(product_id: int, code: str = "MAIN") -> tuple[int, int]:
    """(on hand, reserved) of a product in a warehouse."""
    with cursor("logistics") as cur:
        cur.execute(
            "select s.on_hand, s.reserved from stock s join warehouse w on w.id = s.warehouse_id "
            "where s.product_id = %s and w.code = %s",
            [product_id, code],
        )
        row = cur.fetchone()
    return (row[0], row[1]) if row else (0, 0)


DIFFERENCES = """
select s.id, s.on_hand, coalesce(m.total, 0) as moved, s.reserved, coalesce(r.total, 0) as promised
from stock s
left join (select warehouse_id, product_id, sum(quantity) as total from stock_move group by 1, 2) m
  on m.warehouse_id = s.warehouse_id and m.product_id = s.product_id
left join (select stock_id, sum(quantity) as total from reservation
           where state in ('held', 'allocated') group by 1) r on r.stock_id = s.id
where s.on_hand <> coalesce(m.total, 0) or s.reserved <> coalesce(r.total, 0)"""


def require_sound_books() -> None:
    """On hand = sum of moves, reserved = live reservations, moves numbered without gaps, lines as reserved."""
    with cursor("logistics") as cur:
        cur.execute(DIFFERENCES)
        assert cur.fetchall() == []
        cur.execute(
            "select product_id from stock_move group by product_id having count(*) <> max(seq) or min(seq) <> 1"
        )
        assert cur.fetchall() == []
        cur.execute(
            "select l.order_id, l.line_no, l.reserved, sum(r.quantity) from sales_order_line l left join reservation r "
            "on r.order_id = l.order_id and r.line_no = l.line_no and r.state = 'allocated' "
            "group by l.id having l.reserved <> coalesce(sum(r.quantity), 0)"
        )
        assert cur.fetchall() == []
