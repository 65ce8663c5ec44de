"""What documents share: numbers, dates, warehouses, keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from erp.actor import Actor, acting_as, request_id
from erp.db import retrying
from erp.errors import NotFound, Refused
from erp.idempotency import hash_request, once
from logistics.models import Warehouse
from logistics.serializers import run_sql

_SEQUENCES = {
    "GR": "goods_receipt_number", "RT": "return_number", "SC": "stock_count_number", "SD": "stock_document_number",
}  # fmt: skip


def next_numbers(prefix: str, count: int = 1) -> list[str]:
    """Take document numbers such as ``GR-000012``; unique, a rolled back document may leave one out."""
    statement = "select nextval(%s::text::regclass) as n from generate_series(1, %s::int)"
    rows = run_sql(statement, [_SEQUENCES[prefix], count])
    return [f"{prefix}-{row['n']:06d}" for row in rows]


def today() -> date:
    """Document date where none is given (UTC)."""
    return datetime.now(UTC).date()


def get_warehouse(code: str | None = None) -> Warehouse:
    """Warehouse by code; without a code the active one with the lowest priority number. Raises NotFound."""
    found = (
        Warehouse.objects.filter(code=code).first()
        if code
        else Warehouse.objects.filter(is_active=True).order_by("priority", "id").first()
    )
    if found is None:
        raise NotFound(f"There is no warehouse {code}" if code else "There is no active warehouse yet; create one")
    return found


def with_key(key: str | None, scope: str, request: Any, actor: Actor, run: Callable[[], Any]) -> Any:
    """Run ``run`` in one transaction of Logistics as ``actor``, once per ``key``.

    Returns its answer, of a repeat the stored one. Without a key every call has its effect.
    """
    with acting_as(actor, request_id()):
        if key is None:
            return retrying("logistics", run)
        answer, _ = once("logistics", key, scope, hash_request(request), run)
        return answer


MOST_PIECES = 1_000_000_000


def whole_number(value: Any, what: str, *, minimum: int = 1) -> int:
    """``value`` as pieces. Raises Refused naming ``what`` when it is not a whole number from ``minimum`` on."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= MOST_PIECES:
        raise Refused(f"{what}: the quantity must be a whole number from {minimum} to {MOST_PIECES}")
    return value
