"""Stock counts on sheets: opened, written on while people walk along the shelves, posted as differences.

A sheet remembers what the books said, and the last move, when each product was put on it. What moved since then
cannot be posted: nobody knows whether it was counted before or after. Such lines are counted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound, Refused
from logistics.models import StockCount, StockCountLine
from logistics.serializers import take_locks
from logistics.services.differences import lock_counted, post_differences, settle_differences
from logistics.services.documents import get_warehouse, next_numbers, today, with_key
from logistics.services.planning import WrongState
from logistics.services.receiving import require_stocked

MAX_LINES = 500
State = StockCount.State


class StockMoved(Refused):
    """Stock moved since it was put on the sheet; count these products again."""

    code = "stock-moved"


_PUT = """
insert into stock_count_line (stock_count_id, product_id, expected, last_move_id)
select %(count)s, p.id, coalesce(s.on_hand, 0),
  (select max(m.id) from stock_move m where m.warehouse_id = %(place)s and m.product_id = p.id)
from product_copy p left join stock s on s.product_id = p.id and s.warehouse_id = %(place)s
where p.id = any (%(products)s) order by p.sku
on conflict (stock_count_id, product_id) do update set expected = excluded.expected,
  last_move_id = excluded.last_move_id, counted = null, counted_by = ''"""

_SCOPE = """
select p.id from product_copy p left join stock s on s.product_id = p.id and s.warehouse_id = %(place)s
where p.is_stocked and p.retired_at is null and p.sku ilike %(pattern)s
  and (s.on_hand > 0 or (%(empty)s and s.id is not null))
