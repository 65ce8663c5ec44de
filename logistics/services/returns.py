"""Goods that come back: requested, received, inspected (restocked or scrapped), credited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from erp.actor import Actor
from erp.db import cursor, rows_as_dicts
from erp.errors import NotFound, Refused
from erp.relay import enqueue
from logistics.models import ReturnLine, ReturnOrder, StockMove
from logistics.serializers import Move, lock_order, post_moves, refresh_orders, take_locks
from logistics.services.documents import get_warehouse, next_numbers, today, with_key
from logistics.services.planning import WrongState
from logistics.services.receiving import ask_for_backorders
from logistics.services.relays import settle
from logistics.services.return_lines import full_lines, orders_of, return_header
from logistics.services.return_payload import credit_payload

State = ReturnOrder.State


def request_return(
    order_id: int | None,
    lines: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    key: str | None,
    reason: str = "",
    warehouse: str | None = None,
    header: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Note that a customer wants to give goods back.

    Args:
        order_id: the order they came from; None when every line names its own, or has none.
        lines: ``[{"line_no", "quantity"}]`` of the order; a line may name another ``order_id``. A line without
            original carries ``product_id``, ``quantity``, ``unit_price``, ``vat_code``, ``vat_rate`` instead.
        header: for returns without order: ``customer_id``, ``currency``; optionally ``customer_name``,
            ``price_mode``, ``bill_to``, ``payment_method``, ``channel``, ``external_ref``.

    Returns:
        ``{"return_id", "number", "state"}``.

    Raises:
        Refused: more is to come back of a line than was issued and has not come back yet.
    """
    request = {"order_id": order_id, "lines": list(lines), "reason": reason, "header": header or {}}
    return with_key(  # type: ignore[no-any-return]
        key, "request_return", request, actor,
        lambda: _answer(_request(order_id, lines, actor, reason, warehouse, header or {})),
    )  # fmt: skip


def receive_return(  # noqa: PLR0913  (each is a field of the document)
    order_id: int | None,
    lines: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    key: str | None,
    on_date: date | None = None,
    reason: str = "",
    warehouse: str | None = None,
    header: Mapping[str, Any] | None = None,
    restock: bool = True,
    settle_now: bool = True,
) -> dict[str, Any]:
    """Request, receive and inspect in one go: everything is restocked, or everything scrapped.

    Arguments as :func:`request_return`. Returns ``{"return_id", "number", "state", "credit_note_number"}``; the
    last is empty until Finance has credited it.
    """

    def run() -> dict[str, Any]:
        found = _request(order_id, lines, actor, reason, warehouse, header or {})
        rows = ReturnLine.objects.filter(return_order=found)
        decisions = {row.line_no: (row.quantity, 0) if restock else (0, row.quantity) for row in rows}
        _inspect(found, decisions, on_date or today(), actor)
        return _answer(found)

    request = {
        "order_id": order_id, "lines": list(lines), "on": on_date, "reason": reason, "header": header or {},
        "restock": restock,
    }  # fmt: skip
    answer = with_key(key, "receive_return", request, actor, run)
    if settle_now:
        _settle(answer["return_id"])
    number = ReturnOrder.objects.values_list("credit_note_number", flat=True).get(pk=answer["return_id"])
    return {**answer, "credit_note_number": number}


def _settle(return_id: int) -> None:
    settle("credit_return", [f"return:{return_id}"])
    settle("value_moves", [f"return_scrap:{return_id}"])
    settle("allocate_backorders", [f"return:{return_id}"])


def _answer(found: ReturnOrder) -> dict[str, Any]:
    return {"return_id": found.pk, "number": found.number, "state": str(found.state)}


