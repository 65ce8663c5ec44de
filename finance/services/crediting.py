"""Credit notes: for a return with its goods, entered by hand, or of a whole invoice (cancellation)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp import idempotency
from erp.actor import Actor
from erp.db import fetch_prepared, retried, retrying
from finance.errors import EmptyDocument, NotCreditable, NotInvoicedYet
from finance.models import Invoice
from finance.serializers.invoices import lock_settlements
from finance.services.changes import change_of, day_of_change, lock_original
from finance.services.credit_lines import (
    Original,
    as_credit,
    gross_by_invoice,
    lines_named,
    originals_of,
    take_from,
)
from finance.services.customers import frozen_customer, get_customer, products_by_id
from finance.services.document_data import as_date, issued_summary, line_of, summary
from finance.services.documents import Document, Line, priced
from finance.services.issuing import SERIES, begin_issue, issue
from finance.services.offsetting import offset_credit
from finance.services.rates import Rate, rate_for
from finance.services.return_costs import Pieces, Taken, post_return

Kind = Invoice.Kind


@retried("finance")
def credit_return(data: Mapping[str, Any]) -> dict[str, Any]:
    """Credit a return and take its goods back into the books at original cost, in one transaction.

    Lines that name an order line are credited against its invoices, oldest first, and capped; the others go to a
    document of their own without original, valued at the present average cost. A document changes one invoice, as
    the tax office wants it, so a return has as many as it touches invoices; a repeat returns the same.

    Returns:
        The first document's summary, ``documents`` with all of them, and ``repeated``.

    Raises:
        NotInvoicedYet: the order's goods issue is not invoiced (the relay repeats the call).
        CreditExceedsInvoice, MoveOutOfOrder, PeriodClosed, ReaderUnavailable: nothing has changed.
    """
    begin_issue(f"return:{data['return_id']}")
    found = [summary(i) for i in Invoice.objects.filter(return_id=data["return_id"]).order_by("id")]
    if found:
        return {**found[0], "documents": found, "repeated": True}
    if not data["lines"]:
        raise EmptyDocument
    linked, free, origins, taken = _split(data)
    parts = [(Kind.CREDIT_NOTE, lines) for lines in _by_invoice(linked, origins)]
    parts += [(Kind.CREDIT_WITHOUT_ORIGINAL, free)] if free else []
    documents: list[dict[str, Any]] = []
    for kind, lines in parts:
        with_goods = not documents  # the goods are booked once, with the first document
        documents.append(_credit_document(data, kind, lines, origins, taken if with_goods else None))
    return {**documents[0], "documents": documents, "repeated": False}


def _split(data: Mapping[str, Any]) -> tuple[list[Line], list[Line], dict[int, Original], Taken]:
    """Lines against originals, lines without, the originals by line id, and what each row took of which goods issue."""
    products = products_by_id(x.get("product_id") for x in data["lines"])
    originals = _lock_originals(_order_ids(data))
    linked, free = [], []
    taken: dict[int, list[Pieces]] = {}
    for row in data["lines"]:
        product = products.get(row.get("product_id") or 0)
        order_id = row.get("order_id") or data.get("order_id")
        if order_id is None or row.get("order_line_no") is None:
            free.append(line_of(row, product))
            continue
        candidates = [
            o for o in originals.values() if (o.order_id, o.order_line_no) == (order_id, row["order_line_no"])
        ]
        if not candidates:
            raise NotInvoicedYet(f"Order line {row['order_line_no']} of order {order_id} is not invoiced yet")
        before = {o.id: o.credited_quantity for o in candidates}
        price = Decimal(row["unit_price"]) if row.get("unit_price") is not None else None
        linked += take_from(candidates, int(row["quantity"]), data["currency"], data["price_mode"], price)
        if row.get("move_id"):
            taken[row["move_id"]] = [Pieces(o.move_id, before[o.id], o.credited_quantity) for o in candidates]
    credited = [as_credit(x) for x in priced(free, data["currency"], data["price_mode"])] if free else []
    return linked, credited, originals, taken


def _by_invoice(lines: Sequence[Line], originals: Mapping[int, Original]) -> list[list[Line]]:
    groups: dict[int, list[Line]] = {}
    for line in lines:
        groups.setdefault(originals[line.original_line_id or 0].root_id, []).append(line)
    return [groups[key] for key in sorted(groups)]


_OF_ORDERS = """
select i.id from invoice i where i.order_id = any(%s::bigint[]) and i.state = 'issued'
  and i.kind in ('invoice', 'advance', 'final')
