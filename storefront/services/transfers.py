"""What a shopper still has to transfer for an order, each amount under the number that its payment is found by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from storefront.models import InvoiceCopy, SalesOrder
from storefront.services.payments import CREDITS, open_of

ZERO = Decimal(0)


@dataclass(frozen=True)
class Transfer:
    """An amount to transfer in the order's currency."""

    reference: str
    amount: Decimal
    due_on: date | None


def transfers_of(order: SalesOrder, axes: Mapping[str, str], invoices: Sequence[InvoiceCopy]) -> list[Transfer]:
    """The order itself, without what stands on collective invoices, and each of those as a whole; only what is owed."""
    if order.payment_method != "transfer" or axes["payment"] not in {"open", "partly_paid"}:
        return []
    if axes["lifecycle"] == "cancelled":
        return []
    own = [i for i in invoices if i.order_id == order.pk]
    collective = [i for i in invoices if i.order_id != order.pk and i.gross_total > 0]
    due = next((i.due_on for i in own if i.kind in {"invoice", "final"}), None)
    found = [Transfer(order.number, _own_amount(order, axes["invoicing"], own, collective), due)]
    found += [Transfer(i.number, open_of(i), i.due_on) for i in collective]
    return [transfer for transfer in found if transfer.amount > 0]


def _own_amount(
    order: SalesOrder, invoicing: str, own: Iterable[InvoiceCopy], collective: Iterable[InvoiceCopy]
) -> Decimal:
    """What own invoices leave open, and what is not invoiced yet."""
    issued = [i for i in own if i.kind not in CREDITS and i.gross_total > 0]
    open_total = sum((open_of(i) for i in issued), ZERO)
    if invoicing in {"fully", "credited"}:
        return open_total
    invoiced = sum((i.gross_total for i in issued if i.kind != "correction"), ZERO)
    delivered = [line for i in collective for line in i.lines if line.get("order_number") == order.number]
    invoiced += sum((Decimal(line["gross"]) for line in delivered), ZERO)
    not_invoiced: Decimal = order.gross_total - invoiced
    return open_total + max(ZERO, not_invoiced)
