"""What must exist before the first invoice of a replay: masters and opening stock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from admin_app import api as admin_api
from erp.actor import Actor
from erp.idempotency import hash_request
from logistics import api as logistics_api
from storefront.copies import CustomerCopy, ProductCopy

from .assumptions import SOURCE, Assumptions, reference
from .codes import Treatment
from .masters import Customer, Product
from .survey import Survey

T = TypeVar("T")
BATCH = 1_000

_CLASSES = {
    Treatment.GOODS: "goods",
    Treatment.SHIPPING: "shipping",
    Treatment.DISCOUNT: "discount",
    Treatment.VOUCHER: "voucher",
}


def batches(rows: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Cut rows into batches."""
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


def save_customers(customers: Sequence[Customer], assumed: Assumptions, actor: Actor) -> dict[str, int]:
    """Create the customers that are missing; returns id by key."""
    refs = {reference(c.key): c for c in customers}
    present = set(CustomerCopy.objects.filter(external_ref__in=refs).values_list("external_ref", flat=True))
    missing = [customer for ref, customer in refs.items() if ref not in present]
    for batch in batches(missing):
        rows = [
            {
                "external_ref": reference(c.key), "name": c.name, "country": c.country, "language": "en",
                "currency": assumed.currency, "is_company": not c.is_cash,
            }
            for c in batch
        ]  # fmt: skip
        admin_api.save_customers(rows, actor=actor)
    found = CustomerCopy.objects.filter(external_ref__in=refs).values_list("external_ref", "id")
    return {refs[str(ref)].key: key for ref, key in found}


def save_products(products: Sequence[Product], assumed: Assumptions, actor: Actor) -> dict[str, int]:
    """Create the products that are missing; returns id by stock code."""
    codes = [p.code for p in products]
    present = set(ProductCopy.objects.filter(sku__in=codes).values_list("sku", flat=True))
    for batch in batches([p for p in products if p.code not in present]):
        rows = [
            {
                "sku": p.code, "name": p.name, "external_ref": reference(f"product:{p.code}"),
                "product_class": _CLASSES.get(p.treatment, "service"), "is_stocked": p.treatment is Treatment.GOODS,
                "is_sellable": p.is_sellable, "base_price": p.base_price, "currency": assumed.currency,
                "vat_code": assumed.vat_code, "category": "Gifts" if p.treatment is Treatment.GOODS else "",
            }
            for p in batch
        ]  # fmt: skip
        admin_api.save_products(rows, actor=actor)
    return dict(ProductCopy.objects.filter(sku__in=codes).values_list("sku", "id"))


def receive_opening_stock(
    survey: Survey, product_ids: dict[str, int], assumed: Assumptions, base_currency: str, actor: Actor
) -> int:
    """Bring stock up to what the open invoices need; returns the pieces received.

    A repeat finds the stock there and receives nothing; a run after an interrupted one receives the rest.
    """
    prices = {p.code: p.base_price for p in survey.products}
    needed = {code: pieces for code, pieces in survey.opening_pieces.items() if pieces > 0}
    free: dict[int, int] = {}
    for part in batches([product_ids[code] for code in needed]):
        free |= logistics_api.available(list(part))
    rows: list[dict[str, Any]] = []
    for code, pieces in needed.items():
        short = pieces - free.get(product_ids[code], 0)
        if short > 0:
            cost = prices[code] * assumed.cost_ratio * assumed.rate
            rows.append(
                {"product_id": product_ids[code], "quantity": short, "unit_cost": _unit_cost(cost)}
            )
    for batch in batches(rows):
        key = f"{SOURCE}:opening:{hash_request([list(batch), str(survey.opening_on)])}"
        logistics_api.receive_goods(
            list(batch), actor=actor, key=key, received_on=survey.opening_on,
            supplier_ref="opening stock", is_opening=True,
        )
    return sum(int(row["quantity"]) for row in rows)


def _unit_cost(cost: Decimal) -> Decimal:
    return round(cost, 6)


