"""Whether a product's stock ledger is what it was: its numbers, and its moves as Finance valued them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from erp.errors import Refused
from logistics.serializers import put_back_moves

Row = Mapping[str, Any]
MOVES_NAMED = 10


class LedgerAltered(Refused):
    """The stock ledger itself was altered; nothing can be counted up from it before it is put right."""

    code = "stock-ledger-altered"


_MOVES = """
select id as move_id, product_id, seq as move_seq, quantity, warehouse_id from stock_move
where product_id = %s order by seq"""


def list_moves(product_id: int) -> list[dict[str, Any]]:
    """The ledger of one product by number."""
    with cursor("logistics") as cur:
        cur.execute(_MOVES, [product_id])
        return rows_as_dicts(cur)


def require_sound(moves: Sequence[Row], valued: Sequence[Row]) -> None:
    """Refuse a ledger that is not what Finance valued, as far as it came, or has numbers that nobody gave.

    Moves that Finance has and the ledger lacks are no reason: they can be put back. Raises LedgerAltered.
    """
    theirs = {row["move_seq"]: row for row in valued}
    wrong = []
    for move in moves:
        other = theirs.get(move["move_seq"])
        if other and (move["move_id"], move["quantity"]) != (other["move_id"], other["quantity"]):
            wrong.append(
                f"number {move['move_seq']} is {_words(move)} here, and was {_words(other)} when Finance valued it"
            )
    wrong += [f"number {seq} is missing, and Finance does not have it" for seq in _gaps(moves, theirs)]
    if wrong:
        more = f"; and {len(wrong) - MOVES_NAMED} more" if len(wrong) > MOVES_NAMED else ""
        raise LedgerAltered(
            f"stock_move: {'; '.join(wrong[:MOVES_NAMED])}{more}. The ledger is append-only: an administrator of the "
            "database puts these rows right, then this command sets the rest"
        )


def _words(move: Row) -> str:
    return f"move {move['move_id']} of {move['quantity']:+d}"


def _gaps(moves: Sequence[Row], valued: Mapping[int, Row]) -> list[int]:
    """Numbers below the highest that neither side has."""
    known = {move["move_seq"] for move in moves} | valued.keys()
    return sorted(set(range(1, max(known, default=0))) - known)


def put_back(product_id: int, moves: Sequence[Row], valued: Sequence[Row], actor: Actor, reason: str) -> int:
    """Put back moves that Finance valued and the ledger has lost; returns how many.

    Finance does not know warehouses: the moves lay where on hand differs from the ledger by just their pieces.
    Raises LedgerAltered when that is no single warehouse.
    """
    known = {move["move_seq"] for move in moves}
    lost = [row for row in valued if row["move_seq"] not in known]
    if not lost:
        return 0
    pieces = sum(row["quantity"] for row in lost)
    short = {place: n for place, n in _differences(product_id, moves).items() if n}
    if list(short.values()) != [pieces]:
        names = ", ".join(f"number {row['move_seq']}, {_words(row)}" for row in lost[:MOVES_NAMED])
        raise LedgerAltered(
            f"stock_move: {names} was lost, and on hand does not say from which warehouse. An administrator of the "
            "database restores it from a backup, then this command sets the rest"
        )
    return put_back_moves(lost, next(iter(short)), f"Put back: {reason}", actor)


def _differences(product_id: int, moves: Sequence[Row]) -> dict[int, int]:
    """Warehouse → on hand less the sum of the moves."""
    found: dict[int, int] = defaultdict(int)
    with cursor("logistics") as cur:
        cur.execute("select warehouse_id, on_hand from stock where product_id = %s", [product_id])
        found.update(cur.fetchall())
    for move in moves:
        found[move["warehouse_id"]] -= move["quantity"]
    return found