def _request(
    order_id: int | None,
    lines: Sequence[Mapping[str, Any]],
    actor: Actor,
    reason: str,
    warehouse: str | None,
    given: Mapping[str, Any],
) -> ReturnOrder:
    if not lines:
        raise Refused("A return needs at least one line")
    take_locks(("stock", "sales_order"))
    orders = orders_of(order_id, lines)
    for one in orders:
        lock_order(one)
    rows = full_lines(order_id, lines)
    header = return_header(orders, given)
    found = ReturnOrder.objects.create(
        number=next_numbers("RT")[0], order_id=order_id, warehouse=get_warehouse(warehouse), reason=reason[:200],
        actor_name=actor.name, **header,
    )  # fmt: skip
    ReturnLine.objects.bulk_create(
        ReturnLine(return_order=found, line_no=n, **row) for n, row in enumerate(rows, start=1)
    )
    refresh_orders(orders, actor=actor)
    return found


def receive_parcel(return_id: int, *, actor: Actor) -> dict[str, Any]:
    """The parcel is here; it still has to be inspected. A repeat changes nothing."""

    def run() -> dict[str, Any]:
        found = _locked(return_id)
        if found.state == State.REQUESTED:
            found.state = State.RECEIVED
            found.save(update_fields=["state"])
            refresh_orders(_orders(found), actor=actor)
        elif found.state != State.RECEIVED:
            raise WrongState(f"Return {found.number} is {found.state} already")
        return _answer(found)

    return with_key(None, "", None, actor, run)  # type: ignore[no-any-return]


def reject_return(return_id: int, *, actor: Actor, reason: str) -> dict[str, Any]:
    """Refuse a return that was requested or received: nothing is restocked or credited."""

    def run() -> dict[str, Any]:
        found = _locked(return_id)
        if found.state not in {State.REQUESTED, State.RECEIVED, State.REJECTED}:
            raise WrongState(f"Return {found.number} is {found.state} already")
        found.state, found.reason = State.REJECTED, reason[:200] or found.reason
        found.save(update_fields=["state", "reason"])
        refresh_orders(_orders(found), actor=actor)
        return _answer(found)

    return with_key(None, "", None, actor, run)  # type: ignore[no-any-return]


def inspect_return(
    return_id: int,
    decisions: Mapping[int, tuple[int, int]] | None = None,
    *,
    actor: Actor,
    on_date: date | None = None,
) -> dict[str, Any]:
    """Decide what becomes of a received return, then have it credited.

    Args:
        decisions: line number → (pieces to restock, pieces to scrap); what is in neither goes back to the customer
            and is not credited. None: everything is restocked.

    Raises:
        WrongState: it is not received yet, or was inspected before.
    """

    def run() -> dict[str, Any]:
        found = _locked(return_id)
        if found.state != State.RECEIVED:
            raise WrongState(f"Return {found.number} is {found.state}; only received goods can be inspected")
        rows = ReturnLine.objects.filter(return_order=found)
        wanted = decisions if decisions is not None else {row.line_no: (row.quantity, 0) for row in rows}
        _inspect(found, wanted, on_date or today(), actor)
        return _answer(found)

    answer = with_key(None, "", None, actor, run)
    _settle(return_id)
    return answer  # type: ignore[no-any-return]


def _orders(found: ReturnOrder) -> list[int]:
    return sorted(
        ReturnLine.objects.filter(return_order=found, order_id__isnull=False)
        .values_list("order_id", flat=True)
        .distinct()
    )


def _locked(return_id: int) -> ReturnOrder:
    take_locks(("stock", "sales_order"))
    seen = ReturnOrder.objects.filter(pk=return_id).first()
    if seen is None:
        raise NotFound(f"There is no return {return_id}")
    for order_id in _orders(seen):
        lock_order(order_id)
    return ReturnOrder.objects.select_for_update().get(pk=return_id)


_APPLY = """
with d as materialized (
  select * from unnest(%(lines)s::int[], %(restock)s::int[], %(scrap)s::int[]) x(line_no, restock, scrap)
), m as materialized (
  select * from unnest(%(line_ids)s::bigint[], %(moves)s::bigint[], %(seqs)s::bigint[]) x(line_id, move_id, move_seq)
), lines as (
  update return_line r set restock_quantity = d.restock, scrap_quantity = d.scrap,
    move_id = (select m.move_id from m where m.line_id = r.id),
    move_seq = (select m.move_seq from m where m.line_id = r.id)
  from d where r.return_order_id = %(id)s and r.line_no = d.line_no
  returning r.order_id, r.order_line_no, d.restock + d.scrap as quantity
)
update sales_order_line l set returned = l.returned + x.quantity
from (select order_id, order_line_no, sum(quantity) as quantity from lines where order_id is not null group by 1, 2) x
where l.order_id = x.order_id and l.line_no = x.order_line_no"""


