"""What Logistics asks of Finance after a commit, and what it writes back into its own documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from erp.db import cursor, in_transaction, retrying
from erp.faultpoints import fault_point
from erp.relay import relay_handler, run_now
from finance import api as finance
from logistics.models import ReturnLine, ReturnOrder
from logistics.serializers import lock_order, refresh_orders, take_locks
from logistics.services.backorders import allocate_backorders
from logistics.services.collective import write_back


def invoice_issue(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Have Finance invoice a goods issue and write the invoice's number into shipment and order.

    A customer with collective invoices has no number yet: see ``services/collective.py``.
    """
    invoice = finance.invoice_goods_issue(payload)
    found = {"id": invoice.get("id"), "number": invoice["number"]}
    fault_point("invoice:before_write_back")
    if found["number"]:
        write_back(payload["shipment_id"], payload["order_id"], found["id"], found["number"])
    return found


def credit_return(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Have Finance credit an inspected return and write the credit note's number into it and its orders."""
    note = finance.credit_return(payload)
    numbers = [document["number"] for document in note.get("documents", [note])]
    found = {"id": note.get("id"), "number": _shown(numbers)}

    def write_back() -> None:
        take_locks(("sales_order",))
        orders = sorted(
            ReturnLine.objects.filter(return_order_id=payload["return_id"], order_id__isnull=False)
            .values_list("order_id", flat=True)
            .distinct()
        )
        for order_id in orders:
            lock_order(order_id)
        fresh = ReturnOrder.objects.filter(pk=payload["return_id"], credit_note_number="")
        if fresh.update(credit_note_id=found["id"], credit_note_number=found["number"]):
            refresh_orders(orders)

    retrying("logistics", write_back)
    return found


def _shown(numbers: list[str]) -> str:
    """Numbers of a return's credit notes, one for each invoice that is changed; of many the first and the last."""
    text = ", ".join(numbers)
    return text if len(text) <= 80 else f"{numbers[0]} … {numbers[-1]} ({len(numbers)} documents)"[:80]


def value_moves(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Have Finance value receipts, adjustments, scrap and transfers."""
    finance.value_stock_moves(payload["moves"])
    return {"moves": len(payload["moves"])}


def serve_backorders(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Reserve goods that arrived for orders that wait for them, oldest first."""
    return {"orders": allocate_backorders(payload["product_ids"])}


def register_relays() -> None:
    """Tell the platform who does what in this module's relay."""
    relay_handler("logistics", "invoice_issue")(invoice_issue)
    relay_handler("logistics", "credit_return")(credit_return)
    relay_handler("logistics", "value_moves")(value_moves)
    relay_handler("logistics", "allocate_backorders")(serve_backorders)


def settle(kind: str, keys: Iterable[str]) -> None:
    """Do relay items right after the commit that made them; what fails stays for the relay.

    Does nothing inside an open transaction: the items are not committed yet.
    """
    if in_transaction("logistics"):
        return
    for key in keys:
        run_now("logistics", kind, key)


def list_stuck(limit: int = 100) -> list[dict[str, Any]]:
    """Relay items that failed at least once and are not done, oldest first.

    Each ``{"id", "kind", "key", "state", "attempts", "last_error", "created_at", "next_at"}``.
    """
    with cursor("logistics") as cur:
        cur.execute(
            "select id, kind, key, state, attempts, last_error, created_at, next_at from relay_item "
            "where state <> 'done' and last_error <> '' order by created_at limit %s",
            [limit],
        )
        names = [c[0] for c in cur.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cur.fetchall()]
