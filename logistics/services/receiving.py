"""Goods receipts: deliveries put on the shelf, many lines in a handful of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.db import cursor
from erp.errors import Refused
from erp.relay import enqueue
from logistics.models import ExpectedGoods, GoodsReceipt, ProductCopy, StockMove
from logistics.serializers import Move, post_moves, take_locks
from logistics.services.documents import get_warehouse, next_numbers, today, whole_number, with_key
from logistics.services.relays import settle


def receive_goods(  # noqa: PLR0913  (each is a field of the document)
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    key: str | None,
    warehouse: str | None = None,
    received_on: date | None = None,
    supplier_ref: str = "",
    note: str = "",
    is_opening: bool = False,
) -> dict[str, Any]:
    """Receive a delivery into one warehouse.

    Args:
        rows: ``[{"product_id", "quantity", "unit_cost" (optional, base currency per piece), "moved_on"
            (optional)}]``; a product may occur on several rows.
        key: idempotency key; the same key with the same rows is one receipt.
        warehouse: code; default the first active warehouse.
        received_on: document date; default today.
        is_opening: stock taken over at the start, which Finance books against the opening balance.

    Returns:
        ``{"receipt_id", "number", "warehouse", "lines", "pieces"}``.

    Writes moves, stock, the receipt and a relay item that has Finance value it, in one transaction. Waiting
    backorders of the products are served afterwards; what fails then is repeated by the relay.
    """
    request = {"rows": list(rows), "warehouse": warehouse, "on": received_on, "ref": supplier_ref}
    kind = "opening_stock" if is_opening else "goods_receipt"
    answer = with_key(
        key, "receive_goods", request, actor,
        lambda: _receive(rows, actor, kind, warehouse, received_on or today(), supplier_ref, note),
    )  # fmt: skip
    document = f"goods_receipt:{answer['receipt_id']}"
    settle("value_moves", [document])
    settle("allocate_backorders", [document])
    return answer  # type: ignore[no-any-return]


def _receive(
    rows: Sequence[Mapping[str, Any]], actor: Actor, kind: str, code: str | None, on: date, supplier_ref: str, note: str
) -> dict[str, Any]:
    if not rows:
        raise Refused("A goods receipt needs at least one line")
    take_locks(("stock",))
    place = get_warehouse(code)
    require_stocked({row["product_id"] for row in rows})
    receipt = GoodsReceipt.objects.create(
        number=next_numbers("GR")[0], warehouse=place, received_on=on, supplier_ref=supplier_ref, note=note,
        actor_name=actor.name,
    )  # fmt: skip
    moves = post_moves(
        [
            Move(
                place.pk, row["product_id"], StockMove.Kind.RECEIPT, whole_number(row["quantity"], "Goods receipt"),
                row.get("moved_on") or on, kind, receipt.number, receipt.pk, n,
                None if row.get("unit_cost") is None else Decimal(row["unit_cost"]),
            )
            for n, row in enumerate(rows, start=1)
        ],
        actor=actor,
    )  # fmt: skip
    ExpectedGoods.objects.filter(product_id__in={row["product_id"] for row in rows}, expected_on__lte=on).delete()
    enqueue("logistics", "value_moves", f"goods_receipt:{receipt.pk}", {"moves": moves})
    ask_for_backorders(f"goods_receipt:{receipt.pk}", {row["product_id"] for row in rows})
    return {
        "receipt_id": receipt.pk, "number": receipt.number, "warehouse": place.code, "lines": len(moves),
        "pieces": sum(m["quantity"] for m in moves),
    }  # fmt: skip


def require_stocked(product_ids: set[int]) -> None:
    """Refuse products that are not known or have no stock."""
    stocked = set(ProductCopy.objects.filter(pk__in=product_ids, is_stocked=True).values_list("pk", flat=True))
    wrong = sorted(product_ids - stocked)
    if wrong:
        raise Refused(
            f"Not a stocked product: {', '.join(map(str, wrong))}; only goods that are kept in stock can be moved",
            products=wrong,
        )


_WAITING = """
select exists (select 1 from sales_order_line l join sales_order o on o.id = l.order_id and o.lifecycle = 'open'
  where l.product_id = any (%s) and l.is_stocked and l.quantity > l.reserved + l.issued + l.cancelled)"""


def ask_for_backorders(key: str, product_ids: set[int]) -> None:
    """Have the relay serve waiting backorders of products that became free; inside the transaction."""
    with cursor("logistics") as cur:
        cur.execute(_WAITING, [sorted(product_ids)])
        if cur.fetchone()[0]:
            enqueue("logistics", "allocate_backorders", key, {"product_ids": sorted(product_ids)})
