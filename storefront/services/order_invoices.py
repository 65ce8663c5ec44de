"""Which documents are an order's: its own, and the collective ones on which its goods stand. The one reading of it."""

from __future__ import annotations

from collections.abc import Sequence

from erp.db import cursor
from storefront.models import InvoiceCopy, SalesOrder

DOCUMENTS = """(
  select i.id, i.number, i.kind, i.payment_state, i.issued_on, i.customer_id, i.order_id as own_order_id, i.order_id
  from invoice_copy i where i.order_id is not null
  union all
  select i.id, i.number, i.kind, i.payment_state, i.issued_on, i.customer_id, null, o.id
  from invoice_copy i
  cross join lateral (select distinct l ->> 'order_number' as number from jsonb_array_elements(i.lines) l) delivered
  join sales_order o on o.number = delivered.number and o.customer_id = i.customer_id
  where i.order_id is null
)"""
"""A row per document and order (``order_id``); of a collective document, which is no order's own, several.

It is read from documents to their orders, by days of issue; from orders to their documents see
:data:`DOCUMENTS_OF_ORDER`.
"""

# The order's number is looked up in an index over the numbers on collective documents; the customer is compared apart
# from an index, or all documents of a customer would be unfolded.
DOCUMENTS_OF_ORDER = """lateral (
  select i.id, i.kind, i.payment_state, i.order_id as own_order_id from invoice_copy i where i.order_id = o.id
  union all
  select i.id, i.kind, i.payment_state, null from sales_order s join invoice_copy i on i.order_id is null
    and jsonb_path_query_array(i.lines, '$[*].order_number') ? s.number
    and i.customer_id is not distinct from s.customer_id
  where s.id = o.id
)"""
"""The same documents of each order ``o``: what one costs does not grow with the history of the others."""

_OF_ORDERS = f"select o.id, d.id from unnest(%s::bigint[]) o(id) cross join {DOCUMENTS_OF_ORDER} d"


def invoices_of_orders(order_ids: Sequence[int]) -> dict[int, list[InvoiceCopy]]:
    """Order id → its documents, oldest first; an order without any has an empty list."""
    with cursor("storefront") as cur:
        cur.execute(_OF_ORDERS, [list(order_ids)])
        pairs = cur.fetchall()
    documents = InvoiceCopy.objects.in_bulk({invoice_id for _, invoice_id in pairs})
    found: dict[int, list[InvoiceCopy]] = {order_id: [] for order_id in order_ids}
    for order_id, invoice_id in pairs:
        found[order_id].append(documents[invoice_id])
    return {order_id: sorted(rows, key=lambda i: (i.issued_on, i.pk)) for order_id, rows in found.items()}


def invoices_of(order: SalesOrder) -> list[InvoiceCopy]:
    """Documents of one order, oldest first."""
    return invoices_of_orders([order.pk])[order.pk]
