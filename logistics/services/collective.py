"""Goods issues that waited for a collective invoice: its number is written back once Finance has issued it."""

from __future__ import annotations

from erp.db import retrying
from finance import api as finance
from logistics.models import Shipment
from logistics.serializers import lock_order, refresh_orders, run_sql, take_locks

BATCH = 500


def collect_invoice_numbers(limit: int = BATCH) -> int:
    """Write the numbers of collective invoices into shipments and orders; idempotent. Returns how many shipments."""
    open_ones = Shipment.objects.filter(state__in=("issued", "delivered"), invoice_number="").order_by("-id")
    rows = dict(open_ones.values_list("id", "order_id")[:limit])
    done = 0
    for shipment_id, invoice in sorted(finance.find_invoices_of_shipments(list(rows)).items()):
        done += write_back(shipment_id, rows[shipment_id], invoice["id"], invoice["number"])
    return done


_WRITE_BACK = """
update shipment set invoice_id = %s::bigint, invoice_number = %s::text
where id = %s::bigint and invoice_number = '' returning id"""


def write_back(shipment_id: int, order_id: int, invoice_id: int | None, number: str) -> int:
    """Write an invoice's number into its shipment and order, once."""

    def run() -> int:
        take_locks(("sales_order",))
        lock_order(order_id)
        written = run_sql(_WRITE_BACK, [invoice_id, number, shipment_id])
        if written:
            refresh_orders([order_id])
        return len(written)

    return retrying("logistics", run)