union
select l.invoice_id from invoice_line l join invoice i on i.id = l.invoice_id and i.state = 'issued' and i.is_collective
where l.order_id = any(%s::bigint[])
order by 1"""


def _order_ids(data: Mapping[str, Any]) -> set[int]:
    named = {x.get("order_id") or data.get("order_id") for x in data["lines"] if x.get("order_line_no") is not None}
    return {order_id for order_id in named if order_id is not None}


def _lock_originals(order_ids: set[int]) -> dict[int, Original]:
    if not order_ids:
        return {}
    invoices = [key for (key,) in fetch_prepared("finance", _OF_ORDERS, [sorted(order_ids), sorted(order_ids)])]
    lock_settlements(invoices)
    return {o.id: o for o in originals_of(invoices)}


def _credit_document(
    data: Mapping[str, Any], kind: str, lines: Sequence[Line], originals: Mapping[int, Original], taken: Taken | None
) -> dict[str, Any]:
    returned_on = as_date(data["returned_on"])
    customer = get_customer(data["customer_id"])
    charged = [originals[x.original_line_id] for x in lines if x.original_line_id]
    invoice_ids = sorted({o.root_id for o in charged})
    # The goods are back on their day; the document cannot be there before those that it changes.
    issued_on = max([returned_on, *(o.issued_on for o in charged)])
    document = Document(
        kind=kind,
        series=SERIES[Kind(kind)],
        customer_id=customer.pk,
        customer=frozen_customer(customer, data.get("bill_to"), data.get("country") or ""),
        issued_on=issued_on,
        due_on=issued_on,
        currency=data["currency"],
        price_mode=data["price_mode"],
        rate=_rate(invoice_ids, data["currency"], returned_on),
        lines=lines,
        header={
            "order_id": data.get("order_id"),
            "order_number": data.get("order_number") or "",
            "return_id": data["return_id"],
            "original_id": invoice_ids[0] if len(invoice_ids) == 1 else None,
            "fulfilled_on": returned_on,
            "payment_method": data.get("payment_method") or "transfer",
            "channel": data.get("channel") or "web",
            "external_ref": data.get("external_ref"),
            "language": data.get("language") or customer.language,
            "note": data.get("reason") or "",
        },
    )
    issued = issue(
        document,
        after_lines=None if taken is None else lambda _: post_return(data, returned_on, taken),
        settle=lambda new_id: offset_credit(new_id, gross_by_invoice(lines, originals)),
    )
    return issued_summary(issued, document)


def _rate(invoice_ids: Sequence[int], currency: str, on_date: date) -> Rate:
    """The original's rate when there is one original (or all have the same), else the day's."""
    found = set(Invoice.objects.filter(pk__in=invoice_ids).values_list("exchange_rate", "rate_on", "rate_source"))
    if len(found) == 1:
        rate, rate_on, source = found.pop()
        return Rate(rate, rate_on or on_date, source)
    return rate_for(currency, on_date)


def issue_credit_note(
    invoice_id: int, *, actor: Actor, lines: Sequence[Mapping[str, Any]] | None = None, reason: str = "",
    issued_on: date | None = None, key: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Credit lines of an issued invoice; without ``lines`` all that is left of it (a cancellation invoice).

    Args:
        lines: ``[{"line_no", "quantity"}]``; ``line_id`` instead names a line of a correction.

    Raises:
        NotCreditable: it is a draft or a credit itself, or nothing is left of it.
        CreditExceedsInvoice: a line has less left.
        DatedBeforeOriginal: ``issued_on`` lies before what it credits.
    """

    def run() -> dict[str, Any]:
        begin_issue(f"credit:{invoice_id}")
        return _credit_by_hand(invoice_id, lines, reason, issued_on, actor)

    if key is None:
        return retrying("finance", run)
    body = {"invoice_id": invoice_id, "lines": lines, "reason": reason, "issued_on": issued_on}
    answer: dict[str, Any] = idempotency.once("finance", key, "credit_note", idempotency.hash_request(body), run)[0]
    return answer


def _credit_by_hand(
    invoice_id: int,
    wanted: Sequence[Mapping[str, Any]] | None,
    reason: str,
    issued_on: date | None,
    actor: Actor,
) -> dict[str, Any]:
    original, charged = lock_original(invoice_id)
    lines = _wanted_lines(original, charged, wanted)
    if not lines:
        raise NotCreditable(f"{original.number} is credited in full already")
    kind = Kind.CANCELLATION if wanted is None else Kind.CREDIT_NOTE
    day = day_of_change(original, charged, lines, issued_on)
    document = change_of(original, kind, lines, day, day, reason)
    by_id = {o.id: o for o in charged}
    issued = issue(
        document,
        actor=actor,
        settle=lambda new_id: offset_credit(new_id, gross_by_invoice(lines, by_id)),
    )
    return issued_summary(issued, document)


def _wanted_lines(
    invoice: Invoice, charged: Sequence[Original], wanted: Sequence[Mapping[str, Any]] | None
) -> list[Line]:
    if wanted is None:
        wanted = [{"line_id": o.id, "quantity": o.open_quantity} for o in charged if o.open_quantity]
    lines: list[Line] = []
    for row in wanted:
        named = lines_named(charged, row)
        lines += take_from(named, int(row["quantity"]), invoice.currency, invoice.price_mode)
    return lines
