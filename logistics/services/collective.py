"""Goods issues that waited for a collective invoice: its number is written back once Finance has issued it."""

from __future__ import annotations

from erp.db import retrying
from finance import api as finance
from logistics.models import Shipment
from logistics.serializers import lock_order, refresh_orders, take_locks

BATCH = 500


def collect_invoice_numbers(limit: int = BATCH) -> int:
    """Write the numbers of collective invoices into shipments and orders; idempotent. Returns how many shipments."""
    open_ones = Shipment.objects.filter(state__in=("issued", "delivered"), invoice_number="").order_by("-id")
    rows = dict(open_ones.values_list("id", "order_id")[:limit])
    done = 0
    for shipment_id, invoice in sorted(finance.find_invoices_of_shipments(list(rows)).items()):
        done += write_back(shipment_id, rows[shipment_id], invoice["id"], invoice["number"])
    return done


def write_back(shipment_id: int, order_id: int, invoice_id: int | None, number: str) -> int:
    """Write an invoice's number into its shipment and order, once."""

    def run() -> int:
        take_locks(("sales_order",))
        lock_order(order_id)
        fresh = Shipment.objects.filter(pk=shipment_id, invoice_number="")
        written = fresh.update(invoice_id=invoice_id, invoice_number=number)
        if written:
            refresh_orders([order_id])
        return written

    return retrying("logistics", run)
