"""From plain data to a document with its customer, rate and lines, and from a document to what callers are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from finance.models import CustomerCopy, Invoice, ProductCopy
from finance.services.customers import due_date, frozen_customer
from finance.services.documents import Document, Line
from finance.services.issuing import SERIES, Issued
from finance.services.rates import rate_for

_SUMMARY = ("id", "number", "kind", "issued_on", "currency", "net_total", "vat_total", "gross_total")


def document_of(
    data: Mapping[str, Any], customer: CustomerCopy, lines: Sequence[Line], issued_on: date, **header: Any
) -> Document:
    """An invoice over priced lines; ``header`` adds to or replaces what follows from the data.

    The rate is that of the tax point: the day of fulfilment, but of issue when that comes first.
    """
    kind = Invoice.Kind(data.get("kind") or Invoice.Kind.INVOICE)
    method = data.get("payment_method") or "transfer"
    fulfilled_on = header.get("fulfilled_on") or issued_on
    return Document(
        kind=kind,
        series=SERIES[kind],
        customer_id=customer.pk,
        customer=frozen_customer(customer, data.get("bill_to"), data.get("country") or ""),
        issued_on=issued_on,
        due_on=as_date(data.get("due_on") or due_date(customer, issued_on, method)),
        currency=data["currency"],
        price_mode=data["price_mode"],
        rate=rate_for(data["currency"], min(issued_on, fulfilled_on)),
        lines=lines,
        header={
            "order_id": data.get("order_id"),
            "order_number": data.get("order_number") or "",
            "shipment_id": data.get("shipment_id"),
            "fulfilled_on": issued_on,
            "payment_method": method,
            "channel": data.get("channel") or "web",
            "external_ref": data.get("external_ref"),
            "language": data.get("language") or customer.language,
            **header,
        },
    )


def line_of(row: Mapping[str, Any], product: ProductCopy | None, sign: int = 1) -> Line:
    """A document line from a line of a goods issue, return or manual invoice."""
    return Line(
        name=row["name"],
        quantity=sign * int(row["quantity"]),
        unit_price=Decimal(row["unit_price"]),
        discount=sign * Decimal(row.get("discount") or 0),
        discount_percent=Decimal(row.get("discount_percent") or 0),
        vat_code=row["vat_code"],
        vat_override_reason=row.get("vat_override_reason") or "",
        vat_rate=Decimal(row["vat_rate"]),
        product_id=row.get("product_id"),
        product_class=row.get("product_class") or (product.product_class if product else "goods"),
        sku=row.get("sku") or "",
        unit=row.get("unit") or (product.unit if product else "pcs"),
        order_line_no=row.get("order_line_no"),
        move_id=row.get("move_id"),
    )


def issued_summary(issued: Issued, document: Document) -> dict[str, Any]:
    """What callers are told of a document just issued."""
    return {
        "id": issued.id,
        "number": issued.number,
        "kind": str(document.kind),
        "issued_on": document.issued_on,
        "currency": document.currency,
        "net_total": issued.totals.net,
        "vat_total": issued.totals.vat,
        "gross_total": issued.totals.gross,
    }


def summary(invoice: Invoice) -> dict[str, Any]:
    """The same of a document that exists."""
    return {name: getattr(invoice, name) for name in _SUMMARY}


def as_date(value: date | str) -> date:
    """A date given as such or in ISO form."""
    return date.fromisoformat(value) if isinstance(value, str) else value
