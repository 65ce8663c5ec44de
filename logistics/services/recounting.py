"""Recount of stock: figures that were altered or lost are set to the stock ledger and the live reservations again.

Nothing is posted and no goods are counted: on hand becomes the sum of the product's moves, reserved that of its
reservations, and lines of orders follow. Every change goes through the owner's writers, so copies get it, and is
written into the change journal with who did it and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from erp.actor import Actor
from erp.db import cursor
from erp.errors import NotFound, Refused
from erp.fields import dump_json
from finance import api as finance_api
from logistics.copies import ProductCopy
from logistics.models import Warehouse
from logistics.serializers import (
    lock_orders,
    lock_sequence,
    lock_stock,
    refresh_orders,
    release_pieces,
    restore_stock_rows,
    run_sql,
    set_lines_reserved,
    set_sequence,
    set_stock,
    take_locks,
)
from logistics.serializers.writing import who
from logistics.services.differences import give_way
from logistics.services.documents import with_key
from logistics.services.ledger_evidence import LedgerAltered, list_moves, put_back, require_sound
from logistics.services.stock_figures import (
    find_surplus,
    list_differing,
    list_figures,
    list_orders,
    list_places,
    require_stock_rows,
)


@dataclass
class Recounted:
    """What became of one product."""

    product_id: int
    places: list[dict[str, Any]] = field(default_factory=list)  # warehouse, on_hand and reserved: [before, now]
    rows_restored: int = 0
    moves_restored: int = 0
    last_seq: list[int] = field(default_factory=list)  # [before, now] of the number of the last move
    lines: list[dict[str, Any]] = field(default_factory=list)  # order_id, line_no, reserved
    released: int = 0  # pieces of reservations beyond what their order still needs
    waiting: list[str] = field(default_factory=list)  # orders whose goods are not there
    refused: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether anything was, or would be, set."""
        return bool(
            self.places or self.rows_restored or self.moves_restored or self.last_seq or self.lines or self.released
        )


class _DryRun(Exception):
    """Ends a dry run's transaction."""


def recount_stock(
    products: Iterable[int] | None = None, *, actor: Actor, reason: str, warehouse: str | None = None,
    dry_run: bool = False, progress: Callable[[int, int], None] | None = None,
) -> list[Recounted]:  # fmt: skip
    """Set stock to its moves and reservations, one transaction per product; a repeat finds nothing to do.

    Args:
        products: product ids; default all whose figures differ.
        warehouse: set only what lies in this warehouse.
        dry_run: tell what would change and write nothing.
        progress: called with products done and products in all.

    Returns:
        What changed per product. ``refused`` tells why a product was left alone: its ledger itself was altered, or
        more is promised on shipments than is there.
    """
    if not reason.strip():
        raise Refused("Give a reason for the recount; it goes into the change journal")
    place = _place(warehouse)
    chosen = sorted(set(products)) if products is not None else list_differing(place)
    _require_known(chosen)
    found = []
    for n, product_id in enumerate(chosen):
        if progress:
            progress(n, len(chosen))
        found.append(_one(product_id, place, actor, reason.strip(), dry_run))
    return [done for done in found if done.is_changed or done.refused]


def _place(code: str | None) -> int | None:
    if not code:
        return None
    found = Warehouse.objects.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no warehouse {code}")
    return found.pk


def _require_known(products: Sequence[int]) -> None:
    with cursor("logistics") as cur:
        cur.execute(
            "select p from unnest(%s::bigint[]) p where not exists (select 1 from stock s where s.product_id = p) "
            "and not exists (select 1 from stock_move m where m.product_id = p)",
            [list(products)],
        )
        unknown = [product_id for (product_id,) in cur.fetchall()]
    known = ProductCopy.objects.filter(pk__in=unknown).count() if unknown else 0
    if len(unknown) > known:
        raise NotFound(f"There is no product {', '.join(map(str, unknown))}")


def _one(product_id: int, place: int | None, actor: Actor, reason: str, dry_run: bool) -> Recounted:
    valued = finance_api.list_valued_moves(product_id)  # before any lock: Finance never knows more than the ledger
    done = Recounted(product_id)

    def run() -> None:
        nonlocal done
        done = Recounted(product_id)
        _recount(done, valued, place, actor, reason)
        if dry_run:
            raise _DryRun

    try:
        with_key(None, "", None, actor, run)
    except _DryRun:
        pass
    except Refused as refusal:
        done = Recounted(product_id, refused=refusal.message)
    return done


