"""Invoices entered by hand: created and issued in one step, or drafts that are previewed and then issued."""

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
from erp.publishing import open_doors
from finance.errors import (
    AdvanceExceeded,
    EmptyDocument,
    GrossPricesNeeded,
    NotADraft,
    UnknownVatCode,
    VatReasonMissing,
)
from finance.models import CustomerCopy, Invoice, InvoiceLine, ProductCopy
from finance.services.advances import take_off
from finance.services.discounts import discounted
from finance.services.document_data import as_date, document_of, issued_summary, line_of
from finance.services.documents import Document, Line, priced, totals_of
from finance.services.issuing import base_header, begin_issue, issue, line_rows
from finance.services.sources import Sources, sources_of
from finance.services.vat_choice import choose_vat_code

Kind = Invoice.Kind


def create_invoice(data: Mapping[str, Any], actor: Actor, key: str | None = None) -> dict[str, Any]:
    """Create and issue an invoice by hand, without a shipment.

    Args:
        data: ``customer_id`` and ``lines``; optional ``kind`` (invoice, advance, final), ``issued_on``,
            ``fulfilled_on``, ``due_on``, ``currency``, ``price_mode``, ``payment_method``, ``discount_percent``,
            ``discount``, ``is_simplified`` (needs gross prices), ``note``, ``external_ref``, ``order_id``,
            ``order_number``, ``language``.
            A line has ``name``, ``quantity``, ``unit_price``; also ``product_id``, ``vat_code`` (empty: as follows
            from product and customer), ``vat_override_reason``, ``discount``, ``discount_percent``, ``unit``, and
            with a negative price ``advance_invoice_id``, the advance that it takes off.
        key: a repeat with the same key gives the same invoice.
    """

    def run() -> dict[str, Any]:
        open_doors("invoice")  # no queue: nothing but the key, which is held already, makes two calls the same
        document = manual_document(data)
        return issued_summary(issue(document, actor=actor), document)

    if key is None:
        return retrying("finance", run)
    answer: dict[str, Any] = idempotency.once("finance", key, "create_invoice", idempotency.hash_request(data), run)[0]
    return answer


def manual_document(data: Mapping[str, Any]) -> Document:
    """The document that issuing the data would make, priced. Raises what issuing it would."""
    issued_on = as_date(data.get("issued_on") or timezone.now().date())
    sources = sources_of(data["customer_id"], (x.get("product_id") for x in data.get("lines") or []))
    customer = sources.customer
    kind = data.get("kind") or Kind.INVOICE
    currency = data.get("currency") or customer.currency
    mode = data.get("price_mode") or "net"
    if data.get("is_simplified") and mode != "gross":
        raise GrossPricesNeeded
    fulfilled_on = as_date(data.get("fulfilled_on") or issued_on)
    rows = lines_with_codes(data.get("lines") or [], sources, fulfilled_on)
    lines = [_line(row, sources.products.get(row.get("product_id") or 0), kind) for row in rows]
    sold, off = discounted(
        [x for x in lines if x.advance_invoice_id is None], currency,
        Decimal(data.get("discount_percent") or 0), Decimal(data.get("discount") or 0),
    )  # fmt: skip
    taken = take_off([x for x in lines if x.advance_invoice_id is not None], customer.pk, currency, mode)
    done = [*priced(sold, currency, mode), *taken]
    if sum(x.gross for x in done) < 0:
        raise AdvanceExceeded("More is taken off than the invoice is over; take off a part of the advance")
    return document_of(
        {**data, "kind": Kind.FINAL if taken else kind, "currency": currency, "price_mode": mode, "shipment_id": None},
        customer, done, issued_on, channel=data.get("channel") or "manual", note=data.get("note") or "",
        fulfilled_on=fulfilled_on, discount=off,
        discount_percent=Decimal(data.get("discount_percent") or 0), is_simplified=bool(data.get("is_simplified")),
    )  # fmt: skip


