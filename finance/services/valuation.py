"""Values stock moves at moving-average cost, strictly in the order in which Logistics numbered them per product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.actor import Actor
from erp.db import fetch_prepared, retried
from erp.fields import dump_json
from erp.money import round_money
from finance.errors import InsufficientValue, MoveOutOfOrder
from finance.models import ValuedMove
from finance.serializers.ledger import EntryDraft, LineDraft, check_books, write_entries
from finance.services.accounts import INVENTORY, base_currency, stock_contra
from finance.services.rates import rate_for

_COST = Decimal("0.000001")
MOVES_PER_ENTRY = 500


@dataclass(frozen=True)
class Move:
    """A stock move as Logistics recorded it; ``quantity`` is signed: plus into the warehouse."""

    move_id: int
    product_id: int
    move_seq: int
    kind: str  # receipt, issue, return, adjustment, scrap, transfer
    quantity: int
    moved_on: date
    unit_cost: Decimal | None = None  # base currency; None: the present average
    document_kind: str = ""
    document_id: int | None = None
    document_number: str = ""
    text: str = ""
    contra_account: str = ""  # empty: by the kind of the move
    original_value: Decimal | None = None  # of a return: what the pieces were issued at


@dataclass(frozen=True)
class Valued:
    """A move with its value; ``value`` has the sign of the quantity."""

    move: Move
    unit_cost: Decimal
    value: Decimal
    quantity_after: int
    value_after: Decimal


@dataclass
class _Cost:
    """Running state of one product while its moves are valued."""

    last_seq: int
    quantity: int
    value: Decimal
    unit_cost: Decimal

    def average(self) -> Decimal:
        return (self.value / self.quantity).quantize(_COST, ROUND_HALF_UP) if self.quantity else self.unit_cost


@retried("finance")
def value_stock_moves(rows: Sequence[Mapping[str, Any]], actor: Actor | None = None) -> list[int]:
    """Value and post moves in one transaction; moves that are valued already are passed over.

    Returns the ids of the moves valued now. Raises MoveOutOfOrder, InsufficientValue, PeriodClosed.
    """
    moves = [_as_move(row) for row in rows]
    valued = value_moves(moves)
    post_valued(valued, _entries(valued), actor)
    check_books()
    return [v.move.move_id for v in valued]


def _as_move(row: Mapping[str, Any]) -> Move:
    moved_on = row["moved_on"]
    moved_on = date.fromisoformat(moved_on) if isinstance(moved_on, str) else moved_on
    cost = row.get("unit_cost")
    currency = row.get("currency") or base_currency()
    if cost is not None:
        cost = Decimal(cost)
        if currency != base_currency():
            cost = (cost * rate_for(currency, moved_on).rate).quantize(_COST, ROUND_HALF_UP)
    return Move(
        move_id=row["move_id"],
        product_id=row["product_id"],
        move_seq=row["move_seq"],
        kind=row["kind"],
        quantity=int(row["quantity"]),
        moved_on=moved_on,
        unit_cost=cost,
        document_kind=row.get("document_kind") or "",
        document_id=row.get("document_id"),
        document_number=row.get("document_number") or "",
        text=row.get("reason") or "",
        contra_account=row.get("contra_account") or "",
    )


_LOCK = """
with made as (
  insert into product_cost (product_id, last_seq, quantity, value, unit_cost)
  select p, 0, 0, 0, 0 from unnest(%s::bigint[]) p order by p
  on conflict (product_id) do nothing
)
select c.product_id, c.last_seq, c.quantity, c.value, c.unit_cost from product_cost c
where c.product_id = any(%s::bigint[]) order by c.product_id for update"""


def value_moves(moves: Sequence[Move]) -> list[Valued]:
    """Value moves, locking their products in key order; nothing is written yet.

    Moves that were valued before are left out, so a repeat is harmless.
    """
    costs = _lock_costs({m.product_id for m in moves})
    # A move that was valued has a number up to its product's last: only then is it worth asking.
    doubtful = [m.move_id for m in moves if m.move_seq <= costs[m.product_id].last_seq]
    known = set()
    if doubtful:
        known = set(ValuedMove.objects.filter(move_id__in=doubtful).values_list("move_id", flat=True))
    fresh = sorted((m for m in moves if m.move_id not in known), key=lambda m: (m.product_id, m.move_seq))
    return [_value(move, costs[move.product_id]) for move in fresh]


def _lock_costs(product_ids: Iterable[int]) -> dict[int, _Cost]:
    keys = sorted(product_ids)
    rows = fetch_prepared("finance", _LOCK, [keys, keys])
    if len(rows) < len(keys):  # rows that the first statement made are not in its own snapshot
        rows = fetch_prepared("finance", _LOCK, [keys, keys])
    return {product_id: _Cost(*state) for product_id, *state in rows}


def _value(move: Move, cost: _Cost) -> Valued:
    if move.move_seq != cost.last_seq + 1:
        raise MoveOutOfOrder(
            f"Product {move.product_id}: move {move.move_seq} comes before move {cost.last_seq + 1} is valued",
            product_id=move.product_id, expected=cost.last_seq + 1, got=move.move_seq,
        )  # fmt: skip
    unit_cost, value = (cost.average(), Decimal(0)) if move.kind == "transfer" else _cost_of(move, cost)
    if move.kind != "transfer":
        cost.quantity += move.quantity
        cost.value += value
    cost.last_seq = move.move_seq
    if cost.quantity < 0 or cost.value < 0:
        raise InsufficientValue(
            f"Product {move.product_id}: move {move.move_seq} takes {-move.quantity} pieces, the books hold "
            f"{cost.quantity - move.quantity}", product_id=move.product_id,
        )  # fmt: skip
    cost.unit_cost = cost.average() if cost.quantity else unit_cost
    return Valued(move, unit_cost, value, cost.quantity, cost.value)


def _cost_of(move: Move, cost: _Cost) -> tuple[Decimal, Decimal]:
    """Unit cost and signed value of a move that changes the company's stock."""
    if move.original_value is not None:
        value = move.original_value
        return (value / move.quantity).quantize(_COST, ROUND_HALF_UP), value
    if move.quantity < 0:
        if -move.quantity == cost.quantity:
            return cost.average(), -cost.value  # the last pieces take the whole value, rounding included
        share = cost.value * -move.quantity / cost.quantity if cost.quantity else Decimal(0)
        return cost.average(), -round_money(share, base_currency())
    unit_cost = cost.average() if move.unit_cost is None else move.unit_cost
    return unit_cost, round_money(unit_cost * move.quantity, base_currency())


