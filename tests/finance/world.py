"""A small company whose books the tests keep: one customer at home, one abroad, mugs and tea."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from admin_app import api as admin_api
from erp.actor import Actor
from finance import api
from finance.models import JournalLine

BOOKKEEPER = Actor(7, "Bookkeeper")
DAY = date(2026, 3, 10)

_numbers = itertools.count(1)


def number() -> int:
    """A key nobody else in this process uses."""
    return next(_numbers)


@dataclass
class World:
    """Customers, products and the stock moves that Logistics would have numbered."""

    customer: int
    foreigner: int
    mug: int
    tea: int
    sequences: dict[int, int] = field(default_factory=dict)

    def next_move(self, product: int) -> dict[str, int]:
        """Id and number of the product's next stock move."""
        self.sequences[product] = self.sequences.get(product, 0) + 1
        return {"move_id": number(), "move_seq": self.sequences[product]}

    def receive(self, product: int, pieces: int, unit_cost: str, **more: Any) -> None:
        """Goods come in at a cost."""
        api.value_stock_moves([self.move(product, pieces, "receipt", unit_cost=Decimal(unit_cost), **more)])

    def move(self, product: int, pieces: int, kind: str, **more: Any) -> dict[str, Any]:
        """A stock move as Logistics sends it."""
        return {
            **self.next_move(product), "product_id": product, "kind": kind, "quantity": pieces, "moved_on": DAY,
            "document_kind": kind, "document_id": number(), "document_number": f"{kind}-{number()}", **more,
        }  # fmt: skip

    def product_line(self, product: int, pieces: int, price: str, vat: str = "27", **more: Any) -> dict[str, Any]:
        """A line of a goods issue or return."""
        name = "Mug" if product == self.mug else "Tea"
        rate = Decimal(vat) if vat.isdecimal() else Decimal(0)
        return {
            "line_no": 1, "order_line_no": 1 if product == self.mug else 2, "product_id": product, "sku": name.upper(),
            "name": name, "quantity": pieces, "unit_price": Decimal(price), "discount": Decimal(0), "vat_code": vat,
            "vat_rate": rate, "is_stocked": True, **({} if "move_id" in more else self.next_move(product)), **more,
        }  # fmt: skip

    def issue(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Payload of a goods issue."""
        key = number()
        return {
            "shipment_id": key, "shipment_number": f"SH-{key}", "order_id": key, "order_number": f"SO-{key}",
            "customer_id": self.customer, "currency": "HUF", "price_mode": "net", "issued_on": DAY,
            "payment_method": "transfer", "channel": "web", "external_ref": None, "bill_to": {}, "language": "hu",
            "lines": list(lines), **more,
        }  # fmt: skip

    def sell(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Invoice a goods issue; the answer with the order's id."""
        payload = self.issue(*lines, **more)
        return {**api.invoice_goods_issue(payload), "order_id": payload["order_id"], "payload": payload}

    def give_back(self, *lines: dict[str, Any], order_id: int | None, **more: Any) -> dict[str, Any]:
        """Payload of an inspected return."""
        key = number()
        return {
            "return_id": key, "return_number": f"RT-{key}", "order_id": order_id, "order_number": "",
            "customer_id": self.customer, "currency": "HUF", "price_mode": "net", "returned_on": DAY,
            "payment_method": "transfer", "channel": "web", "external_ref": None, "bill_to": {}, "language": "hu",
            "reason": "", "lines": list(lines), **more,
        }  # fmt: skip


def make_world() -> World:
    """Books, customers and products of a fresh database."""
    api.load_demo(BOOKKEEPER)
    customers = admin_api.save_customers(
        [
            {"external_ref": "home", "name": "Kovács Bt.", "country": "HU", "currency": "HUF"},
            {"external_ref": "away", "name": "Huber GmbH", "country": "AT", "currency": "EUR"},
        ],
        actor=BOOKKEEPER,
    )
    products = admin_api.save_products(
        [{"sku": "MUG", "name": "Mug", "vat_code": "27"}, {"sku": "TEA", "name": "Tea", "vat_code": "5"}],
        actor=BOOKKEEPER,
    )
    return World(customers[0]["id"], customers[1]["id"], products[0]["id"], products[1]["id"])


def posted(*, kind: str, key: int) -> dict[str, Decimal]:
    """What a document has posted, per account: debit positive, credit negative."""
    found: dict[str, Decimal] = {}
    for line in JournalLine.objects.filter(document_kind=kind, document_id=key):
        found[str(line.account_id)] = found.get(str(line.account_id), Decimal(0)) + line.amount
    return found


def balances() -> dict[str, Decimal]:
    """Balance of every account, without those at zero."""
    rows = api.trial_balance(date(2000, 1, 1), date(2100, 1, 1))
    return {row["account"]: row["balance"] for row in rows if row["balance"]}
