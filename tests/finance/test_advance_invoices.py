"""Prepayment: the advance is owed until the final invoice takes it off, to the last unit, never twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from erp.actor import SYSTEM
from finance import api
from finance.errors import AdvanceExceeded, CreditExceedsInvoice
from finance.services.advances import open_advances
from finance.services.crediting import issue_credit_note
from finance.services.invoicing import create_invoice
from tests.finance.world import DAY, World, balances, posted

D = Decimal


def advance(world: World, amount: str, **more: Any) -> dict[str, Any]:
    line = {"name": "Advance", "quantity": 1, "unit_price": amount, "vat_code": "27"}
    return create_invoice(
        {"kind": "advance", "customer_id": world.customer, "issued_on": DAY, "lines": [line], **more}, SYSTEM
    )


def final(world: World, amount: str, *taken: tuple[int, str], **more: Any) -> dict[str, Any]:
    goods = {"name": "Machine", "quantity": 1, "unit_price": amount, "vat_code": "27"}
    lines = [
        {"name": "Advance", "quantity": 1, "unit_price": f"-{part}", "vat_code": "27", "advance_invoice_id": key}
        for key, part in taken
    ]
    return create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": [goods, *lines], **more}, SYSTEM)


def test_advance_is_owed_and_then_taken_off(fresh_world: World) -> None:
    paid = advance(fresh_world, "40000")
    assert (paid["kind"], paid["number"]) == ("advance", "ADV-2026-000001")
    assert posted(kind="advance", key=paid["id"]) == {"311": D(50800), "453": D(-40000), "467": D(-10800)}
    done = final(fresh_world, "100000", (paid["id"], "40000"))
    assert (done["kind"], done["gross_total"]) == ("final", D(76200))
    assert balances() == {"311": D(127000), "467": D(-27000), "9111": D(-100000)}
    assert open_advances(fresh_world.customer, "HUF") == []


def test_parts_of_an_advance_add_up_to_the_whole(world: World) -> None:
    paid = advance(world, "1000.00", currency="EUR", customer_id=world.customer)
    for part in ("333.33", "333.33", "333.34"):
        final(world, "500", (paid["id"], part), currency="EUR")
    moved = sum((row["balance"] for row in api.trial_balance(DAY, DAY) if row["account"] == "453"), D(0))
    assert moved == 0
    with pytest.raises(AdvanceExceeded, match="nothing is left"):
        final(world, "500", (paid["id"], "1"), currency="EUR")


def test_more_than_the_advance_cannot_be_taken_off(world: World) -> None:
    paid = advance(world, "100")
    with pytest.raises(AdvanceExceeded, match="100.* can be taken off, not 101"):
        final(world, "500", (paid["id"], "101"))
    with pytest.raises(AdvanceExceeded, match="More is taken off"):
        final(world, "50", (paid["id"], "100"))
    with pytest.raises(AdvanceExceeded):
        final(world, "500", (paid["id"], "100"), customer_id=world.foreigner, currency="HUF")


def test_used_advance_cannot_be_credited_until_its_final_invoice_is_cancelled(world: World) -> None:
    paid = advance(world, "100")
    done = final(world, "500", (paid["id"], "100"))
    with pytest.raises((AdvanceExceeded, CreditExceedsInvoice)):
        issue_credit_note(paid["id"], actor=SYSTEM)
    issue_credit_note(done["id"], actor=SYSTEM)
    assert [a.net for a in open_advances(world.customer, "HUF") if a.invoice_id == paid["id"]] == [D(100)]
    gone = issue_credit_note(paid["id"], actor=SYSTEM)
    assert posted(kind="cancellation", key=gone["id"]) == {"311": D(-127), "453": D(100), "467": D(27)}


def test_advance_keeps_its_own_rate_and_the_difference_is_booked(fresh_world: World) -> None:
    world = fresh_world
    paid = advance(world, "100", customer_id=world.foreigner, currency="EUR", issued_on="2026-03-10")
    api.save_exchange_rates([{"currency": "EUR", "rate_on": "2026-03-20", "rate": "400"}])
    done = final(world, "100", (paid["id"], "100"), customer_id=world.foreigner, currency="EUR", issued_on="2026-03-20")
    assert done["gross_total"] == 0
    found = api.get_invoice(done["id"])
    assert (found["base_net_total"], found["base_vat_total"]) == (1000, 270)
    assert posted(kind="final", key=done["id"]) == {
        "9311": D(-40000), "467": D(-10800 + 10530), "453": D(39000), "8762": D(1270), "317": D(0),
    }  # fmt: skip
    assert balances()["317"] == D(49530)  # the advance itself, still to be paid
    assert api.books_difference() == 0
