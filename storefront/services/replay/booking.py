"""Books the documents of a replay through the same calls that shoppers, warehouse and integrators use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from erp.actor import Actor
from erp.errors import Refused
from erp.money import round_money
from erp.relay import run_relay
from finance import api as finance_api
from logistics import api as logistics_api
from storefront.models import SalesOrder
from storefront.services import integration

from .assumptions import EXPENSE_ACCOUNTS, OTHER_EXPENSE, PAID_FROM, Assumptions, reference
from .codes import JOURNAL_TREATMENTS
from .documents import Adjustment, Correction, Credit, CreditLine, EntryLine, Order, OrderLine


@dataclass
class Booker:
    """Books one document after the other; every call carries a key made of source and invoice number."""

    assumed: Assumptions
    customers: Mapping[str, int]
    products: Mapping[str, int]
    actor: Actor
    refused_links: int = field(default=0)  # credits that Logistics would not take back from their sale

    def book(self, document: Order | Adjustment | Correction) -> None:
        """Book a document; a repeat finds everything done."""
        if isinstance(document, Order):
            self._order(document)
        elif isinstance(document, Adjustment):
            self._adjustment(document)
        else:
            self._correction(document)

    def _order(self, order: Order) -> None:
        number, on = order.header.number, order.header.at.date()
        placed = integration.place_order(
            {
                "customer_id": self.customers[order.header.customer], "currency": self.assumed.currency,
                "price_mode": "net", "country": order.header.country, "external_ref": reference(number),
                "ordered_on": on, "placed_at": order.header.at, "channel": "replay", "payment_method": "transfer",
                "lines": [self._order_line(line) for line in order.lines],
            },
            actor=self.actor,
            idempotency_key=reference(number),
        )  # fmt: skip
        logistics_api.ship(placed["order_id"], actor=self.actor, key=reference(number), on_date=on)
        fees = [line for line in order.lines if line.treatment in JOURNAL_TREATMENTS]
        if fees:
            self._turn_fees_into_expenses(number, on, order.header.country, fees)

    def _order_line(self, line: OrderLine) -> dict[str, Any]:
        return {
            "product_id": self.products[line.code], "quantity": line.quantity, "unit_price": line.unit_price,
            "vat_code": self.assumed.vat_code, "name": line.name,
        }  # fmt: skip

    def _turn_fees_into_expenses(self, number: str, on: date, country: str, fees: list[OrderLine]) -> None:
        """A fee that the history put on a sale is no revenue: it lowers the expense of its kind."""
        entries = []
        for line in fees:
            amount = round_money(line.quantity * line.unit_price, self.assumed.currency)
            account = finance_api.revenue_account("service", country, on)
            expense = EXPENSE_ACCOUNTS.get(line.code, OTHER_EXPENSE)
            entries += [(account, amount, line.name), (expense, -amount, line.name)]
        self._post(f"{number}:fees", on, f"Fees on {number}", entries)

    def _adjustment(self, adjustment: Adjustment) -> None:
        if not adjustment.lines:
            return
        rows = [
            {"product_id": self.products[line.code], "quantity": line.pieces, "reason": line.reason}
            for line in adjustment.lines
        ]
        logistics_api.adjust_stock(
            rows, actor=self.actor, key=reference(adjustment.header.number), adjusted_on=adjustment.header.at.date()
        )
        # Finance values moves in the order of their numbers: the next sale of the product follows on this one.
        run_relay("logistics")

    def _correction(self, correction: Correction) -> None:
        number, on = correction.header.number, correction.header.at.date()
        for credit in correction.credits:
            self._credit(correction, credit)
        lines = [pair for entry in correction.entries for pair in self._entry_pair(entry)]
        if lines:
            self._post(number, on, f"Replayed {number}", lines)

    def _credit(self, correction: Correction, credit: Credit) -> None:
        """A linked credit up to the sale's price; what goes beyond, or cannot be linked, without original."""
        linked: list[dict[str, Any]] = []
        free: list[dict[str, Any]] = []
        order_id = self._order_of(credit.original)
        for line in credit.lines:
            if order_id and line.original_line_no and line.unit_price == line.original_unit_price:
                linked.append({"line_no": line.original_line_no, "quantity": line.quantity})
            else:
                free.append(self._free_line(line))
        key = reference(f"{correction.header.number}:{credit.original or ''}")
        if linked and order_id:
            try:
                self._receive(correction, order_id, linked, f"{key}:linked")
            except Refused:
                # An earlier replay of an excerpt took other pieces back from this sale.
                self.refused_links += 1
                free += [self._free_line(line) for line in credit.lines if line.original_line_no]
        if free:
            self._receive(correction, None, free, f"{key}:free")

    def _receive(
        self, correction: Correction, order_id: int | None, lines: list[dict[str, Any]], key: str
    ) -> None:
        header: dict[str, Any] = {"channel": "replay", "external_ref": reference(correction.header.number)}
        if order_id is None:
            header |= {
                "customer_id": self.customers[correction.header.customer], "currency": self.assumed.currency,
                "price_mode": "net", "payment_method": "transfer", "bill_to": {"country": correction.header.country},
            }  # fmt: skip
        logistics_api.receive_return(
            order_id, lines, actor=self.actor, key=key, on_date=correction.header.at.date(), header=header
        )

    def _free_line(self, line: CreditLine) -> dict[str, Any]:
        return {
            "product_id": self.products[line.code], "quantity": line.quantity, "unit_price": line.unit_price,
            "vat_code": self.assumed.vat_code, "vat_rate": Decimal(0), "name": line.name,
        }  # fmt: skip

    def _order_of(self, original: str | None) -> int | None:
        if original is None:
            return None
        return SalesOrder.objects.filter(external_ref=reference(original)).values_list("id", flat=True).first()

    def _entry_pair(self, entry: EntryLine) -> list[tuple[str, Decimal, str]]:
        account, amount = EXPENSE_ACCOUNTS.get(entry.code, OTHER_EXPENSE), entry.amount  # negative: it costs us
        return [(account, -amount, entry.text), (PAID_FROM, amount, entry.text)] if amount else []

    def _post(self, key: str, on: date, text: str, lines: list[tuple[str, Decimal, str]]) -> None:
        if not any(amount for _, amount, _ in lines):
            return
        finance_api.post_journal_entry(
            {
                "journal": "GEN", "entry_on": on, "text": text, "document_kind": "replay", "document_number": key,
                "currency": self.assumed.currency,
                "lines": [{"account": a, "amount": amount, "text": note} for a, amount, note in lines if amount],
            },
            actor=self.actor,
            posting_key=reference(key),
        )  # fmt: skip


