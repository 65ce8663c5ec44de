"""Orders from outside: integrators over REST, and the replay of a history. Own prices, own dates, own references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from erp.actor import Actor
from erp.db import fetch_prepared_dicts
from erp.errors import NotFound, Refused
from erp.idempotency import hash_request
from erp.money import round_money
from storefront.models import CustomerCopy, ProductCopy, SalesOrder
from storefront.serializers import NewOrder
from storefront.services.handover import Outcome, OutOfStock
from storefront.services.placing import get_customer, place
from storefront.services.pricing import NotForSale, Terms, Wanted, price_lines, products_by_id


class OrderInvalid(Refused):
    """The order cannot be read."""

    code = "order-invalid"
    status = 400


def place_order(data: Mapping[str, Any], *, actor: Actor, idempotency_key: str) -> dict[str, Any]:
    """See storefront.api.place_order."""

    def prepare() -> Any:
        return _order(data), lambda order_id: None

    outcome = place(
        prepare, key=idempotency_key, scope="place_order", request_hash=hash_request(dict(data)), actor=actor,
        wait_for_logistics=True,
    )  # fmt: skip
    if outcome.result == "refused":
        raise OutOfStock(
            outcome.reason or None, order_id=outcome.order_id, number=outcome.number, short=list(outcome.short)
        )
    return summary(outcome)


_SUMMARY = (
    "id", "number", "epoch", "version", "custody", "lifecycle", "currency", "net_total", "vat_total", "gross_total",
    "external_ref",
)  # fmt: skip
_READ_SUMMARY = f"select {', '.join(_SUMMARY)} from sales_order where id = %s::bigint"


def summary(outcome: Outcome) -> dict[str, Any]:
    """Plain data about an order after it was placed."""
    (order,) = fetch_prepared_dicts("storefront", _READ_SUMMARY, [outcome.order_id])
    return {"order_id": outcome.order_id, "outcome": outcome.result, **order}


def _order(data: Mapping[str, Any]) -> NewOrder:
    customer = get_customer(int(data["customer_id"]))
    country = str(data.get("country") or customer.country)
    ordered_on: date = data.get("ordered_on") or timezone.localdate()
    terms = Terms(
        currency=str(data.get("currency") or customer.currency or settings.BASE_CURRENCY),
        price_mode=str(data.get("price_mode") or "net"),
        country=country,
        vat_status=customer.vat_status,
        on_date=ordered_on,
    )
    if terms.price_mode not in {"net", "gross"}:
        raise OrderInvalid("price_mode is net or gross", price_mode=terms.price_mode)
    lines, totals = price_lines(_wanted(data.get("lines") or (), terms), terms)
    address = _address(customer, country)
    return NewOrder(
        customer_id=customer.pk, customer_name=customer.name, email=str(data.get("email") or customer.email or ""),
        currency=terms.currency, price_mode=terms.price_mode, country=country, language=customer.language,
        ship_to=dict(data.get("ship_to") or address), bill_to=dict(data.get("bill_to") or address),
        shipping_method=str(data.get("shipping_method") or ""),
        payment_method=str(data.get("payment_method") or "transfer"),
        placed_at=data.get("placed_at") or timezone.now(), ordered_on=ordered_on, net_total=totals.net,
        vat_total=totals.vat, gross_total=totals.gross, external_ref=data.get("external_ref") or None,
        channel=str(data.get("channel") or "api"), note=str(data.get("note") or ""), lines=lines,
    )  # fmt: skip


def _address(customer: CustomerCopy, country: str) -> dict[str, Any]:
    return {
        "name": customer.name, "street": customer.street, "postcode": customer.postcode, "city": customer.city,
        "country": country, "tax_number": customer.tax_number,
    }  # fmt: skip


def _wanted(rows: Sequence[Mapping[str, Any]], terms: Terms) -> list[Wanted]:
    if not rows:
        raise OrderInvalid("An order has at least one line")
    products = _products(rows)
    wanted = []
    for number, row in enumerate(rows, 1):
        product = products.get(row.get("product_id") or row.get("sku"))
        if product is None:
            raise NotForSale(f"Line {number}: there is no such product", line_no=number)
        price = row.get("unit_price")
        has_price = (product.is_sellable or product.product_class == "shipping") and product.currency == terms.currency
        if price is None and not has_price:
            raise NotForSale(f"Line {number}: {product.sku} has no price in {terms.currency}", line_no=number)
        quantity = row.get("quantity")
        if not isinstance(quantity, int) or quantity < 1:
            raise OrderInvalid(f"Line {number}: the quantity is a whole number above 0", line_no=number)
        wanted.append(
            Wanted(
                product, quantity, None if price is None else Decimal(price), row.get("vat_code") or None,
                str(row.get("name") or ""), round_money(Decimal(row.get("discount") or 0), terms.currency),
            )
        )  # fmt: skip
    return wanted


def _products(rows: Sequence[Mapping[str, Any]]) -> dict[Any, ProductCopy]:
    ids = {row["product_id"] for row in rows if row.get("product_id")}
    skus = {row["sku"] for row in rows if not row.get("product_id") and row.get("sku")}
    found: dict[Any, ProductCopy] = dict(products_by_id(ids))
    if skus:
        found.update({product.sku: product for product in ProductCopy.objects.filter(sku__in=skus)})
    return found


def get_order(order_id: int) -> dict[str, Any]:
    """See storefront.api.get_order."""
    order = SalesOrder.objects.filter(pk=order_id).first()
    if order is None:
        raise NotFound(f"Storefront has no sales order {order_id}")
    return as_plain_data(order)


_HIDDEN = frozenset({"xid", "offered_at", "attempts"})


def as_plain_data(order: SalesOrder) -> dict[str, Any]:
    """An order with its lines as plain data."""
    header = {
        f.name: getattr(order, f.name) for f in SalesOrder._meta.concrete_fields if f.name not in _HIDDEN
    }
    lines = list(order.lines.values())
    return {**header, "lines": [{k: v for k, v in x.items() if k not in {"id", "order_id"}} for x in lines]}