def _recount(done: Recounted, valued: Sequence[Any], place: int | None, actor: Actor, reason: str) -> None:
    take_locks(("stock", "sales_order"))
    orders = list_orders(done.product_id)
    lock_orders(orders)
    done.rows_restored = len(restore_stock_rows(done.product_id))
    lock_stock(list_places(done.product_id))
    _set_ledger(done, valued, actor, reason)
    before = list_figures(done.product_id, place)
    require_stock_rows(done.product_id)
    _set_figures(before, actor)
    done.released = release_pieces(find_surplus(done.product_id, orders), actor=actor)
    done.lines = set_lines_reserved(orders, done.product_id)
    _take_from_promised(done, place, orders, actor)
    now = {row["stock_id"]: row for row in list_figures(done.product_id, place)}
    done.places = [
        {
            "warehouse": row["code"],
            "on_hand": [row["on_hand"], now[row["stock_id"]]["on_hand"]],
            "reserved": [row["reserved"], now[row["stock_id"]]["reserved"]],
        }
        for row in before
        if any(row[name] != now[row["stock_id"]][name] for name in ("on_hand", "reserved"))
    ]
    refresh_orders({line["order_id"] for line in done.lines}, actor=actor)
    if done.is_changed:
        _audit(done, actor, reason)


def _set_ledger(done: Recounted, valued: Sequence[Any], actor: Actor, reason: str) -> None:
    """Put back lost moves that Finance has; the number of the last move follows. Raises LedgerAltered."""
    last_seq = lock_sequence(done.product_id)
    moves = list_moves(done.product_id)
    require_sound(moves, valued)
    done.moves_restored = put_back(done.product_id, moves, valued, actor, reason)
    highest = max((move["move_seq"] for move in [*moves, *valued]), default=0)
    if last_seq == highest:
        return
    if last_seq > highest and any(row["on_hand"] != row["moved"] for row in list_figures(done.product_id, None)):
        raise LedgerAltered(
            f"stock_move: numbers {highest + 1} to {last_seq} were given and are not there, nor at Finance, and on "
            "hand differs: moves were lost. An administrator of the database restores them from a backup"
        )
    set_sequence(done.product_id, highest)
    done.last_seq = [last_seq, highest]


def _set_figures(rows: Sequence[Any], actor: Actor) -> None:
    """Reserved as reservations say; on hand as the ledger says, for now not below that."""
    for row in rows:
        if row["moved"] < 0:
            raise LedgerAltered(
                f"stock_move: the product's moves in {row['code']} sum up to {row['moved']}: moves were lost. An "
                "administrator of the database restores them from a backup"
            )
    wanted = {row["stock_id"]: (max(row["moved"], row["live"]), row["live"]) for row in rows}
    set_stock(
        {row["stock_id"]: wanted[row["stock_id"]] for row in rows
         if wanted[row["stock_id"]] != (row["on_hand"], row["reserved"])},
        actor=actor,
    )  # fmt: skip


def _take_from_promised(done: Recounted, place: int | None, orders: list[int], actor: Actor) -> None:
    """Where more is promised than the ledger has, reservations give way as after a count; then on hand is set."""
    for row in list_figures(done.product_id, place):
        if row["moved"] < row["reserved"]:
            done.waiting += give_way(row["warehouse_id"], {done.product_id: row["moved"]}, orders, actor)
    last = {}
    for row in list_figures(done.product_id, place):
        if row["moved"] < row["reserved"]:
            raise Refused(
                f"{row['code']}: {row['reserved']} pieces are promised on shipments and the ledger has "
                f"{row['moved']}: take a shipment back first"
            )
        if row["moved"] != row["on_hand"]:
            last[row["stock_id"]] = (row["moved"], row["reserved"])
    set_stock(last, actor=actor)


_AUDIT = """
insert into change_journal (entity, key, version, actor_id, actor_name, request_id, payload)
values ('recount', %(product)s::bigint, 0, %(actor_id)s::bigint, %(actor_name)s::text, %(request_id)s::text,
  %(note)s::jsonb)"""


def _audit(done: Recounted, actor: Actor, reason: str) -> None:
    note = {name: value for name, value in vars(done).items() if value and name != "refused"}
    run_sql(_AUDIT, {"product": done.product_id, "note": dump_json({"reason": reason, **note}), **who(actor)})
