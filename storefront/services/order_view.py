"""An order as its customer sees it: Storefront's own record, and after the hand-over the copy of Logistics' state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from erp import freshness
from erp.money import LineInput, document_totals
from storefront.models import InvoiceCopy, ProductCopy, SalesOrder, SalesOrderCopy, ShippingMethod
from storefront.services import payments
from storefront.services.cards.provider import takes_cards
from storefront.services.order_invoices import invoices_of, invoices_of_orders

AXES = ("lifecycle", "fulfilment", "invoicing", "payment")
PAGE_ORDERS = 20


@dataclass(frozen=True)
class StatusAge:
    """How old the shown status is, when the order is no longer the shop's own."""

    as_of: datetime | None
    age_s: float
    too_old: bool


@dataclass(frozen=True)
class OrderState:
    """The four axes of an order with what Logistics tells about its lines and documents."""

    axes: Mapping[str, str]
    lines: Mapping[int, Mapping[str, Any]]  # by line_no
    shipments: Sequence[Mapping[str, Any]]
    returns: Sequence[Mapping[str, Any]]
    age: StatusAge | None


def payment_names() -> dict[str, str]:
    """Names of all ways of payment."""
    return {"transfer": _("Bank transfer"), "cod": _("Cash on delivery"), "card": _("Bank card")}


def payment_methods() -> dict[str, str]:
    """Ways of payment that the shop offers, with their names; cards when there is a provider."""
    return {code: name for code, name in payment_names().items() if code != "card" or takes_cards()}


def states_of(orders: Iterable[SalesOrder]) -> dict[int, OrderState]:
    """Order id → its present state; one read of the copy for all of them."""
    rows = list(orders)
    handed = [o.pk for o in rows if o.custody == SalesOrder.Custody.HANDED_OVER]
    copies: dict[int, SalesOrderCopy] = {}
    age = None
    if handed:
        found = freshness.read("sales_order", "storefront", lambda: SalesOrderCopy.objects.in_bulk(handed))
        copies = found.data
        age = StatusAge(found.age.as_of, found.age.age_s or 0.0, found.too_old)
    return {order.pk: _state(order, copies.get(order.pk), age) for order in rows}


def _state(order: SalesOrder, copy: SalesOrderCopy | None, age: StatusAge | None) -> OrderState:
    if copy is None:  # own, or handed over so recently that the copy has not come yet
        return OrderState({axis: getattr(order, axis) for axis in AXES}, {}, (), (), None)
    by_no = {line["line_no"]: line for line in copy.lines}
    axes = {axis: getattr(copy, axis) for axis in AXES}
    return OrderState(axes, by_no, copy.shipments, copy.returns, age)


def order_summaries(customer_id: int, before_id: int | None = None) -> tuple[list[dict[str, Any]], int | None]:
    """A customer's orders, newest first, and the id after which the next page begins."""
    orders = SalesOrder.objects.filter(customer_id=customer_id).exclude(custody=SalesOrder.Custody.REFUSED)
    if before_id is not None:
        orders = orders.filter(pk__lt=before_id)
    page = list(orders.order_by("-pk").prefetch_related("lines")[: PAGE_ORDERS + 1])
    following = page[PAGE_ORDERS - 1].pk if len(page) > PAGE_ORDERS else None
    page = page[:PAGE_ORDERS]
    states = states_of(page)
    invoices = invoices_of_orders([order.pk for order in page])
    return [_summary(order, states[order.pk], invoices[order.pk]) for order in page], following


def axes_with_payment(axes: Mapping[str, str], invoices: Sequence[InvoiceCopy]) -> dict[str, str]:
    """The four axes; what Finance's invoices tell of the payment is newer than what the order knows.

    Of a cancelled order whose card was only authorised nothing is captured any more: the money is released.
    """
    payment = payments.payment_of(axes["payment"], axes["invoicing"], invoices)
    if axes["lifecycle"] == "cancelled" and payment == "authorised":
        payment = "released"
    return {**axes, "payment": payment}


def _summary(order: SalesOrder, state: OrderState, invoices: Sequence[InvoiceCopy]) -> dict[str, Any]:
    return {
        "number": order.number,
        "placed_at": order.placed_at,
        **axes_with_payment(state.axes, invoices),
        "gross_total": order.gross_total,
        "currency": order.currency,
        "item_count": sum(line.quantity for line in order.lines.all() if line.product_class != "shipping"),
    }


