"""Demo data: two warehouses, and stock for every stocked product that has none yet."""

from __future__ import annotations

from decimal import Decimal

from erp.actor import Actor
from erp.db import retrying
from logistics.models import ProductCopy, Stock, Warehouse
from logistics.services.receiving import receive_goods

_WAREHOUSES = (
    {"code": "BUD", "name": "Budapest", "priority": 10, "postcode": "1097", "city": "Budapest"},
    {"code": "GYR", "name": "Győr", "priority": 20, "postcode": "9027", "city": "Győr"},
)
_COST_RATIO = Decimal("0.6")  # of the base price; the demo has no purchase prices


def load_demo(actor: Actor) -> dict[str, int]:
    """Create the demo warehouses and receive opening stock; a repeat adds nothing.

    Returns ``{"warehouses", "products"}``, the number of each that is new.
    """
    made = sum(retrying("logistics", lambda w=w: _make(w)) for w in _WAREHOUSES)  # type: ignore[misc]
    known = set(Stock.objects.values_list("product_id", flat=True))
    products = [
        p
        for p in ProductCopy.objects.filter(is_stocked=True, product_class="goods", retired_at=None).order_by("pk")
        if p.pk not in known
    ]
    for code, share in (("BUD", 1), ("GYR", 2)):
        rows = [
            {
                "product_id": p.pk,
                "quantity": (40 + (p.pk * 37) % 160) // share,
                "unit_cost": (p.base_price * _COST_RATIO).quantize(Decimal("0.000001")),
            }
            for p in products
            if share == 1 or p.pk % 3 == 0
        ]
        if rows:
            key = f"demo opening stock {code} {rows[0]['product_id']}-{rows[-1]['product_id']}"
            receive_goods(rows, actor=actor, key=key, warehouse=code, note="Opening stock of the demo")
    return {"warehouses": made, "products": len(products)}


def _make(data: dict[str, object]) -> int:
    code = data["code"]
    _, created = Warehouse.objects.get_or_create(code=code, defaults={k: v for k, v in data.items() if k != "code"})
    return int(created)
