"""The stand-in without HTTP: payments that are announced, authorised, captured, refunded and released."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from storefront.cardstandin.cards import Card
from storefront.cardstandin.store import Store


class NotAllowed(Exception):
    """The payment is not in a state that allows this; nothing has changed."""


_START = ("amount", "currency", "description", "return_url", "callback_url", "expires_at")


class StandIn:
    """Everything the provider does; each call may be repeated."""

    def __init__(self, store: Store, *, late_s: float | None = None) -> None:
        """``late_s`` replaces the delay of cards whose callback comes late."""
        self._store = store
        self._late_s = late_s

    def payment(self, ref: str) -> dict[str, Any] | None:
        """A payment as it stands."""
        found = self._store.rows("select * from payment where ref = ?", ref)
        return dict(found[0]) if found else None

    def start(self, ref: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Announce a payment; a repeat may move its deadline and nothing else."""
        with self._store.transaction():
            known = self.payment(ref)
            if known is None:
                values = [str(data[name]) for name in _START]
                marks = ", ".join("?" for _ in _START)
                self._store.run(
                    f"insert into payment (ref, state, {', '.join(_START)}) values (?, 'pending', {marks})",
                    ref, *values,
                )  # fmt: skip
            elif known["state"] == "voided":
                raise NotAllowed("the payment was called off")
            elif (known["amount"], known["currency"]) != (str(data["amount"]), data["currency"]):
                raise NotAllowed("the payment was announced with another amount")
            else:
                self._store.run("update payment set expires_at = ? where ref = ?", str(data["expires_at"]), ref)
        return self.answer(ref)

    def answer(self, ref: str) -> dict[str, Any]:
        """What the API says of a payment."""
        found = self.payment(ref)
        if found is None:
            return {"ref": ref, "state": "unknown", "sequence": 0}
        names = ("ref", "state", "sequence", "captured", "refunded", "amount", "currency")
        return {name: found[name] for name in names}

    def pay(self, ref: str, card: Card) -> dict[str, Any]:
        """The shopper pays with a card: authorised or declined, once. Raises NotAllowed."""
        with self._store.transaction():
            found = self.payment(ref)
            if found is None or found["state"] not in {"pending", "authorised"}:
                raise NotAllowed("this payment can no longer be paid")
            if found["state"] == "pending":
                if datetime.fromisoformat(found["expires_at"]) <= datetime.now(UTC):
                    raise NotAllowed("the time for this payment is over")
                self._change(ref, state="declined" if card.declines else "authorised", card=card.number)
                self._announce(ref, card)
        return self.answer(ref)

    def capture(self, ref: str, amount: Decimal, key: str) -> tuple[dict[str, Any], bool]:
        """Take money; returns the answer and whether it was done just now. Raises NotAllowed."""
        return self._move(ref, key, "captured", amount)

    def refund(self, ref: str, amount: Decimal, key: str) -> tuple[dict[str, Any], bool]:
        """Give money back. Raises NotAllowed."""
        return self._move(ref, key, "refunded", amount)

    def void(self, ref: str) -> dict[str, Any]:
        """Release what is not captured; a payment that was never announced can then not be announced either."""
        with self._store.transaction():
            found = self.payment(ref)
            if found is None:
                self._store.run("insert into payment (ref, state) values (?, 'voided')", ref)
            elif found["state"] in {"pending", "authorised"}:
                self._change(ref, state="voided")
        return self.answer(ref)

    def _move(self, ref: str, key: str, what: str, amount: Decimal) -> tuple[dict[str, Any], bool]:
        with self._store.transaction():
            if self._store.rows("select 1 from operation where key = ?", f"{ref} {key}"):
                return self.answer(ref), False
            found = self.payment(ref)
            if found is None or not found["card"]:
                raise NotAllowed("nothing is authorised")
            if what == "captured":
                limit = Decimal(found["amount"]) if found["state"] == "authorised" else Decimal(0)
            else:
                limit = Decimal(found["captured"])
            total = Decimal(found[what]) + amount
            if amount <= 0 or total > limit:
                raise NotAllowed(f"{amount} is more than there is")
            self._change(ref, **{what: str(total)})
            self._store.run("insert into operation (key, ref) values (?, ?)", f"{ref} {key}", ref)
        return self.answer(ref), True

    def _change(self, ref: str, **values: str) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        self._store.run(f"update payment set {names}, sequence = sequence + 1 where ref = ?", *values.values(), ref)

    def _announce(self, ref: str, card: Card) -> None:
        if not card.callbacks:
            return
        found = self.payment(ref)
        assert found is not None
        event_id = uuid.uuid4().hex
        body = json.dumps({"event_id": event_id, **self.answer(ref)})
        delay_s = card.delay_s if self._late_s is None or not card.delay_s else self._late_s
        # A card that calls first is called for by the page itself; the queue is its second way.
        due_at = time.time() + (delay_s or (5.0 if card.calls_first else 0.0))
        self._store.run(
            "insert into event (id, ref, body, url, due_at, copies) values (?, ?, ?, ?, ?, ?)",
            event_id, ref, body, found["callback_url"], due_at, card.callbacks,
        )  # fmt: skip
