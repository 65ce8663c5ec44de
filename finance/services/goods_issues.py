"""Goods issues: invoiced at once with their cost of goods, or kept for the customer's collective invoice."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils import timezone

from erp import idempotency
from erp.actor import Actor
from erp.db import fetch_prepared, retried, retrying
from erp.fields import dump_json
from finance.errors import NotCollectable
from finance.models import CollectiveCustomer, Invoice, ProductCopy, WaitingIssue
from finance.services.customers import PAID_AT_ONCE
from finance.services.document_data import as_date, document_of, issued_summary, line_of, summary
from finance.services.documents import Line, priced
from finance.services.ended_codes import ENDED, ended_arguments, with_codes_of_day
from finance.services.issuing import begin_issue, issue
from finance.services.sources import SOURCES, read_sources, source_arguments, sources_of
from finance.services.valuation import Move, post_valued, stock_entry, value_moves

_KNOWN = (
    """
select (select i.id from invoice i where i.shipment_id = %s::bigint),
  (select coalesce(w.invoice_id, 0) from waiting_issue w where w.shipment_id = %s::bigint),
  exists (select 1 from collective_customer c where c.customer_id = %s::bigint),
  """
    + ENDED
)


@retried("finance")
def invoice_goods_issue(data: Mapping[str, Any]) -> dict[str, Any]:
    """Invoice a shipment and post its cost of goods, in one transaction; a repeat returns the same invoice.

    A customer with collective invoices gets none yet, unless the goods are paid at once (card, cash): the answer has
    no number and ``waiting`` true.

    Raises:
        UnknownCustomer, UnknownVatCode, EmptyDocument, NoExchangeRate, PeriodClosed, MoveOutOfOrder: nothing has
            changed and no number was used.
        ReaderUnavailable: a reader did not confirm; the same.
    """
    shipment_id = data["shipment_id"]
    begin_issue(f"shipment:{shipment_id}")
    customer_id = data["customer_id"]
    asked = source_arguments(customer_id, (x.get("product_id") for x in data["lines"]), with_codes=False)
    known = [shipment_id, shipment_id, customer_id, *ended_arguments(data)]
    invoice_id, waiting_for, is_collective, has_ended, *found = fetch_prepared(
        "finance", _KNOWN + SOURCES, [*known, *asked]
    )[0]
    if invoice_id or waiting_for:
        return {**summary(Invoice.objects.get(pk=invoice_id or waiting_for)), "repeated": True}
    if waiting_for is not None:
        return {"id": None, "number": "", "waiting": True, "repeated": True}
    issued_on = as_date(data["issued_on"])
    if has_ended:
        data = with_codes_of_day(data, read_sources(customer_id, tuple(found)), issued_on)
    if is_collective and data.get("payment_method") not in PAID_AT_ONCE:
        _post_cost(data, issued_on)
        _keep(data, issued_on)
        return {"id": None, "number": "", "waiting": True, "repeated": False}
    sources = read_sources(customer_id, tuple(found))
    lines = priced(_lines(data, sources.products), data["currency"], data["price_mode"])
    document = document_of(data, sources.customer, lines, issued_on)
    issued = issue(document, after_lines=lambda _: _post_cost(data, issued_on))
    return {**issued_summary(issued, document), "repeated": False}


def _lines(data: Mapping[str, Any], products: Mapping[int, ProductCopy]) -> list[Line]:
    return [line_of(x, products.get(x.get("product_id") or 0)) for x in data["lines"]]


def _keep(data: Mapping[str, Any], issued_on: date) -> None:
    names = ("shipment_id", "customer_id", "currency", "price_mode")
    WaitingIssue.objects.create(
        **{name: data[name] for name in names}, issued_on=issued_on, payload=dict(data), order_id=data.get("order_id"),
        order_number=data.get("order_number") or "", shipment_number=data.get("shipment_number") or "",
    )  # fmt: skip


def set_collective(customer_id: int, *, is_collective: bool) -> None:
    """Have a customer's goods issues wait for a collective invoice from now on, or no longer."""
    if is_collective:
        CollectiveCustomer.objects.get_or_create(customer_id=customer_id)
    else:
        CollectiveCustomer.objects.filter(customer_id=customer_id).delete()


