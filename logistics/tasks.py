"""Periodic work of Logistics; may run twice, late or concurrently."""

from __future__ import annotations

from celery import shared_task

from logistics.services.backorders import serve_waiting_orders
from logistics.services.collective import collect_invoice_numbers
from logistics.services.holds import expire_holds


@shared_task(name="logistics.expire_holds")
def release_expired_holds() -> int:
    """Give back holds past their time; returns the number of pieces."""
    return expire_holds()


@shared_task(name="logistics.serve_waiting_orders")
def reserve_for_waiting_orders() -> int:
    """Reserve what became free for orders that wait for it; returns the number of orders served."""
    return serve_waiting_orders()


@shared_task(name="logistics.collect_invoice_numbers")
def write_back_collective_invoices() -> int:
    """Write numbers of collective invoices into their shipments; returns how many."""
    return collect_invoice_numbers()
