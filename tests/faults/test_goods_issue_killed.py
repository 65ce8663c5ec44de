"""SIGKILL in the middle of acceptance and goods issue: it happened wholly or not at all, and a repeat finishes it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from erp.relay import run_relay
from logistics import api
from logistics.models import OrderOffer, RelayItem, Reservation, Shipment, StockMove
from logistics.services import relays
from tests.databases import ErpDatabase
from tests.logistics import world
from tests.logistics.finance_recorder import FinanceRecorder
from tests.logistics.world import CLERK, accepted, figures, offer, stocked


@pytest.fixture(autouse=True)
def finance(module_erp: ErpDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[FinanceRecorder]:
    recorder = FinanceRecorder()
    monkeypatch.setattr(relays, "finance", recorder)
    yield recorder
    world.require_sound_books()


def die_at(erp: ErpDatabase, point: str, code: str) -> None:
    done = erp.python(code, check=False, ERP_FAULT_POINT=point)
    assert done.returncode == -signal.SIGKILL, done.stderr


SHIP = """
from erp.actor import Actor
from logistics import api
api.ship({order}, None, actor=Actor(7, "Clerk"), key="{key}", settle_now=False)
"""


def documents(order_id: int) -> tuple[int, int, int]:
    """(shipments, issue moves, relay items) of an order."""
    ids = list(Shipment.objects.filter(order_id=order_id).values_list("pk", flat=True))
    return (
        len(ids),
        StockMove.objects.filter(document_kind="shipment", document_id__in=ids).count(),
        RelayItem.objects.filter(kind="invoice_issue", key__in=[f"shipment:{n}" for n in ids]).count(),
    )


@pytest.mark.parametrize(
    ("point", "before"),
    [("issue:after_moves", (0, 0, 0)), ("issue:before_commit", (0, 0, 0)), ("issue:after_commit", (1, 1, 1))],
)
def test_goods_issue_is_whole_or_not_at_all(
    module_erp: ErpDatabase, finance: FinanceRecorder, point: str, before: tuple[int, int, int]
) -> None:
    mug = stocked(9)
    order_id = accepted((mug, 4))
    key = f"killed at {point}"
    die_at(module_erp, point, SHIP.format(order=order_id, key=key))
    assert documents(order_id) == before
    assert figures(mug) == ((9, 4) if before == (0, 0, 0) else (5, 0))
    api.ship(order_id, None, actor=CLERK, key=key, settle_now=False)
    run_relay("logistics")
    run_relay("logistics")
    assert documents(order_id) == (1, 1, 1)
    assert figures(mug) == (5, 0)
    shipment = Shipment.objects.get(order_id=order_id)
    assert shipment.invoice_number == finance.invoices[shipment.pk]
    assert sum(1 for issue in finance.issues.values() if issue["order_id"] == order_id) == 1


ACCEPT = """
import json
from logistics import api
api.accept_order(json.loads({offer!r}))
"""


@pytest.mark.parametrize(
    ("point", "is_taken"),
    [("acceptance:after_reserve", False), ("acceptance:before_commit", False), ("acceptance:after_commit", True)],
)
def test_acceptance_is_whole_or_not_at_all(module_erp: ErpDatabase, point: str, is_taken: bool) -> None:
    mug = stocked(9)
    made: dict[str, Any] = json.loads(json.dumps(offer((mug, 4)), default=str))
    order_id = made["order_id"]
    die_at(module_erp, point, ACCEPT.format(offer=json.dumps(made)))
    assert (api.find_offer(order_id) is not None) is is_taken
    assert figures(mug) == (9, 4 if is_taken else 0)
    answer = api.accept_order(made)
    assert answer["outcome"] == ("seen" if is_taken else "accepted")
    assert api.find_offer(order_id)["outcome"] == "accepted"  # type: ignore[index]
    assert (figures(mug), api.get_order(order_id)["epoch"]) == ((9, 4), 2)
    assert OrderOffer.objects.filter(order_id=order_id).count() == 1
    assert Reservation.objects.filter(order_id=order_id, state="allocated").count() == 1