def _line(row: Mapping[str, Any], product: ProductCopy | None, kind: str) -> Line:
    advance = row.get("advance_invoice_id")
    given = {**row, "product_class": "advance"} if advance or kind == Kind.ADVANCE else row
    line = line_of(given, product)
    return Line(**{**vars(line), "advance_invoice_id": advance})


def lines_with_codes(lines: Sequence[Mapping[str, Any]], sources: Sources, on_date: date) -> list[dict[str, Any]]:
    """Lines with their VAT code and its rate, which must be valid on the day of fulfilment.

    Raises:
        EmptyDocument, UnknownVatCode; VatReasonMissing: a line of a product has another code than the one that
        follows from product, customer and day, and does not say why.
    """
    if not lines:
        raise EmptyDocument
    done = []
    for given in lines:
        line = _with_code(given, sources.products.get(given.get("product_id") or 0), sources.customer, on_date)
        code = sources.codes.get(line["vat_code"])
        if code is None or not code.is_valid_on(on_date):
            raise UnknownVatCode(
                f"Line {line.get('name')}: VAT code {line['vat_code']} does not exist or is not valid on {on_date}"
            )
        done.append({**line, "vat_rate": code.rate})
    return done


def _with_code(
    line: Mapping[str, Any], product: ProductCopy | None, customer: CustomerCopy, on_date: date
) -> dict[str, Any]:
    given = line.get("vat_code") or ""
    if product is None and given:
        return dict(line)
    proper = choose_vat_code(
        product.product_class if product else "goods", customer.vat_status, customer.country, on_date,
        product.vat_code if product else "27",
    )  # fmt: skip
    if given and given != proper and not line.get("vat_override_reason") and not line.get("advance_invoice_id"):
        raise VatReasonMissing(
            f"Line {line.get('name')}: VAT code {proper} follows from product and customer; say why {given} is right",
            expected=proper, given=given,
        )  # fmt: skip
    return {**line, "vat_code": given or proper}


@retried("finance")
def issue_draft(draft_id: int, actor: Actor, version: int | None = None) -> dict[str, Any]:
    """Turn a draft into an issued invoice.

    Raises:
        NotADraft: it is issued already, or has changed since ``version``.
    """
    begin_issue(f"draft:{draft_id}")
    draft = _draft(draft_id)
    if version is not None and draft.version != version:
        raise NotADraft("The draft has changed since you opened it; look at it again")
    document = manual_document(_draft_data(draft))
    return issued_summary(issue(document, actor=actor, draft_id=draft.pk), document)


def preview_of(draft_id: int) -> dict[str, Any]:
    """What a draft would be if it were issued now: header, lines and totals as of an issued document, no number.

    Raises what issuing it would.
    """
    draft = _draft(draft_id)
    document = manual_document(_draft_data(draft))
    totals = totals_of(document.lines, document.rate)
    lines = line_rows(document.lines, totals)
    return {
        **base_header(document, totals, draft_id), "state": "draft", "number": None,
        "lines": [{**line, "id": None} for line in lines],
    }  # fmt: skip


def _draft(draft_id: int) -> Invoice:
    draft = Invoice.objects.filter(pk=draft_id).first()
    if draft is None:
        raise NotFound(f"invoice {draft_id} does not exist")
    if draft.state != Invoice.State.DRAFT:
        raise NotADraft(f"{draft.number} is issued already")
    return draft


def _draft_data(draft: Invoice) -> dict[str, Any]:
    names = (
        "kind", "customer_id", "order_id", "order_number", "issued_on", "fulfilled_on", "due_on", "currency",
        "price_mode", "payment_method", "external_ref", "language", "note", "discount", "discount_percent",
        "is_simplified",
    )  # fmt: skip
    lines = InvoiceLine.objects.filter(invoice_id=draft.pk).order_by("line_no").values()
    return {**{n: getattr(draft, n) for n in names}, "lines": [{**x, "product_class": ""} for x in lines]}
