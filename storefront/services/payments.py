"""What the payment state of an order is by Finance's invoices, and telling Logistics when it has changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from decimal import Decimal

from django.db import DatabaseError

from erp.actor import SYSTEM
from erp.db import cursor
from erp.errors import ErpError
from logistics import api as logistics
from storefront.models import InvoiceCopy, SalesOrderCopy
from storefront.services.order_invoices import DOCUMENTS_OF_ORDER, invoices_of_orders

logger = logging.getLogger(__name__)

CREDITS = frozenset({"credit_note", "cancellation", "credit_without_original"})

# Orders whose invoices say something else about the payment than the order itself. A collective invoice tells of one
# order only when it is paid as a whole; an order that is paid in part stays so until all of it is invoiced.
_NEWS = f"""
select o.id from sales_order_copy o where o.payment in ('open', 'partly_paid', 'authorised') and exists (
  select 1 from {DOCUMENTS_OF_ORDER} i
  where i.kind in ('invoice', 'final') and i.payment_state <> o.payment
    and (i.payment_state = 'paid' or i.payment_state = 'partly_paid' and i.own_order_id is not null)
    and (o.payment <> 'partly_paid' or o.invoicing in ('fully', 'credited')))
order by o.id limit %s"""


def open_of(invoice: InvoiceCopy) -> Decimal:
    """What is still to be paid of an invoice."""
    left: Decimal = invoice.gross_total - invoice.paid_total - invoice.credited_total
    return max(Decimal(0), left)


def payment_of(known: str, invoicing: str, invoices: Sequence[InvoiceCopy]) -> str:
    """Payment state of an order by its invoices; ``known`` is what the order itself says.

    What is paid of a collective invoice counts only when it is paid as a whole.
    """
    issued = [i for i in invoices if i.kind not in CREDITS and i.gross_total >= 0]
    if not issued or known in {"failed", "refunded"}:
        return known
    paid = sum(i.paid_total for i in issued if i.order_id is not None or i.payment_state == "paid")
    if not paid:
        return known
    return "paid" if not sum(map(open_of, issued)) and invoicing in {"fully", "credited"} else "partly_paid"


def tell_payments(limit: int = 500) -> int:
    """Tell Logistics of payments that Finance has recorded; idempotent. Returns the number of orders told."""
    with cursor("storefront") as cur:
        cur.execute(_NEWS, [limit])
        ids = [order_id for (order_id,) in cur.fetchall()]
    told = 0
    invoices = invoices_of_orders(ids)
    for order in SalesOrderCopy.objects.filter(pk__in=ids).order_by("pk"):
        state = payment_of(order.payment, order.invoicing, invoices[order.pk])
        if state == order.payment:
            continue
        try:
            told += logistics.set_payment(order.pk, state, actor=SYSTEM)
        except (ErpError, DatabaseError) as error:  # one order's trouble must not stop the others
            logger.warning("payment of order %s not told: %s", order.pk, error)
    return told