_WRITE = """
with v as (
  insert into valued_move (move_id, product_id, move_seq, kind, quantity, unit_cost, value, moved_on, document_kind,
    document_id, document_number, entry_id, quantity_after, value_after)
  select r.move_id, r.product_id, r.move_seq, r.kind, r.quantity, r.unit_cost, r.value, r.moved_on, r.document_kind,
    r.document_id, r.document_number, r.entry_id, r.quantity_after, r.value_after
  from jsonb_to_recordset(%s::jsonb) r(move_id bigint, product_id bigint, move_seq bigint, kind text, quantity int,
    unit_cost numeric, value numeric, moved_on date, document_kind text, document_id bigint, document_number text,
    entry_id bigint, quantity_after bigint, value_after numeric)
  order by r.product_id, r.move_seq
  returning product_id, move_seq, quantity_after, value_after, unit_cost
), last as (
  select distinct on (product_id) * from v order by product_id, move_seq desc
)
update product_cost c set last_seq = last.move_seq, quantity = last.quantity_after, value = last.value_after,
  unit_cost = case when last.quantity_after > 0 then round(last.value_after / last.quantity_after, 6)
              else last.unit_cost end
from last where c.product_id = last.product_id"""


def post_valued(
    valued: Sequence[Valued], entries: Sequence[tuple[EntryDraft, Sequence[Valued]]], actor: Actor | None = None
) -> None:
    """Post the entries and write the valued moves with the entry that booked each, and the new averages."""
    if not valued:
        return
    ids = write_entries([entry for entry, _ in entries], base_currency(), actor)
    entry_of = {v.move.move_id: key for key, (_, members) in zip(ids, entries, strict=True) for v in members}
    fetch_prepared("finance", _WRITE, [dump_json([_valued_row(v, entry_of.get(v.move.move_id)) for v in valued])])


def _valued_row(valued: Valued, entry_id: int | None) -> dict[str, Any]:
    move = valued.move
    return {
        "move_id": move.move_id, "product_id": move.product_id, "move_seq": move.move_seq, "kind": move.kind,
        "quantity": move.quantity, "unit_cost": valued.unit_cost, "value": valued.value, "moved_on": move.moved_on,
        "document_kind": move.document_kind, "document_id": move.document_id,
        "document_number": move.document_number, "entry_id": entry_id,
        "quantity_after": valued.quantity_after, "value_after": valued.value_after,
    }  # fmt: skip


def _entries(valued: Sequence[Valued]) -> list[tuple[EntryDraft, Sequence[Valued]]]:
    """One entry per document and day, cut into pieces of at most 500 moves."""
    groups: dict[tuple[Any, ...], list[Valued]] = {}
    for v in valued:
        if v.value:
            m = v.move
            groups.setdefault((m.moved_on, m.document_kind, m.document_id, m.document_number), []).append(v)
    pieces = [g[n : n + MOVES_PER_ENTRY] for g in groups.values() for n in range(0, len(g), MOVES_PER_ENTRY)]
    return [(stock_entry(piece, f"moves:{piece[0].move.move_id}"), piece) for piece in pieces]


def stock_entry(valued: Sequence[Valued], posting_key: str, customer_id: int | None = None) -> EntryDraft:
    """Inventory against cost of goods, receipts, differences…: two lines per move."""
    first = valued[0].move
    return EntryDraft(
        journal="STK",
        entry_on=first.moved_on,
        posting_key=posting_key,
        lines=[line for v in valued for line in _lines(v, customer_id)],
        text=first.text,
        document_kind=first.document_kind,
        document_number=first.document_number,
        document_id=first.document_id,
    )


def _lines(valued: Valued, customer_id: int | None) -> tuple[LineDraft, LineDraft]:
    move = valued.move
    contra = move.contra_account or stock_contra(move.kind, move.quantity, move.document_kind)
    inventory = LineDraft(
        account=INVENTORY, amount=valued.value, text=move.text, customer_id=customer_id,
        product_id=move.product_id, quantity=move.quantity,
    )  # fmt: skip
    other = LineDraft(
        account=contra, amount=-valued.value, text=move.text, customer_id=customer_id,
        product_id=move.product_id, quantity=-move.quantity,
    )  # fmt: skip
    return inventory, other