order by p.sku limit %(limit)s"""


def open_count(
    *,
    actor: Actor,
    key: str | None,
    warehouse: str | None = None,
    sku_prefix: str | None = None,
    counted_on: date | None = None,
) -> dict[str, Any]:
    """Open a count sheet.

    Args:
        sku_prefix: put every product on it that lies in the warehouse and whose SKU begins so; empty: all of them;
            None: an empty sheet, products are added one by one.

    Returns:
        ``{"count_id", "number", "lines"}``.
    """

    def run() -> dict[str, Any]:
        place = get_warehouse(warehouse)
        products = [] if sku_prefix is None else _in_scope(place.pk, sku_prefix)
        if sku_prefix is not None and not products:
            raise Refused(f"Nothing whose SKU begins with {sku_prefix!r} lies in {place.code}; open an empty sheet")
        scope = "As scanned" if sku_prefix is None else f"SKU {sku_prefix}…" if sku_prefix else "Everything"
        made = StockCount.objects.create(
            number=next_numbers("SC")[0], warehouse=place, scope=scope, counted_on=counted_on or today(),
            actor_name=actor.name,
        )  # fmt: skip
        _put(made, products)
        return {"count_id": made.pk, "number": made.number, "lines": len(products)}

    request = {"warehouse": warehouse, "sku_prefix": sku_prefix, "on": counted_on}
    return with_key(key, "open_count", request, actor, run)  # type: ignore[no-any-return]


def _in_scope(warehouse_id: int, prefix: str) -> list[int]:
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    with cursor("logistics") as cur:
        cur.execute(
            _SCOPE, {"place": warehouse_id, "pattern": f"{escaped}%", "empty": bool(prefix), "limit": MAX_LINES + 1}
        )
        found = [product_id for (product_id,) in cur.fetchall()]
    if len(found) > MAX_LINES:
        raise Refused(f"More than {MAX_LINES} products would be on the sheet; count by the beginning of the SKU")
    return found


def _put(count: StockCount, products: Sequence[int]) -> None:
    with cursor("logistics") as cur:
        cur.execute(_PUT, {"count": count.pk, "place": count.warehouse_id, "products": list(products)})


def _open(count_id: int) -> StockCount:
    found = StockCount.objects.select_for_update(of=("self",)).select_related("warehouse").filter(pk=count_id).first()
    if found is None:
        raise NotFound(f"There is no stock count {count_id}")
    if found.state != State.OPEN:
        raise WrongState(f"Stock count {found.number} is {found.state} already")
    return found


def put_on_sheet(count_id: int, product_id: int, *, actor: Actor) -> None:
    """Put a product on an open sheet with what the books say now; one that is on it already stays as it is."""

    def run() -> None:
        found = _open(count_id)
        require_stocked({product_id})
        if found.lines.filter(product_id=product_id).exists():
            return
        if found.lines.count() >= MAX_LINES:
            raise Refused(f"A sheet has at most {MAX_LINES} products; open another one")
        _put(found, [product_id])

    with_key(None, "", None, actor, run)


def write_counts(count_id: int, counted: Mapping[int, int | None], *, actor: Actor) -> None:
    """Write what was found.

    Args:
        counted: product id → pieces, reserved ones included; None: not counted (yet).
    """

    def run() -> None:
        found = _open(count_id)
        changed = []
        for line in found.lines.filter(product_id__in=list(counted)):
            if line.counted != counted[line.product_id]:
                line.counted = counted[line.product_id]
                line.counted_by = "" if line.counted is None else actor.name
                changed.append(line)
        StockCountLine.objects.bulk_update(changed, ["counted", "counted_by"])

    with_key(None, "", None, actor, run)


def count_again(count_id: int, *, actor: Actor) -> int:
    """Empty the lines whose product moved and set them to what the books say now; returns how many."""

    def run() -> int:
        found = _open(count_id)
        moved = [row["product_id"] for row in list_sheet(found) if row["is_moved"]]
        _put(found, moved)
        return len(moved)

    return int(with_key(None, "", None, actor, run))


def cancel_count(count_id: int, *, actor: Actor) -> str:
    """Close a sheet without posting anything; returns its number."""

    def run() -> str:
        found = _open(count_id)
        found.state = State.CANCELLED
        found.save(update_fields=["state"])
        return found.number

    return str(with_key(None, "", None, actor, run))


def post_count(count_id: int, *, actor: Actor) -> dict[str, Any]:
    """Post the differences of what was counted; lines that nobody counted are left alone. Once per sheet.

    Returns:
        ``{"number", "differences": [{"product_id", "expected", "counted"}], "pieces", "waiting": [order numbers]}``;
        ``waiting``: orders whose reserved goods were not there and that wait for new ones.

    Raises:
        StockMoved: naming the products; nothing was posted.
    """

    def run() -> dict[str, Any]:
        take_locks(("stock", "sales_order"))
        found = StockCount.objects.filter(pk=count_id, state=State.POSTED).first()
        if found is not None:  # pressed twice
            return {"number": found.number, "differences": [], "pieces": 0, "waiting": []}
        found = _open(count_id)
        counted = {line.product_id: line.counted for line in found.lines.all() if line.counted is not None}
        if not counted:
            raise Refused(f"Nothing is counted on {found.number} yet")
        orders = lock_counted(found.warehouse_id, counted)
        moved = [row for row in list_sheet(found) if row["is_moved"] and row["counted"] is not None]
        if moved:
            told = ", ".join(f"{row['sku']} ({row['on_hand']} now, {row['expected']} then)" for row in moved)
            raise StockMoved(
                f"Stock moved since it was put on the sheet: {told}. Count these again; nothing was posted",
                moved=[{name: row[name] for name in ("product_id", "sku", "expected", "on_hand")} for row in moved],
            )
        done = post_differences(
            counted, found.warehouse, actor, found.counted_on, orders=orders, number=found.number, document_id=found.pk
        )
        found.state, found.posted_at, found.posted_by = State.POSTED, datetime.now(UTC), actor.name
        found.save(update_fields=["state", "posted_at", "posted_by"])
        return {"number": found.number, **done}

    answer: dict[str, Any] = with_key(None, "", None, actor, run)
    settle_differences(answer["number"])
    return answer


_SHEET = """
select l.product_id, p.sku, p.name, p.barcode, l.expected, l.counted, l.counted_by,
  coalesce(s.on_hand, 0) as on_hand, l.last_move_id is distinct from m.id as is_moved,
  (select string_agg(x.document_number || ' ' || to_char(x.quantity, 'FMSG999999'), ', ' order by x.id)
   from stock_move x where x.warehouse_id = %(place)s and x.product_id = l.product_id
     and x.id > coalesce(l.last_move_id, 0)) as moves
from stock_count_line l join product_copy p on p.id = l.product_id
left join stock s on s.product_id = l.product_id and s.warehouse_id = %(place)s
left join lateral (select max(x.id) as id from stock_move x
                   where x.warehouse_id = %(place)s and x.product_id = l.product_id) m on true
where l.stock_count_id = %(count)s order by p.sku"""


def list_sheet(count: StockCount) -> list[dict[str, Any]]:
    """Lines of a sheet by SKU, each with what moved since it was put on it (``is_moved``, ``moves`` in words)."""
    with cursor("logistics") as cur:
        cur.execute(_SHEET, {"count": count.pk, "place": count.warehouse_id})
        return rows_as_dicts(cur)