def _inspect(found: ReturnOrder, decisions: Mapping[int, tuple[int, int]], on: date, actor: Actor) -> None:
    rows = list(ReturnLine.objects.filter(return_order=found).order_by("line_no"))
    kept = {row.line_no: decisions.get(row.line_no, (0, 0)) for row in rows}
    for row in rows:
        if min(kept[row.line_no]) < 0 or sum(kept[row.line_no]) > row.quantity:
            raise Refused(f"Line {row.line_no}: {row.quantity} came back, not {sum(kept[row.line_no])}")
    if not any(sum(pair) for pair in kept.values()):
        raise Refused("Nothing is restocked or scrapped; reject the return instead")
    payload = credit_payload(found, rows, kept, on)
    back, scrapped = _moves(found, rows, kept, on, actor)
    with cursor("logistics") as cur:
        cur.execute(
            _APPLY,
            {
                "id": found.pk, "lines": list(kept), "restock": [r for r, _ in kept.values()],
                "scrap": [s for _, s in kept.values()], "line_ids": list(back),
                "moves": [m["move_id"] for m in back.values()], "seqs": [m["move_seq"] for m in back.values()],
            },
        )  # fmt: skip
    restocked = sum(r for r, _ in kept.values())
    found.state = State.RESTOCKED if restocked * 2 >= sum(map(sum, kept.values())) else State.SCRAPPED
    found.returned_on = on
    found.save(update_fields=["state", "returned_on"])
    refresh_orders(_orders(found), actor=actor)
    by_no = {row.line_no: back.get(row.pk) for row in rows}
    for line in payload["lines"]:
        move = by_no[line["return_line_no"]]
        line["move_id"], line["move_seq"] = (move["move_id"], move["move_seq"]) if move else (None, None)
    enqueue("logistics", "credit_return", f"return:{found.pk}", payload)
    if scrapped:
        enqueue("logistics", "value_moves", f"return_scrap:{found.pk}", {"moves": scrapped})
    ask_for_backorders(f"return:{found.pk}", {row.product_id for row in rows if row.is_stocked})


def _moves(
    found: ReturnOrder, rows: Sequence[ReturnLine], kept: Mapping[int, tuple[int, int]], on: date, actor: Actor
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """Post the moves; returns the return move per line id, and the scrap moves.

    What is scrapped comes in first and goes out again, so that the books show its loss.
    """
    moves = []
    for row in rows:
        restock, scrap = kept[row.line_no]
        changes = [(StockMove.Kind.RETURN, restock + scrap), (StockMove.Kind.SCRAP, -scrap)] if row.is_stocked else []
        moves += [
            Move(
                found.warehouse_id, row.product_id, kind, quantity, on, "return", found.number, found.pk, row.pk,
                reason=found.reason or "Returned",
            )
            for kind, quantity in changes
            if quantity
        ]  # fmt: skip
    posted = post_moves(moves, actor=actor)
    back = {m["document_line_id"]: m for m in posted if m["kind"] == StockMove.Kind.RETURN}
    return back, [m for m in posted if m["kind"] == StockMove.Kind.SCRAP]


def list_returnable(order_id: int) -> list[dict[str, Any]]:
    """Lines of an order of which something can still come back: ``{"line_no", "sku", "name", "quantity"}``."""
    with cursor("logistics") as cur:
        cur.execute(
            "select l.line_no, l.sku, l.name, (l.issued - l.returned - coalesce((select sum(d.quantity) "
            "from return_line d join return_order r on r.id = d.return_order_id where d.order_id = l.order_id "
            "and d.order_line_no = l.line_no and r.state in ('requested', 'received')), 0))::int as quantity "
            "from sales_order_line l where l.order_id = %s order by l.line_no",
            [order_id],
        )
        return [row for row in rows_as_dicts(cur) if row["quantity"] > 0]