def issue_collective(
    customer_id: int, first: date, last: date, *, actor: Actor, issued_on: date | None = None, key: str | None = None
) -> list[dict[str, Any]]:
    """Invoice all waiting goods issues of a customer and period: one invoice per month, currency, price mode, address.

    A month has one tax point, the last delivery, so that no invoice lies in two VAT periods.

    Returns:
        Summaries of the invoices.

    Raises:
        NotCollectable: nothing waits in the period.
    """

    def run() -> list[dict[str, Any]]:
        begin_issue(f"collective:{customer_id}")
        waiting = WaitingIssue.objects.select_for_update().filter(
            customer_id=customer_id, invoice=None, issued_on__gte=first, issued_on__lte=last
        )
        groups: dict[str, list[WaitingIssue]] = {}
        for row in waiting.order_by("shipment_id"):
            same = [
                row.payload.get(name) for name in ("currency", "price_mode", "payment_method", "bill_to", "country")
            ]
            groups.setdefault(dump_json([f"{row.issued_on:%Y-%m}", *same]), []).append(row)
        if not groups:
            raise NotCollectable(f"No goods issue of the customer from {first} to {last} waits for an invoice")
        day = issued_on or timezone.now().date()
        return [_collect(rows, (first, last), day, actor) for _, rows in sorted(groups.items())]

    if key is None:
        return retrying("finance", run)
    body = {"customer_id": customer_id, "first": first, "last": last, "issued_on": issued_on}
    found = idempotency.once("finance", key, "collective", idempotency.hash_request(body), lambda: {"done": run()})
    done: list[dict[str, Any]] = found[0]["done"]
    return done


def issue_all_collective(last: date, *, actor: Actor) -> list[dict[str, Any]]:
    """Issue the collective invoices of every customer whose goods issues wait until a day, one customer a transaction.

    Raises NotCollectable.
    """
    waiting = WaitingIssue.objects.filter(invoice=None, issued_on__lte=last).order_by("issued_on")
    earliest: dict[int, date] = {}
    for customer_id, day in waiting.values_list("customer_id", "issued_on"):
        earliest.setdefault(customer_id, day)
    if not earliest:
        raise NotCollectable(f"No goods issue until {last} waits for an invoice")
    return [row for key in sorted(earliest) for row in issue_collective(key, earliest[key], last, actor=actor)]


def _collect(rows: Sequence[WaitingIssue], period: tuple[date, date], issued_on: date, actor: Actor) -> dict[str, Any]:
    first = rows[0]
    sources = sources_of(first.customer_id, (x.get("product_id") for row in rows for x in row.payload["lines"]))
    ordered = sorted(rows, key=lambda r: (r.issued_on, r.shipment_id))
    lines = [line for row in ordered for line in _delivered(row, sources.products)]
    first_of_month = first.issued_on.replace(day=1)
    last_of_month = first_of_month.replace(day=monthrange(first_of_month.year, first_of_month.month)[1])
    document = document_of(
        {**first.payload, "order_id": None, "order_number": "", "shipment_id": None, "external_ref": None},
        sources.customer, priced(lines, first.currency, first.price_mode), issued_on, is_collective=True,
        delivered_from=max(period[0], first_of_month), delivered_to=min(period[1], last_of_month),
        fulfilled_on=ordered[-1].issued_on,
    )  # fmt: skip
    issued = issue(document, actor=actor)
    WaitingIssue.objects.filter(pk__in=[row.pk for row in rows]).update(invoice_id=issued.id)
    return issued_summary(issued, document)


def _delivered(row: WaitingIssue, products: Mapping[int, ProductCopy]) -> list[Line]:
    return [
        replace(
            line, delivered_on=row.issued_on, order_id=row.order_id, order_number=row.order_number,
            shipment_id=row.shipment_id, shipment_number=row.shipment_number,
        )
        for line in _lines(row.payload, products)
    ]  # fmt: skip


def find_invoices_of_shipments(shipment_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Shipment id → id and number of the collective invoice it stands on, for those that are invoiced."""
    rows = WaitingIssue.objects.filter(shipment_id__in=list(shipment_ids), invoice__isnull=False)
    found = rows.values_list("shipment_id", "invoice_id", "invoice__number")
    return {shipment: {"id": invoice_id, "number": number} for shipment, invoice_id, number in found}


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