def order_context(order: SalesOrder) -> dict[str, Any]:
    """Everything the order page shows, see the head of templates/storefront/order_detail.html."""
    state = states_of([order])[order.pk]
    own_lines = list(order.lines.all())
    products = ProductCopy.objects.in_bulk([line.product_id for line in own_lines])
    goods = [line for line in own_lines if line.product_class != "shipping"]
    lines = [_line(order, line, state, products.get(line.product_id)) for line in goods]
    names = {line["line_no"]: line["name"] for line in lines}
    method = ShippingMethod.objects.filter(code=order.shipping_method).first()
    invoices = invoices_of(order)
    return {
        "order": {
            "number": order.number, **axes_with_payment(state.axes, invoices), "placed_at": order.placed_at,
            "email": order.email, "currency": order.currency, "price_mode": order.price_mode, "ship_to": order.ship_to,
            "bill_to": order.bill_to, "note": order.note,
            "shipping_method_name": method.label if method else order.shipping_method,
            "payment_method_name": payment_names().get(order.payment_method, order.payment_method),
        },
        "lines": lines,
        "totals": _totals(order, own_lines),
        "status_as_of": state.age,
        "invoices": invoices,
        "shipments": [_shipment(s, names) for s in state.shipments],
        "can_cancel": can_cancel(order, state),
        "can_return": state.axes["lifecycle"] != "cancelled" and any(line["returnable"] for line in lines),
        "refusal": order.refusal,
    }  # fmt: skip


def can_cancel(order: SalesOrder, state: OrderState) -> bool:
    """Whether the customer may still cancel: nothing is being packed yet."""
    if order.custody in {SalesOrder.Custody.OWN, SalesOrder.Custody.OFFERED}:
        return order.lifecycle != SalesOrder.Lifecycle.CANCELLED
    return state.axes["lifecycle"] == "open" and state.axes["fulfilment"] in {"none", "allocated", "backordered"}


def _line(order: SalesOrder, line: Any, state: OrderState, product: ProductCopy | None) -> dict[str, Any]:
    here = state.lines.get(line.line_no, {})
    issued, returned = int(here.get("issued", 0)), int(here.get("returned", 0))
    waiting = 0
    if here and line.is_stocked and state.axes["lifecycle"] == "open":
        waiting = line.quantity - int(here.get("reserved", 0)) - issued - int(here.get("cancelled", 0))
    return {
        "line_no": line.line_no, "product_id": line.product_id, "pk": line.product_id,
        "slug": slug_of(product) if product and product.retired_at is None else "", "sku": line.sku,
        "name": line.name, "image": product.image if product else "", "quantity": line.quantity, "issued": issued,
        "returned": returned, "backordered": max(0, waiting), "unit_price": line.unit_price,
        "line_total": _shown(order, line), "returnable": max(0, issued - returned - _on_the_way(state, line.line_no)),
    }  # fmt: skip


def _shown(order: SalesOrder, line: Any) -> Decimal:
    amount: Decimal = line.gross if order.price_mode == "gross" else line.net
    return amount


def _on_the_way(state: OrderState, line_no: int) -> int:
    """Pieces of a line that are announced to come back and not inspected yet."""
    pending = [r for r in state.returns if r.get("state") in {"requested", "received"}]
    return sum(x["quantity"] for r in pending for x in r.get("lines") or () if x["line_no"] == line_no)


def _totals(order: SalesOrder, lines: Sequence[Any]) -> dict[str, Any]:
    inputs = [LineInput(x.quantity, x.unit_price, x.vat_code, x.vat_rate, x.discount) for x in lines]
    totals = document_totals(inputs, order.currency, order.price_mode)
    shipping = [_shown(order, x) for x in lines if x.product_class == "shipping"]
    names = [x.name for x in lines if x.product_class == "shipping"]
    return {
        "net": order.net_total, "vat": order.vat_total, "gross": order.gross_total, "vat_summary": totals.rates,
        "shipping": sum(shipping, Decimal(0)) if order.shipping_method else None,
        "shipping_name": names[0] if names else "",
        "goods": sum((_shown(order, x) for x in lines if x.product_class != "shipping"), Decimal(0)),
    }  # fmt: skip


def _shipment(shipment: Mapping[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "number": shipment.get("number", ""),
        "state": shipment.get("state", ""),
        "issued_on": _as_date(shipment.get("issued_on")),
        "tracking_number": shipment.get("tracking_number") or "",
        "lines": [
            {"name": names.get(x["line_no"], ""), "quantity": x["quantity"]}
            for x in shipment.get("lines") or ()
            if x["line_no"] in names
        ],
    }


def _as_date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def slug_of(product: ProductCopy) -> str:
    """The readable part of a product's URL."""
    from django.utils.text import slugify

    return slugify(product.name.translate(str.maketrans("őŐűŰ", "oOuU"))) or "p"
