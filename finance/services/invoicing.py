"""Invoices: of a goods issue (with its cost of goods), entered by hand, and drafts that become invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from erp import idempotency
from erp.actor import Actor
from erp.db import retried, retrying
from erp.errors import NotFound
from finance.errors import EmptyDocument, NotADraft, UnknownVatCode
from finance.models import Invoice, InvoiceLine, ProductCopy, VatCode
from finance.services.customers import due_date, frozen_customer, get_customer, products_by_id
from finance.services.documents import Document, Line, priced
from finance.services.issuing import SERIES, Issued, begin_issue, issue
from finance.services.rates import rate_for
from finance.services.valuation import Move, post_valued, stock_entry, value_moves


@retried("finance")
def invoice_goods_issue(data: Mapping[str, Any]) -> dict[str, Any]:
    """Invoice a shipment and post its cost of goods, in one transaction; a repeat returns the same invoice.

    Raises:
        UnknownCustomer, EmptyDocument, NoExchangeRate, PeriodClosed, MoveOutOfOrder: nothing has changed and no
            number was used.
        ReaderUnavailable: a reader did not confirm; the same.
    """
    begin_issue(f"shipment:{data['shipment_id']}")
    found = Invoice.objects.filter(shipment_id=data["shipment_id"]).first()
    if found:
        return {**summary(found), "repeated": True}
    document = _document_of(data, "issued_on")
    issued = issue(document, after_lines=lambda _: _post_cost(data, document.issued_on))
    return {**issued_summary(issued, document), "repeated": False}


def _document_of(data: Mapping[str, Any], day_name: str) -> Document:
    customer = get_customer(data["customer_id"])
    issued_on = as_date(data[day_name])
    products = products_by_id(x.get("product_id") for x in data["lines"])
    lines = [goods_line(x, products.get(x.get("product_id") or 0)) for x in data["lines"]]
    method = data.get("payment_method") or "transfer"
    return Document(
        kind=Invoice.Kind.INVOICE,
        series=SERIES[Invoice.Kind.INVOICE],
        customer_id=customer.pk,
        customer=frozen_customer(customer, data.get("bill_to"), data.get("country") or ""),
        issued_on=issued_on,
        due_on=due_date(customer, issued_on, method),
        currency=data["currency"],
        price_mode=data["price_mode"],
        rate=rate_for(data["currency"], issued_on),
        lines=priced(lines, data["currency"], data["price_mode"]),
        header={
            "order_id": data.get("order_id"),
            "order_number": data.get("order_number") or "",
            "shipment_id": data.get("shipment_id"),
            "fulfilled_on": issued_on,
            "payment_method": method,
            "channel": data.get("channel") or "web",
            "external_ref": data.get("external_ref"),
            "language": data.get("language") or customer.language,
        },
    )


def goods_line(row: Mapping[str, Any], product: ProductCopy | None, sign: int = 1) -> Line:
    """A document line from a line of a goods issue or return."""
    return Line(
        name=row["name"],
        quantity=sign * int(row["quantity"]),
        unit_price=Decimal(row["unit_price"]),
        discount=sign * Decimal(row.get("discount") or 0),
        vat_code=row["vat_code"],
        vat_rate=Decimal(row["vat_rate"]),
        product_id=row.get("product_id"),
        product_class=product.product_class if product else "goods",
        sku=row.get("sku") or "",
        unit=product.unit if product else "pcs",
        order_line_no=row.get("order_line_no"),
        move_id=row.get("move_id"),
    )


def _post_cost(data: Mapping[str, Any], issued_on: date) -> None:
    moves = [
        Move(
            move_id=line["move_id"],
            product_id=line["product_id"],
            move_seq=line["move_seq"],
            kind="issue",
            quantity=-int(line["quantity"]),
            moved_on=issued_on,
            document_kind="shipment",
            document_id=data["shipment_id"],
            document_number=data.get("shipment_number") or "",
            text=line["name"],
        )
        for line in data["lines"]
        if line.get("move_id")
    ]
    valued = value_moves(moves)
    posted = [v for v in valued if v.value]
    entries = [(stock_entry(posted, f"shipment:{data['shipment_id']}", data["customer_id"]), posted)] if posted else []
    post_valued(valued, entries)


def create_invoice(data: Mapping[str, Any], actor: Actor, key: str | None = None) -> dict[str, Any]:
    """Create and issue an invoice by hand, without a shipment.

    Args:
        data: ``customer_id`` and ``lines`` (``name``, ``quantity``, ``unit_price``, ``vat_code``; also
            ``product_id``, ``discount``); optional ``issued_on``, ``fulfilled_on``, ``currency``, ``price_mode``,
            ``payment_method``, ``note``, ``external_ref``, ``order_id``, ``order_number``.
        key: a repeat with the same key gives the same invoice.
    """

    def run() -> dict[str, Any]:
        begin_issue(f"manual:{key or ''}")
        document = _manual_document(data)
        return issued_summary(issue(document, actor=actor), document)

    if key is None:
        return retrying("finance", run)
    answer: dict[str, Any] = idempotency.once("finance", key, "create_invoice", idempotency.hash_request(data), run)[0]
    return answer


def _manual_document(data: Mapping[str, Any]) -> Document:
    issued_on = as_date(data.get("issued_on") or timezone.now().date())
    full = {
        "currency": "", "price_mode": "net", "channel": "manual", **data,
        "issued_on": issued_on, "lines": lines_with_rates(data.get("lines") or [], issued_on),
    }  # fmt: skip
    full["currency"] = full["currency"] or get_customer(data["customer_id"]).currency
    document = _document_of(full, "issued_on")
    header = {
        **document.header,
        "fulfilled_on": as_date(data.get("fulfilled_on") or issued_on),
        "note": data.get("note") or "",
        "shipment_id": None,
    }
    return Document(**{**vars(document), "header": header, "due_on": as_date(data.get("due_on") or document.due_on)})


def lines_with_rates(lines: Sequence[Mapping[str, Any]], on_date: date) -> list[dict[str, Any]]:
    """Lines with the rate of their VAT code, which must be valid on the day. Raises UnknownVatCode."""
    if not lines:
        raise EmptyDocument
    codes = {c.code: c for c in VatCode.objects.filter(code__in={x["vat_code"] for x in lines})}
    done = []
    for line in lines:
        code = codes.get(line["vat_code"])
        if code is None or code.retired_at or code.valid_from > on_date or (code.valid_to or on_date) < on_date:
            raise UnknownVatCode(
                f"Line {line.get('name')}: VAT code {line['vat_code']} does not exist or is not valid on {on_date}"
            )
        done.append({**line, "vat_rate": code.rate})
    return done


@retried("finance")
def issue_draft(draft_id: int, actor: Actor, version: int | None = None) -> dict[str, Any]:
    """Turn a draft into an issued invoice.

    Raises:
        NotADraft: it is issued already, or has changed since ``version``.
    """
    begin_issue(f"draft:{draft_id}")
    draft = Invoice.objects.filter(pk=draft_id).first()
    if draft is None:
        raise NotFound(f"invoice {draft_id} does not exist")
    if draft.state != Invoice.State.DRAFT:
        raise NotADraft(f"{draft.number} is issued already")
    if version is not None and draft.version != version:
        raise NotADraft("The draft has changed since you opened it; look at it again")
    document = _manual_document(_draft_data(draft))
    return issued_summary(issue(document, actor=actor, draft_id=draft.pk), document)


def _draft_data(draft: Invoice) -> dict[str, Any]:
    names = (
        "customer_id", "order_id", "order_number", "issued_on", "fulfilled_on", "due_on", "currency", "price_mode",
        "payment_method", "external_ref", "language", "note",
    )  # fmt: skip
    lines = InvoiceLine.objects.filter(invoice_id=draft.pk).order_by("line_no").values()
    return {**{n: getattr(draft, n) for n in names}, "lines": list(lines)}


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
    names = ("id", "number", "kind", "issued_on", "currency", "net_total", "vat_total", "gross_total")
    return {name: getattr(invoice, name) for name in names}


def as_date(value: date | str) -> date:
    """A date given as such or in ISO form."""
    return date.fromisoformat(value) if isinstance(value, str) else value
