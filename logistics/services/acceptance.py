"""Taking sales orders over from the Storefront: reservation and acceptance in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from erp.db import cursor, retrying, rows_as_dicts
from erp.errors import Refused
from erp.faultpoints import fault_point
from erp.fields import dump_json, load_json
from erp.idempotency import hash_request
from logistics.models import Reservation
from logistics.serializers import ReservationResult, insert_order, reserve_stock, run_sql, take_locks


class BadOffer(Refused):
    """The offer cannot be read."""

    code = "bad-offer"


@dataclass(frozen=True)
class Offer:
    """An order as the Storefront offers it: frozen there under ``epoch`` until it is answered."""

    order_id: int
    epoch: int
    owner_key: str  # whose holds are turned into allocations; empty: none
    header: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    payload_hash: str


_HEADER_DEFAULTS: dict[str, Any] = {
    "customer_name": "", "email": None, "price_mode": "net", "country": "", "ship_to": {}, "bill_to": {},
    "shipping_method": "", "payment_method": "", "payment": "open", "placed_at": None, "ordered_on": None,
    "net_total": Decimal(0), "vat_total": Decimal(0), "gross_total": Decimal(0), "external_ref": None,
    "channel": "web", "note": "",
}  # fmt: skip
_LINE_DEFAULTS: dict[str, Any] = {
    "discount": Decimal(0), "net": Decimal(0), "vat": Decimal(0), "gross": Decimal(0),
}  # fmt: skip


def read_offer(data: Mapping[str, Any]) -> Offer:
    """Check an offer's shape. Raises BadOffer naming what is wrong."""
    missing = [n for n in ("order_id", "epoch", "number", "customer_id", "currency", "lines") if data.get(n) is None]
    if missing:
        raise BadOffer(f"The offer lacks {', '.join(missing)}", missing=missing)
    header = {**_HEADER_DEFAULTS, **data}
    header["placed_at"] = header["placed_at"] or datetime.now(UTC)
    header["ordered_on"] = header["ordered_on"] or datetime.now(UTC).date()
    lines = [{**_LINE_DEFAULTS, **line} for line in data["lines"]]
    numbers = [line.get("line_no") for line in lines]
    if not lines or None in numbers or len(set(numbers)) != len(numbers):
        raise BadOffer("An offer has lines, each with a line_no of its own")
    for line in lines:
        if not isinstance(line.get("quantity"), int) or line["quantity"] <= 0:
            raise BadOffer(f"Line {line['line_no']}: the quantity must be a whole number above 0")
        absent = [n for n in ("product_id", "sku", "name", "unit_price", "vat_code", "vat_rate") if line.get(n) is None]
        if absent:
            raise BadOffer(f"Line {line['line_no']} lacks {', '.join(absent)}")
    return Offer(
        int(data["order_id"]), int(data["epoch"]), str(data.get("owner_key") or ""), header, lines, hash_request(data)
    )


def accept_order(data: Mapping[str, Any]) -> dict[str, Any]:
    """Accept an offered order, or refuse it with what is left of each short line.

    Args:
        data: header fields and ``lines`` of the entity ``sales_order`` with ``order_id``, ``epoch`` and optionally
            ``owner_key``; prices and amounts as the Storefront computed them.

    Returns:
        ``{"outcome": "accepted" | "refused" | "seen", "order_id", "epoch", "reason", "short", "lines"}``.
        ``epoch`` is the order's epoch from now on: + 1 when accepted, the offer's own when refused. ``short``:
        ``[{"line_no", "product_id", "sku", "requested", "available"}]``. ``lines`` of an accepted order:
        ``[{"line_no", "reserved", "backordered"}]``. A seen epoch changes nothing; ``answer`` repeats what was
        answered to it (None for an epoch that was skipped).

    Writes reservations, stock, the order and the offer in one transaction of Logistics. A repeat of the same epoch,
    or of an older one, is answered ``seen``, also when the order was cancelled meanwhile.
    """
    offer = read_offer(data)
    answer = retrying("logistics", lambda: _answer(offer))
    fault_point("acceptance:after_commit")
    return answer


_LOOK = """
select (select max(epoch) from order_offer where order_id = %(id)s::bigint) as last_epoch,
  (select answer::text from order_offer where order_id = %(id)s::bigint and epoch = %(epoch)s::bigint) as answer,
  exists (select 1 from sales_order where id = %(id)s::bigint) as is_here,
  coalesce((select is_blocked or retired_at is not null from customer_copy where id = %(customer)s::bigint), true)
    as is_barred,
  (select coalesce(array_agg(p.id), '{}') from product_copy p
   where p.id = any (%(products)s::bigint[]) and p.is_stocked and p.product_class = 'goods') as stocked,
  (select coalesce(array_agg(p.id), '{}') from product_copy p where p.id = any (%(products)s::bigint[])) as known"""


