"""Issuing a document: doors first, lines and costs, then number, header, postings and copies, in one transaction.

The number is taken last: what is slow or may be refused comes before it, so that the series' row, which all
issuers share, is locked as briefly as can be, and a refusal leaves no gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from erp.actor import Actor, current_actor
from erp.db import after_commit
from erp.faultpoints import fault_point
from erp.publishing import open_doors
from finance.models import Invoice, InvoiceSettlement
from finance.serializers.invoices import (
    drop_draft_lines,
    publish_invoices,
    write_lines,
    write_numbered,
)
from finance.serializers.ledger import check_books
from finance.services.accounts import base_currency
from finance.services.documents import Document, Line, Totals, totals_of
from finance.services.reporting.hints import hint
from finance.services.sales_posting import sales_entry

SERIES = {
    Invoice.Kind.INVOICE: "INV",
    Invoice.Kind.ADVANCE: "ADV",
    Invoice.Kind.FINAL: "INV",
    Invoice.Kind.CREDIT_NOTE: "CRN",
    Invoice.Kind.CREDIT_WITHOUT_ORIGINAL: "CRN",
    Invoice.Kind.CANCELLATION: "CAN",
    Invoice.Kind.CORRECTION: "COR",
}

_ISSUE_LOCK = 1179209217  # advisory lock class: one issue of the same shipment, return or draft at a time


@dataclass(frozen=True)
class Issued:
    """A document that was just issued."""

    id: int
    number: str
    totals: Totals


def begin_issue(source: str) -> None:
    """First step of every issue: open the readers' doors (or fail fast), then queue behind the same source."""
    open_doors("invoice", then_queue=(_ISSUE_LOCK, source))


def issue(
    document: Document,
    *,
    actor: Actor | None = None,
    draft_id: int | None = None,
    after_lines: Callable[[int], None] | None = None,
    settle: Callable[[int], Sequence[int]] | None = None,
) -> Issued:
    """Issue a priced document inside the caller's transaction, after :func:`begin_issue`.

    Args:
        draft_id: the draft that becomes the document; None makes a new row.
        after_lines: further postings (cost of goods) before the number is taken; gets the document's id.
        settle: what follows from the document for others (a credit note's originals); returns their ids, which
            are published with it.
    """
    who = actor or current_actor()
    totals = totals_of(document.lines, document.rate)
    if draft_id is not None:
        drop_draft_lines(draft_id)
    state = InvoiceSettlement.State.OPEN if totals.gross else InvoiceSettlement.State.PAID
    invoice_id = write_lines(draft_id, line_rows(document.lines, totals), totals.gross, state)
    if after_lines:
        after_lines(invoice_id)
    fault_point("invoice:before_number")
    number = write_numbered(
        base_header(document, totals, invoice_id), [sales_entry(document, totals, invoice_id)], base_currency(), who
    )
    fault_point("invoice:after_number")
    others = settle(invoice_id) if settle else ()
    publish_invoices([invoice_id, *others], who)
    check_books()
    after_commit("finance", hint)  # a trigger has put its report into the outbox
    fault_point("invoice:before_commit")
    return Issued(invoice_id, number, totals)


def supplier() -> dict[str, Any]:
    """The company as documents freeze it."""
    return dict(settings.COMPANY)


def line_rows(lines: Sequence[Line], totals: Totals) -> list[dict[str, Any]]:
    """Lines as they are written, numbered, with their amounts in base currency."""
    in_base = zip(totals.base_nets, totals.base_vats, strict=True)
    return [
        {**vars(line), "line_no": n, "base_net": base_net, "base_vat": base_vat}
        for n, (line, (base_net, base_vat)) in enumerate(zip(lines, in_base, strict=True), start=1)
    ]


def base_header(document: Document, totals: Totals, invoice_id: int) -> Mapping[str, Any]:
    """Header as it is written, without number and times."""
    return {
        **_HEADER_DEFAULTS,
        **document.header,
        "id": invoice_id,
        "kind": document.kind,
        "series": document.series,
        "state": Invoice.State.ISSUED,
        "fiscal_year": document.issued_on.year,
        "customer_id": document.customer_id,
        "customer": document.customer,
        "supplier": supplier(),
        "issued_on": document.issued_on,
        "due_on": document.due_on,
        "currency": document.currency,
        "base_currency": base_currency(),
        "exchange_rate": document.rate.rate,
        "rate_on": document.rate.rate_on,
        "rate_source": document.rate.source,
        "price_mode": document.price_mode,
        "net_total": totals.net,
        "vat_total": totals.vat,
        "gross_total": totals.gross,
        "base_net_total": totals.base_net,
        "base_vat_total": totals.base_vat,
        "base_gross_total": totals.base_gross,
        "vat_summary": [vars(rate) for rate in totals.rates],
    }


_HEADER_DEFAULTS: Mapping[str, Any] = {
    "order_number": "",
    "payment_method": "transfer",
    "channel": "manual",
    "language": "hu",
    "note": "",
    "is_collective": False,
    "is_simplified": False,
    "discount": 0,
    "discount_percent": 0,
}