def _answer(offer: Offer) -> dict[str, Any]:
    names = [f"order {offer.order_id}"] + ([f"holds {offer.owner_key}"] if offer.owner_key else [])
    take_locks(("stock", "sales_order"), names)
    (look,) = run_sql(
        _LOOK,
        {
            "id": offer.order_id, "epoch": offer.epoch, "customer": offer.header["customer_id"],
            "products": [line["product_id"] for line in offer.lines],
        },
    )  # fmt: skip
    if look["is_here"] or (look["last_epoch"] is not None and look["last_epoch"] >= offer.epoch):
        answer = load_json(look["answer"])
        return {
            "outcome": "seen", "order_id": offer.order_id, "epoch": (answer or {}).get("epoch", offer.epoch),
            "reason": "This offer was answered before", "short": (answer or {}).get("short", []), "answer": answer,
        }  # fmt: skip
    answer = _decide(offer, look)
    if answer["outcome"] == "refused":
        record_offer(offer.order_id, offer.epoch, "refused", offer.payload_hash, answer)
    fault_point("acceptance:before_commit")
    return answer


def _decide(offer: Offer, look: Mapping[str, Any]) -> dict[str, Any]:
    if look["is_barred"]:
        return _refusal(offer, "The customer is blocked or not known", [])
    unknown = [line for line in offer.lines if line["product_id"] not in set(look["known"])]
    if unknown:
        short = [_short(line, 0) for line in unknown]
        return _refusal(offer, "There is no such product: " + ", ".join(line["sku"] for line in unknown), short)
    stocked = set(look["stocked"])
    lines = [{**line, "is_stocked": line["product_id"] in stocked} for line in offer.lines]
    wanted = [line for line in lines if line["is_stocked"]]
    result = reserve_stock(
        wanted, state=Reservation.State.ALLOCATED, owner_key=offer.owner_key, order_id=offer.order_id
    )
    fault_point("acceptance:after_reserve")
    if not result.ok:
        by_no = {line["line_no"]: line for line in lines}
        return _refusal(offer, "Not enough stock", [_short(by_no[s.line_no], s.available) for s in result.short])
    return _accept(offer, lines, result)


def _accept(offer: Offer, lines: Sequence[Mapping[str, Any]], result: ReservationResult) -> dict[str, Any]:
    reserved = {line.line_no: line.reserved for line in result.lines}
    full = [{**line, "reserved": reserved.get(line["line_no"], 0)} for line in lines]
    is_whole = all(line["reserved"] == line["quantity"] for line in full if line["is_stocked"])
    has_goods = any(line["is_stocked"] for line in full)
    fulfilment = "none" if not has_goods else "allocated" if is_whole else "backordered"
    answer = {
        "outcome": "accepted", "order_id": offer.order_id, "epoch": offer.epoch + 1, "reason": "", "short": [],
        "lines": [
            {
                "line_no": line["line_no"], "reserved": line["reserved"],
                "backordered": line["quantity"] - line["reserved"] if line["is_stocked"] else 0,
            }
            for line in full
        ],
    }  # fmt: skip
    insert_order(
        offer.order_id, offer.epoch, offer.header, full, fulfilment, payload_hash=offer.payload_hash, answer=answer
    )
    return answer


def _refusal(offer: Offer, reason: str, short: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "outcome": "refused", "order_id": offer.order_id, "epoch": offer.epoch, "reason": reason, "short": short,
        "lines": [],
    }  # fmt: skip


def _short(line: Mapping[str, Any], available: int) -> dict[str, Any]:
    return {
        "line_no": line["line_no"], "product_id": line["product_id"], "sku": line["sku"],
        "requested": line["quantity"], "available": available,
    }  # fmt: skip


_RECORD = """
insert into order_offer (order_id, epoch, outcome, payload_hash, answer)
values (%s::bigint, %s::bigint, %s::text, %s::text, %s::jsonb)"""


def record_offer(order_id: int, epoch: int, outcome: str, payload_hash: str, answer: Mapping[str, Any]) -> None:
    """Remember an epoch and its answer; inside the transaction that decided it."""
    run_sql(_RECORD, [order_id, epoch, outcome, payload_hash, dump_json(answer)])


def withdraw_offer(order_id: int, epoch: int) -> dict[str, Any]:
    """Make sure that an offer which may still be under way is never accepted.

    Returns:
        The offer's record as :func:`find_offer` gives it: ``outcome`` ``withdrawn`` when it had not been seen,
        else what was answered (``accepted``: the order is Logistics' now and must be cancelled there).
    """

    def run() -> dict[str, Any]:
        take_locks(("sales_order",), [f"order {order_id}"])
        found = find_offer(order_id, epoch)
        if found is None:
            record_offer(order_id, epoch, "withdrawn", "", {"outcome": "withdrawn", "epoch": epoch})
            found = find_offer(order_id, epoch)
        assert found is not None
        return found

    return retrying("logistics", run)


def find_offer(order_id: int, epoch: int | None = None) -> dict[str, Any] | None:
    """The record of an offer: ``{"order_id", "epoch", "outcome", "answer", "offered_at"}``; None: never seen.

    Without ``epoch``: the latest one seen.
    """
    with cursor("logistics") as cur:
        cur.execute(
            "select order_id, epoch, outcome, answer, offered_at from order_offer "
            "where order_id = %s and (%s::bigint is null or epoch = %s) order by epoch desc limit 1",
            [order_id, epoch, epoch],
        )
        rows = rows_as_dicts(cur)
    return {**rows[0], "answer": load_json(rows[0]["answer"])} if rows else None
